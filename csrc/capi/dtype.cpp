// SPDX-License-Identifier: Apache-2.0
//
// The tables of element types and layouts.
#include "acl/abi.h"
#include "aclrt/aclrt.h"
#include "om/om.h"

#define ACLRT_SAME_DTYPE(ours, theirs) \
  static_assert(int{ACLRT_DTYPE_##ours} == int{ACL_##theirs}, "aclrt_dtype_t is aclDataType")
ACLRT_SAME_DTYPE(UNDEFINED, DT_UNDEFINED);
ACLRT_SAME_DTYPE(FLOAT32, FLOAT);
ACLRT_SAME_DTYPE(FLOAT16, FLOAT16);
ACLRT_SAME_DTYPE(INT8, INT8);
ACLRT_SAME_DTYPE(INT32, INT32);
ACLRT_SAME_DTYPE(UINT8, UINT8);
ACLRT_SAME_DTYPE(INT16, INT16);
ACLRT_SAME_DTYPE(UINT16, UINT16);
ACLRT_SAME_DTYPE(UINT32, UINT32);
ACLRT_SAME_DTYPE(INT64, INT64);
ACLRT_SAME_DTYPE(UINT64, UINT64);
ACLRT_SAME_DTYPE(FLOAT64, DOUBLE);
ACLRT_SAME_DTYPE(BOOL, BOOL);
ACLRT_SAME_DTYPE(STRING, STRING);
ACLRT_SAME_DTYPE(COMPLEX64, COMPLEX64);
ACLRT_SAME_DTYPE(COMPLEX128, COMPLEX128);
ACLRT_SAME_DTYPE(BFLOAT16, BF16);
ACLRT_SAME_DTYPE(INT4, INT4);
ACLRT_SAME_DTYPE(UINT1, UINT1);
ACLRT_SAME_DTYPE(COMPLEX32, COMPLEX32);
ACLRT_SAME_DTYPE(HIFLOAT8, HIFLOAT8);
ACLRT_SAME_DTYPE(FLOAT8_E5M2, FLOAT8_E5M2);
ACLRT_SAME_DTYPE(FLOAT8_E4M3FN, FLOAT8_E4M3FN);
ACLRT_SAME_DTYPE(FLOAT8_E8M0, FLOAT8_E8M0);

extern "C" {

size_t aclrt_dtype_count(void) {
  return om::kDtypeCount;
}

aclrt_dtype_info_t aclrt_dtype_at(size_t index) {
  if (index >= om::kDtypeCount) return {ACLRT_DTYPE_UNDEFINED, 0, 0, ""};
  const om::Dtype &dtype = om::kDtypes[index];
  return {dtype.value, dtype.proto, dtype.bits, dtype.name};
}

const char *aclrt_format_name(int32_t format) {
  return om::format_name(format);
}

}  // extern "C"
