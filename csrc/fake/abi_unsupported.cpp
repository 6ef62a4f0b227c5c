// SPDX-License-Identifier: Apache-2.0
//
// The exports behind unsupported.def and ACL_UNDOCUMENTED. abi.h is left out on purpose: these are
// defined without their parameters, which they don't look at. In the C calling conventions of
// x86_64 and aarch64 the caller can't tell, as long as the result is an integer or a pointer.
#include <cstdint>

#include "fake/unsupported.h"

#define ACLFAKE_EXPORT extern "C" __attribute__((visibility("default")))

#define ACLFAKE_DEFINE_status(name, reason)                          \
  ACLFAKE_EXPORT int32_t name(void) {                                \
    return aclfake::unsupported_call(aclfake::Call::name, (reason)); \
  }
#define ACLFAKE_DEFINE_value(name, reason)                    \
  ACLFAKE_EXPORT uintptr_t name(void) {                       \
    aclfake::unsupported_call(aclfake::Call::name, (reason)); \
    return 0;                                                 \
  }
#define ACLFAKE_DEFINE_handle(name, reason) ACLFAKE_DEFINE_value(name, reason)
#define ACLFAKE_DEFINE_none(name, reason)                     \
  ACLFAKE_EXPORT void name(void) {                            \
    aclfake::unsupported_call(aclfake::Call::name, (reason)); \
  }

#define ACL_UNSUPPORTED(name, kind, reason) ACLFAKE_DEFINE_##kind(name, reason)
#include "fake/unsupported.def"

#define ACL_UNDOCUMENTED(name, family, tier) \
  ACLFAKE_DEFINE_status(name, "its signature is in no source that we could read")
#include "acl/functions.def"
