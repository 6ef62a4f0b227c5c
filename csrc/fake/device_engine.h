// SPDX-License-Identifier: Apache-2.0
//
// One of a device's three engines (H2D, D2H, compute), and what a piece of work costs on it. An
// engine begins what it is asked in order of asking, and does one thing after the other, or as many
// at once as it has lanes. Each lane keeps a timeline of its own, so that a wake-up that comes late
// shortens the next wait instead of adding up. Thread-safe.
#ifndef ACLRT_FAKE_DEVICE_ENGINE_H
#define ACLRT_FAKE_DEVICE_ENGINE_H

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

#include "fake/clock.h"

namespace aclfake {

class DeviceEngine;

struct Cost {
  DeviceEngine *engine = nullptr;  // nullptr: the work needs none
  const char *kind = "";           // for the trace; static storage
  double lead_us = 0;              // before the work can begin
  double total_us = 0;             // how long the engine is occupied at least, the lead included
};

class DeviceEngine {
 public:
  DeviceEngine(const char *engine_name, int32_t device_id, uint32_t lane_count = 1)
      : name(engine_name), device(device_id), lanes_(lane_count), free_(lane_count) {}

  const char *const name;  // "h2d", "d2h", "compute"
  const int32_t device;
  bool occupied = false;  // the virtual clock's, which knows one lane; guarded by its scheduler

  // Runs work when it is its turn, in real time. *time: when it could begin, as the caller's own
  // timeline says, and afterwards when it ended; nullptr: now.
  template <class Work>
  auto run(const Cost &cost, Clock::time_point *time, Work &&work) -> decltype(work()) {
    const bool timed = time != nullptr || cost.total_us > 0;
    const Clock::time_point asked = time != nullptr ? *time
                                    : timed         ? Clock::now()
                                                    : Clock::time_point();
    const Turn turn(*this);
    if (!timed) return work();
    const Clock::time_point start = std::max(asked, turn.lane().busy_until);
    if (cost.lead_us > 0) wait_until(start + microseconds_of(cost.lead_us));
    const Clock::time_point begun = start + microseconds_of(cost.lead_us);
    const Ending ending{turn.lane(), start + microseconds_of(cost.total_us), begun, Clock::now(),
                        time};
    return work();
  }

 private:
  struct Lane {
    bool taken = false;
    Clock::time_point busy_until;  // of whoever has taken it
  };
  class Turn {
   public:
    explicit Turn(DeviceEngine &engine);
    ~Turn();
    Turn(const Turn &) = delete;
    Turn &operator=(const Turn &) = delete;
    Lane &lane() const { return *lane_; }

   private:
    DeviceEngine &engine_;
    Lane *lane_;
  };
  // Waits for the end, which work moves that took longer than it should.
  struct Ending {
    Lane &lane;
    const Clock::time_point planned;
    const Clock::time_point begun;         // on the timeline
    const Clock::time_point really_begun;  // later, if this thread was woken late
    Clock::time_point *const time;
    ~Ending();
  };

  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t next_ = 0;
  uint64_t serving_ = 0;
  std::vector<Lane> lanes_;
  size_t free_;  // lanes
};

}  // namespace aclfake

#endif
