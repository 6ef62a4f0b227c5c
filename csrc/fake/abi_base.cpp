// SPDX-License-Identifier: Apache-2.0
//
// Contract 12.1, 12.3 and 20: data buffers, scalars, error messages, log.
#include <cstdarg>

#include "acl/abi.h"
#include "fake/data_buffer.h"
#include "fake/entry.h"
#include "fake/exception_info.h"
#include "fake/handle_check.h"
#include "fake/log.h"
#include "fake/quick.h"
#include "fake/tensor_desc.h"

using namespace aclfake;

namespace {

// The buffer, or nullptr with a message.
std::shared_ptr<DataBuffer> find_buffer(const aclDataBuffer *handle) {
  Miss miss;
  std::shared_ptr<DataBuffer> buffer = handles<DataBuffer>().find(handle, &miss);
  if (buffer == nullptr) bad_handle<DataBuffer>(ACL_SUCCESS, handle, miss);
  return buffer;
}

// A value_entry: what it returns is an answer, no failure of its own.
aclError last_error(Call call, aclrtLastErrLevel level, bool clear) {
  return value_entry(call, aclError{ACL_ERROR_INTERNAL_ERROR}, [&]() -> aclError {
    if (level == ACL_RT_THREAD_LEVEL) return messages::last_error(clear);
    return fail(ACL_ERROR_INVALID_PARAM, "unknown level %d", static_cast<int>(level));
  });
}

uint32_t exception_field(Call call, const aclrtExceptionInfo *info,
                         uint32_t ExceptionInfo::*field) {
  return value_entry(call, UINT32_MAX, [&]() -> uint32_t {
    Miss miss;
    const auto found = handles<ExceptionInfo>().find(info, &miss);
    if (found != nullptr) return found.get()->*field;
    if (miss == Miss::kStale) {
      notice(Check::EXC_01, "the exception info %p is over", static_cast<const void *>(info));
    } else {
      complain("the exception info %p %s", static_cast<const void *>(info), miss_text(miss));
    }
    return UINT32_MAX;
  });
}

}  // namespace

// ---- data buffers -----------------------------------------------------------------------------

aclDataBuffer *aclCreateDataBuffer(void *data, size_t size) {
  return value_entry(Call::aclCreateDataBuffer, static_cast<aclDataBuffer *>(nullptr), [&] {
    return static_cast<aclDataBuffer *>(
        handles<DataBuffer>().insert(std::make_shared<DataBuffer>(data, size)));
  });
}

aclError aclDestroyDataBuffer(const aclDataBuffer *dataBuffer) {
  return entry(Call::aclDestroyDataBuffer, [&]() -> aclError {
    Miss miss;
    if (handles<DataBuffer>().remove(dataBuffer, &miss) != nullptr) return ACL_SUCCESS;
    return bad_handle<DataBuffer>(ACL_ERROR_INVALID_PARAM, dataBuffer, miss, Want::kDestroy);
  });
}

aclError aclUpdateDataBuffer(aclDataBuffer *dataBuffer, void *data, size_t size) {
  return entry(Call::aclUpdateDataBuffer, [&]() -> aclError {
    Miss miss;
    const auto buffer = handles<DataBuffer>().find(dataBuffer, &miss);
    if (buffer == nullptr) {
      return bad_handle<DataBuffer>(ACL_ERROR_INVALID_PARAM, dataBuffer, miss);
    }
    buffer->data.store(data);
    buffer->size.store(size);
    quick::changed();
    return ACL_SUCCESS;
  });
}

void *aclGetDataBufferAddr(const aclDataBuffer *dataBuffer) {
  return value_entry(Call::aclGetDataBufferAddr, static_cast<void *>(nullptr), [&]() -> void * {
    const auto buffer = find_buffer(dataBuffer);
    return buffer != nullptr ? buffer->data.load() : nullptr;
  });
}

uint32_t aclGetDataBufferSize(const aclDataBuffer *dataBuffer) {
  return value_entry(Call::aclGetDataBufferSize, uint32_t{0}, [&]() -> uint32_t {
    const auto buffer = find_buffer(dataBuffer);
    return buffer != nullptr ? static_cast<uint32_t>(buffer->size.load()) : 0;
  });
}

size_t aclGetDataBufferSizeV2(const aclDataBuffer *dataBuffer) {
  return value_entry(Call::aclGetDataBufferSizeV2, size_t{0}, [&]() -> size_t {
    const auto buffer = find_buffer(dataBuffer);
    return buffer != nullptr ? buffer->size.load() : 0;
  });
}

// ---- scalars ----------------------------------------------------------------------------------

size_t aclDataTypeSize(aclDataType dataType) {
  return value_entry(Call::aclDataTypeSize, size_t{0}, [&] { return data_type_size(dataType); });
}

float aclFloat16ToFloat(aclFloat16 value) {
  return value_entry(Call::aclFloat16ToFloat, 0.0f, [&] { return float16_to_float(value); });
}

aclFloat16 aclFloatToFloat16(float value) {
  return value_entry(Call::aclFloatToFloat16, aclFloat16{0},
                     [&] { return float_to_float16(value); });
}

// ---- messages, errors, log ----------------------------------------------------------------------

const char *aclGetRecentErrMsg(void) {
  return value_entry(Call::aclGetRecentErrMsg, static_cast<const char *>(nullptr),
                     [&] { return messages::take(); });
}

aclError aclrtGetLastError(aclrtLastErrLevel level) {
  return last_error(Call::aclrtGetLastError, level, true);
}

aclError aclrtPeekAtLastError(aclrtLastErrLevel level) {
  return last_error(Call::aclrtPeekAtLastError, level, false);
}

aclError aclrtSetExceptionInfoCallback(aclrtExceptionInfoCallback callback) {
  return entry(Call::aclrtSetExceptionInfoCallback, [&]() -> aclError {
    set_exception_callback(callback);
    return ACL_SUCCESS;
  });
}

uint32_t aclrtGetTaskIdFromExceptionInfo(const aclrtExceptionInfo *info) {
  return exception_field(Call::aclrtGetTaskIdFromExceptionInfo, info, &ExceptionInfo::task_id);
}

uint32_t aclrtGetStreamIdFromExceptionInfo(const aclrtExceptionInfo *info) {
  return exception_field(Call::aclrtGetStreamIdFromExceptionInfo, info, &ExceptionInfo::stream_id);
}

uint32_t aclrtGetThreadIdFromExceptionInfo(const aclrtExceptionInfo *info) {
  return exception_field(Call::aclrtGetThreadIdFromExceptionInfo, info, &ExceptionInfo::thread_id);
}

uint32_t aclrtGetDeviceIdFromExceptionInfo(const aclrtExceptionInfo *info) {
  return exception_field(Call::aclrtGetDeviceIdFromExceptionInfo, info, &ExceptionInfo::device_id);
}

uint32_t aclrtGetErrorCodeFromExceptionInfo(const aclrtExceptionInfo *info) {
  return exception_field(Call::aclrtGetErrorCodeFromExceptionInfo, info,
                         &ExceptionInfo::error_code);
}

void aclAppLog(aclLogLevel logLevel, const char *func, const char *file, uint32_t line,
               const char *fmt, ...) {
  va_list arguments;
  va_start(arguments, fmt);
  void_entry(Call::aclAppLog, [&] {
    if (func == nullptr || file == nullptr || fmt == nullptr) return;
    write_log(logLevel, func, file, line, fmt, arguments);
  });
  va_end(arguments);
}
