// SPDX-License-Identifier: Apache-2.0
//
// The table of AscendCL codes.
#include "acl/status.h"
#include "aclrt/aclrt.h"

extern "C" {

size_t aclrt_code_count(void) {
  return aclrt::acl::kCodeCount;
}

aclrt_code_info_t aclrt_code_at(size_t index) {
  if (index >= aclrt::acl::kCodeCount) return {0, ACLRT_ERROR_NONE, "", "", "", ""};
  const aclrt::acl::CodeInfo &code = aclrt::acl::kCodes[index];
  return {code.value, code.kind, code.name, code.meaning, code.causes, code.hint};
}

}  // extern "C"
