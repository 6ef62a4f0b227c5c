// SPDX-License-Identifier: Apache-2.0
//
// Board profiles: what kind of card is played and how long things take. Read from the environment
// when the first device is asked for, and again after aclfake_reset. Immutable in between.
#ifndef ACLRT_FAKE_PROFILE_H
#define ACLRT_FAKE_PROFILE_H

#include <cstddef>
#include <cstdint>
#include <string>

namespace aclfake {

struct Profile {
  std::string name;
  std::string soc_name;
  uint32_t device_count = 1;
  uint64_t memory_bytes = 0;  // per device
  uint32_t ai_cores = 0;
  uint32_t vector_cores = 0;
  uint64_t l2_bytes = 0;
  uint32_t max_streams = 0;  // per device, default streams included
  double pinned_gb_s = 0;    // host link, one direction, page-locked memory
  double pageable_gb_s = 0;
  double device_gb_s = 0;  // copies inside the device
  double copy_latency_us = 0;
  double launch_latency_us = 0;  // per execute

  bool timed = false;        // whether bandwidths and latencies above are played at all
  double fixed_h2d_us = -1;  // >= 0: the time of one copy or execute, whatever the rest says
  double fixed_compute_us = -1;
  double fixed_d2h_us = -1;

  // How long one operation occupies its engine at least; 0: as long as it really takes.
  double h2d_us(size_t bytes, bool pinned) const noexcept;
  double d2h_us(size_t bytes, bool pinned) const noexcept;
  double d2d_us(size_t bytes) const noexcept;
  double compute_us() const noexcept;
};

Profile profile_from_environment();

}  // namespace aclfake

#endif
