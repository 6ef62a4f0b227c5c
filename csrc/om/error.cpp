// SPDX-License-Identifier: Apache-2.0
//
// FormatError and the sentence that it says.
#include "om/error.h"

namespace om {

FormatError::FormatError(Cause cause, uint64_t offset, std::string field,
                         const std::string &message)
    : std::runtime_error(field + " at offset " + std::to_string(offset) + ": " + message),
      cause_(cause),
      offset_(offset),
      field_(std::move(field)) {}

void fail(Cause cause, uint64_t offset, std::string_view field, std::string_view expected,
          std::string_view given) {
  std::string message = "expected ";
  message.append(expected).append(", given ").append(given);
  throw FormatError(cause, offset, std::string(field), message);
}

void fail(Cause cause, uint64_t offset, std::string_view field, std::string_view expected,
          uint64_t given) {
  fail(cause, offset, field, expected, std::to_string(given));
}

}  // namespace om
