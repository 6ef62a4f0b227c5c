// SPDX-License-Identifier: Apache-2.0
//
// The inputs of a model that go through AIPP, and the network's own input behind each. Immutable.
#ifndef ACLRT_FAKE_AIPP_INPUTS_H
#define ACLRT_FAKE_AIPP_INPUTS_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "acl/abi.h"
#include "om/om.h"

namespace aclfake {

// Dims of four, NCHW or NHWC; blank dims where the file does not tell them so.
struct AippNetwork {
  int32_t dtype = ACL_DT_UNDEFINED;
  int32_t format = ACL_FORMAT_UNDEFINED;
  std::vector<int64_t> dims;  // -1 where gears fill in

  bool is_known() const noexcept { return dims.size() == 4; }
  bool channels_last() const noexcept { return format == ACL_FORMAT_NHWC; }
  int64_t batch() const { return dims[0]; }
  int64_t channels() const { return dims[channels_last() ? 3 : 1]; }
  int64_t height() const { return dims[channels_last() ? 1 : 2]; }
  int64_t width() const { return dims[channels_last() ? 2 : 3]; }
};

struct AippInput {
  om::Aipp aipp;
  AippNetwork network;
  size_t block = 0;  // index of the input with the parameters of a run; no input's: none

  bool is_dynamic() const noexcept { return aipp.mode == om::Aipp::Mode::kDynamic; }
};

std::vector<AippInput> aipp_inputs(const om::Model &model);

// "DT_FLOAT16" as aclDataType, of the types that AIPP gives; else undefined.
int32_t aipp_dtype(const std::string &ge_name) noexcept;

// The model with the network's own inputs in place of the images; every index stays.
om::Model behind_aipp(const om::Model &model);

}  // namespace aclfake

#endif
