// SPDX-License-Identifier: Apache-2.0
#include "fake/freed.h"

#include <deque>
#include <iterator>
#include <map>
#include <mutex>

namespace aclfake {
namespace {

constexpr size_t kMost = 4096;

struct History {
  std::mutex mutex;
  std::map<uintptr_t, Freed> ranges;
  std::deque<uintptr_t> order;  // of starts; some may be forgotten already
};

History &history() {
  static History *const instance = new History;
  return *instance;
}

void erase_inside(History &all, uintptr_t start, uint64_t size) {
  const auto first = all.ranges.lower_bound(start);
  auto last = first;
  while (last != all.ranges.end() && last->first - start < size) ++last;
  all.ranges.erase(first, last);
}

}  // namespace

void remember_freed(const Freed &range) {
  History &all = history();
  std::lock_guard<std::mutex> lock(all.mutex);
  erase_inside(all, range.start, range.size);
  all.ranges.emplace(range.start, range);
  all.order.push_back(range.start);
  if (all.order.size() > kMost) {
    all.ranges.erase(all.order.front());
    all.order.pop_front();
  }
}

void forget_freed(uintptr_t start, uint64_t size) {
  History &all = history();
  std::lock_guard<std::mutex> lock(all.mutex);
  erase_inside(all, start, size);
}

void forget_all_freed() {
  History &all = history();
  std::lock_guard<std::mutex> lock(all.mutex);
  all.ranges.clear();
  all.order.clear();
}

bool find_freed(const void *ptr, Freed *found) {
  const uintptr_t address = reinterpret_cast<uintptr_t>(ptr);
  History &all = history();
  std::lock_guard<std::mutex> lock(all.mutex);
  auto next = all.ranges.upper_bound(address);
  if (next == all.ranges.begin()) return false;
  const Freed &range = std::prev(next)->second;
  if (address - range.start >= range.size) return false;
  *found = range;
  return true;
}

}  // namespace aclfake
