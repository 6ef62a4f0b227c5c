// SPDX-License-Identifier: Apache-2.0
//
// Reads a small JSON document into a tree. Strict: no comments, no trailing text, no repeated
// names. Throws std::runtime_error saying what and at which line.
#ifndef ACLRT_FAKE_JSON_READER_H
#define ACLRT_FAKE_JSON_READER_H

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aclfake {

struct JsonValue {
  enum class Type { kNull, kBool, kNumber, kString, kArray, kObject } type = Type::kNull;
  bool flag = false;
  double number = 0;
  std::string text;                                        // of a string; no \u escapes
  std::vector<std::pair<std::string, JsonValue>> members;  // of an object, in order
  std::vector<JsonValue> items;                            // of an array

  const JsonValue *member(std::string_view name) const;  // nullptr: there is none
};

JsonValue read_json(std::string_view text);

}  // namespace aclfake

#endif
