// SPDX-License-Identifier: Apache-2.0
//
// Reads an aclmdlDesc into Tensors.
#include "core/description.h"

#include <algorithm>
#include <memory>
#include <set>

#include "core/error.h"
#include "core/runtime.h"
#include "om/om.h"

namespace aclrt {

namespace {

[[noreturn]] void refuse_rank(const Tensor &tensor, const char *side) {
  throw Error(ACLRT_ERROR_MODEL_LOAD,
              std::string(side) + " " + tensor.acl_name + " has no known rank",
              "Compile the model with as many dims as the input has (ATC's --input_shape).");
}

// AscendCL's own inputs, which carry a gear or AIPP parameters instead of data.
bool is_internal(const std::string &name) {
  return name == ACL_DYNAMIC_TENSOR_NAME || name.rfind(ACL_DYNAMIC_AIPP_NAME, 0) == 0;
}

constexpr int64_t kUnknownRank = -2;

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
// a failure that lasts is told by the message that it leaves, each time: one alone may be that of
// asking for messages.
template <class Get>
auto ask(const char *call, Get &&get) {
  auto value = get();
  std::string message;
  for (int turn = 0; turn < 2 && says_nothing(value); ++turn) {
    forget_message();
    value = get();
    message = says_nothing(value) ? recent_message() : "";
    if (message.empty()) return value;
  }
  if (!says_nothing(value)) return value;
  Error error = acl_error(ACL_ERROR_FAILURE, call, "cannot describe the loaded model");
  error.detail = message;
  throw error;
}

std::string known_name(const char *name, const char *side, size_t index) {
  if (!says_nothing(name)) return name;
  return std::string(side) + "_" + std::to_string(index);
}

void set_dims(Tensor &tensor, const aclmdlIODims &dims, const char *side) {
  if (dims.dimCount > ACL_MAX_DIM_CNT) refuse_rank(tensor, side);
  tensor.dims.assign(dims.dims, dims.dims + dims.dimCount);
}

// What has to be fed: with static AIPP the bytes of the image, which its logical dims do not tell.
void set_input_dims(Tensor &tensor, const aclmdlDesc *desc) {
  const acl::Table &api = acl::api();
  aclmdlIODims dims;
  check(api.aclmdlGetInputDims(desc, tensor.index, &dims), "aclmdlGetInputDims",
        "cannot read the shape of an input");
  set_dims(tensor, dims, "input");
  const bool is_told =
      !tensor.is_dynamic() &&
      nbytes_of(tensor.dtype, tensor.dims.data(), tensor.dims.size()) == tensor.device_nbytes;
  if (is_told || tensor.dtype != ACL_UINT8 || api.aclmdlGetInputDimsV2 == nullptr) return;
  check(api.aclmdlGetInputDimsV2(desc, tensor.index, &dims), "aclmdlGetInputDimsV2",
        "cannot read the shape of an input's memory");
  set_dims(tensor, dims, "input");
}

// The compiler may have rounded the buffer up; what is fed or fetched is the tensor alone.
void set_nbytes(Tensor &tensor) {
  tensor.nbytes = tensor.device_nbytes;
  if (tensor.is_dynamic()) return;
  const size_t logical = nbytes_of(tensor.dtype, tensor.dims.data(), tensor.dims.size());
  if (logical != 0 && logical < tensor.nbytes) tensor.nbytes = logical;
}

// Older libraries cannot tell; AscendCL then judges what is fed.
void set_range(Tensor &tensor, const aclmdlDesc *desc, aclmdlIODimsRange &answer) {
  const acl::Table &api = acl::api();
  for (const int64_t dim : tensor.dims) tensor.range.emplace_back(dim, dim);
  if (!tensor.is_dynamic()) return;
  for (auto &range : tensor.range) {
    if (range.first < 0) range = {0, -1};
  }
  if (api.aclmdlGetInputDimsRange == nullptr) return;
  answer.rangeCount = 0;
  check(api.aclmdlGetInputDimsRange(desc, tensor.index, &answer), "aclmdlGetInputDimsRange",
        "cannot read the shape range of an input");
  if (answer.rangeCount != tensor.dims.size()) return;  // a model with gears answers none
  for (size_t axis = 0; axis < tensor.dims.size(); ++axis) {
    tensor.range[axis] = {answer.range[axis][0], answer.range[axis][1]};
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

bool Tensor::is_dynamic() const noexcept {
  return std::any_of(dims.begin(), dims.end(), [](int64_t dim) { return dim < 0; });
}

size_t nbytes_of(aclDataType dtype, const int64_t *dims, size_t rank) noexcept {
  const om::Dtype *type = om::find_dtype(dtype);
  if (type == nullptr || type->bits <= 0) return 0;
  size_t bits = static_cast<size_t>(type->bits);
  bool is_empty = false, overflows = false;
  for (size_t axis = 0; axis < rank; ++axis) {
    if (dims[axis] == 0) is_empty = true;
    overflows |= __builtin_mul_overflow(bits, static_cast<size_t>(dims[axis]), &bits);
  }
  if (is_empty) return 0;
  return overflows || bits > SIZE_MAX - 7 ? SIZE_MAX : (bits + 7) / 8;
}

std::string to_text(const int64_t *dims, size_t rank) {
  std::string text = "(";
  for (size_t axis = 0; axis < rank; ++axis) {
    if (axis > 0) text += ", ";
    text += std::to_string(dims[axis]);
  }
  return text + (rank == 1 ? ",)" : ")");
}

Description::Description(uint32_t model_id) : desc_(acl::api().aclmdlCreateDesc()) {
  if (desc_ == nullptr) {
    fail(ACL_ERROR_BAD_ALLOC, "aclmdlCreateDesc", "cannot create a model description");
  }
  try {
    check(acl::api().aclmdlGetDesc(desc_, model_id), "aclmdlGetDesc",
          "cannot describe the loaded model");
    read(model_id);
  } catch (...) {
    release();
    throw;
  }
}

void Description::read(uint32_t model_id) {
  read_inputs();
  read_outputs();
  read_image_inputs(model_id);
  if (gear_input() == nullptr) {
    const auto range = std::make_unique<aclmdlIODimsRange>();
    for (Tensor &tensor : inputs_) set_range(tensor, desc_, *range);
  }
}

void Description::read_inputs() {
  const acl::Table &api = acl::api();
  const size_t count = ask("aclmdlGetNumInputs", [&] { return api.aclmdlGetNumInputs(desc_); });
  for (size_t i = 0; i < count; ++i) {
    Tensor tensor;
    tensor.index = i;
    tensor.acl_name = known_name(
        ask("aclmdlGetInputNameByIndex", [&] { return api.aclmdlGetInputNameByIndex(desc_, i); }),
        "input", i);
    tensor.device_nbytes =
        ask("aclmdlGetInputSizeByIndex", [&] { return api.aclmdlGetInputSizeByIndex(desc_, i); });
    if (is_internal(tensor.acl_name)) {
      internal_.push_back({tensor.acl_name, i, tensor.device_nbytes});
      continue;
    }
    tensor.name = tensor.acl_name;
    tensor.dtype =
        ask("aclmdlGetInputDataType", [&] { return api.aclmdlGetInputDataType(desc_, i); });
    tensor.format = ask("aclmdlGetInputFormat", [&] { return api.aclmdlGetInputFormat(desc_, i); });
    set_input_dims(tensor, desc_);
    for (const int64_t dim : tensor.dims) {
      if (dim <= kUnknownRank) refuse_rank(tensor, "input");
    }
    set_nbytes(tensor);
    inputs_.push_back(std::move(tensor));
  }
}

void Description::read_outputs() {
  const acl::Table &api = acl::api();
  aclmdlIODims dims;
  const size_t count = ask("aclmdlGetNumOutputs", [&] { return api.aclmdlGetNumOutputs(desc_); });
  for (size_t i = 0; i < count; ++i) {
    Tensor tensor;
    tensor.index = i;
    tensor.acl_name = known_name(
        ask("aclmdlGetOutputNameByIndex", [&] { return api.aclmdlGetOutputNameByIndex(desc_, i); }),
        "output", i);
    tensor.dtype =
        ask("aclmdlGetOutputDataType", [&] { return api.aclmdlGetOutputDataType(desc_, i); });
    tensor.format =
        ask("aclmdlGetOutputFormat", [&] { return api.aclmdlGetOutputFormat(desc_, i); });
    tensor.device_nbytes =
        ask("aclmdlGetOutputSizeByIndex", [&] { return api.aclmdlGetOutputSizeByIndex(desc_, i); });
    check(api.aclmdlGetOutputDims(desc_, i, &dims), "aclmdlGetOutputDims",
          "cannot read the shape of an output");
    set_dims(tensor, dims, "output");
    set_nbytes(tensor);
    outputs_.push_back(std::move(tensor));
  }
  name_outputs(outputs_);
}

// Which inputs have dynamic AIPP behind them, and where their parameters go.
void Description::read_image_inputs(uint32_t model_id) {
  const bool has_parameters = std::any_of(
      internal_.begin(), internal_.end(),
      [](const InternalInput &input) { return input.acl_name != ACL_DYNAMIC_TENSOR_NAME; });
  if (!has_parameters) return;
  for (Tensor &tensor : inputs_) {
    aclmdlInputAippType type = ACL_DATA_WITHOUT_AIPP;
    size_t attached = 0;
    check(acl::api().aclmdlGetAippType(model_id, tensor.index, &type, &attached),
          "aclmdlGetAippType", "cannot ask about the image preprocessing of an input");
    tensor.takes_aipp_image = type == ACL_DATA_WITH_DYNAMIC_AIPP;
    if (tensor.takes_aipp_image) tensor.aipp_parameters_index = attached;
  }
}

const InternalInput *Description::gear_input() const noexcept {
  for (const InternalInput &input : internal_) {
    if (input.acl_name == ACL_DYNAMIC_TENSOR_NAME) return &input;
  }
  return nullptr;
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
