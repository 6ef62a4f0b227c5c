// SPDX-License-Identifier: Apache-2.0
//
// What the engines share: the size and the text of a tensor.
#include "fake/engine.h"

namespace aclfake {

bool tensor_bytes(int32_t dtype, const std::vector<int64_t> &dims, size_t *bytes) noexcept {
  const om::Dtype *type = om::find_dtype(dtype);
  if (type == nullptr) return false;
  size_t count = 1;
  bool empty = false;
  for (const int64_t dim : dims) {
    if (dim < 0) return false;
    if (dim == 0) {
      empty = true;
    } else if (__builtin_mul_overflow(count, static_cast<size_t>(dim), &count)) {
      return false;
    }
  }
  if (empty) {
    *bytes = 0;
    return true;
  }
  size_t bits = 0;
  if (__builtin_mul_overflow(count, static_cast<size_t>(type->bits), &bits)) return false;
  *bytes = bits / 8 + (bits % 8 != 0 ? 1 : 0);
  return true;
}

std::string tensor_text(int32_t dtype, const std::vector<int64_t> &dims) {
  const om::Dtype *type = om::find_dtype(dtype);
  std::string text = type != nullptr ? type->name : "type " + std::to_string(dtype);
  text += " [";
  for (size_t i = 0; i < dims.size(); ++i) {
    if (i != 0) text += ',';
    text += std::to_string(dims[i]);
  }
  return text + "]";
}

}  // namespace aclfake
