// SPDX-License-Identifier: Apache-2.0
#include "fake/clock.h"

#include <thread>

namespace aclfake {

uint64_t device_time_us() noexcept {
  using std::chrono::duration_cast;
  return static_cast<uint64_t>(
      duration_cast<std::chrono::microseconds>(Clock::now().time_since_epoch()).count());
}

void wait_until(Clock::time_point when) noexcept {
  // The kernel wakes us up to ~60 us late: sleep short of the goal and spin the rest.
  constexpr std::chrono::microseconds kSpin(100);
  if (when - Clock::now() > kSpin) std::this_thread::sleep_until(when - kSpin);
  while (Clock::now() < when) {
  }
}

Clock::time_point deadline_after(int64_t timeout_ms) noexcept {
  if (timeout_ms < 0) return Clock::time_point::max();
  return Clock::now() + std::chrono::milliseconds(timeout_ms);
}

}  // namespace aclfake
