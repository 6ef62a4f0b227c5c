// SPDX-License-Identifier: Apache-2.0
//
// Reads an aclmdlDesc into Tensors.
#include "core/description.h"

#include <set>

#include "core/error.h"
#include "core/runtime.h"

namespace aclrt {

namespace {

[[noreturn]] void refuse_dynamic(const std::string &why) {
  throw Error(ACLRT_ERROR_MODEL_LOAD, "dynamic shapes are not supported by this version: " + why,
              "Build the model with fixed shapes (ATC's --input_shape without -1, no --dynamic_* "
              "and no dynamic AIPP).");
}

// AscendCL's own inputs, which carry a gear or AIPP parameters instead of data.
bool is_internal(const std::string &name) {
  return name == ACL_DYNAMIC_TENSOR_NAME || name.rfind(ACL_DYNAMIC_AIPP_NAME, 0) == 0;
}

bool says_nothing(const char *text) noexcept {
  return text == nullptr || text[0] == '\0';
}
bool says_nothing(size_t number) noexcept {
  return number == 0;
}
bool says_nothing(aclDataType dtype) noexcept {
  return dtype == ACL_DT_UNDEFINED;
}
bool says_nothing(aclFormat format) noexcept {
  return format == ACL_FORMAT_UNDEFINED;
}

// Functions without a status answer a failure with a value that may also be an answer. Asked again,
// a failure that lasts is told by the message that it leaves.
template <class Get>
auto ask(const char *call, Get &&get) {
  const auto first = get();
  if (!says_nothing(first)) return first;
  forget_message();
  const auto second = get();
  if (!says_nothing(second)) return second;
  const std::string message = recent_message();
  if (message.empty()) return second;
  Error error = acl_error(ACL_ERROR_FAILURE, call, "cannot describe the loaded model");
  error.detail = message;
  throw error;
}

std::string known_name(const char *name, const char *side, size_t index) {
  if (!says_nothing(name)) return name;
  return std::string(side) + "_" + std::to_string(index);
}

void set_dims(Tensor &tensor, const aclmdlIODims &dims, const char *side) {
  if (dims.dimCount > ACL_MAX_DIM_CNT) refuse_dynamic(tensor.acl_name + " has no known rank");
  tensor.dims.assign(dims.dims, dims.dims + dims.dimCount);
  for (const int64_t dim : tensor.dims) {
    if (dim < 0) {
      refuse_dynamic(std::string(side) + " " + tensor.acl_name + " has a dimension of " +
                     std::to_string(dim));
    }
  }
}

void name_outputs(std::vector<Tensor> &outputs) {
  std::set<std::string> names;
  for (Tensor &tensor : outputs) {
    tensor.name = framework_name(tensor.acl_name);
    names.insert(tensor.name);
  }
  if (names.size() == outputs.size()) return;
  for (Tensor &tensor : outputs) tensor.name = tensor.acl_name;
}

}  // namespace

std::string framework_name(const std::string &acl_name) {
  const size_t first = acl_name.find(':');
  if (first == 0 || first == std::string::npos) return acl_name;
  const size_t second = acl_name.find_first_not_of("0123456789", first + 1);
  if (second == std::string::npos || second == first + 1 || acl_name[second] != ':') {
    return acl_name;
  }
  return second + 1 < acl_name.size() ? acl_name.substr(second + 1) : acl_name;
}

Description::Description(uint32_t model_id) : desc_(acl::api().aclmdlCreateDesc()) {
  if (desc_ == nullptr) {
    fail(ACL_ERROR_BAD_ALLOC, "aclmdlCreateDesc", "cannot create a model description");
  }
  try {
    check(acl::api().aclmdlGetDesc(desc_, model_id), "aclmdlGetDesc",
          "cannot describe the loaded model");
    read();
  } catch (...) {
    release();
    throw;
  }
}

void Description::read() {
  const acl::Table &api = acl::api();
  aclmdlIODims dims;
  const size_t input_count =
      ask("aclmdlGetNumInputs", [&] { return api.aclmdlGetNumInputs(desc_); });
  for (size_t i = 0; i < input_count; ++i) {
    Tensor tensor;
    tensor.acl_name = known_name(
        ask("aclmdlGetInputNameByIndex", [&] { return api.aclmdlGetInputNameByIndex(desc_, i); }),
        "input", i);
    if (is_internal(tensor.acl_name)) refuse_dynamic("it has the input " + tensor.acl_name);
    tensor.name = tensor.acl_name;
    tensor.dtype =
        ask("aclmdlGetInputDataType", [&] { return api.aclmdlGetInputDataType(desc_, i); });
    tensor.format = ask("aclmdlGetInputFormat", [&] { return api.aclmdlGetInputFormat(desc_, i); });
    tensor.nbytes =
        ask("aclmdlGetInputSizeByIndex", [&] { return api.aclmdlGetInputSizeByIndex(desc_, i); });
    check(api.aclmdlGetInputDims(desc_, i, &dims), "aclmdlGetInputDims",
          "cannot read the shape of an input");
    set_dims(tensor, dims, "input");
    inputs_.push_back(std::move(tensor));
  }
  const size_t output_count =
      ask("aclmdlGetNumOutputs", [&] { return api.aclmdlGetNumOutputs(desc_); });
  for (size_t i = 0; i < output_count; ++i) {
    Tensor tensor;
    tensor.acl_name = known_name(
        ask("aclmdlGetOutputNameByIndex", [&] { return api.aclmdlGetOutputNameByIndex(desc_, i); }),
        "output", i);
    tensor.dtype =
        ask("aclmdlGetOutputDataType", [&] { return api.aclmdlGetOutputDataType(desc_, i); });
    tensor.format =
        ask("aclmdlGetOutputFormat", [&] { return api.aclmdlGetOutputFormat(desc_, i); });
    tensor.nbytes =
        ask("aclmdlGetOutputSizeByIndex", [&] { return api.aclmdlGetOutputSizeByIndex(desc_, i); });
    check(api.aclmdlGetOutputDims(desc_, i, &dims), "aclmdlGetOutputDims",
          "cannot read the shape of an output");
    set_dims(tensor, dims, "output");
    outputs_.push_back(std::move(tensor));
  }
  name_outputs(outputs_);
}

void Description::current_output_dims(size_t index, aclmdlIODims *dims) const {
  check(acl::api().aclmdlGetCurOutputDims(desc_, index, dims), "aclmdlGetCurOutputDims",
        "the model ran, but the shape of an output cannot be read");
}

aclError Description::release() noexcept {
  aclmdlDesc *desc = desc_;
  desc_ = nullptr;
  if (desc == nullptr || Runtime::is_forked()) return ACL_SUCCESS;
  return acl::api().aclmdlDestroyDesc(desc);
}

}  // namespace aclrt
