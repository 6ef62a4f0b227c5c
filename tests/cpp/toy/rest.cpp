// SPDX-License-Identifier: Apache-2.0
//
// Every other function of functions.def for the toy: does nothing, answers zero. Weak, so that
// ascendcl.cpp's win.
#include "acl/abi.h"

#pragma GCC diagnostic ignored "-Wunused-parameter"

namespace {
template <class Result>
Result zero() {
  return Result();
}
}  // namespace

extern "C" {
#define ACL_FUNCTION(result, name, parameters, family, need, tier, since, kind) \
  __attribute__((weak)) result name parameters {                                \
    return zero<result>();                                                      \
  }
#include "acl/functions.def"
}
