// SPDX-License-Identifier: Apache-2.0
#include "fake/shape_range.h"

#include <algorithm>
#include <cinttypes>

#include "fake/checks.h"
#include "fake/messages.h"

namespace aclfake {
namespace {

using Dims = std::vector<int64_t>;

std::string range_text(int64_t low, int64_t high) {
  if (high < 0) return "at least " + std::to_string(low);
  return low == high ? std::to_string(low) : std::to_string(low) + " to " + std::to_string(high);
}

// Dims that are given as -1 are not tested.
aclError check_dims(const om::Tensor &tensor, size_t index, const Dims &dims) {
  if (!tensor.dims.empty() && tensor.dims[0] == -2) return ACL_SUCCESS;  // any rank
  if (dims.size() != tensor.dims.size()) {
    return violation(Check::DYN_11, ACL_ERROR_INVALID_PARAM,
                     "the desc of input %zu \"%s\" has rank %zu, the model's is %zu", index,
                     tensor.name.c_str(), dims.size(), tensor.dims.size());
  }
  for (size_t i = 0; i < dims.size(); ++i) {
    int64_t low = tensor.dims[i];
    int64_t high = tensor.dims[i];
    if (low < 0) {
      low = i < tensor.range.size() ? tensor.range[i].first : 0;
      high = i < tensor.range.size() ? tensor.range[i].second : -1;
    }
    const bool fits = dims[i] >= low && (high < 0 || dims[i] <= high);
    if (fits || dims[i] == -1) continue;
    return violation(Check::DYN_11, ACL_ERROR_INVALID_PARAM,
                     "dim %zu of input %zu \"%s\" is %" PRId64 ", the model takes %s", i, index,
                     tensor.name.c_str(), dims[i], range_text(low, high).c_str());
  }
  return ACL_SUCCESS;
}

aclError check_input(const om::Tensor &tensor, size_t index, const Dims &dims, Range *range) {
  size_t needed = 0;
  if (!tensor_bytes(tensor.dtype, dims, &needed)) {
    return violation(Check::DYN_12, ACL_ERROR_GE_FAILURE,
                     "input %zu \"%s\" is %s, its dims have to be known", index,
                     tensor.name.c_str(), tensor_text(tensor.dtype, dims).c_str());
  }
  if (needed > 0 && range->data == nullptr) {
    return violation(Check::BUF_05, ACL_ERROR_GE_FAILURE,
                     "input %zu \"%s\" has a buffer without memory", index, tensor.name.c_str());
  }
  if (range->size < needed) {
    return violation(Check::DYN_10, ACL_ERROR_GE_FAILURE,
                     "the buffer of input %zu \"%s\" has %zu bytes, %s needs %zu", index,
                     tensor.name.c_str(), range->size, tensor_text(tensor.dtype, dims).c_str(),
                     needed);
  }
  range->size = needed;
  return ACL_SUCCESS;
}

// The real size is known only if all dims of the output are fixed; else the run tests it.
aclError check_output(const om::Tensor &tensor, size_t index, bool may_allocate, Range *range) {
  size_t needed = 0;
  const bool known = tensor_bytes(tensor.dtype, tensor.dims, &needed);
  if (range->data == nullptr) {
    range->size = 0;
    if (may_allocate || (known && needed == 0)) return ACL_SUCCESS;
    return violation(Check::BUF_05, ACL_ERROR_GE_FAILURE,
                     "output %zu \"%s\" has a buffer without memory", index, tensor.name.c_str());
  }
  if (!known) return ACL_SUCCESS;
  if (range->size < needed) {
    return violation(Check::DYN_13, ACL_ERROR_GE_FAILURE,
                     "E13031: the buffer of output %zu \"%s\" has %zu bytes, it needs %zu", index,
                     tensor.name.c_str(), range->size, needed);
  }
  range->size = needed;
  return ACL_SUCCESS;
}

}  // namespace

aclError check_shape_range(const Description &description, const Dataset &input, bool may_allocate,
                           Ranges *ranges) {
  const std::vector<TensorInfo> &inputs = description.inputs;
  const std::vector<TensorInfo> &outputs = description.outputs;
  if (ranges->inputs.size() < inputs.size()) {
    return violation(Check::SET_07, ACL_ERROR_INVALID_PARAM,
                     "the input dataset has %zu buffers, the model has %zu inputs",
                     ranges->inputs.size(), inputs.size());
  }
  if (ranges->outputs.size() != outputs.size()) {
    return violation(Check::SET_08, ACL_ERROR_GE_FAILURE,
                     "the output dataset has %zu buffers, the model has %zu outputs",
                     ranges->outputs.size(), outputs.size());
  }
  ranges->inputs.resize(inputs.size());  // more are ignored
  for (size_t i = 0; i < inputs.size(); ++i) {
    const om::Tensor &tensor = inputs[i].tensor;
    const auto desc = find_tensor_desc(input.desc(i));
    ranges->input_dims.push_back(desc != nullptr ? desc->dims : tensor.dims);
    if (desc == nullptr) continue;
    if (const aclError code = check_dims(tensor, i, desc->dims)) return code;
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (const aclError code =
            check_input(inputs[i].tensor, i, ranges->input_dims[i], &ranges->inputs[i])) {
      return code;
    }
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (const aclError code =
            check_output(outputs[i].tensor, i, may_allocate, &ranges->outputs[i])) {
      return code;
    }
  }
  return ACL_SUCCESS;
}

aclError take_output_dims(const Description &description, const ModelEngine::Shapes &shapes,
                          Ranges *ranges) {
  for (size_t i = 0; i < shapes.size(); ++i) {
    om::Tensor tensor = description.outputs[i].tensor;
    tensor.dims = shapes[i];
    if (const aclError code = check_output(tensor, i, false, &ranges->outputs[i])) return code;
  }
  ranges->output_dims = shapes;
  return ACL_SUCCESS;
}

}  // namespace aclfake
