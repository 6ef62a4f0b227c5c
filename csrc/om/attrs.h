// SPDX-License-Identifier: Apache-2.0
//
// Attributes (map<string, AttrDef>), and the dictionary that newer compilers put in place of their
// names and texts. Everything points into the file's bytes; values are read when asked for. A value
// of another type than the one asked for counts as absent, as in the real loader.
#ifndef ACLRT_OM_ATTRS_H
#define ACLRT_OM_ATTRS_H

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "om/view.h"

namespace om {

// Of the model's attributes om_compress_version, attr_name_enum, attr_value_enum and
// attrs_use_string_value. Empty: nothing is compressed.
struct Dictionary {
  bool is_used = false;
  int64_t version = 0;
  std::vector<View> names;
  std::vector<View> values;
  std::vector<bool> has_text_values;  // by name: its values are numbers into values
};

// One entry of a map. A compressed name is replaced by the dictionary's.
struct Attr {
  std::string_view name;
  View key;                           // as it stands in the file
  View value;                         // the AttrDef
  const Dictionary *texts = nullptr;  // not null: numbers in the value stand for texts
  bool is_renamed = false;

  std::optional<int64_t> as_int() const;
  std::optional<bool> as_bool() const;
  std::optional<float> as_float() const;
  std::optional<View> as_text() const;
  std::optional<View> as_named_attrs() const;
  std::optional<std::vector<int64_t>> as_ints() const;
  std::optional<std::vector<View>> as_texts() const;
  std::optional<std::vector<bool>> as_bools() const;
  std::optional<std::vector<std::vector<int64_t>>> as_int_lists() const;
};

// Throws FormatError (Cause::kModelDef): a number that the dictionary does not have.
Attr read_attr(View entry, const Dictionary &dictionary);

// Every attribute of a message that has its map at that field.
void for_each_attr(View message, uint32_t field, const Dictionary &dictionary,
                   const std::function<void(const Attr &)> &take);

// Throws FormatError (Cause::kModelDef) unless every number in the attribute is in the dictionary.
void check_texts(const Attr &attr);

// The integers of a repeated field, packed or not.
std::vector<int64_t> read_ints(View message, uint32_t field);

// An absent list as an empty one.
template <class Item>
std::vector<Item> or_empty(std::optional<std::vector<Item>> list) {
  return list ? std::move(*list) : std::vector<Item>();
}

// A copy of the texts.
std::vector<std::string> strings(const std::vector<View> &texts);

inline std::string_view text_of(View view) {
  return {reinterpret_cast<const char *>(view.data), view.size};
}

}  // namespace om

#endif
