// SPDX-License-Identifier: Apache-2.0
//
// Reads a profile's JSON (docs/fake.md describes it). Every key is required but "window", none may
// be unknown, and each says where its value is from.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "fake/json_reader.h"
#include "fake/profile.h"

namespace aclfake {
namespace {

using Type = JsonValue::Type;

constexpr double kMaxUs = 1e12;

[[noreturn]] void refuse(const std::string &key, const std::string &expected) {
  throw std::runtime_error("\"" + key + "\": expected " + expected);
}

class Document {
 public:
  explicit Document(std::string_view json) : root_(read_json(json)) {
    if (root_.type != Type::kObject) throw std::runtime_error("expected an object");
  }

  double number(const char *key, double lowest, double highest) {
    const JsonValue &value = take(key);
    if (value.type != Type::kNumber || !(value.number >= lowest && value.number <= highest)) {
      refuse(key, "a number from " + text(lowest) + " to " + text(highest));
    }
    return value.number;
  }

  template <class Integer>
  void integer(const char *key, double lowest, double highest, Integer *out) {
    const double value = number(key, lowest, highest);
    if (value != std::floor(value)) refuse(key, "a whole number");
    *out = static_cast<Integer>(value);
  }

  const std::string &string(const char *key) {
    const JsonValue &value = take(key);
    if (value.type != Type::kString || value.text.empty()) refuse(key, "a string");
    return value.text;
  }

  // The value of an entry {"value": ..., "source": ...}.
  const JsonValue &take(const char *key) {
    const JsonValue *entry = root_.member(key);
    if (entry == nullptr) throw std::runtime_error(std::string("\"") + key + "\" is missing");
    return checked(key, *entry);
  }

  bool has(const char *key) const { return root_.member(key) != nullptr; }
  const JsonValue *take_optional(const char *key) { return has(key) ? &take(key) : nullptr; }

  void finish() const {
    for (const auto &[name, value] : root_.members) {
      if (std::find(taken_.begin(), taken_.end(), name) == taken_.end()) {
        throw std::runtime_error("unknown key \"" + name + "\"");
      }
    }
  }

 private:
  static std::string text(double number) {
    std::string result = std::to_string(number);
    return result.substr(0, result.find('.'));
  }

  const JsonValue &checked(const char *key, const JsonValue &entry) {
    taken_.emplace_back(key);
    const JsonValue *source = entry.member("source");
    const JsonValue *value = entry.member("value");
    if (value == nullptr || source == nullptr || entry.members.size() != 2) {
      refuse(key, "{\"value\": ..., \"source\": ...}");
    }
    if (source->text != "public" && source->text != "estimate" && source->text != "measured") {
      refuse(key, "a source of \"public\", \"estimate\" or \"measured\"");
    }
    return *value;
  }

  const JsonValue root_;
  std::vector<std::string> taken_;
};

// "measured", or microseconds.
double compute_time(const JsonValue *value) {
  if (value != nullptr && value->type == Type::kString && value->text == "measured") {
    return kMeasured;
  }
  if (value == nullptr || value->type != Type::kNumber ||
      !(value->number >= 0 && value->number <= kMaxUs)) {
    refuse("compute_us",
           "\"measured\" or microseconds, or {\"default\": that, \"models\": {name: that}}");
  }
  return value->number;
}

void read_compute(const JsonValue &value, Profile *profile) {
  if (value.type != Type::kObject) {
    profile->compute_us = compute_time(&value);
    return;
  }
  for (const auto &[name, member] : value.members) {
    if (name == "default") continue;
    if (name != "models" || member.type != Type::kObject) {
      refuse("compute_us", "\"default\" and an object \"models\", not \"" + name + "\"");
    }
    for (const auto &[model, us] : member.members) profile->models[model] = compute_time(&us);
  }
  profile->compute_us = compute_time(value.member("default"));
}

}  // namespace

void read_profile(std::string_view json, Profile *profile) {
  Document document(json);
  constexpr double kMaxRate = 1e15;
  profile->soc_name = document.string("soc_name");
  document.integer("devices", 0, 64, &profile->device_count);
  document.integer("memory_bytes", 1 << 20, static_cast<double>(uint64_t{1} << 42),
                   &profile->memory_bytes);
  const std::string &mode = document.string("run_mode");
  if (mode != "host" && mode != "device") refuse("run_mode", "\"host\" or \"device\"");
  profile->host_is_device = mode == "device";
  document.integer("ai_cores", 0, 1024, &profile->ai_cores);
  document.integer("vector_cores", 0, 1024, &profile->vector_cores);
  document.integer("l2_bytes", 0, 1e12, &profile->l2_bytes);
  profile->h2d_pinned = document.number("h2d_pinned_bytes_per_s", 0, kMaxRate);
  profile->h2d_pageable = document.number("h2d_pageable_bytes_per_s", 0, kMaxRate);
  profile->d2h_pinned = document.number("d2h_pinned_bytes_per_s", 0, kMaxRate);
  profile->d2h_pageable = document.number("d2h_pageable_bytes_per_s", 0, kMaxRate);
  profile->d2d = document.number("d2d_bytes_per_s", 0, kMaxRate);
  profile->copy_latency_us = document.number("copy_latency_us", 0, kMaxUs);
  profile->launch_latency_us = document.number("launch_latency_us", 0, kMaxUs);
  read_compute(document.take("compute_us"), profile);
  document.integer("streams", 1, 65536, &profile->max_streams);
  if (document.has("executes_at_once")) {
    document.integer("executes_at_once", 1, 64, &profile->executes_at_once);
  }
  if (const JsonValue *window = document.take_optional("window")) {
    if (window->type != Type::kBool) refuse("window", "true or false");
    profile->window = window->flag;
  }
  document.finish();
}

}  // namespace aclfake
