// SPDX-License-Identifier: Apache-2.0
//
// What a function does that the fake does not play: counts the call and leaves a message.
#ifndef ACLRT_FAKE_UNSUPPORTED_H
#define ACLRT_FAKE_UNSUPPORTED_H

#include <cstdint>

#include "fake/ledger.h"

namespace aclfake {

int32_t unsupported_call(Call call, const char *reason) noexcept;  // the code, 200006

}  // namespace aclfake

#endif
