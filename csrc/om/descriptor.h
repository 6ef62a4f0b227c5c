// SPDX-License-Identifier: Apache-2.0
//
// TensorDescriptor: type, layout and dims of what a node takes or gives.
#ifndef ACLRT_OM_DESCRIPTOR_H
#define ACLRT_OM_DESCRIPTOR_H

#include <cstdint>
#include <utility>
#include <vector>

#include "om/attrs.h"
#include "om/view.h"

namespace om {

inline constexpr size_t kMaxRank = 128;  // of aclmdlIODims

struct Descriptor {
  int32_t dtype = -1;   // aclDataType
  int32_t format = -1;  // aclFormat
  std::vector<int64_t> dims;
  uint64_t size = 0;
  std::vector<std::pair<int64_t, int64_t>> range;
  uint64_t special_input_size = 0;  // 0: not stated
  uint64_t special_output_size = 0;
};

// Throws FormatError: Cause::kUnsupported for more than 128 dims.
Descriptor read_descriptor(View message, const Dictionary &dictionary);

// GE's number of a layout, with its sub-format and C0 bits, as aclFormat.
int32_t plain_format(uint32_t number);

// Bytes of a tensor; 0 where a dim is open, the type unknown or the number too large.
uint64_t bytes_of(int32_t dtype, const std::vector<int64_t> &dims);

// Throws FormatError (Cause::kUnsupported) for more than 128 dims.
void check_rank(const std::vector<int64_t> &dims, View place);

}  // namespace om

#endif
