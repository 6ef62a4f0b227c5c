// SPDX-License-Identifier: Apache-2.0
/* C99: one function of every library that programs link; prints what it saw. */
#include <stdio.h>

#include "acl/acl.h"
#include "acl/acl_op.h"
#include "acl/acl_op_compiler.h"
#include "acl/acl_prof.h"
#include "acl/ops/acl_dvpp.h"

static const char *name_of(aclError code) {
  switch (code) {
    case ACL_SUCCESS:
      return "ok";
    case ACL_ERROR_RT_PARAM_INVALID:
      return "refused";
    case ACL_ERROR_FEATURE_UNSUPPORTED:
      return "unsupported";
    default:
      return "?";
  }
}

int main(void) {
  void *plain = NULL, *media = NULL;
  if (aclInit(NULL) != ACL_SUCCESS || aclrtSetDevice(0) != ACL_SUCCESS) return 1;
  aclmdlDesc *desc = aclmdlCreateDesc();
  printf("mdl %s\n", name_of(aclmdlDestroyDesc(desc)));
#ifdef WITH_DVPP
  if (acldvppMalloc(&media, 1000) != ACL_SUCCESS) return 1;
  if (aclrtMalloc(&plain, 1000, ACL_MEM_MALLOC_HUGE_FIRST) != ACL_SUCCESS) return 1;
  printf("dvpp %s %s\n", name_of(aclrtFree(media)), name_of(acldvppFree(plain)));
  printf("dvpp %s %s\n", name_of(acldvppFree(media)), name_of(aclrtFree(plain)));
#endif
#ifdef WITH_OP
  aclopAttr *attr = aclopCreateAttr();
  printf("op %s\n", name_of(aclopSetAttrInt(attr, "axis", 1)));
  aclopDestroyAttr(attr);
#endif
#ifdef WITH_PROF
  void *stamp = aclprofCreateStamp();
  printf("prof %s\n", name_of(aclprofMark(stamp)));
  aclprofDestroyStamp(stamp);
#endif
  (void)plain;
  (void)media;
  printf("reset %s\n", name_of(aclrtResetDevice(0)));
  return aclFinalize();
}
