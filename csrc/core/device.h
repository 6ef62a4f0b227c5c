// SPDX-License-Identifier: Apache-2.0
//
// Devices by id. A device is set (aclrtSetDevice) by its first user and reset when its last has
// gone, unless AscendCL belongs to somebody else in the process. Its context is the primary one,
// which is shared with torch_npu and the like.
#ifndef ACLRT_CORE_DEVICE_H
#define ACLRT_CORE_DEVICE_H

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "acl/abi.h"

namespace aclrt {

struct Device {
  int32_t id = 0;
  aclrtContext context = nullptr;
  aclrtRunMode run_mode = ACL_HOST;
  std::mutex mutex;    // held while it is set or reset: several devices open at a time
  uint32_t users = 0;  // under mutex

  aclrtMemcpyKind to_device() const noexcept {
    return run_mode == ACL_HOST ? ACL_MEMCPY_HOST_TO_DEVICE : ACL_MEMCPY_DEVICE_TO_DEVICE;
  }
  aclrtMemcpyKind to_host() const noexcept {
    return run_mode == ACL_HOST ? ACL_MEMCPY_DEVICE_TO_HOST : ACL_MEMCPY_DEVICE_TO_DEVICE;
  }
};

class Devices {
 public:
  // The device, set and with one user more. Leaves the thread's context as it was.
  Device *acquire(int32_t id);
  // One user less; the last one resets. Returns aclrtResetDevice's code.
  aclError release(Device *device) noexcept;
  uint32_t user_count() noexcept;

  // false: devices are never reset, because AscendCL was initialised by somebody else.
  void set_owned(bool owned) noexcept;

 private:
  std::mutex mutex_;
  std::map<int32_t, Device> devices_;  // nodes stay where they are; each has a lock of its own
  std::atomic<bool> owned_{true};
};

// One user of a device.
class DeviceRef {
 public:
  DeviceRef() = default;
  explicit DeviceRef(int32_t id);
  ~DeviceRef() { release(); }
  DeviceRef(const DeviceRef &) = delete;
  DeviceRef &operator=(const DeviceRef &) = delete;
  DeviceRef(DeviceRef &&other) noexcept : device_(other.device_) { other.device_ = nullptr; }

  const Device &operator*() const noexcept { return *device_; }
  const Device *operator->() const noexcept { return device_; }
  explicit operator bool() const noexcept { return device_ != nullptr; }
  // Idempotent.
  aclError release() noexcept;

 private:
  Device *device_ = nullptr;
};

struct DeviceMemory {
  uint64_t free = 0;
  uint64_t total = 0;
};

// Of the chip's main memory: DDR or HBM, whichever it has.
DeviceMemory device_memory(const Device &device);

}  // namespace aclrt

#endif
