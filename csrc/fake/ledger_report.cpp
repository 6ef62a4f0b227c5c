// SPDX-License-Identifier: Apache-2.0
#include "fake/ledger_report.h"

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "fake/checks.h"
#include "fake/device.h"
#include "fake/faults.h"
#include "fake/ledger.h"
#include "fake/live_objects.h"
#include "fake/model.h"
#include "fake/state.h"
#include "om/json_writer.h"

namespace aclfake {
namespace {

// Of the live objects so many are named one by one; all are counted.
constexpr size_t kMaxNamed = 256;

void write_state(om::JsonWriter &json) {
  State &process = state();
  json.key("state").begin_object();
  json.field("initialised", process.initialised.load());
  {
    std::lock_guard<std::recursive_mutex> lock(process.init_mutex);
    json.field("init_count", process.init_count);
  }
  json.key("devices").begin_array();
  if (const auto list = device_list_if_known()) {
    for (const auto &device : list->devices) {
      std::lock_guard<std::mutex> lock(device->mutex);
      json.begin_object();
      json.field("id", device->id);
      json.field("set_count", device->set_count);
      json.field("streams", device->streams.load());
      json.end_object();
    }
  }
  json.end_array();
  json.key("executing").begin_array();
  for (const auto &model : live_models()) {
    if (model->running()) json.value(model->id);
  }
  json.end_array();
  const auto known = device_list_if_known();
  json.key("profile");
  if (known == nullptr) {
    json.null();
  } else {
    json.value(known->profile.name);
  }
  json.field("window", known != nullptr && known->profile.window);
  json.field("deterministic", known != nullptr && known->profile.deterministic);
  json.end_object();
}

void write_objects(om::JsonWriter &json) {
  json.key("objects").begin_object();
  for (uint8_t index = 1; index < kKindCount; ++index) {
    const Kind kind = static_cast<Kind>(index);
    const ledger::Count count = ledger::read(kind);
    json.key(kind_name(kind)).begin_object();
    json.field("live", count.live).field("peak", count.peak).field("total", count.total);
    json.field("live_bytes", count.live_bytes).field("peak_bytes", count.peak_bytes);
    json.field("total_bytes", count.total_bytes);
    json.end_object();
  }
  json.end_object();
}

void write_live_objects(om::JsonWriter &json) {
  json.key("live_objects").begin_array();
  size_t named = 0;
  for (const LiveEntry &entry : live_entries()) {
    if (named++ == kMaxNamed) break;
    json.begin_object();
    json.field("kind", kind_name(entry.kind)).field("bytes", entry.bytes);
    json.field("function", call_name(entry.made.call)).field("call", entry.made.number);
    json.field("thread", entry.made.thread);
    json.field("denied", faults::is_denied(entry.made.call, entry.made.number));
    json.end_object();
  }
  json.end_array();
}

void write_calls(om::JsonWriter &json) {
  json.key("calls").begin_object();
  for (uint16_t index = 0; index < static_cast<uint16_t>(Call::kCount); ++index) {
    const Call call = static_cast<Call>(index);
    const uint64_t count = ledger::calls(call);
    if (count != 0) json.field(call_name(call), count);
  }
  json.end_object();
}

__attribute__((format(printf, 2, 3))) void add_line(std::string &text, const char *format, ...) {
  char line[256];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  text += line;
  text += '\n';
}

unsigned long long wide(uint64_t number) noexcept {
  return number;
}

void add_counts(std::string &text) {
  add_line(text, "  %-14s %7s %7s %9s %14s %14s %16s", "kind", "live", "peak", "total",
           "live bytes", "peak bytes", "total bytes");
  for (uint8_t index = 1; index < kKindCount; ++index) {
    const Kind kind = static_cast<Kind>(index);
    const ledger::Count count = ledger::read(kind);
    if (count.total == 0) continue;
    add_line(text, "  %-14s %7llu %7llu %9llu %14llu %14llu %16llu", kind_name(kind),
             wide(count.live), wide(count.peak), wide(count.total), wide(count.live_bytes),
             wide(count.peak_bytes), wide(count.total_bytes));
  }
}

void add_live(std::string &text) {
  const std::vector<LiveEntry> entries = live_entries();
  if (entries.empty()) return;
  text += "still live:\n";
  size_t named = 0;
  for (const LiveEntry &entry : entries) {
    if (named++ == kMaxNamed) {
      add_line(text, "  and %zu more", entries.size() - kMaxNamed);
      break;
    }
    const bool denied = faults::is_denied(entry.made.call, entry.made.number);
    add_line(text, "  %s, %llu bytes, made by %s%s", kind_name(entry.kind), wide(entry.bytes),
             origin_text(entry.made).c_str(), denied ? ", denied by a fault" : "");
  }
}

// A child of fork() is another process with a copy of our counters: its exit says nothing.
std::atomic<bool> forked{false};

void write_at_exit() {
  const char *path = std::getenv("ACLRT_FAKE_LEDGER");
  if (path == nullptr || path[0] == '\0' || forked.load()) return;
  try {
    if (std::strcmp(path, "-") == 0) {
      std::fputs(ledger::text().c_str(), stderr);
      return;
    }
    const std::string text = ledger::json() + "\n";
    std::FILE *file = std::fopen(path, "we");
    bool written = file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size();
    if (file != nullptr && std::fclose(file) != 0) written = false;
    if (!written) {
      std::fprintf(stderr, "aclrt fake device: cannot write the ledger to %s\n", path);
    }
  } catch (...) {
    std::fprintf(stderr, "aclrt fake device: cannot compose the ledger\n");
  }
}

// At loading, so that the handlers that clients register later run before ours.
const bool exit_armed = [] {
  pthread_atfork(nullptr, nullptr, [] { forked.store(true); });
  return std::atexit(write_at_exit) == 0;
}();

}  // namespace

namespace ledger {

std::string json() {
  om::JsonWriter json;
  json.begin_object();
  json.field("schema", "aclfake-ledger/1");
  json.field("version", ACLRT_VERSION);
  json.field("pid", getpid());
  write_state(json);
  json.field("live", live_objects());
  json.field("guards_damaged", damaged_guards());
  json.key("checks");
  checks::write_counts(json);
  write_objects(json);
  write_live_objects(json);
  json.key("faults").begin_object();
  faults::write_json(json);
  json.end_object();
  write_calls(json);
  json.end_object();
  return json.take();
}

std::string text() {
  std::string text;
  add_line(text, "aclrt fake device %s: ledger of process %d", ACLRT_VERSION, getpid());
  const auto known = device_list_if_known();
  if (known != nullptr && known->profile.window) {
    add_line(text, "window mode: copies keep no data and models compute nothing");
  }
  add_counts(text);
  add_live(text);
  if (damaged_guards() != 0) add_line(text, "guard zones damaged: %llu", wide(damaged_guards()));
  const std::string fired = faults::text();
  if (!fired.empty()) text += "faults that fired:\n" + fired;
  return text;
}

}  // namespace ledger
}  // namespace aclfake
