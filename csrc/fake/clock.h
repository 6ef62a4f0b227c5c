// SPDX-License-Identifier: Apache-2.0
//
// The device's time: one clock for timestamps, simulated durations and timeouts. Everything that
// waits or stamps in the fake goes through here. Normally it is the machine's steady clock; with
// ACLRT_FAKE_SEED it is virtual and belongs to the scheduler (scheduler.h).
#ifndef ACLRT_FAKE_CLOCK_H
#define ACLRT_FAKE_CLOCK_H

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>

namespace aclfake {

using Clock = std::chrono::steady_clock;

Clock::time_point device_now() noexcept;           // virtual if the clock is
uint64_t device_time_us() noexcept;                // since the chip's boot
void wait_until(Clock::time_point when) noexcept;  // real; sleeps; ends no earlier, little later
Clock::duration microseconds_of(double us) noexcept;

// In device time. timeout_ms < 0: forever.
Clock::time_point deadline_after(int64_t timeout_ms) noexcept;

// After anything that a waiting client or stream may be looking at: lets a virtual clock look. No
// lock may be held.
void notify_device() noexcept;

// A query found something unfinished: a virtual clock does one thing, so that polling gets on.
void poll_device() noexcept;

// False: the clock is real. Else *met says whether ready() became true before the deadline.
bool wait_virtually(const std::function<bool()> &ready, Clock::time_point deadline, bool *met);

// A client's wait: until ready() under `lock`, which others change with `changed` notified and
// notify_device() called. False: the deadline (of device time) came first. No other lock may be
// held.
template <class Ready>
bool wait_for_device(std::unique_lock<std::mutex> &lock, std::condition_variable &changed,
                     Ready ready, Clock::time_point deadline) {
  if (ready()) return true;
  std::mutex &mutex = *lock.mutex();
  lock.unlock();
  bool met = false;
  const auto ready_locked = [&] {
    std::lock_guard<std::mutex> inner(mutex);
    return ready();
  };
  const bool is_virtual = wait_virtually(ready_locked, deadline, &met);
  lock.lock();
  if (is_virtual) return met;
  if (deadline == Clock::time_point::max()) {
    changed.wait(lock, ready);
    return true;
  }
  return changed.wait_until(lock, deadline, ready);
}

}  // namespace aclfake

#endif
