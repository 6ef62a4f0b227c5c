// SPDX-License-Identifier: Apache-2.0
#include "fake/fault_spec.h"

#include <limits>

namespace aclfake {
namespace {

std::string trimmed(const std::string &text) {
  const size_t first = text.find_first_not_of(" \t\n");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\n") - first + 1);
}

std::vector<std::string> split(const std::string &text, char separator) {
  std::vector<std::string> parts;
  size_t start = 0;
  while (start <= text.size()) {
    const size_t end = std::min(text.find(separator, start), text.size());
    parts.push_back(trimmed(text.substr(start, end - start)));
    start = end + 1;
  }
  return parts;
}

template <class Number>
std::string set_number(const std::string &text, Number *target) {
  uint64_t number = 0;
  std::string problem = parse_number(text, &number);
  if (problem.empty() && number > static_cast<uint64_t>(std::numeric_limits<Number>::max())) {
    problem = "is too large";
  }
  if (problem.empty()) *target = static_cast<Number>(number);
  return problem;
}

struct Word {
  const char *text;
  int32_t value;
};

template <size_t N>
std::string set_word(const std::string &text, const Word (&words)[N], int32_t *target) {
  std::string known;
  for (const Word &word : words) {
    if (text == word.text) {
      *target = word.value;
      return "";
    }
    known += (known.empty() ? "" : ", ") + std::string(word.text);
  }
  return "is none of " + known;
}

constexpr Word kModes[] = {{"transient", 0}, {"persistent", 1}};
constexpr Word kWhens[] = {{"before", 0}, {"after", 1}};
constexpr Word kActions[] = {
    {"fail", ACLFAKE_FAIL}, {"lose-device", ACLFAKE_LOSE_DEVICE}, {"hang", ACLFAKE_HANG}};

std::string set_field(const std::string &key, const std::string &value, FaultSpec *spec) {
  aclfake_fault_t &fault = spec->fault;
  if (key == "function") {
    spec->function = value;
    return value.empty() ? "is empty" : "";
  }
  if (key == "group") {
    spec->group = value;
    return value.empty() ? "is empty" : "";
  }
  if (key == "thread") return set_number(value, &fault.thread);
  if (key == "nth") return set_number(value, &fault.nth);
  if (key == "code") return set_number(value, &fault.code);
  if (key == "ms") return set_number(value, &fault.hang_ms);
  if (key == "mode") return set_word(value, kModes, &fault.persistent);
  if (key == "when") return set_word(value, kWhens, &fault.after);
  if (key == "action") return set_word(value, kActions, &fault.action);
  return "is no field; there are function, group, thread, nth, code, mode, when, action, ms";
}

}  // namespace

std::string parse_number(const std::string &text, uint64_t *number) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos) {
    return "is no number";
  }
  uint64_t value = 0;
  for (const char digit : text) {
    const uint64_t units = static_cast<uint64_t>(digit - '0');
    if (value > (UINT64_MAX - units) / 10) return "is too large";
    value = value * 10 + units;
  }
  *number = value;
  return "";
}

std::string parse_faults(const std::string &text, std::vector<FaultSpec> *faults) {
  for (const std::string &entry : split(text, ';')) {
    if (entry.empty()) continue;
    FaultSpec spec;
    for (const std::string &field : split(entry, ',')) {
      const size_t equals = field.find('=');
      if (equals == std::string::npos) return "\"" + field + "\" is not of the form field=value";
      const std::string problem =
          set_field(trimmed(field.substr(0, equals)), trimmed(field.substr(equals + 1)), &spec);
      if (!problem.empty()) return "\"" + field + "\" " + problem;
    }
    faults->push_back(std::move(spec));
  }
  return "";
}

}  // namespace aclfake
