// SPDX-License-Identifier: Apache-2.0
//
// The exports of aclfake.h that concern the misuse checks.
#include <algorithm>
#include <cstring>
#include <string>

#include "aclrt/aclfake.h"
#include "fake/checks.h"

int32_t aclfake_set_checks(int32_t mode) {
  if (mode < ACLFAKE_CHECKS_ERROR || mode > ACLFAKE_CHECKS_ABORT) return -1;
  return static_cast<int32_t>(aclfake::checks::set_mode(static_cast<aclfake::checks::Mode>(mode)));
}

uint64_t aclfake_check_count(const char *id) {
  return aclfake::checks::count(id);
}

size_t aclfake_check_table_json(char *buffer, size_t capacity) {
  if (buffer != nullptr && capacity > 0) buffer[0] = '\0';
  try {
    const std::string text = aclfake::checks::table_json();
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
