// SPDX-License-Identifier: Apache-2.0
//
// Exported functions: gears (dynamic batch, image size, dims) and AIPP, as far as models without
// any of them answer. Nothing is written on an error.
#include "fake/arguments.h"
#include "fake/dataset.h"
#include "fake/description.h"
#include "fake/entry.h"
#include "fake/model.h"

using namespace aclfake;  // the functions themselves are AscendCL's, in the global namespace

namespace {

constexpr size_t kAllInputs = static_cast<size_t>(-1);
constexpr size_t kAippHeadBytes = 64;
constexpr size_t kAippBatchBytes = 96;

aclError need_gear_buffer(const aclmdlDataset *handle, size_t index,
                          std::shared_ptr<DataBuffer> *buffer) {
  std::shared_ptr<Dataset> dataset;
  if (const aclError code = need_handle(handle, "dataset", &dataset)) return code;
  if (index >= dataset->size()) {
    return violation(Check::SET_06, ACL_ERROR_INVALID_PARAM,
                     "index %zu, the dataset has %zu buffers", index, dataset->size());
  }
  Miss miss = Miss::kNone;
  *buffer = dataset->find_buffer(index, &miss);
  if (*buffer == nullptr) {
    return violation(Check::SET_05, ACL_ERROR_INVALID_PARAM, "data buffer %zu %s", index,
                     miss_text(miss));
  }
  if ((*buffer)->data.load() != nullptr) return ACL_SUCCESS;
  return fail(ACL_ERROR_INVALID_PARAM, "data buffer %zu has no memory", index);
}

aclError check_gear_bytes(const DataBuffer &buffer, size_t needed) {
  if (buffer.size.load() >= needed) return ACL_SUCCESS;
  return fail(ACL_ERROR_GE_DYNAMIC_INPUT_LENGTH_INVALID,
              "the gear input's buffer has %zu bytes, at least %zu are needed", buffer.size.load(),
              needed);
}

// The last step of SetDynamicBatchSize and SetDynamicHWSize.
aclError refuse_gear(uint32_t id, const char *what) {
  std::shared_ptr<Model> model;
  if (const aclError code = need_model(id, &model)) return code;
  return fail(ACL_ERROR_GE_DYNAMIC_BATCH_SIZE_INVALID, "model %u has no gears of dynamic %s", id,
              what);
}

aclError need_all_inputs(size_t index) {
  if (index == kAllInputs) return ACL_SUCCESS;
  return fail(ACL_ERROR_INVALID_PARAM, "index must be (size_t)-1, given %zu", index);
}

aclError need_input(uint32_t id, size_t index, std::shared_ptr<Model> *model) {
  if (const aclError code = need_model(id, model)) return code;
  const size_t count = (*model)->description->inputs.size();
  if (index < count) return ACL_SUCCESS;
  return fail(ACL_ERROR_INVALID_PARAM, "index %zu, the model has %zu inputs", index, count);
}

}  // namespace

aclError aclmdlGetDynamicBatch(const aclmdlDesc *modelDesc, aclmdlBatch *batch) {
  return entry(Call::aclmdlGetDynamicBatch, [&]() -> aclError {
    std::shared_ptr<ModelDesc> desc;
    if (const aclError code = need_handle(modelDesc, "model desc", &desc)) return code;
    if (const aclError code = need_pointer(batch, "batch")) return code;
    batch->batchCount = 0;
    return ACL_SUCCESS;
  });
}

aclError aclmdlSetDynamicBatchSize(uint32_t modelId, aclmdlDataset *dataset, size_t index,
                                   uint64_t batchSize) {
  return entry(Call::aclmdlSetDynamicBatchSize, [&]() -> aclError {
    if (batchSize == 0) return fail(ACL_ERROR_INVALID_PARAM, "batchSize is 0");
    std::shared_ptr<DataBuffer> buffer;
    if (const aclError code = need_gear_buffer(dataset, index, &buffer)) return code;
    if (const aclError code = check_gear_bytes(*buffer, sizeof(uint32_t))) return code;
    return refuse_gear(modelId, "batch");
  });
}

aclError aclmdlGetDynamicHW(const aclmdlDesc *modelDesc, size_t, aclmdlHW *hw) {
  return entry(Call::aclmdlGetDynamicHW, [&]() -> aclError {
    std::shared_ptr<ModelDesc> desc;
    if (const aclError code = need_handle(modelDesc, "model desc", &desc)) return code;
    if (const aclError code = need_pointer(hw, "hw")) return code;
    hw->hwCount = 0;
    return ACL_SUCCESS;
  });
}

aclError aclmdlSetDynamicHWSize(uint32_t modelId, aclmdlDataset *dataset, size_t index,
                                uint64_t height, uint64_t width) {
  return entry(Call::aclmdlSetDynamicHWSize, [&]() -> aclError {
    if (height == 0 || width == 0) return fail(ACL_ERROR_INVALID_PARAM, "height or width is 0");
    std::shared_ptr<DataBuffer> buffer;
    if (const aclError code = need_gear_buffer(dataset, index, &buffer)) return code;
    if (const aclError code = check_gear_bytes(*buffer, 2 * sizeof(uint32_t))) return code;
    return refuse_gear(modelId, "image size");
  });
}

aclError aclmdlGetInputDynamicGearCount(const aclmdlDesc *modelDesc, size_t index,
                                        size_t *gearCount) {
  return entry(Call::aclmdlGetInputDynamicGearCount, [&]() -> aclError {
    std::shared_ptr<ModelDesc> desc;
    if (const aclError code = need_handle(modelDesc, "model desc", &desc)) return code;
    if (const aclError code = need_pointer(gearCount, "gearCount")) return code;
    if (const aclError code = need_all_inputs(index)) return code;
    *gearCount = 0;
    return ACL_SUCCESS;
  });
}

aclError aclmdlGetInputDynamicDims(const aclmdlDesc *modelDesc, size_t index, aclmdlIODims *dims,
                                   size_t) {
  return entry(Call::aclmdlGetInputDynamicDims, [&]() -> aclError {
    std::shared_ptr<ModelDesc> desc;
    if (const aclError code = need_handle(modelDesc, "model desc", &desc)) return code;
    if (const aclError code = need_pointer(dims, "dims")) return code;
    return need_all_inputs(index);
  });
}

aclError aclmdlSetInputDynamicDims(uint32_t modelId, aclmdlDataset *dataset, size_t index,
                                   const aclmdlIODims *dims) {
  return entry(Call::aclmdlSetInputDynamicDims, [&]() -> aclError {
    if (const aclError code = need_pointer(dims, "dims")) return code;
    if (dims->dimCount == 0) return fail(ACL_ERROR_INVALID_PARAM, "dimCount is 0");
    std::shared_ptr<DataBuffer> buffer;
    if (const aclError code = need_gear_buffer(dataset, index, &buffer)) return code;
    std::shared_ptr<Model> model;
    if (const aclError code = need_model(modelId, &model)) return code;
    return fail(ACL_ERROR_GE_DYNAMIC_INPUT_LENGTH_INVALID,
                "%zu dims are given, model %u has no gears of dynamic dims", dims->dimCount,
                modelId);
  });
}

aclError aclmdlGetAippDataSize(uint64_t batchSize, size_t *size) {
  return entry(Call::aclmdlGetAippDataSize, [&]() -> aclError {
    if (const aclError code = need_pointer(size, "size")) return code;
    if (batchSize == 0) return fail(ACL_ERROR_INVALID_PARAM, "batchSize is 0");
    *size = kAippHeadBytes + kAippBatchBytes * static_cast<size_t>(batchSize);
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
    *type = ACL_DATA_WITHOUT_AIPP;
    *dynamicAttachedDataIndex = ACL_INVALID_NODE_INDEX;
    return ACL_SUCCESS;
  });
}

aclError aclmdlGetFirstAippInfo(uint32_t modelId, size_t index, aclAippInfo *aippInfo) {
  return entry(Call::aclmdlGetFirstAippInfo, [&]() -> aclError {
    if (const aclError code = need_pointer(aippInfo, "aippInfo")) return code;
    std::shared_ptr<Model> model;
    if (const aclError code = need_input(modelId, index, &model)) return code;
    return fail(ACL_ERROR_GE_AIPP_NOT_EXIST, "input %zu of model %u has no AIPP", index, modelId);
  });
}
