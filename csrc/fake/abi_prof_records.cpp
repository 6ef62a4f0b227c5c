// SPDX-License-Identifier: Apache-2.0
//
// Exported functions: subscription to a model's operators, and the readers of operator records. The
// fake writes no record, so there is never one to read: the readers test their arguments and
// refuse.
#include "fake/entry.h"
#include "fake/profiling.h"

using namespace aclfake;  // the functions themselves are AscendCL's, in the global namespace

namespace {

using Sort = ProfilingObject::Sort;

constexpr size_t kRecordBytes = 128;

aclError no_record(const void *info, size_t bytes) {
  if (const aclError code = need_pointer(info, "opInfo")) return code;
  return fail(ACL_ERROR_INVALID_PARAM, "the %zu bytes are no records: the fake writes none", bytes);
}

template <class Value>
Value no_value(Call call, const void *info, size_t bytes) {
  return value_entry(call, Value{0}, [&] {
    no_record(info, bytes);
    return Value{0};
  });
}

}  // namespace

aclprofSubscribeConfig *aclprofCreateSubscribeConfig(int8_t, aclprofAicoreMetrics, void *fd) {
  return value_entry(
      Call::aclprofCreateSubscribeConfig, static_cast<aclprofSubscribeConfig *>(nullptr),
      [&]() -> aclprofSubscribeConfig * {
        if (need_pointer(fd, "fd")) return nullptr;
        return static_cast<aclprofSubscribeConfig *>(make_profiling_object(Sort::kSubscribeConfig));
      });
}

aclError aclprofDestroySubscribeConfig(const aclprofSubscribeConfig *profSubscribeConfig) {
  return entry(Call::aclprofDestroySubscribeConfig, [&] {
    return destroy_profiling_object(profSubscribeConfig, Sort::kSubscribeConfig);
  });
}

aclError aclprofModelSubscribe(uint32_t modelId,
                               const aclprofSubscribeConfig *profSubscribeConfig) {
  return entry(Call::aclprofModelSubscribe, [&]() -> aclError {
    std::shared_ptr<ProfilingObject> config;
    if (const aclError code =
            need_profiling_object(profSubscribeConfig, Sort::kSubscribeConfig, &config)) {
      return code;
    }
    return subscribe_model(modelId);
  });
}

aclError aclprofModelUnSubscribe(uint32_t modelId) {
  return entry(Call::aclprofModelUnSubscribe, [&] { return unsubscribe_model(modelId); });
}

aclError aclprofGetOpDescSize(size_t *opDescSize) {
  return entry(Call::aclprofGetOpDescSize, [&]() -> aclError {
    if (const aclError code = need_pointer(opDescSize, "opDescSize")) return code;
    *opDescSize = kRecordBytes;
    return ACL_SUCCESS;
  });
}

aclError aclprofGetOpNum(const void *opInfo, size_t opInfoLen, uint32_t *) {
  return entry(Call::aclprofGetOpNum, [&] { return no_record(opInfo, opInfoLen); });
}

aclError aclprofGetOpTypeLen(const void *opInfo, size_t opInfoLen, uint32_t, size_t *) {
  return entry(Call::aclprofGetOpTypeLen, [&] { return no_record(opInfo, opInfoLen); });
}

aclError aclprofGetOpType(const void *opInfo, size_t opInfoLen, uint32_t, char *, size_t) {
  return entry(Call::aclprofGetOpType, [&] { return no_record(opInfo, opInfoLen); });
}

aclError aclprofGetOpNameLen(const void *opInfo, size_t opInfoLen, uint32_t, size_t *) {
  return entry(Call::aclprofGetOpNameLen, [&] { return no_record(opInfo, opInfoLen); });
}

aclError aclprofGetOpName(const void *opInfo, size_t opInfoLen, uint32_t, char *, size_t) {
  return entry(Call::aclprofGetOpName, [&] { return no_record(opInfo, opInfoLen); });
}

uint64_t aclprofGetOpStart(const void *opInfo, size_t opInfoLen, uint32_t) {
  return no_value<uint64_t>(Call::aclprofGetOpStart, opInfo, opInfoLen);
}

uint64_t aclprofGetOpEnd(const void *opInfo, size_t opInfoLen, uint32_t) {
  return no_value<uint64_t>(Call::aclprofGetOpEnd, opInfo, opInfoLen);
}

uint64_t aclprofGetOpDuration(const void *opInfo, size_t opInfoLen, uint32_t) {
  return no_value<uint64_t>(Call::aclprofGetOpDuration, opInfo, opInfoLen);
}

size_t aclprofGetModelId(const void *opInfo, size_t opInfoLen, uint32_t) {
  return no_value<size_t>(Call::aclprofGetModelId, opInfo, opInfoLen);
}
