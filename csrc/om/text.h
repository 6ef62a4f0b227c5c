// SPDX-License-Identifier: Apache-2.0
//
// Numbers in texts, and lists of numbers for people.
#ifndef ACLRT_OM_TEXT_H
#define ACLRT_OM_TEXT_H

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace om {

// The whole text as a number.
inline std::optional<int64_t> parse_int(std::string_view text) {
  int64_t number = 0;
  const char *const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) return {};
  return number;
}

// Every run of digits and minus signs, whatever lies between; nothing if one is no number.
inline std::optional<std::vector<int64_t>> find_ints(std::string_view text) {
  constexpr std::string_view kDigits = "-0123456789";
  std::vector<int64_t> numbers;
  for (size_t at = text.find_first_of(kDigits); at != text.npos;) {
    const size_t end = std::min(text.find_first_not_of(kDigits, at), text.size());
    const std::optional<int64_t> number = parse_int(text.substr(at, end - at));
    if (!number) return {};
    numbers.push_back(*number);
    at = text.find_first_of(kDigits, end);
  }
  return numbers;
}

// "[1,-1,3]"
inline std::string to_text(const std::vector<int64_t> &numbers) {
  std::string text = "[";
  for (const int64_t number : numbers) {
    if (text.size() > 1) text += ',';
    text += std::to_string(number);
  }
  return text + "]";
}

// A text of the file inside a sentence: no longer than a line.
inline std::string shortened(std::string_view text) {
  constexpr size_t kMost = 200;
  return text.size() <= kMost ? std::string(text) : std::string(text.substr(0, kMost)) + "...";
}

// "1 gear", "2 gears"
inline std::string count_of(uint64_t count, const char *noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace om

#endif
