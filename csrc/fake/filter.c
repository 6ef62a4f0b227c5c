// SPDX-License-Identifier: Apache-2.0
//
// The other names of the drop-in directory: libacl_rt.so, libacl_mdl.so, ... Each is a filter of
// libascendcl.so (DT_FILTER): programs link against the names defined here, the dynamic loader
// takes the definitions from libascendcl.so. Nothing here is ever called, so nothing here is
// thread-bound or can fail; a loader without filters (musl's) would trap. ACLRT_FILTER_<family>
// chooses the families of functions.def that the library stands for.

#define EXPORT(name)                                                 \
  __attribute__((visibility("default"), noreturn)) void name(void) { \
    __builtin_trap();                                                \
  }

#ifdef ACLRT_FILTER_rt
#define SELECT_rt(name) EXPORT(name)
#else
#define SELECT_rt(name)
#endif
#ifdef ACLRT_FILTER_mdl
#define SELECT_mdl(name) EXPORT(name)
#else
#define SELECT_mdl(name)
#endif
#ifdef ACLRT_FILTER_op
#define SELECT_op(name) EXPORT(name)
#else
#define SELECT_op(name)
#endif
#ifdef ACLRT_FILTER_prof
#define SELECT_prof(name) EXPORT(name)
#else
#define SELECT_prof(name)
#endif
#ifdef ACLRT_FILTER_dvpp
#define SELECT_dvpp(name) EXPORT(name)
#else
#define SELECT_dvpp(name)
#endif

#define ACL_FUNCTION(result, name, parameters, family, need, tier, since, kind) \
  SELECT_##family(name)
#define ACL_UNDOCUMENTED(name, family, tier) SELECT_##family(name)
#include "acl/functions.def"

// An empty translation unit is no C99.
typedef int aclrt_filter;
