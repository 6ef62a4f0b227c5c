// SPDX-License-Identifier: Apache-2.0
//
// Exported functions: what AIPP a model has, and the parameters of a run, which go into device
// memory at once.
#include <array>
#include <cstring>

#include "fake/aipp.h"
#include "fake/aipp_check.h"
#include "fake/arguments.h"
#include "fake/copy.h"
#include "fake/dataset.h"
#include "fake/description.h"
#include "fake/engine.h"
#include "fake/entry.h"
#include "fake/model.h"

using namespace aclfake;  // the functions themselves are AscendCL's, in the global namespace

namespace {

aclError need_input(uint32_t id, size_t index, std::shared_ptr<Model> *model) {
  if (const aclError code = need_model(id, model)) return code;
  const size_t count = (*model)->description->inputs.size();
  if (index < count) return ACL_SUCCESS;
  return fail(ACL_ERROR_INVALID_PARAM, "index %zu, the model has %zu inputs", index, count);
}

// The dynamic AIPP that takes its parameters from this input; nullptr: none does.
const AippInput *aipp_of_block(const Description &description, size_t index) {
  for (const AippInput &input : description.aipp) {
    if (input.is_dynamic() && input.block == index) return &input;
  }
  return nullptr;
}

const AippInput *aipp_of_image(const Description &description, size_t index) {
  for (const AippInput &input : description.aipp) {
    if (input.aipp.input == index) return &input;
  }
  return nullptr;
}

template <class To, class From, size_t count>
void spread(const From (&values)[count], const std::array<To *, count> &members) {
  for (size_t i = 0; i < count; ++i) *members[i] = static_cast<To>(values[i]);
}

int32_t narrow(int64_t value) {
  return static_cast<int32_t>(value);
}

void write_parameters(const om::Aipp &aipp, aclAippInfo *out) {
  out->inputFormat = static_cast<aclAippInputFormat>(aipp.input_format);
  out->srcImageSizeW = narrow(aipp.src_image_w);
  out->srcImageSizeH = narrow(aipp.src_image_h);
  out->cropSwitch = aipp.crop;
  out->loadStartPosW = narrow(aipp.crop_start_w);
  out->loadStartPosH = narrow(aipp.crop_start_h);
  out->cropSizeW = narrow(aipp.crop_w);
  out->cropSizeH = narrow(aipp.crop_h);
  out->resizeSwitch = aipp.resize;
  out->resizeOutputW = narrow(aipp.resize_w);
  out->resizeOutputH = narrow(aipp.resize_h);
  out->paddingSwitch = aipp.padding;
  out->leftPaddingSize = narrow(aipp.padding_left);
  out->rightPaddingSize = narrow(aipp.padding_right);
  out->topPaddingSize = narrow(aipp.padding_top);
  out->bottomPaddingSize = narrow(aipp.padding_bottom);
  out->cscSwitch = aipp.csc;
  out->rbuvSwapSwitch = aipp.rbuv_swap;
  out->axSwapSwitch = aipp.ax_swap;
  out->singleLineMode = aipp.single_line;
  spread<int32_t>(aipp.matrix, {&out->matrixR0C0, &out->matrixR0C1, &out->matrixR0C2,
                                &out->matrixR1C0, &out->matrixR1C1, &out->matrixR1C2,
                                &out->matrixR2C0, &out->matrixR2C1, &out->matrixR2C2});
  spread<int32_t>(aipp.output_bias, {&out->outputBias0, &out->outputBias1, &out->outputBias2});
  spread<int32_t>(aipp.input_bias, {&out->inputBias0, &out->inputBias1, &out->inputBias2});
  spread<int32_t>(aipp.mean, {&out->meanChn0, &out->meanChn1, &out->meanChn2, &out->meanChn3});
  spread<float>(aipp.min, {&out->minChn0, &out->minChn1, &out->minChn2, &out->minChn3});
  spread<float>(aipp.var_reci,
                {&out->varReciChn0, &out->varReciChn1, &out->varReciChn2, &out->varReciChn3});
}

size_t bytes_of(int32_t dtype, const std::vector<int64_t> &dims) {
  size_t bytes = 0;
  return tensor_bytes(dtype, dims, &bytes) ? bytes : 0;
}

// The network's input and the result of AIPP, under every gear.
aclError write_dims_of_gears(const Description &description, const AippInput &input,
                             aclAippInfo *out) {
  const size_t index = input.aipp.input;
  const TensorInfo &info = description.inputs[index];
  const size_t gears = description.gears.gears.size();
  if (gears > ACL_MAX_SHAPE_COUNT) {
    return fail(ACL_ERROR_GE_FAILURE, "the model has %zu gears, at most %d fit", gears,
                ACL_MAX_SHAPE_COUNT);
  }
  const om::AippTensor &stated = input.aipp.output;
  out->shapeCount = gears == 0 ? 1 : gears;
  for (size_t i = 0; i < out->shapeCount; ++i) {
    aclAippDims &dims = out->outDims[i];
    const std::vector<int64_t> source =
        gears == 0 ? input.network.dims : description.gears.filled(i, index, input.network.dims);
    // Of the compiler's own layouts (NC1HWC0) only the batch can be told.
    const bool is_same = stated.format == input.aipp.network_input.format;
    std::vector<int64_t> result = is_same ? source : stated.dims;
    if (!is_same && !result.empty()) result[0] = source[0];
    if (const aclError code = write_dims(info, source, &dims.srcDims)) return code;
    if (const aclError code = write_dims(info, result, &dims.aippOutdims)) return code;
    dims.srcSize = bytes_of(input.network.dtype, source);
    dims.aippOutSize = bytes_of(aipp_dtype(stated.dtype), result);
  }
  return ACL_SUCCESS;
}

// Into the buffer of the parameter input.
aclError write_block(const Dataset &dataset, size_t index, const Aipp &aipp) {
  std::shared_ptr<DataBuffer> buffer;
  if (index < dataset.size()) buffer = dataset.find_buffer(index);
  if (buffer == nullptr || buffer->data.load() == nullptr) {
    return fail(ACL_ERROR_INVALID_PARAM, "the dataset has no memory for input %zu", index);
  }
  std::vector<uint8_t> block(aipp_block_bytes(aipp.images.size()));
  std::memcpy(block.data(), &aipp.head, sizeof aipp.head);
  std::memcpy(block.data() + sizeof aipp.head, aipp.images.data(),
              aipp.images.size() * sizeof(AippImage));
  if (buffer->size.load() < block.size()) {
    return fail(ACL_ERROR_GE_DYNAMIC_INPUT_LENGTH_INVALID,
                "the buffer of input %zu has %zu bytes, %zu are needed", index, buffer->size.load(),
                block.size());
  }
  CopyShape shape;
  shape.width = block.size();
  return copy_now(buffer->data.load(), block.data(), shape, ACL_MEMCPY_HOST_TO_DEVICE);
}

}  // namespace

aclError aclmdlGetAippDataSize(uint64_t batchSize, size_t *size) {
  return entry(Call::aclmdlGetAippDataSize, [&]() -> aclError {
    if (const aclError code = need_pointer(size, "size")) return code;
    if (batchSize == 0) return fail(ACL_ERROR_INVALID_PARAM, "batchSize is 0");
    *size = aipp_block_bytes(static_cast<size_t>(batchSize));
    return ACL_SUCCESS;
  });
}

aclError aclmdlGetAippType(uint32_t modelId, size_t index, aclmdlInputAippType *type,
                           size_t *dynamicAttachedDataIndex) {
  return entry(Call::aclmdlGetAippType, [&]() -> aclError {
    if (const aclError code = need_pointer(type, "type")) return code;
    if (const aclError code = need_pointer(dynamicAttachedDataIndex, "dynamicAttachedDataIndex")) {
      return code;
    }
    std::shared_ptr<Model> model;
    if (const aclError code = need_input(modelId, index, &model)) return code;
    const Description &description = *model->description;
    const AippInput *input = aipp_of_image(description, index);
    *type = ACL_DATA_WITHOUT_AIPP;
    *dynamicAttachedDataIndex = ACL_INVALID_NODE_INDEX;
    if (aipp_of_block(description, index) != nullptr) *type = ACL_DYNAMIC_AIPP_NODE;
    if (input == nullptr) return ACL_SUCCESS;
    *type = input->is_dynamic() ? ACL_DATA_WITH_DYNAMIC_AIPP : ACL_DATA_WITH_STATIC_AIPP;
    if (input->is_dynamic()) *dynamicAttachedDataIndex = input->block;
    return ACL_SUCCESS;
  });
}

aclError aclmdlGetFirstAippInfo(uint32_t modelId, size_t index, aclAippInfo *aippInfo) {
  return entry(Call::aclmdlGetFirstAippInfo, [&]() -> aclError {
    if (const aclError code = need_pointer(aippInfo, "aippInfo")) return code;
    std::shared_ptr<Model> model;
    if (const aclError code = need_input(modelId, index, &model)) return code;
    const AippInput *input = aipp_of_image(*model->description, index);
    if (input == nullptr) {
      return fail(ACL_ERROR_GE_AIPP_NOT_EXIST, "input %zu of model %u has no AIPP", index, modelId);
    }
    write_parameters(input->aipp, aippInfo);
    aippInfo->srcFormat = static_cast<aclFormat>(input->network.format);
    aippInfo->srcDatatype = static_cast<aclDataType>(input->network.dtype);
    aippInfo->srcDimNum = input->network.dims.size();
    return write_dims_of_gears(*model->description, *input, aippInfo);
  });
}

aclError aclmdlSetInputAIPP(uint32_t modelId, aclmdlDataset *dataset, size_t index,
                            const aclmdlAIPP *aippParmsSet) {
  return entry(Call::aclmdlSetInputAIPP, [&]() -> aclError {
    std::shared_ptr<Dataset> object;
    if (const aclError code = need_handle(dataset, "dataset", &object)) return code;
    std::shared_ptr<Aipp> aipp;
    if (const aclError code = need_handle(aippParmsSet, "AIPP parameter set", &aipp)) return code;
    std::shared_ptr<Model> model;
    if (const aclError code = need_input(modelId, index, &model)) return code;
    const AippInput *input = aipp_of_block(*model->description, index);
    if (input == nullptr) {
      return fail(ACL_ERROR_INVALID_PARAM, "input %zu of model %u is no AIPP parameter input",
                  index, modelId);
    }
    if (const aclError code = check_aipp(*model->description, *input, *aipp)) return code;
    return write_block(*object, index, *aipp);
  });
}

aclError aclmdlSetAIPPByInputIndex(uint32_t modelId, aclmdlDataset *dataset, size_t index,
                                   const aclmdlAIPP *aippParmsSet) {
  return entry(Call::aclmdlSetAIPPByInputIndex, [&]() -> aclError {
    std::shared_ptr<Dataset> object;
    if (const aclError code = need_handle(dataset, "dataset", &object)) return code;
    std::shared_ptr<Aipp> aipp;
    if (const aclError code = need_handle(aippParmsSet, "AIPP parameter set", &aipp)) return code;
    if (index >= object->size()) {
      return fail(ACL_ERROR_INVALID_PARAM, "index %zu, the dataset has %zu buffers", index,
                  object->size());
    }
    std::shared_ptr<Model> model;
    if (const aclError code = need_model(modelId, &model)) return code;
    const AippInput *input = aipp_of_image(*model->description, index);
    if (input == nullptr || !input->is_dynamic()) {
      return fail(ACL_ERROR_FAILURE, "input %zu of model %u has no dynamic AIPP", index, modelId);
    }
    if (const aclError code = check_aipp(*model->description, *input, *aipp)) return code;
    return write_block(*object, input->block, *aipp);
  });
}
