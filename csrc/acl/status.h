// SPDX-License-Identifier: Apache-2.0
//
// AscendCL's codes as data: name, kind, meaning, causes and hint of each, from codes.def. Static
// storage, any thread.
#ifndef ACLRT_ACL_STATUS_H
#define ACLRT_ACL_STATUS_H

#include <cstddef>
#include <cstdint>

#include "aclrt/aclrt.h"

namespace aclrt::acl {

struct CodeInfo {
  int32_t value;
  aclrt_error_kind_t kind;
  const char *name;
  const char *meaning;
  const char *causes;
  const char *hint;
};

// Ordered by value; success (0) has three names.
extern const CodeInfo *const kCodes;
extern const size_t kCodeCount;

// The first row with that value; nullptr if the code is not in the table.
const CodeInfo *find_code(int32_t value) noexcept;

}  // namespace aclrt::acl

#endif
