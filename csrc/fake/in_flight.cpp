// SPDX-License-Identifier: Apache-2.0
#include "fake/in_flight.h"

#include <map>
#include <mutex>

#include "fake/memory.h"

namespace aclfake {
namespace {

struct Entry {
  const InFlight *owner;
  Origin by;
};

struct Registry {
  std::mutex mutex;
  std::multimap<uintptr_t, Entry> starts;
};

Registry &registry() {
  static Registry *const instance = new Registry;
  return *instance;
}

}  // namespace

InFlight::InFlight(const std::vector<Span> &spans) {
  starts_.reserve(spans.size());
  for (const Span &span : spans) {
    if (span.ptr == nullptr || span.size == 0) continue;
    if (auto memory = hold_host(span.ptr)) held_.push_back(std::move(memory));
  }
  const Origin by = here();
  Registry &all = registry();
  std::lock_guard<std::mutex> lock(all.mutex);
  for (const Span &span : spans) {
    if (span.ptr == nullptr || span.size == 0) continue;
    const auto start = reinterpret_cast<uintptr_t>(span.ptr);
    all.starts.emplace(start, Entry{this, by});
    starts_.push_back(start);
  }
}

InFlight::~InFlight() {
  Registry &all = registry();
  std::lock_guard<std::mutex> lock(all.mutex);
  for (const uintptr_t start : starts_) {
    for (auto it = all.starts.lower_bound(start); it != all.starts.end() && it->first == start;
         ++it) {
      if (it->second.owner != this) continue;
      all.starts.erase(it);
      break;
    }
  }
}

bool in_flight(const void *ptr, uint64_t size, Origin *by) {
  const auto start = reinterpret_cast<uintptr_t>(ptr);
  Registry &all = registry();
  std::lock_guard<std::mutex> lock(all.mutex);
  const auto found = all.starts.lower_bound(start);
  if (found == all.starts.end() || found->first - start >= size) return false;
  *by = found->second.by;
  return true;
}

}  // namespace aclfake
