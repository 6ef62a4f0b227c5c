// SPDX-License-Identifier: Apache-2.0
//
// Board profiles: what kind of card is played and how long things take. Chosen by the environment
// when the first device is asked for, and again after aclfake_reset; immutable in between.
#ifndef ACLRT_FAKE_PROFILE_H
#define ACLRT_FAKE_PROFILE_H

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace aclfake {

constexpr double kMeasured = -1;  // of an execute: as long as ONNX Runtime takes

struct Profile {
  std::string name;  // of the board, or the path of the user's file
  std::string soc_name;
  uint32_t device_count = 1;
  uint64_t memory_bytes = 0;    // per device
  bool host_is_device = false;  // run mode ACL_DEVICE: the host reads and writes device memory
  uint32_t ai_cores = 0;
  uint32_t vector_cores = 0;
  uint64_t l2_bytes = 0;
  uint32_t max_streams = 0;  // per device, default streams included
  uint32_t executes_at_once = 1;

  // Bytes per second; 0: copies take no time for their length. Page-locked memory, and other.
  double h2d_pinned = 0;
  double h2d_pageable = 0;
  double d2h_pinned = 0;
  double d2h_pageable = 0;
  double d2d = 0;
  double copy_latency_us = 0;
  double launch_latency_us = 0;          // per execute, before it computes
  double compute_us = kMeasured;         // per execute of a model that is not listed
  std::map<std::string, double> models;  // the same by model name
  bool window = false;                   // the device side of every copy stays in one small buffer

  bool timed = false;        // whether bandwidths and times above are played at all
  double fixed_h2d_us = -1;  // >= 0: the time of one copy or execute, whatever the rest says
  double fixed_compute_us = -1;
  double fixed_d2h_us = -1;

  bool deterministic = false;  // virtual clock and seeded scheduler
  uint64_t seed = 0;

  // How long one operation occupies its engine at least.
  double h2d_us(size_t bytes, bool pinned) const noexcept;
  double d2h_us(size_t bytes, bool pinned) const noexcept;
  double d2d_us(size_t bytes) const noexcept;
  // An execute: *lead_us before it computes, *total_us as the whole at least.
  void execute_us(const std::string &model, double *lead_us, double *total_us) const;
};

// Throws std::runtime_error that names the variable, the file and the key.
Profile profile_from_environment();

// A profile's document. Throws as above.
void read_profile(std::string_view json, Profile *profile);

// aclfake_profile_json's text: the profile in use, or the one that would be.
std::string profile_json();

}  // namespace aclfake

#endif
