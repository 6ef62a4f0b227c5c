// SPDX-License-Identifier: Apache-2.0
//
// The table behind status.h.
#include "acl/status.h"

#include <algorithm>
#include <iterator>

namespace aclrt::acl {

namespace {

constexpr CodeInfo kRows[] = {
#define ACL_CODE(name, value, kind, meaning, causes, hint) \
  {value, ACLRT_ERROR_##kind, #name, meaning, causes, hint},
#include "acl/codes.def"
};

constexpr bool is_ordered() {
  for (size_t i = 1; i < std::size(kRows); ++i) {
    if (kRows[i].value < kRows[i - 1].value) return false;
  }
  return true;
}
static_assert(is_ordered(), "codes.def must be ordered by value: find_code searches by halves");

}  // namespace

const CodeInfo *const kCodes = kRows;
const size_t kCodeCount = std::size(kRows);

const CodeInfo *find_code(int32_t value) noexcept {
  const CodeInfo *row =
      std::lower_bound(std::begin(kRows), std::end(kRows), value,
                       [](const CodeInfo &info, int32_t wanted) { return info.value < wanted; });
  return row != std::end(kRows) && row->value == value ? row : nullptr;
}

}  // namespace aclrt::acl
