// SPDX-License-Identifier: Apache-2.0
#include "fake/clock.h"

#include <time.h>

#include "fake/scheduler.h"

namespace aclfake {

Clock::time_point device_now() noexcept {
  const Scheduler *virtual_time = scheduler();
  return virtual_time != nullptr ? virtual_time->now() : Clock::now();
}

uint64_t device_time_us() noexcept {
  using std::chrono::duration_cast;
  return static_cast<uint64_t>(
      duration_cast<std::chrono::microseconds>(device_now().time_since_epoch()).count());
}

void wait_until(Clock::time_point when) noexcept {
  // The kernel wakes us up to ~60 us late: sleep short of the goal and spin the rest.
  constexpr std::chrono::microseconds kSpin(100);
  if (when - Clock::now() > kSpin) {
    using std::chrono::nanoseconds;
    constexpr int64_t kSecond = 1000000000;
    const int64_t goal =
        std::chrono::duration_cast<nanoseconds>((when - kSpin).time_since_epoch()).count();
    const timespec absolute{static_cast<time_t>(goal / kSecond), static_cast<long>(goal % kSecond)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &absolute, nullptr) != 0) {
    }
  }
  while (Clock::now() < when) {
  }
}

Clock::duration microseconds_of(double us) noexcept {
  return std::chrono::nanoseconds(static_cast<int64_t>(us * 1000));
}

Clock::time_point deadline_after(int64_t timeout_ms) noexcept {
  if (timeout_ms < 0) return Clock::time_point::max();
  return device_now() + std::chrono::milliseconds(timeout_ms);
}

void notify_device() noexcept {
  if (Scheduler *virtual_time = scheduler()) virtual_time->wake();
}

void poll_device() noexcept {
  if (Scheduler *virtual_time = scheduler()) virtual_time->poll();
}

bool wait_virtually(const std::function<bool()> &ready, Clock::time_point deadline, bool *met) {
  Scheduler *virtual_time = scheduler();
  if (virtual_time == nullptr) return false;
  *met = virtual_time->wait(ready, deadline);
  return true;
}

}  // namespace aclfake
