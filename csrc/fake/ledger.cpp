// SPDX-License-Identifier: Apache-2.0
#include "fake/ledger.h"

#include <array>
#include <atomic>

#include "fake/quick.h"

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
    "none",          "context",     "stream",        "event",       "stream_config",
    "data_buffer",   "tensor_desc", "dataset",       "model_desc",  "config_handle",
    "exec_config",   "aipp",        "bundle_query",  "profiling",   "exception_info",
    "op_attributes", "model",       "device_memory", "host_memory",
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

uint64_t called(Call call) noexcept {
  if (call >= Call::kCount) return 0;
  const uint64_t others =
      call_counts[static_cast<size_t>(call)].fetch_add(1, std::memory_order_relaxed);
  return others + quick::calls(call) + 1;
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
  if (call >= Call::kCount) return 0;
  return call_counts[static_cast<size_t>(call)].load() + quick::calls(call);
}

uint64_t live_objects() noexcept {
  uint64_t sum = 0;
  for (const Counts &count : counts) sum += count.live.load(std::memory_order_relaxed);
  return sum;
}

void guard_damaged() noexcept {
  guards_damaged.fetch_add(1, std::memory_order_relaxed);
}

uint64_t damaged_guards() noexcept {
  return guards_damaged.load(std::memory_order_relaxed);
}

void clear() noexcept {
  for (Counts &count : counts) {
    for (Counter *counter : {&count.live, &count.peak, &count.total, &count.live_bytes,
                             &count.peak_bytes, &count.total_bytes}) {
      counter->store(0, std::memory_order_relaxed);
    }
  }
  for (Counter &counter : call_counts) counter.store(0, std::memory_order_relaxed);
  quick::forget_calls();
  guards_damaged.store(0, std::memory_order_relaxed);
}

}  // namespace ledger
}  // namespace aclfake
