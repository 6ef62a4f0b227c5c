// SPDX-License-Identifier: Apache-2.0
#include "fake/unsupported.h"

#include "fake/entry.h"

namespace aclfake {

int32_t unsupported_call(Call call, const char *reason) noexcept {
  return entry(call, [&] {
    return fail(ACL_ERROR_FEATURE_UNSUPPORTED, "%s is not supported by the fake device: %s",
                call_name(call), reason);
  });
}

}  // namespace aclfake
