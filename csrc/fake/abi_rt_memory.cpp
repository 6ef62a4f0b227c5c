// SPDX-License-Identifier: Apache-2.0
//
// Contract 11.1 and 11.2: allocation of device and host memory.
#include "acl/abi.h"
#include "fake/context.h"
#include "fake/entry.h"
#include "fake/memory.h"

using namespace aclfake;

namespace {

aclError need_sized(const void *pointer, size_t size) {
  if (pointer != nullptr && size != 0) return ACL_SUCCESS;
  return fail(ACL_ERROR_INVALID_PARAM, "%s",
              pointer == nullptr ? "the pointer is NULL" : "size is 0");
}

bool huge_1g(aclrtMemMallocPolicy policy) {
  return policy == ACL_MEM_MALLOC_HUGE1G_ONLY || policy == ACL_MEM_MALLOC_HUGE1G_ONLY_P2P;
}

aclError allocate(void **out, size_t size, bool padded, Allocator allocator) {
  if (const aclError code = need_sized(out, size)) return code;
  // Before the context: a size that cannot be rounded is a bad argument of the first layer.
  if (size > SIZE_MAX - 64) return fail(ACL_ERROR_INVALID_PARAM, "size %zu is too large", size);
  std::shared_ptr<Context> context;
  if (const aclError code = need_context(&context)) return code;
  return allocate_device(*context->device, size, padded, allocator, out);
}

aclError release(void *pointer, Allocator allocator) {
  if (pointer == nullptr) return fail(ACL_ERROR_INVALID_PARAM, "the pointer is NULL");
  return free_device(pointer, allocator);
}

// The forms with a configuration; they check the policy, the plain ones don't.
aclError allocate_configured(void **out, size_t size, aclrtMemMallocPolicy policy,
                             const aclrtMallocConfig *config) {
  if (const aclError code = need_sized(out, size)) return code;
  if (config != nullptr && config->numAttrs != 0 && config->attrs == nullptr) {
    return fail(ACL_ERROR_INVALID_PARAM, "%zu attributes at NULL", config->numAttrs);
  }
  const uint32_t base =
      static_cast<uint32_t>(policy) &
      ~static_cast<uint32_t>(ACL_MEM_TYPE_LOW_BAND_WIDTH | ACL_MEM_TYPE_HIGH_BAND_WIDTH |
                             ACL_MEM_ACCESS_USER_SPACE_READONLY);
  if (base > ACL_MEM_MALLOC_HUGE1G_ONLY_P2P) {
    return fail(ACL_ERROR_RT_PARAM_INVALID, "unknown policy 0x%x", static_cast<unsigned>(policy));
  }
  return allocate(out, size, !huge_1g(static_cast<aclrtMemMallocPolicy>(base)), Allocator::kAcl);
}

// Waits for everything on the device that holds the pointer, whatever the context.
void synchronize_owner(const void *pointer) {
  const std::shared_ptr<Device> device = locate(pointer).device;
  for (const auto &entry : handles<Context>().all()) {
    if (device == nullptr || entry.second->device == device) entry.second->synchronize(-1);
  }
}

}  // namespace

aclError aclrtMalloc(void **devPtr, size_t size, aclrtMemMallocPolicy policy) {
  return entry(Call::aclrtMalloc,
               [&] { return allocate(devPtr, size, !huge_1g(policy), Allocator::kAcl); });
}

aclError aclrtMallocAlign32(void **devPtr, size_t size, aclrtMemMallocPolicy) {
  return entry(Call::aclrtMallocAlign32,
               [&] { return allocate(devPtr, size, false, Allocator::kAcl); });
}

aclError aclrtMallocCached(void **devPtr, size_t size, aclrtMemMallocPolicy policy) {
  return entry(Call::aclrtMallocCached, [&] {
    return allocate(devPtr, size, policy != ACL_MEM_MALLOC_HUGE1G_ONLY, Allocator::kAcl);
  });
}

aclError aclrtMallocWithCfg(void **devPtr, size_t size, aclrtMemMallocPolicy policy,
                            aclrtMallocConfig *cfg) {
  return entry(Call::aclrtMallocWithCfg,
               [&] { return allocate_configured(devPtr, size, policy, cfg); });
}

aclError aclrtMallocForTaskScheduler(void **devPtr, size_t size, aclrtMemMallocPolicy policy,
                                     aclrtMallocConfig *cfg) {
  return entry(Call::aclrtMallocForTaskScheduler,
               [&] { return allocate_configured(devPtr, size, policy, cfg); });
}

aclError acldvppMalloc(void **devPtr, size_t size) {
  return entry(Call::acldvppMalloc, [&] { return allocate(devPtr, size, true, Allocator::kDvpp); });
}

aclError aclrtFree(void *devPtr) {
  return entry(Call::aclrtFree, [&] { return release(devPtr, Allocator::kAcl); });
}

aclError acldvppFree(void *devPtr) {
  return entry(Call::acldvppFree, [&] { return release(devPtr, Allocator::kDvpp); });
}

aclError aclrtFreeWithDevSync(void *devPtr) {
  return entry(Call::aclrtFreeWithDevSync, [&]() -> aclError {
    if (devPtr == nullptr) return fail(ACL_ERROR_INVALID_PARAM, "the pointer is NULL");
    synchronize_owner(devPtr);
    return release(devPtr, Allocator::kAcl);
  });
}

aclError aclrtMemFlush(void *devPtr, size_t size) {
  return entry(Call::aclrtMemFlush, [&] { return need_sized(devPtr, size); });
}

aclError aclrtMemInvalidate(void *devPtr, size_t size) {
  return entry(Call::aclrtMemInvalidate, [&] { return need_sized(devPtr, size); });
}

aclError aclrtMallocHost(void **hostPtr, size_t size) {
  return entry(Call::aclrtMallocHost, [&]() -> aclError {
    if (const aclError code = need_sized(hostPtr, size)) return code;
    std::shared_ptr<Context> context;
    if (const aclError code = need_context(&context)) return code;
    return allocate_host(size, hostPtr);
  });
}

aclError aclrtFreeHost(void *hostPtr) {
  return entry(Call::aclrtFreeHost, [&]() -> aclError {
    if (hostPtr == nullptr) return fail(ACL_ERROR_INVALID_PARAM, "the pointer is NULL");
    return free_host(hostPtr);
  });
}

aclError aclrtFreeHostWithDevSync(void *hostPtr) {
  return entry(Call::aclrtFreeHostWithDevSync, [&]() -> aclError {
    if (hostPtr == nullptr) return fail(ACL_ERROR_INVALID_PARAM, "the pointer is NULL");
    synchronize_owner(hostPtr);
    return free_host(hostPtr);
  });
}

aclError aclrtHostRegister(void *ptr, uint64_t size, aclrtHostRegisterType type, void **devPtr) {
  return entry(Call::aclrtHostRegister, [&]() -> aclError {
    if (const aclError code = need_sized(ptr, size)) return code;
    if (devPtr == nullptr) return fail(ACL_ERROR_INVALID_PARAM, "devPtr is NULL");
    std::shared_ptr<Context> context;
    if (const aclError code = need_context(&context)) return code;
    if (type != ACL_HOST_REGISTER_MAPPED) {
      return fail(ACL_ERROR_RT_FEATURE_NOT_SUPPORT, "only ACL_HOST_REGISTER_MAPPED is played");
    }
    if (const Location location = locate(ptr); location.device != nullptr) {
      return fail(ACL_ERROR_RT_PARAM_INVALID, "%p is device memory", ptr);
    }
    if (const aclError code = register_host(ptr, size)) return code;
    *devPtr = ptr;
    return ACL_SUCCESS;
  });
}

aclError aclrtHostUnregister(void *ptr) {
  return entry(Call::aclrtHostUnregister, [&]() -> aclError {
    if (ptr == nullptr) return fail(ACL_ERROR_INVALID_PARAM, "the pointer is NULL");
    return unregister_host(ptr);
  });
}

aclError aclrtPointerGetAttributes(const void *ptr, aclrtPtrAttributes *attributes) {
  return entry(Call::aclrtPointerGetAttributes, [&]() -> aclError {
    if (ptr == nullptr || attributes == nullptr) {
      return fail(ACL_ERROR_INVALID_PARAM, "an argument is NULL");
    }
    constexpr uint32_t kPage = 4096;
    const Location location = locate(ptr);
    *attributes = aclrtPtrAttributes{};
    attributes->location.type = ACL_MEM_LOCATION_TYPE_UNREGISTERED;
    if (location.place == Place::kDevice) {
      attributes->location.type = ACL_MEM_LOCATION_TYPE_DEVICE;
      attributes->location.id = static_cast<uint32_t>(location.device->id);
      attributes->pageSize = kPage;
    } else if (location.place == Place::kHost) {
      attributes->location.type = ACL_MEM_LOCATION_TYPE_HOST;
      attributes->pageSize = kPage;
    }
    return ACL_SUCCESS;
  });
}
