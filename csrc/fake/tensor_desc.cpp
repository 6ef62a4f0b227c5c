// SPDX-License-Identifier: Apache-2.0
#include "fake/tensor_desc.h"

#include <cstring>
#include <stdexcept>

namespace aclfake {

size_t TensorDesc::element_count() const noexcept {
  size_t count = 1;
  for (const int64_t dim : dims) {
    if (dim < 0) return 0;
    if (__builtin_mul_overflow(count, static_cast<size_t>(dim), &count)) return 0;
  }
  return count;
}

size_t TensorDesc::byte_size() const noexcept {
  size_t size;
  return __builtin_mul_overflow(element_count(), data_type_size(type), &size) ? 0 : size;
}

aclTensorDesc *publish_tensor_descs(std::vector<TensorDesc> items, bool borrowed) {
  if (items.size() > kMaxElements) throw std::length_error("too many tensor descs in one array");
  auto array = std::make_shared<TensorDescArray>();
  array->items = std::move(items);
  array->borrowed = borrowed;
  return static_cast<aclTensorDesc *>(
      handles<TensorDescArray>().insert(std::move(array), !borrowed));
}

std::shared_ptr<TensorDesc> find_tensor_desc(const aclTensorDesc *desc, Miss *miss) {
  uint32_t element = 0;
  std::shared_ptr<TensorDescArray> array = handles<TensorDescArray>().find(desc, miss, &element);
  if (array == nullptr) return nullptr;
  if (element >= array->items.size()) {
    if (miss != nullptr) *miss = Miss::kUnknown;
    return nullptr;
  }
  TensorDesc *item = &array->items[element];
  return std::shared_ptr<TensorDesc>(std::move(array), item);
}

void withdraw_tensor_descs(aclTensorDesc *desc) {
  handles<TensorDescArray>().remove(desc);
}

size_t data_type_size(aclDataType type) noexcept {
  switch (type) {
    case ACL_DT_UNDEFINED:
    case ACL_STRING:
      return 0;
    case ACL_INT8:
    case ACL_UINT8:
    case ACL_BOOL:
    case ACL_INT4:
    case ACL_UINT1:
    case ACL_HIFLOAT8:
    case ACL_FLOAT8_E5M2:
    case ACL_FLOAT8_E4M3FN:
    case ACL_FLOAT8_E8M0:
      return 1;
    case ACL_FLOAT16:
    case ACL_INT16:
    case ACL_UINT16:
    case ACL_BF16:
      return 2;
    case ACL_FLOAT:
    case ACL_INT32:
    case ACL_UINT32:
    case ACL_COMPLEX32:
      return 4;
    case ACL_COMPLEX128:
      return 16;
    default:
      return 8;  // unknown ones too, as the real library answers
  }
}

aclFloat16 float_to_float16(float value) noexcept {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const uint32_t sign = (bits >> 16) & 0x8000u;
  const int exponent = static_cast<int>((bits >> 23) & 0xffu) - 127;
  const uint32_t mantissa = (bits & 0x7fffffu) | 0x800000u;
  constexpr uint32_t kMax = 0x7bffu;
  if (exponent > 15) return static_cast<aclFloat16>(sign | kMax);  // Inf and NaN as well
  // 13 bits of the mantissa go in normal numbers, more below 2^-14.
  const int dropped = exponent >= -14 ? 13 : 13 + (-14 - exponent);
  if (dropped > 24) return static_cast<aclFloat16>(sign);
  const uint32_t kept = mantissa >> dropped;
  const uint32_t rest = mantissa & ((1u << dropped) - 1u);
  const uint32_t half = 1u << (dropped - 1);
  uint32_t rounded = kept + ((rest > half || (rest == half && (kept & 1u) != 0)) ? 1u : 0u);
  // A normal number's hidden bit adds one to the exponent field, as does a carry out of rounding.
  if (exponent >= -14) rounded += static_cast<uint32_t>(exponent + 14) << 10;
  if (rounded > kMax) rounded = kMax;
  return static_cast<aclFloat16>(sign | rounded);
}

float float16_to_float(aclFloat16 value) noexcept {
  const bool negative = (value & 0x8000u) != 0;
  const uint32_t exponent = (value >> 10) & 0x1fu;
  const uint32_t mantissa = value & 0x3ffu;
  // Exponent 31 is an ordinary one here: no infinities, no NaN.
  const float magnitude = exponent == 0 ? __builtin_ldexpf(static_cast<float>(mantissa), -24)
                                        : __builtin_ldexpf(static_cast<float>(mantissa | 0x400u),
                                                           static_cast<int>(exponent) - 25);
  return negative ? -magnitude : magnitude;
}

}  // namespace aclfake
