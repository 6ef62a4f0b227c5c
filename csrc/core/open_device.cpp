// SPDX-License-Identifier: Apache-2.0
//
// Open, ask, close.
#include "core/open_device.h"

namespace aclrt {

std::shared_ptr<OpenDevice> OpenDevice::open(int32_t device_id) {
  Runtime::instance().init(nullptr);
  auto device = std::make_shared<OpenDevice>(device_id);
  Runtime::instance().add(device);
  return device;
}

OpenDevice::~OpenDevice() {
  if (Runtime::is_forked()) return;
  try {
    close();
  } catch (...) {
    // Nobody to tell.
  }
}

DeviceMemory OpenDevice::memory(aclrtRunMode *run_mode) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!device_) throw Error(ACLRT_ERROR_CLOSED, "the device is closed", "Open it again.");
  *run_mode = device_->run_mode;
  return device_memory(*device_);
}

void OpenDevice::close() {
  aclError code = ACL_SUCCESS;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!device_) return;
    code = device_.release();
  }
  Runtime::instance().remove(this);
  check(code, "aclrtResetDevice", "cannot reset the device");
}

}  // namespace aclrt
