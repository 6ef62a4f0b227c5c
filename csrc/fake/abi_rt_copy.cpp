// SPDX-License-Identifier: Apache-2.0
//
// Contract 11.3: sets and copies. The order of the tests is part of the contract.
#include "acl/abi.h"
#include "fake/checks.h"
#include "fake/context.h"
#include "fake/copy.h"
#include "fake/entry.h"
#include "fake/quick.h"
#include "fake/stream.h"

using namespace aclfake;

namespace {

aclError null_pointer() {
  return fail(ACL_ERROR_INVALID_PARAM, "dst or src is NULL");
}

// First layer: null pointers, then the kind.
aclError check_arguments(const void *dst, const void *src, aclrtMemcpyKind kind) {
  if (dst == nullptr || src == nullptr) return null_pointer();
  if (kind < ACL_MEMCPY_HOST_TO_HOST || kind > ACL_MEMCPY_HOST_TO_BUF_TO_DEVICE) {
    return fail(ACL_ERROR_INVALID_PARAM, "kind %d is not one of 0 to 5", static_cast<int>(kind));
  }
  return ACL_SUCCESS;
}

aclError check_room(size_t capacity, size_t count) {
  if (capacity != 0 && count <= capacity) return ACL_SUCCESS;
  return violation(Check::CPY_01, ACL_ERROR_RT_PARAM_INVALID,
                   "%zu bytes do not fit into destMax %zu", count, capacity);
}

aclError check_fill_room(size_t capacity, size_t count) {
  if (count <= capacity) return ACL_SUCCESS;
  return violation(Check::CPY_02, ACL_ERROR_RT_PARAM_INVALID, "count %zu is more than maxCount %zu",
                   count, capacity);
}

aclError check_shape(const void *dst, const void *src, const CopyShape &shape,
                     aclrtMemcpyKind kind) {
  if (dst == nullptr || src == nullptr) return null_pointer();
  if (shape.width > shape.src_pitch || shape.width > shape.dst_pitch) {
    return fail(ACL_ERROR_INVALID_PARAM, "width %zu is more than a pitch (dst %zu, src %zu)",
                shape.width, shape.dst_pitch, shape.src_pitch);
  }
  if (kind < ACL_MEMCPY_HOST_TO_DEVICE || kind > ACL_MEMCPY_DEFAULT) {
    return fail(ACL_ERROR_INVALID_PARAM, "kind %d is not one of 1 to 4", static_cast<int>(kind));
  }
  for (const size_t pitch : {shape.dst_pitch, shape.src_pitch}) {
    size_t total;
    if (__builtin_mul_overflow(pitch, shape.rows, &total)) {
      return fail(ACL_ERROR_INVALID_PARAM, "%zu rows of %zu bytes are too large", shape.rows,
                  pitch);
    }
  }
  return ACL_SUCCESS;
}

aclError copy_async(Call call, void *dst, size_t capacity, const void *src, size_t count,
                    aclrtMemcpyKind kind, aclrtStream stream, bool pinned_only) {
  return entry(call, [&]() -> aclError {
    if (count == 0) return ACL_SUCCESS;
    if (const aclError code = check_arguments(dst, src, kind)) return code;
    std::shared_ptr<Stream> found;
    if (const aclError code = find_stream(stream, &found)) return code;
    if (const aclError code = check_room(capacity, count)) return code;
    return copy_queued(dst, src, {count, 1, count, count}, kind, found, pinned_only);
  });
}

}  // namespace

aclError aclrtMemset(void *devPtr, size_t maxCount, int32_t value, size_t count) {
  return entry(Call::aclrtMemset, [&]() -> aclError {
    if (count == 0) return ACL_SUCCESS;
    if (devPtr == nullptr) return fail(ACL_ERROR_INVALID_PARAM, "devPtr is NULL");
    std::shared_ptr<Context> context;
    if (const aclError code = need_context(&context)) return code;
    if (const aclError code = check_fill_room(maxCount, count)) return code;
    return fill_now(devPtr, {static_cast<uint32_t>(value), false, count});
  });
}

aclError aclrtMemsetAsync(void *devPtr, size_t maxCount, int32_t value, size_t count,
                          aclrtStream stream) {
  return entry(Call::aclrtMemsetAsync, [&]() -> aclError {
    if (count == 0) return ACL_SUCCESS;
    if (devPtr == nullptr) return fail(ACL_ERROR_INVALID_PARAM, "devPtr is NULL");
    std::shared_ptr<Stream> found;
    if (const aclError code = find_stream(stream, &found)) return code;
    if (const aclError code = check_fill_room(maxCount, count)) return code;
    if (const aclError code = enter_stream(&found)) return code;
    return fill_queued(devPtr, {static_cast<uint32_t>(value), false, count}, found);
  });
}

aclError aclrtMemsetD32(void *ptr, size_t memSize, uint32_t value, size_t N) {
  return entry(Call::aclrtMemsetD32, [&]() -> aclError {
    if (N == 0) return ACL_SUCCESS;
    if (ptr == nullptr) return fail(ACL_ERROR_INVALID_PARAM, "ptr is NULL");
    std::shared_ptr<Context> context;
    if (const aclError code = need_context(&context)) return code;
    if (N > memSize / sizeof value) {
      return violation(Check::CPY_02, ACL_ERROR_RT_PARAM_INVALID,
                       "%zu words do not fit into %zu bytes", N, memSize);
    }
    return fill_now(ptr, {value, true, N * sizeof value});
  });
}

aclError aclrtMemcpy(void *dst, size_t destMax, const void *src, size_t count,
                     aclrtMemcpyKind kind) {
  if (quick::copy(dst, destMax, src, count, kind)) return ACL_SUCCESS;
  return entry(Call::aclrtMemcpy, [&]() -> aclError {
    if (count == 0) return ACL_SUCCESS;
    const uint64_t epoch = quick::epoch();
    const unsigned remarks = messages::added();
    if (const aclError code = check_arguments(dst, src, kind)) return code;
    if (const aclError code = check_room(destMax, count)) return code;
    if (dst == src) return ACL_SUCCESS;
    std::shared_ptr<Context> context;
    if (const aclError code = need_context(&context)) return code;
    const aclError code = copy_now(dst, src, {count, 1, count, count}, kind);
    if (code == ACL_SUCCESS && messages::added() == remarks) {
      quick::remember_copy(epoch, dst, src, kind);
    }
    return code;
  });
}

aclError aclrtMemcpyAsync(void *dst, size_t destMax, const void *src, size_t count,
                          aclrtMemcpyKind kind, aclrtStream stream) {
  return copy_async(Call::aclrtMemcpyAsync, dst, destMax, src, count, kind, stream, false);
}

aclError aclrtMemcpyAsyncWithCondition(void *dst, size_t destMax, const void *src, size_t count,
                                       aclrtMemcpyKind kind, aclrtStream stream) {
  return copy_async(Call::aclrtMemcpyAsyncWithCondition, dst, destMax, src, count, kind, stream,
                    true);
}

aclError aclrtMemcpy2d(void *dst, size_t dpitch, const void *src, size_t spitch, size_t width,
                       size_t height, aclrtMemcpyKind kind) {
  return entry(Call::aclrtMemcpy2d, [&]() -> aclError {
    if (width == 0 || height == 0) return ACL_SUCCESS;
    const CopyShape shape{width, height, dpitch, spitch};
    if (const aclError code = check_shape(dst, src, shape, kind)) return code;
    std::shared_ptr<Context> context;
    if (const aclError code = need_context(&context)) return code;
    return copy_now(dst, src, shape, kind);
  });
}

aclError aclrtMemcpy2dAsync(void *dst, size_t dpitch, const void *src, size_t spitch, size_t width,
                            size_t height, aclrtMemcpyKind kind, aclrtStream stream) {
  return entry(Call::aclrtMemcpy2dAsync, [&]() -> aclError {
    if (width == 0 || height == 0) return ACL_SUCCESS;
    const CopyShape shape{width, height, dpitch, spitch};
    if (const aclError code = check_shape(dst, src, shape, kind)) return code;
    std::shared_ptr<Stream> found;
    if (const aclError code = find_stream(stream, &found)) return code;
    return copy_queued(dst, src, shape, kind, found, false);
  });
}
