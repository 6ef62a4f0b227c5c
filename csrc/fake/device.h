// SPDX-License-Identifier: Apache-2.0
//
// Devices: the visible list (profile, ACLRT_FAKE_DEVICES, ASCEND_RT_VISIBLE_DEVICES), and per
// device its arena of memory, its three engines, its primary context and the SetDevice count.
// Thread-safe; a Device lives as long as anything refers to it.
#ifndef ACLRT_FAKE_DEVICE_H
#define ACLRT_FAKE_DEVICE_H

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "acl/abi.h"
#include "fake/device_engine.h"
#include "fake/profile.h"

namespace aclfake {

class Arena;
class Context;

struct Device {
  Device(int32_t visible_id, int32_t physical_id, const Profile &board);
  ~Device();

  const int32_t id;        // as the client counts
  const int32_t physical;  // before ASCEND_RT_VISIBLE_DEVICES
  const Profile profile;
  const std::unique_ptr<Arena> arena;
  DeviceEngine h2d;
  DeviceEngine d2h;
  DeviceEngine compute;  // executes, copies inside the device, sets

  std::atomic<uint32_t> streams{0};   // live, default streams included
  std::atomic<uint32_t> events{0};    // live ones made with ACL_EVENT_SYNC
  std::atomic<uint32_t> contexts{0};  // live ones of aclrtCreateContext
  std::mutex turn;                    // one aclrtSetDevice or aclrtResetDevice at a time
  std::mutex mutex;                   // guards what follows; never held while a queue drains
  uint32_t set_count = 0;
  std::shared_ptr<Context> primary;  // null while set_count is 0, except in the last reset
};

struct DeviceList {
  Profile profile;
  bool valid = false;  // false: ASCEND_RT_VISIBLE_DEVICES is wrong, there is no device
  std::vector<std::shared_ptr<Device>> devices;
};

std::shared_ptr<const DeviceList> device_list();  // throws if the environment makes no sense
std::shared_ptr<const DeviceList> device_list_if_known();  // nullptr before the first use
std::shared_ptr<Device> find_device(int64_t id);           // nullptr: out of range
aclError no_such_device(int64_t id, aclError code);        // code, with a message
void forget_devices();  // next device_list() reads the environment again

aclError set_device(int32_t id);                // aclrtSetDevice
aclError reset_device(int32_t id, bool force);  // aclrtResetDevice(Force)

}  // namespace aclfake

#endif
