// SPDX-License-Identifier: Apache-2.0
//
// Devices: the visible list (profile, ACLRT_FAKE_DEVICES, ASCEND_RT_VISIBLE_DEVICES), and per
// device its arena of memory, its three engines, its primary context and the SetDevice count.
// Thread-safe; a Device lives as long as anything refers to it.
#ifndef ACLRT_FAKE_DEVICE_H
#define ACLRT_FAKE_DEVICE_H

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "acl/abi.h"
#include "fake/clock.h"
#include "fake/profile.h"

namespace aclfake {

class Arena;
class Context;

// One resource of a device (H2D, D2H or compute): what it is asked to do, it does one after the
// other, in order of asking.
class Engine {
 public:
  // Runs work when it is its turn; the engine stays occupied for at least `us` microseconds.
  template <class Work>
  auto run(double us, Work &&work) -> decltype(work()) {
    Turn turn(*this);
    const Clock::time_point end =
        us > 0 ? Clock::now() + std::chrono::nanoseconds(static_cast<int64_t>(us * 1000))
               : Clock::time_point::min();
    auto result = work();
    if (us > 0) wait_until(end);
    return result;
  }

 private:
  class Turn {
   public:
    explicit Turn(Engine &engine);
    ~Turn();
    Turn(const Turn &) = delete;
    Turn &operator=(const Turn &) = delete;

   private:
    Engine &engine_;
  };

  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t next_ = 0;
  uint64_t serving_ = 0;
};

struct Device {
  Device(int32_t visible_id, int32_t physical_id, const Profile &board);
  ~Device();

  const int32_t id;        // as the client counts
  const int32_t physical;  // before ASCEND_RT_VISIBLE_DEVICES
  const Profile profile;
  const std::unique_ptr<Arena> arena;
  Engine h2d;
  Engine d2h;
  Engine compute;  // executes, copies inside the device, sets

  std::atomic<uint32_t> streams{0};   // live, default streams included
  std::atomic<uint32_t> events{0};    // live ones made with ACL_EVENT_SYNC
  std::atomic<uint32_t> contexts{0};  // live ones of aclrtCreateContext
  std::mutex mutex;                   // guards what follows
  uint32_t set_count = 0;
  std::shared_ptr<Context> primary;  // null while set_count is 0
};

struct DeviceList {
  Profile profile;
  bool valid = false;  // false: ASCEND_RT_VISIBLE_DEVICES is wrong, there is no device
  std::vector<std::shared_ptr<Device>> devices;
};

std::shared_ptr<const DeviceList> device_list();  // throws if the environment makes no sense
std::shared_ptr<const DeviceList> device_list_if_known();  // nullptr before the first use
std::shared_ptr<Device> find_device(int64_t id);           // nullptr: out of range
void forget_devices();  // next device_list() reads the environment again

aclError set_device(int32_t id);                // aclrtSetDevice
aclError reset_device(int32_t id, bool force);  // aclrtResetDevice(Force)

}  // namespace aclfake

#endif
