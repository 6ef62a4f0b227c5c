// SPDX-License-Identifier: Apache-2.0
//
// What a model takes and gives. A Description is immutable and shared between the loaded model and
// the aclmdlDescs filled from it, so that a desc stays readable after the model is unloaded.
// The strings that getters hand out live as long as the desc keeps its Description.
#ifndef ACLRT_FAKE_DESCRIPTION_H
#define ACLRT_FAKE_DESCRIPTION_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "acl/abi.h"
#include "fake/aipp_inputs.h"
#include "fake/gears.h"
#include "fake/handles.h"
#include "om/om.h"

namespace aclfake {

struct TensorInfo {
  om::Tensor tensor;
  // The name where only 127 characters fit: the tensor's own, or "acl_modelId_<id>_input_<i>".
  std::string short_name;
};

class Description {
 public:
  Description(uint32_t model_id, const om::Model &model);

  const uint32_t model_id;  // 0: from a file, not from a loaded model
  const std::vector<TensorInfo> inputs;
  const std::vector<TensorInfo> outputs;
  const Gears gears;
  // Executed by AscendCL's engine for dims that are known at the execution only: no gears, dims of
  // inputs by tensor descs, real dims of outputs in them afterwards.
  const bool shape_range;
  const std::vector<AippInput> aipp;

  // Dims of an input, with open places where the model's are, under the largest gear.
  std::vector<int64_t> largest_dims(size_t input, const std::vector<int64_t> &dims) const;

  // The tensor's full name for its full or its short one; nullptr if there is none.
  const char *real_name(const std::string &name) const;
};

// aclmdlDesc. Not locked: as in AscendCL one desc is filled by one thread at a time.
struct ModelDesc {
  static constexpr Kind kKind = Kind::kModelDesc;
  std::shared_ptr<const Description> description;  // nullptr until filled
};

// Fills name, dimCount and that many dims. 300000 if there are more than 128.
aclError write_dims(const TensorInfo &info, const std::vector<int64_t> &dims, aclmdlIODims *out);

}  // namespace aclfake

#endif
