// SPDX-License-Identifier: Apache-2.0
//
// Contract 6: devices.
#include <cstdlib>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "acl/abi.h"
#include "fake/context.h"
#include "fake/device.h"
#include "fake/entry.h"
#include "fake/memory.h"
#include "fake/state.h"

using namespace aclfake;

namespace {

constexpr aclCannAttr kAttributes[] = {ACL_CANN_ATTR_INF_NAN, ACL_CANN_ATTR_BF16,
                                       ACL_CANN_ATTR_JIT_COMPILE};

aclError not_null(const void *pointer, const char *name) {
  if (pointer != nullptr) return ACL_SUCCESS;
  return fail(ACL_ERROR_INVALID_PARAM, "%s is NULL", name);
}

// For the newer queries, whose values no source that we could read names.
aclError not_modelled(const void *out) {
  if (const aclError code = not_null(out, "value")) return code;
  return fail(ACL_ERROR_RT_FEATURE_NOT_SUPPORT, "the fake device does not model this attribute");
}

aclError synchronize_device(int64_t timeout_ms) {
  std::shared_ptr<Context> context;
  if (const aclError code = need_context(&context)) return code;
  return context->synchronize(timeout_ms);
}

}  // namespace

aclError aclrtSetDevice(int32_t deviceId) {
  return entry(Call::aclrtSetDevice, [&] { return set_device(deviceId); });
}

aclError aclrtResetDevice(int32_t deviceId) {
  return entry(Call::aclrtResetDevice, [&] { return reset_device(deviceId, false); });
}

aclError aclrtResetDeviceForce(int32_t deviceId) {
  return entry(Call::aclrtResetDeviceForce, [&] { return reset_device(deviceId, true); });
}

aclError aclrtGetDevice(int32_t *deviceId) {
  return entry(Call::aclrtGetDevice, [&]() -> aclError {
    if (const aclError code = not_null(deviceId, "deviceId")) return code;
    const int32_t implied = state().default_device.load();
    if (chosen_context() == nullptr && implied >= 0) {
      *deviceId = implied;
      return ACL_SUCCESS;
    }
    const std::shared_ptr<Context> &context = current_context();
    if (context == nullptr) {  // to ask is no misuse
      return fail(ACL_ERROR_RT_CONTEXT_NULL, "this thread has no current context");
    }
    *deviceId = context->device->id;
    return ACL_SUCCESS;
  });
}

aclError aclrtGetDeviceCount(uint32_t *count) {
  return entry(Call::aclrtGetDeviceCount, [&]() -> aclError {
    if (const aclError code = not_null(count, "count")) return code;
    const auto list = device_list();
    if (!list->valid) {
      const char *visible = std::getenv("ASCEND_RT_VISIBLE_DEVICES");
      return fail(ACL_ERROR_RT_NO_DEVICE, "no device: %s%s",
                  visible != nullptr ? "ASCEND_RT_VISIBLE_DEVICES=" : "there is none",
                  visible != nullptr ? visible : "");
    }
    *count = static_cast<uint32_t>(list->devices.size());
    return ACL_SUCCESS;
  });
}

const char *aclrtGetSocName(void) {
  return value_entry(Call::aclrtGetSocName, static_cast<const char *>(nullptr),
                     []() -> const char * {
                       // Valid for the life of the process: no name is ever dropped.
                       static auto *const mutex = new std::mutex;
                       static auto *const names = new std::set<std::string>;
                       std::string name = device_list()->profile.soc_name;
                       std::lock_guard<std::mutex> lock(*mutex);
                       return names->insert(std::move(name)).first->c_str();
                     });
}

aclError aclrtGetRunMode(aclrtRunMode *runMode) {
  return entry(Call::aclrtGetRunMode, [&]() -> aclError {
    if (const aclError code = not_null(runMode, "runMode")) return code;
    *runMode = device_list()->profile.host_is_device ? ACL_DEVICE : ACL_HOST;
    return ACL_SUCCESS;
  });
}

aclError aclrtSynchronizeDevice(void) {
  return entry(Call::aclrtSynchronizeDevice, [] { return synchronize_device(-1); });
}

aclError aclrtSynchronizeDeviceWithTimeout(int32_t timeout) {
  return entry(Call::aclrtSynchronizeDeviceWithTimeout, [&]() -> aclError {
    if (timeout < -1 || timeout == 0) {
      return fail(ACL_ERROR_RT_PARAM_INVALID, "timeout %d: -1 or more than 0 ms", timeout);
    }
    return synchronize_device(timeout);
  });
}

aclError aclrtQueryDeviceStatus(int32_t deviceId, aclrtDeviceStatus *deviceStatus) {
  return entry(Call::aclrtQueryDeviceStatus, [&]() -> aclError {
    if (const aclError code = not_null(deviceStatus, "deviceStatus")) return code;
    if (find_device(deviceId) == nullptr)
      return no_such_device(deviceId, ACL_ERROR_RT_INVALID_DEVICEID);
    *deviceStatus = ACL_RT_DEVICE_STATUS_NORMAL;
    return ACL_SUCCESS;
  });
}

aclError aclrtGetMemInfo(aclrtMemAttr attr, size_t *free, size_t *total) {
  return entry(Call::aclrtGetMemInfo, [&]() -> aclError {
    if (const aclError code = not_null(free, "free")) return code;
    if (const aclError code = not_null(total, "total")) return code;
    if (attr < ACL_DDR_MEM || attr > ACL_MEM_P2P_HUGE1G) {
      return fail(ACL_ERROR_RT_INVALID_MEMORY_TYPE, "unknown memory class %d",
                  static_cast<int>(attr));
    }
    std::shared_ptr<Context> context;
    if (const aclError code = need_context(&context)) return code;
    // The boards played have one kind of memory, DDR; HBM classes are empty on them.
    const bool hbm = attr == ACL_HBM_MEM ||
                     (attr >= ACL_HBM_MEM_HUGE && attr <= ACL_HBM_MEM_NORMAL) ||
                     (attr >= ACL_HBM_MEM_P2P_HUGE && attr <= ACL_HBM_MEM_P2P_HUGE1G);
    *free = hbm ? 0 : free_bytes(*context->device);
    *total = hbm ? 0 : total_bytes(*context->device);
    return ACL_SUCCESS;
  });
}

aclError aclrtGetDeviceUtilizationRate(int32_t, aclrtUtilizationInfo *utilizationInfo) {
  return entry(Call::aclrtGetDeviceUtilizationRate, [&]() -> aclError {
    if (const aclError code = not_null(utilizationInfo, "utilizationInfo")) return code;
    if (utilizationInfo->utilizationExtend != nullptr) {
      return fail(ACL_ERROR_INVALID_PARAM, "utilizationExtend has to be NULL");
    }
    utilizationInfo->cubeUtilization = -1;
    utilizationInfo->vectorUtilization = -1;
    utilizationInfo->aicpuUtilization = -1;
    utilizationInfo->memoryUtilization = -1;
    return ACL_SUCCESS;
  });
}

aclError aclrtSetDeviceSatMode(aclrtFloatOverflowMode mode) {
  return entry(Call::aclrtSetDeviceSatMode, [&]() -> aclError {
    if (mode != ACL_RT_OVERFLOW_MODE_SATURATION && mode != ACL_RT_OVERFLOW_MODE_INFNAN) {
      return fail(ACL_ERROR_RT_PARAM_INVALID, "unknown overflow mode %d", static_cast<int>(mode));
    }
    state().saturation_mode.store(mode);
    return ACL_SUCCESS;
  });
}

aclError aclrtGetDeviceSatMode(aclrtFloatOverflowMode *mode) {
  return entry(Call::aclrtGetDeviceSatMode, [&]() -> aclError {
    if (const aclError code = not_null(mode, "mode")) return code;
    *mode = static_cast<aclrtFloatOverflowMode>(state().saturation_mode.load());
    return ACL_SUCCESS;
  });
}

aclError aclGetDeviceCapability(uint32_t deviceId, aclDeviceInfo deviceInfo, int64_t *value) {
  return entry(Call::aclGetDeviceCapability, [&]() -> aclError {
    if (const aclError code = not_null(value, "value")) return code;
    const std::shared_ptr<Device> device = find_device(deviceId);
    if (device == nullptr) return no_such_device(deviceId, ACL_ERROR_INVALID_PARAM);
    switch (deviceInfo) {
      case ACL_DEVICE_INFO_AI_CORE_NUM:
        *value = device->profile.ai_cores;
        return ACL_SUCCESS;
      case ACL_DEVICE_INFO_VECTOR_CORE_NUM:
        *value = device->profile.vector_cores;
        return ACL_SUCCESS;
      case ACL_DEVICE_INFO_L2_SIZE:
        *value = static_cast<int64_t>(device->profile.l2_bytes);
        return ACL_SUCCESS;
      default:
        return fail(ACL_ERROR_INVALID_PARAM, "unknown device info %d",
                    static_cast<int>(deviceInfo));
    }
  });
}

aclError aclGetCannAttributeList(const aclCannAttr **cannAttrList, size_t *num) {
  return entry(Call::aclGetCannAttributeList, [&]() -> aclError {
    if (const aclError code = not_null(cannAttrList, "cannAttrList")) return code;
    if (const aclError code = not_null(num, "num")) return code;
    *cannAttrList = kAttributes;
    *num = sizeof kAttributes / sizeof kAttributes[0];
    return ACL_SUCCESS;
  });
}

aclError aclGetCannAttribute(aclCannAttr cannAttr, int32_t *value) {
  return entry(Call::aclGetCannAttribute, [&]() -> aclError {
    if (const aclError code = not_null(value, "value")) return code;
    if (cannAttr < ACL_CANN_ATTR_INF_NAN || cannAttr > ACL_CANN_ATTR_JIT_COMPILE) {
      return fail(ACL_ERROR_INVALID_PARAM, "unknown attribute %d", static_cast<int>(cannAttr));
    }
    // 310 series: no Inf/NaN mode, no bfloat16; operators may be compiled at run time.
    *value = cannAttr == ACL_CANN_ATTR_JIT_COMPILE ? 1 : 0;
    return ACL_SUCCESS;
  });
}

aclError aclrtSetTsDevice(aclrtTsId tsId) {
  return entry(Call::aclrtSetTsDevice, [&]() -> aclError {
    if (tsId == ACL_TS_ID_AICORE || tsId == ACL_TS_ID_AIVECTOR) return ACL_SUCCESS;
    return fail(ACL_ERROR_INVALID_PARAM, "unknown task scheduler %d", static_cast<int>(tsId));
  });
}

aclError aclrtGetDeviceInfo(uint32_t, aclrtDevAttr, int64_t *value) {
  return entry(Call::aclrtGetDeviceInfo, [&] { return not_modelled(value); });
}

aclError aclrtGetDeviceCapability(int32_t, aclrtDevFeatureType, int32_t *value) {
  return entry(Call::aclrtGetDeviceCapability, [&] { return not_modelled(value); });
}

aclError aclrtDeviceCanAccessPeer(int32_t *canAccessPeer, int32_t deviceId, int32_t peerDeviceId) {
  return entry(Call::aclrtDeviceCanAccessPeer, [&]() -> aclError {
    if (const aclError code = not_null(canAccessPeer, "canAccessPeer")) return code;
    if (deviceId == peerDeviceId) {
      return fail(ACL_ERROR_INVALID_PARAM, "both devices are %d", deviceId);
    }
    for (const int32_t id : {deviceId, peerDeviceId}) {
      if (find_device(id) == nullptr) return no_such_device(id, ACL_ERROR_RT_INVALID_DEVICEID);
    }
    *canAccessPeer = 0;
    return ACL_SUCCESS;
  });
}

aclError aclrtDeviceEnablePeerAccess(int32_t peerDeviceId, uint32_t flags) {
  return entry(Call::aclrtDeviceEnablePeerAccess, [&]() -> aclError {
    if (flags != 0) return fail(ACL_ERROR_FEATURE_UNSUPPORTED, "flags have to be 0");
    std::shared_ptr<Context> context;
    if (const aclError code = need_context(&context)) return code;
    if (context->device->id == peerDeviceId) {
      return fail(ACL_ERROR_INVALID_PARAM, "the peer is the current device");
    }
    if (find_device(peerDeviceId) == nullptr) {
      return no_such_device(peerDeviceId, ACL_ERROR_RT_INVALID_DEVICEID);
    }
    return fail(ACL_ERROR_RT_FEATURE_NOT_SUPPORT, "these devices do not reach each other");
  });
}

aclError aclrtDeviceDisablePeerAccess(int32_t peerDeviceId) {
  return entry(Call::aclrtDeviceDisablePeerAccess, [&]() -> aclError {
    std::shared_ptr<Context> context;
    if (const aclError code = need_context(&context)) return code;
    if (context->device->id == peerDeviceId) {
      return fail(ACL_ERROR_INVALID_PARAM, "the peer is the current device");
    }
    if (find_device(peerDeviceId) == nullptr) {
      return no_such_device(peerDeviceId, ACL_ERROR_RT_INVALID_DEVICEID);
    }
    return fail(ACL_ERROR_RT_FEATURE_NOT_SUPPORT, "these devices do not reach each other");
  });
}
