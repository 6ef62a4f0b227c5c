// SPDX-License-Identifier: Apache-2.0
//
// Devices that the caller keeps open.
#include "capi/guard.h"
#include "core/open_device.h"

struct aclrt_device {
  std::shared_ptr<aclrt::OpenDevice> device;
};

extern "C" {

aclrt_status_t *aclrt_device_open(int32_t device_id, aclrt_device_t **device) {
  return aclrt::capi::guard_session([&] {
    aclrt::capi::require_pointer(device, "device");
    *device = new aclrt_device{aclrt::OpenDevice::open(device_id)};
  });
}

aclrt_status_t *aclrt_device_info(aclrt_device_t *device, aclrt_device_info_t *info) {
  return aclrt::capi::guard_session([&] {
    aclrt::capi::require_pointer(device, "device");
    aclrt::capi::require_pointer(info, "info");
    aclrtRunMode run_mode = ACL_HOST;
    const aclrt::DeviceMemory memory = device->device->memory(&run_mode);
    const aclrt::RuntimeInfo &runtime = aclrt::Runtime::instance().info();
    *info = {device->device->id(), run_mode, memory.free, memory.total, runtime.soc_name.c_str()};
  });
}

aclrt_status_t *aclrt_device_close(aclrt_device_t *device) {
  return aclrt::capi::guard_object([&] {
    aclrt::capi::require_pointer(device, "device");
    device->device->close();
  });
}

void aclrt_device_release(aclrt_device_t *device) {
  if (!aclrt::Runtime::is_forked()) delete device;
}

}  // extern "C"
