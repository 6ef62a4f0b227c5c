// SPDX-License-Identifier: Apache-2.0
//
// Tells and reads shapes.
#include "core/shape_range.h"

#include <algorithm>

#include "core/error.h"
#include "core/gears.h"

namespace aclrt {

namespace {

bool is_told(const Tensor &tensor) noexcept {
  return tensor.is_dynamic() && !tensor.takes_aipp_image;
}

// Its size is known by no one before the model has run.
bool is_open(const Tensor &tensor) noexcept {
  return tensor.is_dynamic() && tensor.device_nbytes == 0;
}

std::string limits(const Tensor &tensor, size_t axis) {
  const auto &[least, greatest] = tensor.range[axis];
  if (greatest < 0) return std::to_string(least) + " or more";
  return std::to_string(least) + " to " + std::to_string(greatest);
}

// 0 is a scalar, or a failure that a second question tells: that one leaves a message.
size_t rank_of(const aclTensorDesc *desc) {
  const acl::Table &api = acl::api();
  size_t rank = api.aclGetTensorDescNumDims(desc);
  if (rank > 0) return rank;
  forget_message();
  rank = api.aclGetTensorDescNumDims(desc);
  if (rank > 0) return rank;
  const std::string message = recent_message();
  if (message.empty()) return 0;
  Error error = acl_error(ACL_ERROR_FAILURE, "aclGetTensorDescNumDims",
                          "the model ran, but the shape of an output cannot be read");
  error.detail = message;
  throw error;
}

// Twice what was there, as far as the largest shape goes: a growing sequence costs few allocations.
size_t grown(const Tensor &tensor, size_t have, size_t need) noexcept {
  const size_t limit = tensor.device_nbytes;
  const size_t twice = have > SIZE_MAX / 2 ? SIZE_MAX : 2 * have;
  return std::max(need, limit > 0 ? std::min(twice, limit) : twice);
}

}  // namespace

void ShapeRange::check(const aclrt_dims_t *shapes, const Description &description) {
  for (size_t i = 0; i < description.inputs().size(); ++i) {
    const Tensor &tensor = description.inputs()[i];
    const auto refuse = [&](const std::string &why) {
      throw Error(ACLRT_ERROR_INPUT, "input \"" + tensor.name + "\" is " +
                                         to_text(shapes[i].dims, shapes[i].rank) +
                                         "; the model takes " + to_text(tensor.dims) + why);
    };
    if (shapes[i].rank != tensor.dims.size()) refuse("");
    for (size_t axis = 0; axis < tensor.dims.size(); ++axis) {
      const int64_t dim = shapes[i].dims[axis];
      const auto &[least, greatest] = tensor.range[axis];
      if (dim < 0 || dim < least || (greatest >= 0 && dim > greatest)) {
        refuse(", dim " + std::to_string(axis) + " from " + limits(tensor, axis));
      }
    }
  }
}

void ShapeRange::bind(const aclrt_dims_t *shapes, const Description &description, Dataset &inputs) {
  const std::vector<Tensor> &tensors = description.inputs();
  const bool is_fresh = bound_.empty();
  if (is_fresh) bound_.resize(tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    const Tensor &tensor = tensors[i];
    if (!is_told(tensor) || (!is_fresh && fits(shapes[i], bound_[i]))) continue;
    const size_t need = nbytes_of(tensor.dtype, shapes[i].dims, shapes[i].rank);
    inputs.fit(tensor.index, need, grown(tensor, inputs.buffer(tensor.index).size(), need));
    inputs.set_shape(tensor.index, tensor.dtype, shapes[i].dims, shapes[i].rank);
    bound_[i].assign(shapes[i].dims, shapes[i].dims + shapes[i].rank);
  }
}

aclError ShapeRange::execute(uint32_t model_id, const Description &description, Dataset &inputs,
                             Dataset &outputs) {
  const acl::Table &api = acl::api();
  const auto run = [&] {
    const aclError code = api.aclmdlExecute(model_id, inputs.handle(), outputs.handle());
    for (const Tensor &tensor : description.outputs()) {
      if (is_open(tensor)) outputs.adopt(tensor.index);
    }
    return code;
  };
  const auto may_be_small = [&](const Tensor &tensor) {
    return is_open(tensor) && outputs.buffer(tensor.index).data() != nullptr;
  };
  const std::vector<Tensor> &tensors = description.outputs();
  const bool can_retry = std::any_of(tensors.begin(), tensors.end(), may_be_small);
  const aclError code = run();
  // Too small a buffer: 500002 since CANN 9, 145000 before.
  const bool is_retried =
      can_retry && (code == ACL_ERROR_GE_FAILURE || code == ACL_ERROR_GE_PARAM_INVALID);
  if (!is_retried) return code;
  forget_message();
  for (const Tensor &tensor : tensors) {
    if (may_be_small(tensor)) outputs.empty(tensor.index);
  }
  return run();
}

void ShapeRange::read_shapes(const Description &description, const Dataset &outputs,
                             aclrt_shape_t *shapes) {
  constexpr char kMessage[] = "the model ran, but the shape of an output cannot be read";
  const acl::Table &api = acl::api();
  for (size_t i = 0; i < description.outputs().size(); ++i) {
    const aclTensorDesc *desc = api.aclmdlGetDatasetTensorDesc(outputs.handle(), i);
    if (desc == nullptr) fail(ACL_ERROR_FAILURE, "aclmdlGetDatasetTensorDesc", kMessage);
    const size_t rank = rank_of(desc);
    if (rank > ACLRT_MAX_RANK) fail(ACL_ERROR_FAILURE, "aclGetTensorDescNumDims", kMessage);
    shapes[i].rank = rank;
    for (size_t axis = 0; axis < rank; ++axis) {
      aclrt::check(api.aclGetTensorDescDimV2(desc, axis, &shapes[i].dims[axis]),
                   "aclGetTensorDescDimV2", kMessage);
      if (shapes[i].dims[axis] < 0) fail(ACL_ERROR_FAILURE, "aclGetTensorDescDimV2", kMessage);
    }
  }
}

size_t ShapeRange::initial_size(const Tensor &tensor, bool is_input) noexcept {
  const bool is_later = is_input ? is_told(tensor) : is_open(tensor);
  return is_later ? Dataset::kLater : tensor.device_nbytes;
}

}  // namespace aclrt
