// SPDX-License-Identifier: Apache-2.0
#include "fake/live_objects.h"

#include <algorithm>
#include <mutex>

#include "fake/memory.h"
#include "fake/model.h"

namespace aclfake {
namespace {

struct Listers {
  std::mutex mutex;
  std::vector<LiveLister> all;
};

Listers &listers() {
  static Listers *const instance = new Listers;
  return *instance;
}

}  // namespace

bool add_lister(LiveLister lister) {
  std::lock_guard<std::mutex> lock(listers().mutex);
  listers().all.push_back(lister);
  return true;
}

std::vector<LiveEntry> live_entries() {
  std::vector<LiveLister> all;
  {
    std::lock_guard<std::mutex> lock(listers().mutex);
    all = listers().all;
  }
  std::vector<LiveEntry> entries;
  for (const LiveLister lister : all) lister(entries);
  for (const auto &model : live_models()) {
    entries.push_back({Kind::kModel, model->made, model->device_bytes()});
  }
  for (const LiveMemory &memory : live_memory()) {
    entries.push_back({memory.kind, memory.made, memory.size});
  }
  std::stable_sort(entries.begin(), entries.end(),
                   [](const LiveEntry &a, const LiveEntry &b) { return a.kind < b.kind; });
  return entries;
}

}  // namespace aclfake
