// SPDX-License-Identifier: Apache-2.0
#include "fake/profile.h"

#include <cerrno>
#include <cstdlib>
#include <stdexcept>

namespace aclfake {
namespace {

constexpr uint64_t kGiB = uint64_t{1} << 30;
constexpr uint64_t kMiB = uint64_t{1} << 20;

struct Board {
  const char *name;
  const char *soc_name;
  uint32_t devices;       // per card
  uint64_t memory_bytes;  // per device
  uint32_t ai_cores;      // estimate
  uint32_t vector_cores;  // estimate
  uint64_t l2_bytes;      // estimate
  double link_gb_s;       // of the card, one direction
  double device_gb_s;     // memory bandwidth per device
  bool timed;
};

// Devices, SoC names, memory, links and bandwidths are the vendor's public figures.
constexpr Board kBoards[] = {
    {"atlas300i", "Ascend310", 4, 8 * kGiB, 2, 0, 8 * kMiB, 15.75, 51.2, true},
    {"atlas300i-pro", "Ascend310P3", 1, 24 * kGiB, 8, 7, 16 * kMiB, 31.5, 204.8, true},
    {"atlas300i-duo", "Ascend310P3", 2, 48 * kGiB, 8, 7, 16 * kMiB, 31.5, 204.0, true},
    {"null", "Ascend310P3", 1, 24 * kGiB, 8, 7, 16 * kMiB, 0, 0, false},
};
constexpr const char *kDefaultBoard = "atlas300i-pro";

// Estimates, all four, until somebody measures a card.
constexpr double kLinkShare = 0.75;     // of the link's rate, shared by the card's devices
constexpr double kPageableShare = 0.5;  // of the pinned rate
constexpr double kCopyLatencyUs = 15.0;
constexpr double kLaunchLatencyUs = 30.0;

constexpr uint32_t kMaxStreams = 1024;  // 310P series; taken for all boards
constexpr uint32_t kMaxDevices = 64;

const char *variable(const char *name) {
  const char *value = std::getenv(name);
  return value != nullptr && value[0] != '\0' ? value : nullptr;
}

double microseconds(const char *name) {
  const char *text = variable(name);
  if (text == nullptr) return -1;
  char *end = nullptr;
  const double value = std::strtod(text, &end);
  if (*end != '\0' || !(value >= 0) || value > 1e12) {
    throw std::runtime_error(std::string(name) + "=" + text +
                             ": expected a number of microseconds, 0 or more");
  }
  return value;
}

const Board &find_board(const std::string &name) {
  std::string known;
  for (const Board &board : kBoards) {
    if (name == board.name) return board;
    known += known.empty() ? board.name : std::string(", ") + board.name;
  }
  throw std::runtime_error("ACLRT_FAKE_PROFILE=" + name + ": unknown board; known are " + known);
}

double transfer_us(const Profile &profile, size_t bytes, double gb_s) {
  return profile.copy_latency_us + (gb_s > 0 ? static_cast<double>(bytes) / (gb_s * 1e3) : 0);
}

}  // namespace

double Profile::h2d_us(size_t bytes, bool pinned) const noexcept {
  if (fixed_h2d_us >= 0) return fixed_h2d_us;
  return timed ? transfer_us(*this, bytes, pinned ? pinned_gb_s : pageable_gb_s) : 0;
}

double Profile::d2h_us(size_t bytes, bool pinned) const noexcept {
  if (fixed_d2h_us >= 0) return fixed_d2h_us;
  return timed ? transfer_us(*this, bytes, pinned ? pinned_gb_s : pageable_gb_s) : 0;
}

double Profile::d2d_us(size_t bytes) const noexcept {
  return timed ? transfer_us(*this, bytes, device_gb_s) : 0;
}

double Profile::compute_us() const noexcept {
  if (fixed_compute_us >= 0) return fixed_compute_us;
  return timed ? launch_latency_us : 0;
}

Profile profile_from_environment() {
  const char *chosen = variable("ACLRT_FAKE_PROFILE");
  const Board &board = find_board(chosen != nullptr ? chosen : kDefaultBoard);
  Profile profile;
  profile.name = board.name;
  profile.soc_name = board.soc_name;
  profile.device_count = board.devices;
  profile.memory_bytes = board.memory_bytes;
  profile.ai_cores = board.ai_cores;
  profile.vector_cores = board.vector_cores;
  profile.l2_bytes = board.l2_bytes;
  profile.max_streams = kMaxStreams;
  profile.fixed_h2d_us = microseconds("ACLRT_FAKE_H2D_US");
  profile.fixed_compute_us = microseconds("ACLRT_FAKE_COMPUTE_US");
  profile.fixed_d2h_us = microseconds("ACLRT_FAKE_D2H_US");

  const bool asked = chosen != nullptr || profile.fixed_h2d_us >= 0 ||
                     profile.fixed_compute_us >= 0 || profile.fixed_d2h_us >= 0;
  profile.timed = board.timed && asked;
  profile.pinned_gb_s = board.link_gb_s * kLinkShare / board.devices;
  profile.pageable_gb_s = profile.pinned_gb_s * kPageableShare;
  profile.device_gb_s = board.device_gb_s;
  profile.copy_latency_us = kCopyLatencyUs;
  profile.launch_latency_us = kLaunchLatencyUs;

  if (const char *count = variable("ACLRT_FAKE_DEVICES")) {
    char *end = nullptr;
    errno = 0;
    const long value = std::strtol(count, &end, 10);
    if (*end != '\0' || errno != 0 || value < 0 || value > static_cast<long>(kMaxDevices)) {
      throw std::runtime_error(std::string("ACLRT_FAKE_DEVICES=") + count + ": expected 0 to " +
                               std::to_string(kMaxDevices));
    }
    profile.device_count = static_cast<uint32_t>(value);
  }
  return profile;
}

}  // namespace aclfake
