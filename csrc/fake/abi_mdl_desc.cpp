// SPDX-License-Identifier: Apache-2.0
//
// Exported functions: descriptions of models. Strings handed out belong to the desc.
#include <algorithm>
#include <optional>

#include "fake/arguments.h"
#include "fake/description.h"
#include "fake/entry.h"
#include "fake/model.h"
#include "fake/model_file.h"
#include "fake/state.h"

using namespace aclfake;  // the functions themselves are AscendCL's, in the global namespace

namespace {

using Tensors = std::vector<TensorInfo>;
enum class Side { kInput, kOutput };

// A desc that was never filled has no tensors.
const Tensors &tensors_of(const ModelDesc &desc, Side side) {
  static const Tensors none;
  if (desc.description == nullptr) return none;
  return side == Side::kInput ? desc.description->inputs : desc.description->outputs;
}

aclError need_tensor(const aclmdlDesc *handle, Side side, size_t index,
                     std::shared_ptr<ModelDesc> *desc, const TensorInfo **info) {
  if (const aclError code = need_handle(handle, "model desc", desc)) return code;
  const Tensors &tensors = tensors_of(**desc, side);
  if (index >= tensors.size()) {
    return fail(ACL_ERROR_INVALID_PARAM, "index %zu, the model has %zu %s", index, tensors.size(),
                side == Side::kInput ? "inputs" : "outputs");
  }
  *info = &tensors[index];
  return ACL_SUCCESS;
}

template <class Value, class Read>
Value get(Call call, const aclmdlDesc *handle, Side side, size_t index, Value neutral, Read read) {
  return value_entry(call, neutral, [&]() -> Value {
    std::shared_ptr<ModelDesc> desc;
    const TensorInfo *info = nullptr;
    if (need_tensor(handle, side, index, &desc, &info) != ACL_SUCCESS) return neutral;
    return read(*info);
  });
}

size_t count(Call call, const aclmdlDesc *handle, Side side) {
  return value_entry(call, size_t{0}, [&]() -> size_t {
    const auto desc = find_or_complain<ModelDesc>(handle, "model desc");
    return desc != nullptr ? tensors_of(*desc, side).size() : 0;
  });
}

aclError get_dims(Call call, const aclmdlDesc *handle, Side side, size_t index,
                  std::vector<int64_t> om::Tensor::*dims, aclmdlIODims *out) {
  return entry(call, [&]() -> aclError {
    if (const aclError code = need_pointer(out, "dims")) return code;
    std::shared_ptr<ModelDesc> desc;
    const TensorInfo *info = nullptr;
    if (const aclError code = need_tensor(handle, side, index, &desc, &info)) return code;
    return write_dims(*info, info->tensor.*dims, out);
  });
}

aclError get_index(Call call, const aclmdlDesc *handle, Side side, const char *name, size_t *out) {
  return entry(call, [&]() -> aclError {
    std::shared_ptr<ModelDesc> desc;
    if (const aclError code = need_handle(handle, "model desc", &desc)) return code;
    if (const aclError code = need_pointer(name, "name")) return code;
    if (const aclError code = need_pointer(out, "index")) return code;
    const Tensors &tensors = tensors_of(*desc, side);
    const auto found = std::find_if(tensors.begin(), tensors.end(), [&](const TensorInfo &info) {
      return info.tensor.name == name;
    });
    if (found == tensors.end()) {
      return fail(ACL_ERROR_INVALID_PARAM, "the model has no %s named \"%s\"",
                  side == Side::kInput ? "input" : "output", name);
    }
    *out = static_cast<size_t>(found - tensors.begin());
    return ACL_SUCCESS;
  });
}

// Without a load AscendCL reads MODEL_INOUT_INFO alone, which old files do not have.
aclError fill_from_file(const ModelFile &file, ModelDesc *desc) {
  desc->description = nullptr;
  om::Model model;
  om::Options options;
  options.graph = false;
  if (const aclError code = file.parse(&model, options)) return code;
  desc->description = std::make_shared<const Description>(0, model);
  return ACL_SUCCESS;
}

size_t size_of(const TensorInfo &info) {
  return static_cast<size_t>(info.tensor.size);
}
aclFormat format_of(const TensorInfo &info) {
  return static_cast<aclFormat>(info.tensor.format);
}
aclDataType type_of(const TensorInfo &info) {
  return static_cast<aclDataType>(info.tensor.dtype);
}
const char *name_of(const TensorInfo &info) {
  return info.tensor.name.c_str();
}

size_t drop_descs() {
  return handles<ModelDesc>().clear();
}
const bool registered = at_reset(drop_descs);

}  // namespace

aclmdlDesc *aclmdlCreateDesc(void) {
  return value_entry(Call::aclmdlCreateDesc, static_cast<aclmdlDesc *>(nullptr), [] {
    return static_cast<aclmdlDesc *>(handles<ModelDesc>().insert(std::make_shared<ModelDesc>()));
  });
}

aclError aclmdlDestroyDesc(aclmdlDesc *modelDesc) {
  return entry(Call::aclmdlDestroyDesc,
               [&]() -> aclError { return destroy_handle<ModelDesc>(modelDesc, "model desc"); });
}

aclError aclmdlGetDesc(aclmdlDesc *modelDesc, uint32_t modelId) {
  return entry(Call::aclmdlGetDesc, [&]() -> aclError {
    std::shared_ptr<ModelDesc> desc;
    if (const aclError code = need_handle(modelDesc, "model desc", &desc)) return code;
    std::shared_ptr<Model> model;
    if (const aclError code = need_model(modelId, &model)) return code;
    desc->description = model->description;
    return ACL_SUCCESS;
  });
}

aclError aclmdlGetDescFromFile(aclmdlDesc *modelDesc, const char *modelPath) {
  return entry(Call::aclmdlGetDescFromFile, [&]() -> aclError {
    ModelFile file;
    if (const aclError code = file.open_path(modelPath)) return code;
    std::shared_ptr<ModelDesc> desc;
    if (const aclError code = need_handle(modelDesc, "model desc", &desc)) return code;
    if (!initialised()) return fail(ACL_ERROR_GE_EXEC_NOT_INIT, "aclInit was not called");
    return fill_from_file(file, desc.get());
  });
}

aclError aclmdlGetDescFromMem(aclmdlDesc *modelDesc, const void *model, size_t modelSize) {
  return entry(Call::aclmdlGetDescFromMem, [&]() -> aclError {
    ModelFile file;
    if (const aclError code = file.open_memory(model, modelSize)) return code;
    std::shared_ptr<ModelDesc> desc;
    if (const aclError code = need_handle(modelDesc, "model desc", &desc)) return code;
    return fill_from_file(file, desc.get());
  });
}

size_t aclmdlGetNumInputs(aclmdlDesc *modelDesc) {
  return count(Call::aclmdlGetNumInputs, modelDesc, Side::kInput);
}

size_t aclmdlGetNumOutputs(aclmdlDesc *modelDesc) {
  return count(Call::aclmdlGetNumOutputs, modelDesc, Side::kOutput);
}

size_t aclmdlGetInputSizeByIndex(aclmdlDesc *modelDesc, size_t index) {
  return get(Call::aclmdlGetInputSizeByIndex, modelDesc, Side::kInput, index, size_t{0}, size_of);
}

size_t aclmdlGetOutputSizeByIndex(aclmdlDesc *modelDesc, size_t index) {
  return get(Call::aclmdlGetOutputSizeByIndex, modelDesc, Side::kOutput, index, size_t{0}, size_of);
}

aclError aclmdlGetInputDims(const aclmdlDesc *modelDesc, size_t index, aclmdlIODims *dims) {
  return get_dims(Call::aclmdlGetInputDims, modelDesc, Side::kInput, index, &om::Tensor::dims,
                  dims);
}

aclError aclmdlGetInputDimsV2(const aclmdlDesc *modelDesc, size_t index, aclmdlIODims *dims) {
  return get_dims(Call::aclmdlGetInputDimsV2, modelDesc, Side::kInput, index, &om::Tensor::dims_v2,
                  dims);
}

aclError aclmdlGetOutputDims(const aclmdlDesc *modelDesc, size_t index, aclmdlIODims *dims) {
  return get_dims(Call::aclmdlGetOutputDims, modelDesc, Side::kOutput, index, &om::Tensor::dims,
                  dims);
}

aclError aclmdlGetCurOutputDims(const aclmdlDesc *modelDesc, size_t index, aclmdlIODims *dims) {
  return entry(Call::aclmdlGetCurOutputDims, [&]() -> aclError {
    if (const aclError code = need_pointer(dims, "dims")) return code;
    std::shared_ptr<ModelDesc> desc;
    if (const aclError code = need_handle(modelDesc, "model desc", &desc)) return code;
    if (desc->description != nullptr && desc->description->shape_range) {
      return fail(ACL_ERROR_API_NOT_SUPPORT,
                  "the model has no gears: ask aclmdlGetDatasetTensorDesc of the output dataset");
    }
    const TensorInfo *info = nullptr;
    if (const aclError code = need_tensor(modelDesc, Side::kOutput, index, &desc, &info)) {
      return code;
    }
    std::shared_ptr<Model> model;
    if (const aclError code = need_model(desc->description->model_id, &model)) return code;
    const std::optional<size_t> gear = model->gear();
    if (!gear) return write_dims(*info, info->tensor.dims, dims);
    const std::vector<int64_t> *real = desc->description->gears.output_dims(*gear, index);
    if (real == nullptr) {
      return fail(ACL_ERROR_GE_FAILURE, "the model does not tell the dims of output %zu by gear",
                  index);
    }
    return write_dims(*info, *real, dims);
  });
}

aclError aclmdlGetInputDimsRange(const aclmdlDesc *modelDesc, size_t index,
                                 aclmdlIODimsRange *dimsRange) {
  return entry(Call::aclmdlGetInputDimsRange, [&]() -> aclError {
    if (const aclError code = need_pointer(dimsRange, "dimsRange")) return code;
    std::shared_ptr<ModelDesc> desc;
    if (const aclError code = need_handle(modelDesc, "model desc", &desc)) return code;
    if (desc->description != nullptr && desc->description->gears.any()) {
      dimsRange->rangeCount = 0;
      return ACL_SUCCESS;
    }
    const TensorInfo *info = nullptr;
    if (const aclError code = need_tensor(modelDesc, Side::kInput, index, &desc, &info)) {
      return code;
    }
    const std::vector<int64_t> &dims = info->tensor.dims;
    if (dims.size() > ACL_MAX_DIM_CNT) {
      return fail(ACL_ERROR_INTERNAL_ERROR, "tensor \"%s\" has %zu dims, at most %d fit",
                  info->tensor.name.c_str(), dims.size(), ACL_MAX_DIM_CNT);
    }
    dimsRange->rangeCount = dims.size();
    for (size_t i = 0; i < dims.size(); ++i) {
      const bool ranged = dims[i] < 0 && i < info->tensor.range.size();
      dimsRange->range[i][0] = ranged ? info->tensor.range[i].first : dims[i];
      dimsRange->range[i][1] = ranged ? info->tensor.range[i].second : dims[i];
    }
    return ACL_SUCCESS;
  });
}

const char *aclmdlGetInputNameByIndex(const aclmdlDesc *modelDesc, size_t index) {
  return get(Call::aclmdlGetInputNameByIndex, modelDesc, Side::kInput, index,
             static_cast<const char *>(""), name_of);
}

const char *aclmdlGetOutputNameByIndex(const aclmdlDesc *modelDesc, size_t index) {
  return get(Call::aclmdlGetOutputNameByIndex, modelDesc, Side::kOutput, index,
             static_cast<const char *>(""), name_of);
}

aclError aclmdlGetInputIndexByName(const aclmdlDesc *modelDesc, const char *name, size_t *index) {
  return get_index(Call::aclmdlGetInputIndexByName, modelDesc, Side::kInput, name, index);
}

aclError aclmdlGetOutputIndexByName(const aclmdlDesc *modelDesc, const char *name, size_t *index) {
  return get_index(Call::aclmdlGetOutputIndexByName, modelDesc, Side::kOutput, name, index);
}

aclFormat aclmdlGetInputFormat(const aclmdlDesc *modelDesc, size_t index) {
  return get(Call::aclmdlGetInputFormat, modelDesc, Side::kInput, index, ACL_FORMAT_UNDEFINED,
             format_of);
}

aclFormat aclmdlGetOutputFormat(const aclmdlDesc *modelDesc, size_t index) {
  return get(Call::aclmdlGetOutputFormat, modelDesc, Side::kOutput, index, ACL_FORMAT_UNDEFINED,
             format_of);
}

aclDataType aclmdlGetInputDataType(const aclmdlDesc *modelDesc, size_t index) {
  return get(Call::aclmdlGetInputDataType, modelDesc, Side::kInput, index, ACL_DT_UNDEFINED,
             type_of);
}

aclDataType aclmdlGetOutputDataType(const aclmdlDesc *modelDesc, size_t index) {
  return get(Call::aclmdlGetOutputDataType, modelDesc, Side::kOutput, index, ACL_DT_UNDEFINED,
             type_of);
}

const char *aclmdlGetTensorRealName(const aclmdlDesc *modelDesc, const char *name) {
  return value_entry(
      Call::aclmdlGetTensorRealName, static_cast<const char *>(nullptr), [&]() -> const char * {
        const auto desc = find_or_complain<ModelDesc>(modelDesc, "model desc");
        if (desc == nullptr) return nullptr;
        if (need_pointer(name, "name") != ACL_SUCCESS) return nullptr;
        const char *real =
            desc->description != nullptr ? desc->description->real_name(name) : nullptr;
        if (real == nullptr) complain("the model has no tensor named \"%s\"", name);
        return real;
      });
}

// Models here carry no trace of the operators that they were compiled from.
const char *aclmdlGetOpAttr(aclmdlDesc *modelDesc, const char *opName, const char *attr) {
  return value_entry(Call::aclmdlGetOpAttr, static_cast<const char *>(nullptr),
                     [&]() -> const char * {
                       if (find_or_complain<ModelDesc>(modelDesc, "model desc") == nullptr ||
                           need_pointer(opName, "opName") != ACL_SUCCESS ||
                           need_pointer(attr, "attr") != ACL_SUCCESS) {
                         return nullptr;
                       }
                       complain("operator \"%s\" has no attribute \"%s\"", opName, attr);
                       return nullptr;
                     });
}

aclError aclmdlCreateAndGetOpDesc(uint32_t, uint32_t, uint32_t, char *opName, size_t,
                                  aclTensorDesc **inputDesc, size_t *numInputs,
                                  aclTensorDesc **outputDesc, size_t *numOutputs) {
  return entry(Call::aclmdlCreateAndGetOpDesc, [&]() -> aclError {
    if (const aclError code = need_pointer(opName, "opName")) return code;
    if (const aclError code = need_pointer(inputDesc, "inputDesc")) return code;
    if (const aclError code = need_pointer(numInputs, "numInputs")) return code;
    if (const aclError code = need_pointer(outputDesc, "outputDesc")) return code;
    if (const aclError code = need_pointer(numOutputs, "numOutputs")) return code;
    return fail(ACL_ERROR_GE_INTERNAL_ERROR, "no operator is known for this task");
  });
}
