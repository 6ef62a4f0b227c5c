// SPDX-License-Identifier: Apache-2.0
#include "fake/thread.h"

namespace aclfake {
namespace {

thread_local ThreadState *current = nullptr;

struct Cleaner {
  ~Cleaner() {
    ThreadState *state = current;
    current = nullptr;
    delete state;
  }
};

}  // namespace

ThreadState &this_thread() {
  if (current == nullptr) {
    static thread_local Cleaner cleaner;
    (void)cleaner;
    current = new ThreadState;
  }
  return *current;
}

}  // namespace aclfake
