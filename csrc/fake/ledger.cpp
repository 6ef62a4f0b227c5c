// SPDX-License-Identifier: Apache-2.0
#include "fake/ledger.h"

#include <pthread.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>

#include "fake/device.h"
#include "fake/state.h"
#include "om/json_writer.h"

namespace aclfake {
namespace {

constexpr const char *kCallNames[] = {
#define ACL_FUNCTION(result, name, parameters, family, need, tier, since, kind) #name,
#define ACL_UNDOCUMENTED(name, family, tier) #name,
#include "acl/functions.def"
};
constexpr size_t kCalls = static_cast<size_t>(Call::kCount);
static_assert(sizeof kCallNames / sizeof kCallNames[0] == kCalls);

constexpr const char *kKindNames[kKindCount] = {
    "none",         "context",   "stream",         "event",         "stream_config", "data_buffer",
    "tensor_desc",  "dataset",   "model_desc",     "config_handle", "exec_config",   "aipp",
    "bundle_query", "profiling", "exception_info", "model",         "device_memory", "host_memory",
};

using Counter = std::atomic<uint64_t>;

struct Counts {
  Counter live{0}, peak{0}, total{0};
  Counter live_bytes{0}, peak_bytes{0}, total_bytes{0};
};

// Zero-initialised before any constructor runs, never destroyed.
std::array<Counts, kKindCount> counts;
std::array<Counter, kCalls> call_counts;
Counter guards_damaged;

void raise_to(Counter &peak, uint64_t value) noexcept {
  uint64_t seen = peak.load(std::memory_order_relaxed);
  while (seen < value && !peak.compare_exchange_weak(seen, value, std::memory_order_relaxed)) {
  }
}

Counts &of(Kind kind) noexcept {
  return counts[static_cast<size_t>(kind)];
}

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
  json.end_object();
}

// A child of fork() is another process with a copy of our counters: its exit says nothing.
std::atomic<bool> forked{false};

void write_file() {
  const char *path = std::getenv("ACLRT_FAKE_LEDGER");
  if (path == nullptr || path[0] == '\0' || forked.load()) return;
  try {
    const std::string text = ledger::json() + "\n";
    std::FILE *file = std::fopen(path, "we");
    if (file == nullptr) {
      std::fprintf(stderr, "aclrt fake device: cannot write the ledger to %s\n", path);
      return;
    }
    std::fwrite(text.data(), 1, text.size(), file);
    std::fclose(file);
  } catch (...) {
    std::fprintf(stderr, "aclrt fake device: cannot compose the ledger\n");
  }
}

// At loading, so that the handlers that clients register later run before ours.
const bool exit_armed = [] {
  pthread_atfork(nullptr, nullptr, [] { forked.store(true); });
  return std::atexit(write_file) == 0;
}();

}  // namespace

const char *kind_name(Kind kind) noexcept {
  return kKindNames[static_cast<size_t>(kind)];
}

const char *call_name(Call call) noexcept {
  return call < Call::kCount ? kCallNames[static_cast<size_t>(call)] : "";
}

namespace ledger {

void created(Kind kind, uint64_t bytes) noexcept {
  Counts &count = of(kind);
  raise_to(count.peak, count.live.fetch_add(1, std::memory_order_relaxed) + 1);
  count.total.fetch_add(1, std::memory_order_relaxed);
  if (bytes == 0) return;
  raise_to(count.peak_bytes, count.live_bytes.fetch_add(bytes, std::memory_order_relaxed) + bytes);
  count.total_bytes.fetch_add(bytes, std::memory_order_relaxed);
}

void destroyed(Kind kind, uint64_t bytes) noexcept {
  Counts &count = of(kind);
  count.live.fetch_sub(1, std::memory_order_relaxed);
  if (bytes != 0) count.live_bytes.fetch_sub(bytes, std::memory_order_relaxed);
}

void called(Call call) noexcept {
  if (call < Call::kCount) {
    call_counts[static_cast<size_t>(call)].fetch_add(1, std::memory_order_relaxed);
  }
}

Count read(Kind kind) noexcept {
  const Counts &count = of(kind);
  Count result;
  result.live = count.live.load(std::memory_order_relaxed);
  result.peak = count.peak.load(std::memory_order_relaxed);
  result.total = count.total.load(std::memory_order_relaxed);
  result.live_bytes = count.live_bytes.load(std::memory_order_relaxed);
  result.peak_bytes = count.peak_bytes.load(std::memory_order_relaxed);
  result.total_bytes = count.total_bytes.load(std::memory_order_relaxed);
  return result;
}

uint64_t calls(Call call) noexcept {
  return call < Call::kCount ? call_counts[static_cast<size_t>(call)].load() : 0;
}

uint64_t live_objects() noexcept {
  uint64_t sum = 0;
  for (const Counts &count : counts) sum += count.live.load(std::memory_order_relaxed);
  return sum;
}

void guard_damaged() noexcept {
  guards_damaged.fetch_add(1, std::memory_order_relaxed);
}

std::string json() {
  om::JsonWriter json;
  json.begin_object();
  json.field("schema", "aclfake-ledger/1");
  json.field("version", ACLRT_VERSION);
  json.field("pid", getpid());
  write_state(json);
  json.field("live", live_objects());
  json.field("guards_damaged", guards_damaged.load());
  json.key("objects").begin_object();
  for (uint8_t index = 1; index < kKindCount; ++index) {
    const Kind kind = static_cast<Kind>(index);
    const Count count = read(kind);
    json.key(kind_name(kind)).begin_object();
    json.field("live", count.live).field("peak", count.peak).field("total", count.total);
    json.field("live_bytes", count.live_bytes).field("peak_bytes", count.peak_bytes);
    json.field("total_bytes", count.total_bytes);
    json.end_object();
  }
  json.end_object();
  json.key("calls").begin_object();
  for (size_t index = 0; index < kCalls; ++index) {
    const uint64_t count = call_counts[index].load(std::memory_order_relaxed);
    if (count != 0) json.field(kCallNames[index], count);
  }
  json.end_object();
  json.end_object();
  return json.take();
}

void clear() noexcept {
  for (Counts &count : counts) {
    for (Counter *counter : {&count.live, &count.peak, &count.total, &count.live_bytes,
                             &count.peak_bytes, &count.total_bytes}) {
      counter->store(0, std::memory_order_relaxed);
    }
  }
  for (Counter &counter : call_counts) counter.store(0, std::memory_order_relaxed);
  guards_damaged.store(0, std::memory_order_relaxed);
}

}  // namespace ledger
}  // namespace aclfake
