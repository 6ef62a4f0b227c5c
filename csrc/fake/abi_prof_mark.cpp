// SPDX-License-Identifier: Apache-2.0
//
// Exported functions: stamps, ranges and step infos. Their arguments are tested; nothing is
// recorded.
#include <atomic>

#include "fake/entry.h"
#include "fake/profiling.h"
#include "fake/stream.h"

using namespace aclfake;  // the functions themselves are AscendCL's, in the global namespace

namespace {

using Sort = ProfilingObject::Sort;

std::atomic<uint32_t> last_range{0};

aclError need_stamp(const void *stamp) {
  std::shared_ptr<ProfilingObject> object;
  return need_profiling_object(stamp, Sort::kStamp, &object);
}

aclError need_message(const char *message, size_t length) {
  if (const aclError code = need_pointer(message, "msg")) return code;
  if (length != 0) return ACL_SUCCESS;
  return fail(ACL_ERROR_INVALID_PARAM, "the message has 0 bytes");
}

}  // namespace

void *aclprofCreateStamp(void) {
  return value_entry(Call::aclprofCreateStamp, static_cast<void *>(nullptr),
                     [] { return make_profiling_object(Sort::kStamp); });
}

void aclprofDestroyStamp(void *stamp) {
  void_entry(Call::aclprofDestroyStamp, [&] {
    if (stamp != nullptr) destroy_profiling_object(stamp, Sort::kStamp);
  });
}

aclError aclprofSetStampTraceMessage(void *stamp, const char *msg, uint32_t msgLen) {
  return entry(Call::aclprofSetStampTraceMessage, [&]() -> aclError {
    if (const aclError code = need_stamp(stamp)) return code;
    return need_message(msg, msgLen);
  });
}

aclError aclprofMark(void *stamp) {
  return entry(Call::aclprofMark, [&] { return need_stamp(stamp); });
}

aclError aclprofMarkEx(const char *msg, size_t msgLen, aclrtStream stream) {
  return entry(Call::aclprofMarkEx, [&]() -> aclError {
    if (const aclError code = need_message(msg, msgLen)) return code;
    std::shared_ptr<Stream> object;
    return need_stream(stream, &object);
  });
}

aclError aclprofPush(void *stamp) {
  return entry(Call::aclprofPush, [&] { return need_stamp(stamp); });
}

aclError aclprofPop(void) {
  return entry(Call::aclprofPop, []() -> aclError { return ACL_SUCCESS; });
}

aclError aclprofRangeStart(void *stamp, uint32_t *rangeId) {
  return entry(Call::aclprofRangeStart, [&]() -> aclError {
    if (const aclError code = need_stamp(stamp)) return code;
    if (const aclError code = need_pointer(rangeId, "rangeId")) return code;
    *rangeId = last_range.fetch_add(1) + 1;
    return ACL_SUCCESS;
  });
}

aclError aclprofRangeStop(uint32_t) {
  return entry(Call::aclprofRangeStop, []() -> aclError { return ACL_SUCCESS; });
}

aclprofStepInfo *aclprofCreateStepInfo(void) {
  return value_entry(Call::aclprofCreateStepInfo, static_cast<aclprofStepInfo *>(nullptr), [] {
    return static_cast<aclprofStepInfo *>(make_profiling_object(Sort::kStepInfo));
  });
}

void aclprofDestroyStepInfo(aclprofStepInfo *stepinfo) {
  void_entry(Call::aclprofDestroyStepInfo, [&] {
    if (stepinfo != nullptr) destroy_profiling_object(stepinfo, Sort::kStepInfo);
  });
}

aclError aclprofGetStepTimestamp(aclprofStepInfo *stepInfo, aclprofStepTag tag,
                                 aclrtStream stream) {
  return entry(Call::aclprofGetStepTimestamp, [&]() -> aclError {
    std::shared_ptr<ProfilingObject> object;
    if (const aclError code = need_profiling_object(stepInfo, Sort::kStepInfo, &object)) {
      return code;
    }
    if (tag != ACL_STEP_START && tag != ACL_STEP_END) {
      return fail(ACL_ERROR_INVALID_PARAM, "unknown tag %d", tag);
    }
    std::shared_ptr<Stream> on;
    return need_stream(stream, &on);
  });
}
