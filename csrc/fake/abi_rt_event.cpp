// SPDX-License-Identifier: Apache-2.0
//
// Contract 9: events.
#include "acl/abi.h"
#include "fake/entry.h"
#include "fake/event.h"
#include "fake/state.h"
#include "fake/stream.h"

using namespace aclfake;

namespace {

// What aclrtCreateEvent means; 0x4 is a bit of the runtime that the flag forms let through.
constexpr uint32_t kInternalFlag = 0x4;
constexpr uint32_t kPlainFlags =
    ACL_EVENT_CAPTURE_STREAM_PROGRESS | kInternalFlag | ACL_EVENT_TIME_LINE;
constexpr uint32_t kCombinable =
    ACL_EVENT_SYNC | ACL_EVENT_CAPTURE_STREAM_PROGRESS | kInternalFlag | ACL_EVENT_TIME_LINE;

aclError not_null(const void *pointer, const char *name) {
  if (pointer != nullptr) return ACL_SUCCESS;
  return fail(ACL_ERROR_INVALID_PARAM, "%s is NULL", name);
}

aclError create_flagged(EventFamily family, uint32_t flag, bool alone, aclrtEvent *event) {
  if (const aclError code = not_null(event, "event")) return code;
  if (flag == 0 || (!alone && (flag & ~kCombinable) != 0)) {
    return fail(ACL_ERROR_RT_PARAM_INVALID, "flag 0x%x is not allowed here", flag);
  }
  return create_event(family, flag, event);
}

// The event, tested for NULL (100000) and liveness (107017).
aclError need_event(aclrtEvent handle, std::shared_ptr<Event> *event) {
  if (const aclError code = not_null(handle, "event")) return code;
  return find_event(handle, event);
}

aclError unsupported(const char *what) {
  return violation(Check::EVT_11, ACL_ERROR_RT_FEATURE_NOT_SUPPORT,
                   "%s cannot be used with this kind of event", what);
}

// Both handles of a queueing call: 107017 for either before the context is looked at.
aclError need_event_and_stream(aclrtEvent event_handle, aclrtStream stream_handle,
                               std::shared_ptr<Event> *event, std::shared_ptr<Stream> *stream) {
  if (const aclError code = need_event(event_handle, event)) return code;
  return find_stream(stream_handle, stream);
}

}  // namespace

aclError aclrtCreateEvent(aclrtEvent *event) {
  return entry(Call::aclrtCreateEvent, [&]() -> aclError {
    if (const aclError code = not_null(event, "event")) return code;
    return create_event(EventFamily::kPlain, kPlainFlags, event);
  });
}

aclError aclrtCreateEventWithFlag(aclrtEvent *event, uint32_t flag) {
  return entry(Call::aclrtCreateEventWithFlag, [&] {
    const bool alone = flag == ACL_EVENT_DEVICE_USE_ONLY || flag == ACL_EVENT_EXTERNAL;
    return create_flagged(EventFamily::kWithFlag, flag, alone, event);
  });
}

aclError aclrtCreateEventExWithFlag(aclrtEvent *event, uint32_t flag) {
  return entry(Call::aclrtCreateEventExWithFlag, [&] {
    return create_flagged(EventFamily::kEx, flag, flag == ACL_EVENT_IPC, event);
  });
}

aclError aclrtDestroyEvent(aclrtEvent event) {
  return entry(Call::aclrtDestroyEvent, [&]() -> aclError {
    if (const aclError code = not_null(event, "event")) return code;
    Miss miss;
    if (handles<Event>().remove(event, &miss) != nullptr) return ACL_SUCCESS;
    return bad_handle<Event>(ACL_ERROR_RT_INVALID_HANDLE, event, miss, Want::kDestroy);
  });
}

aclError aclrtRecordEvent(aclrtEvent event, aclrtStream stream) {
  return entry(Call::aclrtRecordEvent, [&]() -> aclError {
    std::shared_ptr<Event> found;
    std::shared_ptr<Stream> target;
    if (const aclError code = need_event_and_stream(event, stream, &found, &target)) return code;
    if ((found->flags & ACL_EVENT_DEVICE_USE_ONLY) != 0) {
      return fail(ACL_ERROR_RT_PARAM_INVALID,
                  "a DEVICE_USE_ONLY event is not recorded by the host");
    }
    if (const aclError code = enter_stream(&target)) return code;
    return found->record(target);
  });
}

aclError aclrtResetEvent(aclrtEvent event, aclrtStream stream) {
  return entry(Call::aclrtResetEvent, [&]() -> aclError {
    std::shared_ptr<Event> found;
    std::shared_ptr<Stream> target;
    if (const aclError code = need_event_and_stream(event, stream, &found, &target)) return code;
    if (const aclError code = enter_stream(&target)) return code;
    if (found->family == EventFamily::kEx || !found->can_wait()) return unsupported("a reset");
    return found->reset(target);
  });
}

aclError aclrtQueryEvent(aclrtEvent event, aclrtEventStatus *status) {
  return entry(Call::aclrtQueryEvent, [&]() -> aclError {
    if (const aclError code = not_null(status, "status")) return code;
    std::shared_ptr<Event> found;
    if (const aclError code = need_event(event, &found)) return code;
    if (found->family == EventFamily::kEx || found->external()) return unsupported("this query");
    const bool complete = !found->recorded() || found->complete();
    *status = complete ? ACL_EVENT_STATUS_COMPLETE : ACL_EVENT_STATUS_NOT_READY;
    return ACL_SUCCESS;
  });
}

aclError aclrtQueryEventStatus(aclrtEvent event, aclrtEventRecordedStatus *status) {
  return entry(Call::aclrtQueryEventStatus, [&]() -> aclError {
    if (const aclError code = not_null(status, "status")) return code;
    std::shared_ptr<Event> found;
    if (const aclError code = need_event(event, &found)) return code;
    const bool complete = found->recorded() ? found->complete() : found->family == EventFamily::kEx;
    *status = complete ? ACL_EVENT_RECORDED_STATUS_COMPLETE : ACL_EVENT_RECORDED_STATUS_NOT_READY;
    return ACL_SUCCESS;
  });
}

aclError aclrtQueryEventWaitStatus(aclrtEvent event, aclrtEventWaitStatus *status) {
  return entry(Call::aclrtQueryEventWaitStatus, [&]() -> aclError {
    if (const aclError code = not_null(status, "status")) return code;
    std::shared_ptr<Event> found;
    if (const aclError code = need_event(event, &found)) return code;
    if (found->family == EventFamily::kEx || found->external()) return unsupported("this query");
    *status =
        found->waits_passed() ? ACL_EVENT_WAIT_STATUS_COMPLETE : ACL_EVENT_WAIT_STATUS_NOT_READY;
    return ACL_SUCCESS;
  });
}

aclError aclrtSynchronizeEvent(aclrtEvent event) {
  return entry(Call::aclrtSynchronizeEvent, [&]() -> aclError {
    std::shared_ptr<Event> found;
    if (const aclError code = need_event(event, &found)) return code;
    if (found->external()) return unsupported("synchronising");
    return found->synchronize(-1);
  });
}

aclError aclrtSynchronizeEventWithTimeout(aclrtEvent event, int32_t timeout) {
  return entry(Call::aclrtSynchronizeEventWithTimeout, [&]() -> aclError {
    if (timeout < -1) {
      return fail(ACL_ERROR_RT_PARAM_INVALID, "timeout %d: -1 or more than 0 ms", timeout);
    }
    std::shared_ptr<Event> found;
    if (const aclError code = need_event(event, &found)) return code;
    if (timeout == 0) {
      return fail(ACL_ERROR_RT_PARAM_INVALID, "timeout 0: -1 or more than 0 ms");
    }
    if (found->external()) return unsupported("synchronising");
    return found->synchronize(timeout);
  });
}

aclError aclrtEventElapsedTime(float *ms, aclrtEvent startEvent, aclrtEvent endEvent) {
  return entry(Call::aclrtEventElapsedTime, [&]() -> aclError {
    if (const aclError code = not_null(ms, "ms")) return code;
    if (const aclError code = not_null(startEvent, "startEvent")) return code;
    if (const aclError code = not_null(endEvent, "endEvent")) return code;
    std::shared_ptr<Event> start;
    std::shared_ptr<Event> end;
    if (const aclError code = find_event(startEvent, &start)) return code;
    if (const aclError code = find_event(endEvent, &end)) return code;
    for (const auto &found : {start, end}) {
      if (found->external() || found->ipc()) return unsupported("timing");
    }
    if (!start->recorded() || !end->recorded()) {
      return violation(Check::EVT_07, ACL_ERROR_RT_INTERNAL_ERROR,
                       "the %s event was never recorded", start->recorded() ? "end" : "start");
    }
    uint64_t from = 0;
    uint64_t to = 0;
    if (const aclError code = start->timestamp(&from)) return code;
    if (const aclError code = end->timestamp(&to)) return code;
    if (start->last_stream() != end->last_stream()) {
      notice(Check::EVT_08, "the start event was recorded in stream %d, the end event in stream %d",
             start->last_stream(), end->last_stream());
    }
    *ms = static_cast<float>(static_cast<double>(static_cast<int64_t>(to - from)) / 1000.0);
    return ACL_SUCCESS;
  });
}

aclError aclrtEventGetTimestamp(aclrtEvent event, uint64_t *timestamp) {
  return entry(Call::aclrtEventGetTimestamp, [&]() -> aclError {
    if (const aclError code = not_null(timestamp, "timestamp")) return code;
    std::shared_ptr<Event> found;
    if (const aclError code = need_event(event, &found)) return code;
    if (found->external() || found->ipc()) return unsupported("timing");
    return found->timestamp(timestamp);
  });
}

aclError aclrtStreamWaitEvent(aclrtStream stream, aclrtEvent event) {
  return entry(Call::aclrtStreamWaitEvent, [&]() -> aclError {
    std::shared_ptr<Event> found;
    std::shared_ptr<Stream> target;
    if (const aclError code = need_event_and_stream(event, stream, &found, &target)) return code;
    if (const aclError code = enter_stream(&target)) return code;
    if (!found->can_wait()) return unsupported("waiting");
    return found->queue_wait(target);
  });
}

aclError aclrtSetOpWaitTimeout(uint32_t timeout) {
  return entry(Call::aclrtSetOpWaitTimeout, [&]() -> aclError {
    state().op_wait_timeout_s.store(timeout);
    return ACL_SUCCESS;
  });
}
