// SPDX-License-Identifier: Apache-2.0
#include "fake/aipp_inputs.h"

#include <utility>

#include "fake/engine.h"

namespace aclfake {
namespace {

// The file states the dims under the first gear; what varies is open on the image.
AippNetwork network_of(const om::Model &model, const om::Aipp &aipp) {
  AippNetwork network;
  const om::AippTensor &stated = aipp.network_input;
  network.dtype = aipp_dtype(stated.dtype);
  network.format = om::find_format(stated.format);
  const bool is_image = network.format == ACL_FORMAT_NCHW || network.format == ACL_FORMAT_NHWC;
  if (!is_image || stated.dims.size() != 4) return network;
  network.dims = stated.dims;
  const std::vector<int64_t> &image = model.inputs[aipp.input].dims;
  if (image.size() != 4) return network;
  if (model.dynamic == om::Dynamic::kBatch && image[0] < 0) network.dims[0] = -1;
  if (model.dynamic == om::Dynamic::kImage && image[1] < 0 && image[2] < 0) {
    const size_t height = network.channels_last() ? 1 : 2;
    network.dims[height] = network.dims[height + 1] = -1;
  }
  return network;
}

}  // namespace

int32_t aipp_dtype(const std::string &ge_name) noexcept {
  if (ge_name == "DT_FLOAT") return ACL_FLOAT;
  if (ge_name == "DT_FLOAT16") return ACL_FLOAT16;
  if (ge_name == "DT_UINT8") return ACL_UINT8;
  return ACL_DT_UNDEFINED;
}

std::vector<AippInput> aipp_inputs(const om::Model &model) {
  std::vector<AippInput> result;
  for (const om::Aipp &aipp : model.aipp) {
    AippInput input{aipp, network_of(model, aipp), model.inputs.size()};
    for (size_t i = 0; input.is_dynamic() && i < model.inputs.size(); ++i) {
      if (model.inputs[i].name == aipp.parameter_input) input.block = i;
    }
    result.push_back(std::move(input));
  }
  return result;
}

om::Model behind_aipp(const om::Model &model) {
  om::Model result = model;
  for (const AippInput &input : aipp_inputs(model)) {
    om::Tensor &tensor = result.inputs[input.aipp.input];
    tensor.dtype = input.network.dtype;
    tensor.format = input.network.format;
    tensor.dims = tensor.dims_v2 = input.network.dims;
    size_t bytes = 0;
    tensor.size = tensor_bytes(tensor.dtype, tensor.dims, &bytes) ? bytes : 0;
  }
  return result;
}

}  // namespace aclfake
