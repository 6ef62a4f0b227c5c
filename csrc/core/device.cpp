// SPDX-License-Identifier: Apache-2.0
//
// Setting, counting and resetting of devices.
#include "core/device.h"

#include "core/context_guard.h"
#include "core/error.h"
#include "core/runtime.h"

namespace aclrt {

namespace {

// Sets the device in this thread, notes its context, and gives the thread its own context back.
void set_device(Device &device, bool owned) {
  const acl::Table &api = acl::api();
  aclrtContext theirs = nullptr;
  const aclError had = api.aclrtGetCurrentContext(&theirs);
  if (had == ACL_ERROR_RT_CONTEXT_NULL) {
    theirs = nullptr;
    forget_message();
  } else {
    check(had, "aclrtGetCurrentContext", "cannot tell which device this thread uses");
  }

  const aclError set = api.aclrtSetDevice(device.id);
  if (set != ACL_SUCCESS) {
    const Error error =
        acl_error(set, "aclrtSetDevice", "cannot open device " + std::to_string(device.id));
    // It may have been set all the same.
    if (theirs != nullptr) api.aclrtSetCurrentContext(theirs);
    throw error;
  }
  try {
    check(api.aclrtGetCurrentContext(&device.context), "aclrtGetCurrentContext",
          "the device was opened, but has no context");
    check(api.aclrtGetRunMode(&device.run_mode), "aclrtGetRunMode",
          "cannot tell whether the program runs on the device");
  } catch (...) {
    if (owned) api.aclrtResetDevice(device.id);
    if (theirs != nullptr) api.aclrtSetCurrentContext(theirs);
    throw;
  }
  if (theirs != nullptr && theirs != device.context) api.aclrtSetCurrentContext(theirs);
}

}  // namespace

Device *Devices::acquire(int32_t id) {
  Device &device = [&]() -> Device & {
    std::lock_guard<std::mutex> lock(mutex_);
    return devices_[id];
  }();
  std::lock_guard<std::mutex> lock(device.mutex);
  if (device.users == 0) {
    device.id = id;
    set_device(device, owned_);
  }
  ++device.users;
  return &device;
}

aclError Devices::release(Device *device) noexcept {
  // In a forked child another thread of the parent may have held the lock for ever.
  if (Runtime::instance().is_forked()) return ACL_SUCCESS;
  std::lock_guard<std::mutex> lock(device->mutex);
  if (--device->users > 0) return ACL_SUCCESS;
  device->context = nullptr;
  return owned_ ? acl::api().aclrtResetDevice(device->id) : ACL_SUCCESS;
}

uint32_t Devices::user_count() noexcept {
  std::lock_guard<std::mutex> lock(mutex_);
  uint32_t count = 0;
  for (auto &entry : devices_) {
    std::lock_guard<std::mutex> device_lock(entry.second.mutex);
    count += entry.second.users;
  }
  return count;
}

void Devices::set_owned(bool owned) noexcept {
  owned_ = owned;
}

DeviceRef::DeviceRef(int32_t id) : device_(Runtime::instance().devices().acquire(id)) {}

aclError DeviceRef::release() noexcept {
  Device *device = device_;
  device_ = nullptr;
  return device != nullptr ? Runtime::instance().devices().release(device) : ACL_SUCCESS;
}

DeviceMemory device_memory(const Device &device) {
  ContextGuard guard(device);
  const auto get = acl::api().require(&acl::Table::aclrtGetMemInfo);
  for (const aclrtMemAttr kind : {ACL_DDR_MEM, ACL_HBM_MEM}) {
    size_t free = 0, total = 0;
    check(get(kind, &free, &total), "aclrtGetMemInfo", "cannot ask for the device's memory");
    if (total > 0) return {free, total};
  }
  return {};
}

}  // namespace aclrt
