// SPDX-License-Identifier: Apache-2.0
//
// Descriptions: names that fit into aclmdlIODims, and dims in its layout.
#include "fake/description.h"

#include <algorithm>
#include <cstring>

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

std::vector<TensorInfo> infos(uint32_t model_id, const om::Model &model, const char *side,
                              const std::vector<om::Tensor> &tensors) {
  std::vector<TensorInfo> result;
  result.reserve(tensors.size());
  for (const om::Tensor &tensor : tensors) {
    result.push_back({tensor, short_name(model_id, model, side, result.size(), tensor.name)});
  }
  return result;
}

}  // namespace

Description::Description(uint32_t id, const om::Model &model)
    : model_id(id),
      inputs(infos(id, model, "input", model.inputs)),
      outputs(infos(id, model, "output", model.outputs)) {}

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
