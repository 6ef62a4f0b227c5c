// SPDX-License-Identifier: Apache-2.0
//
// The device's time: one steady clock for timestamps, simulated durations and timeouts. Everything
// that waits or stamps in the fake goes through here.
#ifndef ACLRT_FAKE_CLOCK_H
#define ACLRT_FAKE_CLOCK_H

#include <chrono>
#include <cstdint>

namespace aclfake {

using Clock = std::chrono::steady_clock;

uint64_t device_time_us() noexcept;                // since the chip's boot
void wait_until(Clock::time_point when) noexcept;  // sleeps; ends no earlier, little later

// timeout_ms < 0: forever.
Clock::time_point deadline_after(int64_t timeout_ms) noexcept;

}  // namespace aclfake

#endif
