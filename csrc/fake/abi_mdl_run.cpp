// SPDX-License-Identifier: Apache-2.0
//
// Exported functions: datasets and execution.
#include "fake/arguments.h"
#include "fake/dataset.h"
#include "fake/entry.h"
#include "fake/execution.h"
#include "fake/model_config.h"
#include "fake/quick.h"
#include "fake/state.h"

using namespace aclfake;  // the functions themselves are AscendCL's, in the global namespace

namespace {

aclError check_slot(const Dataset &dataset, size_t index) {
  if (index < dataset.size()) return ACL_SUCCESS;
  return violation(Check::SET_06, ACL_ERROR_INVALID_PARAM, "index %zu, the dataset has %zu buffers",
                   index, dataset.size());
}

size_t drop_datasets() {
  return handles<Dataset>().clear();
}
const bool registered = at_reset(drop_datasets);

}  // namespace

aclmdlDataset *aclmdlCreateDataset(void) {
  return value_entry(Call::aclmdlCreateDataset, static_cast<aclmdlDataset *>(nullptr), [] {
    return static_cast<aclmdlDataset *>(handles<Dataset>().insert(std::make_shared<Dataset>()));
  });
}

aclError aclmdlDestroyDataset(const aclmdlDataset *dataset) {
  return entry(Call::aclmdlDestroyDataset,
               [&]() -> aclError { return destroy_handle<Dataset>(dataset, "dataset"); });
}

aclError aclmdlAddDatasetBuffer(aclmdlDataset *dataset, aclDataBuffer *dataBuffer) {
  return entry(Call::aclmdlAddDatasetBuffer, [&]() -> aclError {
    std::shared_ptr<Dataset> object;
    if (const aclError code = need_handle(dataset, "dataset", &object)) return code;
    std::shared_ptr<DataBuffer> buffer;
    if (const aclError code = need_handle(dataBuffer, "data buffer", &buffer)) return code;
    object->add(dataBuffer);
    return ACL_SUCCESS;
  });
}

size_t aclmdlGetDatasetNumBuffers(const aclmdlDataset *dataset) {
  return value_entry(Call::aclmdlGetDatasetNumBuffers, size_t{0}, [&]() -> size_t {
    const auto object = find_or_complain<Dataset>(dataset, "dataset");
    return object != nullptr ? object->size() : 0;
  });
}

aclDataBuffer *aclmdlGetDatasetBuffer(const aclmdlDataset *dataset, size_t index) {
  return value_entry(Call::aclmdlGetDatasetBuffer, static_cast<aclDataBuffer *>(nullptr),
                     [&]() -> aclDataBuffer * {
                       const auto object = find_or_complain<Dataset>(dataset, "dataset");
                       if (object == nullptr || check_slot(*object, index)) return nullptr;
                       return object->buffer(index);
                     });
}

aclError aclmdlSetDatasetTensorDesc(aclmdlDataset *dataset, aclTensorDesc *tensorDesc,
                                    size_t index) {
  return entry(Call::aclmdlSetDatasetTensorDesc, [&]() -> aclError {
    std::shared_ptr<Dataset> object;
    if (const aclError code = need_handle(dataset, "dataset", &object)) return code;
    if (const aclError code = check_slot(*object, index)) return code;
    if (tensorDesc == nullptr) {
      object->set_desc(index, nullptr);
      return ACL_SUCCESS;
    }
    Miss miss = Miss::kNone;
    const std::shared_ptr<TensorDesc> desc = find_tensor_desc(tensorDesc, &miss);
    if (desc == nullptr) {
      return bad_handle<TensorDescArray>(ACL_ERROR_INVALID_PARAM, tensorDesc, miss);
    }
    object->set_desc(index, desc.get());
    return ACL_SUCCESS;
  });
}

aclTensorDesc *aclmdlGetDatasetTensorDesc(const aclmdlDataset *dataset, size_t index) {
  return value_entry(Call::aclmdlGetDatasetTensorDesc, static_cast<aclTensorDesc *>(nullptr),
                     [&]() -> aclTensorDesc * {
                       const auto object = find_or_complain<Dataset>(dataset, "dataset");
                       if (object == nullptr || check_slot(*object, index)) return nullptr;
                       return object->desc(index);
                     });
}

aclError aclmdlExecute(uint32_t modelId, const aclmdlDataset *input, aclmdlDataset *output) {
  if (quick::execute(modelId, input, output)) return ACL_SUCCESS;
  return entry(Call::aclmdlExecute,
               [&]() -> aclError { return execute_now(modelId, input, output); });
}

aclError aclmdlExecuteV2(uint32_t modelId, const aclmdlDataset *input, aclmdlDataset *output,
                         aclrtStream stream, const aclmdlExecConfigHandle *handle) {
  return entry(Call::aclmdlExecuteV2, [&]() -> aclError {
    std::shared_ptr<ExecConfig> config;
    if (const aclError code = need_handle(handle, "execute config handle", &config)) return code;
    if (stream == nullptr) return execute_now(modelId, input, output);
    return execute_on_stream(modelId, input, output, stream, config->stream_timeout_ms);
  });
}

aclError aclmdlExecuteAsync(uint32_t modelId, const aclmdlDataset *input, aclmdlDataset *output,
                            aclrtStream stream) {
  return entry(Call::aclmdlExecuteAsync,
               [&]() -> aclError { return execute_later(modelId, input, output, stream); });
}

aclError aclmdlExecuteAsyncV2(uint32_t, const aclmdlDataset *, aclmdlDataset *, aclrtStream,
                              const aclmdlExecConfigHandle *) {
  return entry(Call::aclmdlExecuteAsyncV2, []() -> aclError {
    return fail(ACL_ERROR_API_NOT_SUPPORT,
                "only the small-chip runtime has it; use aclmdlExecuteAsync");
  });
}
