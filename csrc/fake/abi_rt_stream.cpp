// SPDX-License-Identifier: Apache-2.0
//
// Contract 8: streams.
#include <algorithm>
#include <cstring>

#include "acl/abi.h"
#include "fake/context.h"
#include "fake/entry.h"
#include "fake/stream.h"
#include "fake/stream_config.h"

using namespace aclfake;

namespace {

constexpr uint32_t kKnownFlags = 0x3f;
constexpr uint32_t kLowestPriority = 7;

aclError not_null(const void *pointer, const char *name) {
  if (pointer != nullptr) return ACL_SUCCESS;
  return fail(ACL_ERROR_INVALID_PARAM, "%s is NULL", name);
}

aclError create(uint32_t priority, uint32_t flags, aclrtStream *stream) {
  std::shared_ptr<Context> context;
  if (const aclError code = need_context(&context)) return code;
  flags &= kKnownFlags;
  if ((flags & ACL_STREAM_DEVICE_USE_ONLY) != 0 && flags != ACL_STREAM_DEVICE_USE_ONLY) {
    return fail(ACL_ERROR_RT_PARAM_INVALID, "DEVICE_USE_ONLY goes with no other flag, got 0x%x",
                flags);
  }
  if ((flags & ACL_STREAM_HUGE) != 0) {
    return fail(ACL_ERROR_RT_FEATURE_NOT_SUPPORT, "this chip has no huge streams");
  }
  return create_stream(std::min(priority, kLowestPriority), flags, stream);
}

// timeout_ms < 0: forever.
aclError synchronize(aclrtStream handle, int64_t timeout_ms) {
  std::shared_ptr<Stream> stream;
  if (const aclError code = find_stream(handle, &stream)) return code;
  if (stream != nullptr && stream->never_waits()) return ACL_SUCCESS;
  std::shared_ptr<Context> context;
  if (const aclError code = need_context(&context)) return code;
  if (stream == nullptr) stream = context->default_stream();
  return stream->synchronize(timeout_ms);
}

template <class Value, class Get>
aclError get(Call call, aclrtStream handle, Value *out, Get &&get) {
  return entry(call, [&]() -> aclError {
    if (const aclError code = not_null(out, "the output pointer")) return code;
    std::shared_ptr<Stream> stream;
    if (const aclError code = need_any_stream(handle, &stream)) return code;
    *out = get(*stream);
    return ACL_SUCCESS;
  });
}

aclError find_config(const aclrtStreamConfigHandle *handle, std::shared_ptr<StreamConfig> *config,
                     Want want = Want::kUse) {
  Miss miss;
  *config = handles<StreamConfig>().find(handle, &miss);
  if (*config != nullptr) return ACL_SUCCESS;
  return bad_handle<StreamConfig>(ACL_ERROR_INVALID_PARAM, handle, miss, want);
}

template <class Field>
aclError set_field(Field *field, const void *value, size_t size) {
  if (size != sizeof *field) {
    return fail(ACL_ERROR_INVALID_PARAM, "the value has %zu bytes, expected %zu", size,
                sizeof *field);
  }
  std::memcpy(field, value, size);
  return ACL_SUCCESS;
}

}  // namespace

aclError aclrtCreateStream(aclrtStream *stream) {
  return entry(Call::aclrtCreateStream, [&]() -> aclError {
    if (const aclError code = not_null(stream, "stream")) return code;
    return create(0, 0, stream);
  });
}

aclError aclrtCreateStreamWithConfig(aclrtStream *stream, uint32_t priority, uint32_t flag) {
  return entry(Call::aclrtCreateStreamWithConfig, [&]() -> aclError {
    if (const aclError code = not_null(stream, "stream")) return code;
    return create(priority, flag, stream);
  });
}

aclrtStreamConfigHandle *aclrtCreateStreamConfigHandle(void) {
  return value_entry(Call::aclrtCreateStreamConfigHandle,
                     static_cast<aclrtStreamConfigHandle *>(nullptr), [] {
                       return static_cast<aclrtStreamConfigHandle *>(
                           handles<StreamConfig>().insert(std::make_shared<StreamConfig>()));
                     });
}

aclError aclrtDestroyStreamConfigHandle(aclrtStreamConfigHandle *handle) {
  return entry(Call::aclrtDestroyStreamConfigHandle, [&]() -> aclError {
    std::shared_ptr<StreamConfig> config;
    if (const aclError code = find_config(handle, &config, Want::kDestroy)) return code;
    handles<StreamConfig>().remove(handle);
    return ACL_SUCCESS;
  });
}

aclError aclrtSetStreamConfigOpt(aclrtStreamConfigHandle *handle, aclrtStreamConfigAttr attr,
                                 const void *attrValue, size_t valueSize) {
  return entry(Call::aclrtSetStreamConfigOpt, [&]() -> aclError {
    std::shared_ptr<StreamConfig> config;
    if (const aclError code = find_config(handle, &config)) return code;
    if (const aclError code = not_null(attrValue, "attrValue")) return code;
    std::lock_guard<std::mutex> lock(config->mutex);
    switch (attr) {
      case ACL_RT_STREAM_WORK_ADDR_PTR:
        return set_field(&config->values.workptr, attrValue, valueSize);
      case ACL_RT_STREAM_WORK_SIZE:
        return set_field(&config->values.workSize, attrValue, valueSize);
      case ACL_RT_STREAM_FLAG:
        return set_field(&config->values.flag, attrValue, valueSize);
      case ACL_RT_STREAM_PRIORITY:
        return set_field(&config->values.priority, attrValue, valueSize);
    }
    return fail(ACL_ERROR_INVALID_PARAM, "unknown attribute %d", static_cast<int>(attr));
  });
}

aclError aclrtCreateStreamV2(aclrtStream *stream, const aclrtStreamConfigHandle *handle) {
  return entry(Call::aclrtCreateStreamV2, [&]() -> aclError {
    if (const aclError code = not_null(stream, "stream")) return code;
    std::shared_ptr<StreamConfig> config;
    if (const aclError code = find_config(handle, &config)) return code;
    aclrtStreamConfigHandle values;
    {
      std::lock_guard<std::mutex> lock(config->mutex);
      values = config->values;
    }
    return create(values.priority, static_cast<uint32_t>(values.flag), stream);
  });
}

aclError aclrtDestroyStream(aclrtStream stream) {
  return entry(Call::aclrtDestroyStream, [&]() -> aclError {
    if (const aclError code = not_null(stream, "stream")) return code;
    return destroy_stream(stream, true);
  });
}

aclError aclrtDestroyStreamForce(aclrtStream stream) {
  return entry(Call::aclrtDestroyStreamForce, [&]() -> aclError {
    if (const aclError code = not_null(stream, "stream")) return code;
    return destroy_stream(stream, false);
  });
}

aclError aclrtSynchronizeStream(aclrtStream stream) {
  return entry(Call::aclrtSynchronizeStream, [&] { return synchronize(stream, -1); });
}

aclError aclrtSynchronizeStreamWithTimeout(aclrtStream stream, int32_t timeout) {
  return entry(Call::aclrtSynchronizeStreamWithTimeout, [&]() -> aclError {
    std::shared_ptr<Stream> found;
    if (const aclError code = find_stream(stream, &found)) return code;
    if (timeout < -1 || timeout == 0) {
      return fail(ACL_ERROR_RT_PARAM_INVALID, "timeout %d: -1 or more than 0 ms", timeout);
    }
    return synchronize(stream, timeout);
  });
}

aclError aclrtStreamQuery(aclrtStream stream, aclrtStreamStatus *status) {
  return entry(Call::aclrtStreamQuery, [&]() -> aclError {
    if (const aclError code = not_null(status, "status")) return code;
    std::shared_ptr<Stream> found;
    if (const aclError code = find_stream(stream, &found)) return code;
    if (found == nullptr || !found->never_waits()) {
      std::shared_ptr<Context> context;
      if (const aclError code = need_context(&context)) return code;
      if (found == nullptr) found = context->default_stream();
    }
    const bool complete = found->never_waits() || found->idle();
    if (!complete) poll_device();
    *status = complete ? ACL_STREAM_STATUS_COMPLETE : ACL_STREAM_STATUS_NOT_READY;
    return ACL_SUCCESS;
  });
}

aclError aclrtSetStreamFailureMode(aclrtStream stream, uint64_t mode) {
  return entry(Call::aclrtSetStreamFailureMode, [&]() -> aclError {
    std::shared_ptr<Stream> found;
    if (const aclError code = need_stream(stream, &found)) return code;
    const bool stop = (mode & 1u) == ACL_STOP_ON_FAILURE;
    if (found->set_failure_mode(stop)) {
      const std::shared_ptr<Context> context = found->context.lock();
      if (stop && context != nullptr) {
        context->stop_on_failure.store(true);
        for (const auto &stream : context->streams()) stream->set_failure_mode(true);
      }
      return ACL_SUCCESS;
    }
    return fail(ACL_ERROR_RT_FEATURE_NOT_SUPPORT,
                "stop on failure cannot be taken back for a stream");
  });
}

aclError aclrtStreamGetId(aclrtStream stream, int32_t *streamId) {
  return get(Call::aclrtStreamGetId, stream, streamId, [](Stream &found) { return found.id; });
}

aclError aclrtStreamGetPriority(aclrtStream stream, uint32_t *priority) {
  return get(Call::aclrtStreamGetPriority, stream, priority,
             [](Stream &found) { return found.priority; });
}

aclError aclrtStreamGetFlags(aclrtStream stream, uint32_t *flags) {
  return get(Call::aclrtStreamGetFlags, stream, flags, [](Stream &found) { return found.flags; });
}

aclError aclrtGetStreamAvailableNum(uint32_t *streamCount) {
  return entry(Call::aclrtGetStreamAvailableNum, [&]() -> aclError {
    if (const aclError code = not_null(streamCount, "streamCount")) return code;
    std::shared_ptr<Context> context;
    if (const aclError code = need_context(&context)) return code;
    const Device &device = *context->device;
    *streamCount =
        device.profile.max_streams - std::min(device.streams.load(), device.profile.max_streams);
    return ACL_SUCCESS;
  });
}

aclError aclrtStreamAbort(aclrtStream stream) {
  return entry(Call::aclrtStreamAbort, [&]() -> aclError {
    if (const aclError code = not_null(stream, "stream")) return code;
    std::shared_ptr<Stream> found;
    if (const aclError code = need_any_stream(stream, &found)) return code;
    found->abort();
    return ACL_SUCCESS;
  });
}
