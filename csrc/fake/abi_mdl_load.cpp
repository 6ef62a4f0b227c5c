// SPDX-License-Identifier: Apache-2.0
//
// Exported functions: loading, unloading and sizing models, options of loads, model attributes.
#include <algorithm>

#include "fake/arguments.h"
#include "fake/entry.h"
#include "fake/model.h"
#include "fake/model_config.h"
#include "fake/state.h"

using namespace aclfake;  // the functions themselves are AscendCL's, in the global namespace

namespace {

constexpr size_t kExternalWeightUnit = 32;

// What follows the first look at the bytes, for every plain load.
aclError finish_load(const ModelFile &file, const LoadOptions &options, uint32_t *id) {
  if (const aclError code = need_pointer(id, "modelId")) return code;
  if (const aclError code = need_initialised()) return code;
  return Model::load(file, options, id);
}

aclError finish_query(const ModelFile &file, size_t *work_size, size_t *weight_size) {
  if (const aclError code = need_pointer(work_size, "workSize")) return code;
  if (const aclError code = need_pointer(weight_size, "weightSize")) return code;
  if (const aclError code = need_initialised()) return code;
  om::Model model;
  if (const aclError code = file.parse(&model)) return code;
  const bool dynamic = model.model_num > 1 || model.is_unknown_shape;
  if (!dynamic && model.partitions.size() == 1) {
    return fail(ACL_ERROR_GE_PARAM_INVALID,
                "E10055: model \"%s\" holds a graph only, nothing that could be executed",
                file.name().c_str());
  }
  uint64_t end = 0;
  for (const om::Partition &partition : model.partitions) {
    end = std::max(end, partition.offset + partition.size);
  }
  if (!dynamic && end != file.bytes().size) {
    return fail(ACL_ERROR_GE_FAILURE, "the partitions of model \"%s\" end at %llu, the file at %zu",
                file.name().c_str(), static_cast<unsigned long long>(end), file.bytes().size);
  }
  *work_size = static_cast<size_t>(model.work_size);
  *weight_size = static_cast<size_t>(model.weight_size);
  return ACL_SUCCESS;
}

aclError finish_queue_load(const uint32_t *id, const uint32_t *inputs, size_t input_count,
                           const uint32_t *outputs, size_t output_count) {
  if (const aclError code = need_pointer(id, "modelId")) return code;
  if (const aclError code = need_pointer(inputs, "inputQ")) return code;
  if (const aclError code = need_pointer(outputs, "outputQ")) return code;
  if (input_count == 0 || output_count == 0) {
    return fail(ACL_ERROR_INVALID_PARAM, "a number of queues is 0");
  }
  return refuse_queues();
}

aclError check_attribute(aclmdlAttr attribute, const aclmdlAttrValue_t *value) {
  if (const aclError code = need_pointer(value, "attrValue")) return code;
  if (attribute == ACL_MDL_ATTR_PRIORITY_INT32) return ACL_SUCCESS;
  return fail(ACL_ERROR_INVALID_PARAM, "unknown attribute %d", static_cast<int>(attribute));
}

size_t drop_configs() {
  return handles<LoadConfig>().clear() + handles<ExecConfig>().clear();
}
const bool registered = at_reset(drop_configs);

}  // namespace

aclError aclmdlLoadFromFile(const char *modelPath, uint32_t *modelId) {
  return entry(Call::aclmdlLoadFromFile, [&]() -> aclError {
    ModelFile file;
    if (const aclError code = file.open_path(modelPath)) return code;
    return finish_load(file, LoadOptions(), modelId);
  });
}

aclError aclmdlLoadFromMem(const void *model, size_t modelSize, uint32_t *modelId) {
  return entry(Call::aclmdlLoadFromMem, [&]() -> aclError {
    ModelFile file;
    if (const aclError code = file.open_memory(model, modelSize)) return code;
    return finish_load(file, LoadOptions(), modelId);
  });
}

aclError aclmdlLoadFromFileWithMem(const char *modelPath, uint32_t *modelId, void *workPtr,
                                   size_t workSize, void *weightPtr, size_t weightSize) {
  return entry(Call::aclmdlLoadFromFileWithMem, [&]() -> aclError {
    ModelFile file;
    if (const aclError code = file.open_path(modelPath)) return code;
    return finish_load(file, {workPtr, workSize, weightPtr, weightSize, 0}, modelId);
  });
}

aclError aclmdlLoadFromMemWithMem(const void *model, size_t modelSize, uint32_t *modelId,
                                  void *workPtr, size_t workSize, void *weightPtr,
                                  size_t weightSize) {
  return entry(Call::aclmdlLoadFromMemWithMem, [&]() -> aclError {
    ModelFile file;
    if (const aclError code = file.open_memory(model, modelSize)) return code;
    return finish_load(file, {workPtr, workSize, weightPtr, weightSize, 0}, modelId);
  });
}

aclError aclmdlLoadFromFileWithQ(const char *modelPath, uint32_t *modelId, const uint32_t *inputQ,
                                 size_t inputQNum, const uint32_t *outputQ, size_t outputQNum) {
  return entry(Call::aclmdlLoadFromFileWithQ, [&]() -> aclError {
    ModelFile file;
    if (const aclError code = file.open_path(modelPath)) return code;
    return finish_queue_load(modelId, inputQ, inputQNum, outputQ, outputQNum);
  });
}

aclError aclmdlLoadFromMemWithQ(const void *model, size_t modelSize, uint32_t *modelId,
                                const uint32_t *inputQ, size_t inputQNum, const uint32_t *outputQ,
                                size_t outputQNum) {
  return entry(Call::aclmdlLoadFromMemWithQ, [&]() -> aclError {
    ModelFile file;
    if (const aclError code = file.open_memory(model, modelSize)) return code;
    return finish_queue_load(modelId, inputQ, inputQNum, outputQ, outputQNum);
  });
}

aclError aclmdlUnload(uint32_t modelId) {
  return entry(Call::aclmdlUnload, [&]() -> aclError { return unload_model(modelId); });
}

aclError aclmdlQuerySize(const char *fileName, size_t *workSize, size_t *weightSize) {
  return entry(Call::aclmdlQuerySize, [&]() -> aclError {
    ModelFile file;
    if (const aclError code = file.open_path(fileName)) return code;
    return finish_query(file, workSize, weightSize);
  });
}

aclError aclmdlQuerySizeFromMem(const void *model, size_t modelSize, size_t *workSize,
                                size_t *weightSize) {
  return entry(Call::aclmdlQuerySizeFromMem, [&]() -> aclError {
    ModelFile file;
    if (const aclError code = file.open_memory(model, modelSize)) return code;
    return finish_query(file, workSize, weightSize);
  });
}

aclmdlConfigHandle *aclmdlCreateConfigHandle(void) {
  return value_entry(Call::aclmdlCreateConfigHandle, static_cast<aclmdlConfigHandle *>(nullptr),
                     [] {
                       return static_cast<aclmdlConfigHandle *>(
                           handles<LoadConfig>().insert(std::make_shared<LoadConfig>()));
                     });
}

aclError aclmdlDestroyConfigHandle(aclmdlConfigHandle *handle) {
  return entry(Call::aclmdlDestroyConfigHandle,
               [&]() -> aclError { return destroy_handle<LoadConfig>(handle, "config handle"); });
}

aclError aclmdlSetConfigOpt(aclmdlConfigHandle *handle, aclmdlConfigAttr attr,
                            const void *attrValue, size_t valueSize) {
  return entry(Call::aclmdlSetConfigOpt, [&]() -> aclError {
    std::shared_ptr<LoadConfig> config;
    if (const aclError code = need_handle(handle, "config handle", &config)) return code;
    if (const aclError code = need_pointer(attrValue, "attrValue")) return code;
    return config->set(attr, attrValue, valueSize);
  });
}

aclError aclmdlLoadWithConfig(const aclmdlConfigHandle *handle, uint32_t *modelId) {
  return entry(Call::aclmdlLoadWithConfig, [&]() -> aclError {
    std::shared_ptr<LoadConfig> config;
    if (const aclError code = need_handle(handle, "config handle", &config)) return code;
    return config->load(modelId);
  });
}

// The bodies that this device executes carry their weights, so the address is only checked.
aclError aclmdlSetExternalWeightAddress(aclmdlConfigHandle *handle, const char *weightFileName,
                                        void *devPtr, size_t size) {
  return entry(Call::aclmdlSetExternalWeightAddress, [&]() -> aclError {
    std::shared_ptr<LoadConfig> config;
    if (const aclError code = need_handle(handle, "config handle", &config)) return code;
    if (const aclError code = need_pointer(weightFileName, "weightFileName")) return code;
    if (const aclError code = need_pointer(devPtr, "devPtr")) return code;
    if (size != 0 && size % kExternalWeightUnit == 0) return ACL_SUCCESS;
    return fail(ACL_ERROR_INVALID_PARAM, "size %zu is not a positive multiple of %zu", size,
                kExternalWeightUnit);
  });
}

aclmdlExecConfigHandle *aclmdlCreateExecConfigHandle(void) {
  return value_entry(Call::aclmdlCreateExecConfigHandle,
                     static_cast<aclmdlExecConfigHandle *>(nullptr), [] {
                       return static_cast<aclmdlExecConfigHandle *>(
                           handles<ExecConfig>().insert(std::make_shared<ExecConfig>()));
                     });
}

aclError aclmdlDestroyExecConfigHandle(const aclmdlExecConfigHandle *handle) {
  return entry(Call::aclmdlDestroyExecConfigHandle, [&]() -> aclError {
    return destroy_handle<ExecConfig>(handle, "execute config handle");
  });
}

aclError aclmdlSetExecConfigOpt(aclmdlExecConfigHandle *handle, aclmdlExecConfigAttr attr,
                                const void *attrValue, size_t valueSize) {
  return entry(Call::aclmdlSetExecConfigOpt, [&]() -> aclError {
    std::shared_ptr<ExecConfig> config;
    if (const aclError code = need_handle(handle, "execute config handle", &config)) return code;
    if (const aclError code = need_pointer(attrValue, "attrValue")) return code;
    return config->set(attr, attrValue, valueSize);
  });
}

aclError aclmdlSetAttribute(uint32_t modelId, aclmdlAttr attr, aclmdlAttrValue_t *attrValue) {
  return entry(Call::aclmdlSetAttribute, [&]() -> aclError {
    if (const aclError code = check_attribute(attr, attrValue)) return code;
    std::shared_ptr<Model> model;
    if (const aclError code = need_model(modelId, &model)) return code;
    if (attrValue->mdlPriority > static_cast<uint32_t>(kLeastPriority)) {
      return fail(ACL_ERROR_INVALID_PARAM, "priority %u is not in 0..%d", attrValue->mdlPriority,
                  kLeastPriority);
    }
    model->priority.store(static_cast<int32_t>(attrValue->mdlPriority));
    return ACL_SUCCESS;
  });
}

aclError aclmdlGetAttribute(uint32_t modelId, aclmdlAttr attr, aclmdlAttrValue_t *attrValue) {
  return entry(Call::aclmdlGetAttribute, [&]() -> aclError {
    if (const aclError code = check_attribute(attr, attrValue)) return code;
    std::shared_ptr<Model> model;
    if (const aclError code = need_model(modelId, &model)) return code;
    attrValue->mdlPriority = static_cast<uint32_t>(model->priority.load());
    return ACL_SUCCESS;
  });
}

aclError aclmdlQueryExeOMDesc(const char *fileName, aclmdlExeOMDesc *mdlPartitionSize) {
  return entry(Call::aclmdlQueryExeOMDesc, [&]() -> aclError {
    if (const aclError code = need_pointer(fileName, "fileName")) return code;
    if (const aclError code = need_pointer(mdlPartitionSize, "mdlPartitionSize")) return code;
    return fail(ACL_ERROR_API_NOT_SUPPORT, "only the small-chip runtime has such models");
  });
}
