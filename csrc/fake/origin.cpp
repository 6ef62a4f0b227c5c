// SPDX-License-Identifier: Apache-2.0
#include "fake/origin.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fake/entry.h"

namespace aclfake {
namespace {

thread_local int64_t own_number = 0;

// A child of fork() is another thread with our copy of the number.
const bool registered = pthread_atfork(nullptr, nullptr, [] { own_number = 0; }) == 0;

}  // namespace

int64_t thread_number() noexcept {
  if (own_number == 0) own_number = static_cast<int64_t>(syscall(SYS_gettid));
  return own_number;
}

Origin here() noexcept {
  return {CallScope::current(), CallScope::number(), thread_number()};
}

std::string origin_text(const Origin &origin) {
  if (origin.call == Call::kCount) return "the device";
  return std::string(call_name(origin.call)) + " (call " + std::to_string(origin.number) +
         " of it, thread " + std::to_string(origin.thread) + ")";
}

}  // namespace aclfake
