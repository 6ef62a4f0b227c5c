// SPDX-License-Identifier: Apache-2.0
//
// Descriptions: names that fit into aclmdlIODims, and dims in its layout.
#include "fake/description.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <numeric>

#include "fake/engine.h"
#include "fake/messages.h"

namespace aclfake {
namespace {

bool taken(const om::Model &model, const std::string &name) {
  const auto same = [&](const om::Tensor &tensor) { return tensor.name == name; };
  return std::any_of(model.inputs.begin(), model.inputs.end(), same) ||
         std::any_of(model.outputs.begin(), model.outputs.end(), same);
}

std::string short_name(uint32_t model_id, const om::Model &model, const char *side, size_t index,
                       const std::string &name) {
  if (name.size() < ACL_MAX_TENSOR_NAME_LEN) return name;
  std::string made =
      "acl_modelId_" + std::to_string(model_id) + "_" + side + "_" + std::to_string(index);
  for (unsigned suffix = 0; taken(model, made); ++suffix) made += "_" + std::to_string(suffix);
  return made;
}

bool has_shape_range(const om::Model &model) {
  if (model.dynamic != om::Dynamic::kNone) return model.dynamic == om::Dynamic::kRange;
  return model.model_num > 1 || model.is_unknown_shape;
}

// Of the upper bounds of all dims; 0 if there is a dim without one.
uint64_t largest_bytes(const om::Tensor &tensor) {
  std::vector<int64_t> dims = tensor.dims;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] < 0 && i < tensor.range.size()) dims[i] = tensor.range[i].second;
  }
  size_t bytes = 0;
  return tensor_bytes(tensor.dtype, dims, &bytes) ? bytes : 0;
}

std::vector<TensorInfo> infos(uint32_t model_id, const om::Model &model, const char *side,
                              const std::vector<om::Tensor> &tensors) {
  std::vector<TensorInfo> result;
  result.reserve(tensors.size());
  for (const om::Tensor &tensor : tensors) {
    result.push_back({tensor, short_name(model_id, model, side, result.size(), tensor.name)});
    om::Tensor &made = result.back().tensor;
    if (made.size == 0 && has_shape_range(model)) made.size = largest_bytes(made);
  }
  return result;
}

}  // namespace

Description::Description(uint32_t id, const om::Model &model)
    : model_id(id),
      inputs(infos(id, model, "input", model.inputs)),
      outputs(infos(id, model, "output", model.outputs)),
      gears(model),
      shape_range(has_shape_range(model)),
      aipp(aipp_inputs(model)) {}

std::vector<int64_t> Description::largest_dims(size_t input,
                                               const std::vector<int64_t> &dims) const {
  const auto elements = [](const std::vector<int64_t> &some) {
    return std::accumulate(some.begin(), some.end(), 1.0, std::multiplies<>());
  };
  std::vector<int64_t> largest = dims;
  for (size_t gear = 0; gear < gears.gears.size(); ++gear) {
    const std::vector<int64_t> filled = gears.filled(gear, input, dims);
    if (gear == 0 || elements(filled) > elements(largest)) largest = filled;
  }
  return largest;
}

const char *Description::real_name(const std::string &name) const {
  for (const auto *side : {&inputs, &outputs}) {
    for (const TensorInfo &info : *side) {
      if (info.tensor.name == name || info.short_name == name) return info.tensor.name.c_str();
    }
  }
  return nullptr;
}

aclError write_dims(const TensorInfo &info, const std::vector<int64_t> &dims, aclmdlIODims *out) {
  if (dims.size() > ACL_MAX_DIM_CNT) {
    return fail(ACL_ERROR_STORAGE_OVER_LIMIT, "tensor \"%s\" has %zu dims, at most %d fit",
                info.tensor.name.c_str(), dims.size(), ACL_MAX_DIM_CNT);
  }
  std::memcpy(out->name, info.short_name.c_str(), info.short_name.size() + 1);
  out->dimCount = dims.size();
  std::copy(dims.begin(), dims.end(), out->dims);
  return ACL_SUCCESS;
}

}  // namespace aclfake
