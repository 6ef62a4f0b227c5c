// SPDX-License-Identifier: Apache-2.0
#include "fake/thread.h"

#include "fake/quick.h"

namespace aclfake {
namespace {

thread_local ThreadState *current = nullptr;

struct Cleaner {
  ~Cleaner() {
    ThreadState *state = current;
    current = nullptr;
    quick::thread_ends();
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
