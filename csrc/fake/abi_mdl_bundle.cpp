// SPDX-License-Identifier: Apache-2.0
//
// Exported functions: bundles. Files that are bundles are recognised, but not loaded yet (200001),
// so no bundle id is ever valid and no query info is ever filled.
#include "fake/arguments.h"
#include "fake/entry.h"
#include "fake/model_file.h"
#include "fake/state.h"

using namespace aclfake;  // the functions themselves are AscendCL's, in the global namespace

namespace {

struct BundleQuery {
  static constexpr Kind kKind = Kind::kBundleQuery;
};

aclError bad_bundle(uint32_t id) {
  return fail(ACL_ERROR_INVALID_BUNDLE_MODEL_ID, "no bundle with id %u is loaded", id);
}

aclError refuse_bundle(const ModelFile &file) {
  if (om::family(file.bytes()) != om::Family::kBundle) {
    return fail(ACL_ERROR_INVALID_PARAM, "model \"%s\" is not a bundle", file.name().c_str());
  }
  return fail(ACL_ERROR_API_NOT_SUPPORT, "bundles are not supported yet");
}

aclError finish_load(const ModelFile &file, const uint32_t *id) {
  if (const aclError code = need_pointer(id, "bundleId")) return code;
  if (!initialised()) return fail(ACL_ERROR_GE_EXEC_NOT_INIT, "aclInit was not called");
  return refuse_bundle(file);
}

aclError load_file(const char *path, const uint32_t *id) {
  ModelFile file;
  if (const aclError code = file.open_path(path)) return code;
  return finish_load(file, id);
}

aclError load_memory(const void *model, size_t size, const uint32_t *id) {
  ModelFile file;
  if (const aclError code = file.open_memory(model, size)) return code;
  return finish_load(file, id);
}

aclError need_query(const aclmdlBundleQueryInfo *handle) {
  std::shared_ptr<BundleQuery> query;
  return need_handle(handle, "query info", &query);
}

size_t drop_queries() {
  return handles<BundleQuery>().clear();
}
const bool registered = at_reset(drop_queries);

}  // namespace

aclError aclmdlBundleLoadFromFile(const char *modelPath, uint32_t *bundleId) {
  return entry(Call::aclmdlBundleLoadFromFile,
               [&]() -> aclError { return load_file(modelPath, bundleId); });
}

aclError aclmdlBundleLoadFromMem(const void *model, size_t modelSize, uint32_t *bundleId) {
  return entry(Call::aclmdlBundleLoadFromMem,
               [&]() -> aclError { return load_memory(model, modelSize, bundleId); });
}

aclError aclmdlBundleInitFromFile(const char *modelPath, void *, size_t, uint32_t *bundleId) {
  return entry(Call::aclmdlBundleInitFromFile,
               [&]() -> aclError { return load_file(modelPath, bundleId); });
}

aclError aclmdlBundleInitFromMem(const void *model, size_t modelSize, void *, size_t,
                                 uint32_t *bundleId) {
  return entry(Call::aclmdlBundleInitFromMem,
               [&]() -> aclError { return load_memory(model, modelSize, bundleId); });
}

aclError aclmdlBundleUnload(uint32_t bundleId) {
  return entry(Call::aclmdlBundleUnload, [&]() -> aclError { return bad_bundle(bundleId); });
}

aclError aclmdlBundleGetModelNum(uint32_t bundleId, size_t *modelNum) {
  return entry(Call::aclmdlBundleGetModelNum, [&]() -> aclError {
    if (const aclError code = need_pointer(modelNum, "modelNum")) return code;
    return bad_bundle(bundleId);
  });
}

aclError aclmdlBundleGetModelId(uint32_t bundleId, size_t, uint32_t *modelId) {
  return entry(Call::aclmdlBundleGetModelId, [&]() -> aclError {
    if (const aclError code = need_pointer(modelId, "modelId")) return code;
    return bad_bundle(bundleId);
  });
}

aclError aclmdlBundleLoadModel(uint32_t bundleId, size_t, uint32_t *modelId) {
  return entry(Call::aclmdlBundleLoadModel, [&]() -> aclError {
    if (const aclError code = need_pointer(modelId, "modelId")) return code;
    return bad_bundle(bundleId);
  });
}

aclError aclmdlBundleLoadModelWithMem(uint32_t bundleId, size_t, void *, size_t, void *, size_t,
                                      uint32_t *modelId) {
  return entry(Call::aclmdlBundleLoadModelWithMem, [&]() -> aclError {
    if (const aclError code = need_pointer(modelId, "modelId")) return code;
    return bad_bundle(bundleId);
  });
}

aclError aclmdlBundleLoadModelWithConfig(uint32_t bundleId, size_t, aclmdlConfigHandle *handle,
                                         uint32_t *modelId) {
  return entry(Call::aclmdlBundleLoadModelWithConfig, [&]() -> aclError {
    if (const aclError code = need_pointer(handle, "config handle")) return code;
    if (const aclError code = need_pointer(modelId, "modelId")) return code;
    return bad_bundle(bundleId);
  });
}

aclError aclmdlBundleUnloadModel(uint32_t bundleId, uint32_t) {
  return entry(Call::aclmdlBundleUnloadModel, [&]() -> aclError { return bad_bundle(bundleId); });
}

aclmdlBundleQueryInfo *aclmdlBundleCreateQueryInfo(void) {
  return value_entry(Call::aclmdlBundleCreateQueryInfo,
                     static_cast<aclmdlBundleQueryInfo *>(nullptr), [] {
                       return static_cast<aclmdlBundleQueryInfo *>(
                           handles<BundleQuery>().insert(std::make_shared<BundleQuery>()));
                     });
}

aclError aclmdlBundleDestroyQueryInfo(aclmdlBundleQueryInfo *queryInfo) {
  return entry(Call::aclmdlBundleDestroyQueryInfo,
               [&]() -> aclError { return destroy_handle<BundleQuery>(queryInfo, "query info"); });
}

aclError aclmdlBundleQueryInfoFromFile(const char *fileName, aclmdlBundleQueryInfo *queryInfo) {
  return entry(Call::aclmdlBundleQueryInfoFromFile, [&]() -> aclError {
    ModelFile file;
    if (const aclError code = file.open_path(fileName)) return code;
    if (const aclError code = need_query(queryInfo)) return code;
    return refuse_bundle(file);
  });
}

aclError aclmdlBundleQueryInfoFromMem(const void *model, size_t modelSize,
                                      aclmdlBundleQueryInfo *queryInfo) {
  return entry(Call::aclmdlBundleQueryInfoFromMem, [&]() -> aclError {
    ModelFile file;
    if (const aclError code = file.open_memory(model, modelSize)) return code;
    if (const aclError code = need_query(queryInfo)) return code;
    return refuse_bundle(file);
  });
}

aclError aclmdlBundleGetQueryModelNum(const aclmdlBundleQueryInfo *queryInfo, size_t *modelNum) {
  return entry(Call::aclmdlBundleGetQueryModelNum, [&]() -> aclError {
    if (const aclError code = need_query(queryInfo)) return code;
    if (const aclError code = need_pointer(modelNum, "modelNum")) return code;
    *modelNum = 0;
    return ACL_SUCCESS;
  });
}

aclError aclmdlBundleGetVarWeightSize(const aclmdlBundleQueryInfo *queryInfo,
                                      size_t *variableWeightSize) {
  return entry(Call::aclmdlBundleGetVarWeightSize, [&]() -> aclError {
    if (const aclError code = need_query(queryInfo)) return code;
    if (const aclError code = need_pointer(variableWeightSize, "variableWeightSize")) return code;
    *variableWeightSize = 0;
    return ACL_SUCCESS;
  });
}

aclError aclmdlBundleGetSize(const aclmdlBundleQueryInfo *queryInfo, size_t index, size_t *workSize,
                             size_t *constWeightSize) {
  return entry(Call::aclmdlBundleGetSize, [&]() -> aclError {
    if (const aclError code = need_query(queryInfo)) return code;
    if (const aclError code = need_pointer(workSize, "workSize")) return code;
    if (const aclError code = need_pointer(constWeightSize, "constWeightSize")) return code;
    return fail(ACL_ERROR_INVALID_PARAM, "index %zu, the query info holds no model", index);
  });
}
