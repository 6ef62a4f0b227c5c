// SPDX-License-Identifier: Apache-2.0
#include "fake/profile.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>

#include "fake/device.h"
#include "om/json_writer.h"

namespace aclfake {
namespace {

// The files of csrc/fake/profiles, as the build found them.
struct Board {
  const char *name;
  const char *json;
};
constexpr Board kBoards[] = {
#include "fake/profiles.inc"
};
constexpr const char *kDefaultBoard = "atlas300i-pro";

constexpr uint32_t kMaxDevices = 64;
constexpr size_t kMaxFile = size_t{1} << 20;

// What an execute of unknown length takes where time is virtual: real time must not get in there.
constexpr double kAssumedComputeUs = 1000;

const char *variable(const char *name) {
  const char *value = std::getenv(name);
  return value != nullptr && value[0] != '\0' ? value : nullptr;
}

[[noreturn]] void refuse(const char *name, const char *text, const std::string &why) {
  throw std::runtime_error(std::string(name) + "=" + text + ": " + why);
}

double microseconds(const char *name) {
  const char *text = variable(name);
  if (text == nullptr) return -1;
  char *end = nullptr;
  const double value = std::strtod(text, &end);
  if (*end != '\0' || !(value >= 0) || value > 1e12) {
    refuse(name, text, "expected a number of microseconds, 0 or more");
  }
  return value;
}

bool whole_number(const char *text, uint64_t *value) {
  if (text[0] < '0' || text[0] > '9') return false;
  char *end = nullptr;
  errno = 0;
  *value = std::strtoull(text, &end, 10);
  return *end == '\0' && errno == 0;
}

std::string read_file(const char *path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE *)> file(std::fopen(path, "re"), std::fclose);
  if (file == nullptr) refuse("ACLRT_FAKE_PROFILE", path, "the file cannot be opened");
  std::string text(kMaxFile, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0 || text.size() == kMaxFile) {
    refuse("ACLRT_FAKE_PROFILE", path, "the file cannot be read, or is no profile");
  }
  return text;
}

// A name of a board, or the path of a file: with a slash or ending in .json.
void read_chosen(const std::string &chosen, Profile *profile) {
  const bool path = chosen.find('/') != std::string::npos ||
                    (chosen.size() > 5 && chosen.compare(chosen.size() - 5, 5, ".json") == 0);
  profile->name = chosen;
  if (path) {
    try {
      read_profile(read_file(chosen.c_str()), profile);
      return;
    } catch (const std::runtime_error &error) {
      const std::string what = error.what();
      if (what.compare(0, 18, "ACLRT_FAKE_PROFILE") == 0) throw;
      refuse("ACLRT_FAKE_PROFILE", chosen.c_str(), what);
    }
  }
  std::string known;
  for (const Board &board : kBoards) {
    if (chosen == board.name) return read_profile(board.json, profile);
    known += known.empty() ? board.name : std::string(", ") + board.name;
  }
  refuse("ACLRT_FAKE_PROFILE", chosen.c_str(),
         "unknown board; known are " + known + ", or the path of a .json file");
}

double transfer_us(const Profile &profile, size_t bytes, double rate) {
  return profile.copy_latency_us + (rate > 0 ? static_cast<double>(bytes) * 1e6 / rate : 0);
}

const char *run_mode(const Profile &profile) {
  return profile.host_is_device ? "device" : "host";
}

void write_us(om::JsonWriter &json, const std::string &name, double us) {
  json.key(name);
  if (us < 0) {
    json.value("measured");
  } else {
    json.value(us);
  }
}

void write_fixed(om::JsonWriter &json, const char *name, double us) {
  json.key(name);
  if (us < 0) {
    json.null();
  } else {
    json.value(us);
  }
}

}  // namespace

double Profile::h2d_us(size_t bytes, bool pinned) const noexcept {
  if (fixed_h2d_us >= 0) return fixed_h2d_us;
  return timed ? transfer_us(*this, bytes, pinned ? h2d_pinned : h2d_pageable) : 0;
}

double Profile::d2h_us(size_t bytes, bool pinned) const noexcept {
  if (fixed_d2h_us >= 0) return fixed_d2h_us;
  return timed ? transfer_us(*this, bytes, pinned ? d2h_pinned : d2h_pageable) : 0;
}

double Profile::d2d_us(size_t bytes) const noexcept {
  return timed ? transfer_us(*this, bytes, d2d) : 0;
}

void Profile::execute_us(const std::string &model, double *lead_us, double *total_us) const {
  *lead_us = 0;
  *total_us = fixed_compute_us;
  if (fixed_compute_us >= 0) return;
  double own = kMeasured;
  if (timed) {
    *lead_us = launch_latency_us;
    const auto listed = models.find(model);
    own = listed != models.end() ? listed->second : compute_us;
  }
  if (own < 0) own = deterministic ? kAssumedComputeUs : 0;
  *total_us = *lead_us + own;
}

Profile profile_from_environment() {
  Profile profile;
  const char *chosen = variable("ACLRT_FAKE_PROFILE");
  read_chosen(chosen != nullptr ? chosen : kDefaultBoard, &profile);
  profile.fixed_h2d_us = microseconds("ACLRT_FAKE_H2D_US");
  profile.fixed_compute_us = microseconds("ACLRT_FAKE_COMPUTE_US");
  profile.fixed_d2h_us = microseconds("ACLRT_FAKE_D2H_US");
  profile.timed = chosen != nullptr || profile.fixed_h2d_us >= 0 || profile.fixed_compute_us >= 0 ||
                  profile.fixed_d2h_us >= 0;
  if (const char *count = variable("ACLRT_FAKE_DEVICES")) {
    uint64_t value = 0;
    if (!whole_number(count, &value) || value > kMaxDevices) {
      refuse("ACLRT_FAKE_DEVICES", count, "expected 0 to " + std::to_string(kMaxDevices));
    }
    profile.device_count = static_cast<uint32_t>(value);
  }
  if (const char *seed = variable("ACLRT_FAKE_SEED")) {
    if (!whole_number(seed, &profile.seed)) {
      refuse("ACLRT_FAKE_SEED", seed, "expected a whole number, 0 or more");
    }
    profile.deterministic = true;
  }
  if (const char *window = variable("ACLRT_FAKE_WINDOW")) {
    const std::string text = window;
    if (text != "0" && text != "1") refuse("ACLRT_FAKE_WINDOW", window, "expected 0 or 1");
    profile.window = text == "1";
  }
  const char *engine = variable("ACLRT_FAKE_ENGINE");
  if (profile.window && (engine == nullptr || std::string(engine) != "synthetic")) {
    throw std::runtime_error(
        "window mode makes results meaningless, so it needs ACLRT_FAKE_ENGINE=synthetic");
  }
  return profile;
}

std::string profile_json() {
  const auto list = device_list_if_known();
  const Profile profile = list != nullptr ? list->profile : profile_from_environment();
  om::JsonWriter json;
  json.begin_object();
  json.field("name", profile.name);
  json.field("soc_name", profile.soc_name);
  json.field("devices", profile.device_count);
  json.field("memory_bytes", profile.memory_bytes);
  json.field("run_mode", run_mode(profile));
  json.field("ai_cores", profile.ai_cores);
  json.field("vector_cores", profile.vector_cores);
  json.field("l2_bytes", profile.l2_bytes);
  json.field("h2d_pinned_bytes_per_s", profile.h2d_pinned);
  json.field("h2d_pageable_bytes_per_s", profile.h2d_pageable);
  json.field("d2h_pinned_bytes_per_s", profile.d2h_pinned);
  json.field("d2h_pageable_bytes_per_s", profile.d2h_pageable);
  json.field("d2d_bytes_per_s", profile.d2d);
  json.field("copy_latency_us", profile.copy_latency_us);
  json.field("launch_latency_us", profile.launch_latency_us);
  json.key("compute_us").begin_object();
  write_us(json, "default", profile.compute_us);
  json.key("models").begin_object();
  for (const auto &[model, us] : profile.models) write_us(json, model, us);
  json.end_object().end_object();
  json.field("streams", profile.max_streams);
  json.field("executes_at_once", profile.executes_at_once);
  json.field("window", profile.window);
  json.field("timed", profile.timed);
  write_fixed(json, "fixed_h2d_us", profile.fixed_h2d_us);
  write_fixed(json, "fixed_compute_us", profile.fixed_compute_us);
  write_fixed(json, "fixed_d2h_us", profile.fixed_d2h_us);
  json.key("seed");
  if (profile.deterministic) {
    json.value(profile.seed);
  } else {
    json.null();
  }
  json.end_object();
  return json.take();
}

}  // namespace aclfake
