// SPDX-License-Identifier: Apache-2.0
//
// The exports of aclfake.h that concern boards and time.
#include <algorithm>
#include <cstring>
#include <string>

#include "aclrt/aclfake.h"
#include "fake/clock.h"
#include "fake/profile.h"
#include "fake/scheduler.h"
#include "fake/trace.h"

namespace {

template <class Compose>
size_t give(char *buffer, size_t capacity, Compose &&compose) noexcept {
  if (buffer != nullptr && capacity > 0) buffer[0] = '\0';
  try {
    const std::string text = compose();
    if (buffer != nullptr && capacity > 0) {
      const size_t count = std::min(text.size(), capacity - 1);
      std::memcpy(buffer, text.data(), count);
      buffer[count] = '\0';
    }
    return text.size();
  } catch (...) {
    return 0;
  }
}

}  // namespace

size_t aclfake_profile_json(char *buffer, size_t capacity) {
  return give(buffer, capacity, aclfake::profile_json);
}

size_t aclfake_trace_json(char *buffer, size_t capacity) {
  return give(buffer, capacity, aclfake::trace_json);
}

int32_t aclfake_clock(int64_t *now_ns) {
  using std::chrono::nanoseconds;
  const auto since = aclfake::device_now().time_since_epoch();
  *now_ns = std::chrono::duration_cast<nanoseconds>(since).count();
  return aclfake::scheduler() != nullptr;
}
