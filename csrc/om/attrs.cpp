// SPDX-License-Identifier: Apache-2.0
//
// AttrDef is a oneof: the last member in the message counts.
#include "om/attrs.h"

#include <cstring>

#include "om/error.h"
#include "om/proto.h"

namespace om {
namespace {

constexpr Cause kCause = Cause::kModelDef;
constexpr std::string_view kName = "MODEL_DEF";
constexpr size_t kMaxDigits = 9;  // 127^9 is below 2^63

// Members of AttrDef, and of AttrDef.ListValue.
enum : uint32_t {
  kList = 1,
  kText = 2,
  kInt = 3,
  kFloat = 4,
  kBool = 5,
  kFunc = 10,
  kIntLists = 14
};
enum : uint32_t { kListText = 2, kListInt = 3, kListBool = 5 };

struct Member {
  uint32_t number = 0;  // 0: unset
  Wire wire = Wire::kVarint;
  uint64_t value = 0;
  View bytes;

  bool is(uint32_t wanted, Wire wanted_wire) const {
    return number == wanted && wire == wanted_wire;
  }
};

Member member_of(View attr) {
  Member member;
  ProtoReader reader(attr, kCause, kName);
  while (reader.next()) {
    member = {reader.number(), reader.wire(), reader.value(), reader.bytes()};
  }
  return member;
}

View text_at(const Dictionary &dictionary, int64_t number, View place) {
  if (number < 0 || static_cast<uint64_t>(number) >= dictionary.values.size()) {
    fail(kCause, place.offset, "MODEL_DEF attribute value",
         "a number below " + std::to_string(dictionary.values.size()) + " (of attr_value_enum)",
         std::to_string(number));
  }
  return dictionary.values[static_cast<size_t>(number)];
}

// 0x00, then digits of base 127, the lowest first, each stored plus one.
uint64_t number_of(View key) {
  uint64_t number = 0;
  uint64_t unit = 1;
  for (size_t i = 1; i < key.size; ++i) {
    const uint8_t digit = key.data[i];
    if (digit == 0 || digit > 127 || i > kMaxDigits) {
      fail(kCause, key.offset + i, "MODEL_DEF attribute name", "at most 9 digits of 1 to 127",
           digit);
    }
    number += (digit - 1u) * unit;
    unit *= 127;
  }
  return number;
}

// The repeated field of a ListValue member, or nothing if the attribute is no list.
std::optional<View> list_of(View attr) {
  const Member member = member_of(attr);
  if (!member.is(kList, Wire::kBytes)) return {};
  return member.bytes;
}

// Whether an empty list, whose type is not told by its items, may be one of that field.
bool has_items(View list, uint32_t field) {
  ProtoReader reader(list, kCause, kName);
  bool others = false;
  while (reader.next()) {
    if (reader.number() == field) return true;
    if (reader.number() < 20) others = true;  // 20 is val_type
  }
  return !others;
}

}  // namespace

std::vector<int64_t> read_ints(View message, uint32_t field) {
  std::vector<int64_t> numbers;
  ProtoReader reader(message, kCause, kName);
  while (reader.next()) {
    if (reader.number() != field) continue;
    if (reader.wire() == Wire::kVarint) numbers.push_back(static_cast<int64_t>(reader.value()));
    if (reader.wire() != Wire::kBytes) continue;
    PackedReader packed(reader.bytes(), kCause, kName);
    while (packed.next()) numbers.push_back(static_cast<int64_t>(packed.value()));
  }
  return numbers;
}

std::vector<std::string> strings(const std::vector<View> &texts) {
  std::vector<std::string> copies;
  for (const View text : texts) copies.push_back(text.text());
  return copies;
}

Attr read_attr(View entry, const Dictionary &dictionary) {
  Attr attr;
  attr.key = entry.sub(0, 0);
  attr.value = attr.key;
  ProtoReader reader(entry, kCause, kName);
  while (reader.next()) {
    if (reader.is(1, Wire::kBytes)) attr.key = reader.bytes();
    if (reader.is(2, Wire::kBytes)) attr.value = reader.bytes();
  }
  attr.name = text_of(attr.key);
  if (!dictionary.is_used || attr.key.size == 0 || attr.key.data[0] != 0) return attr;
  const uint64_t number = number_of(attr.key);
  if (attr.key.size == 1 || number >= dictionary.names.size()) {
    fail(kCause, attr.key.offset, "MODEL_DEF attribute name",
         "a number below " + std::to_string(dictionary.names.size()) + " (of attr_name_enum)",
         attr.key.size == 1 ? "none" : std::to_string(number));
  }
  const auto index = static_cast<size_t>(number);
  attr.name = text_of(dictionary.names[index]);
  attr.texts = dictionary.has_text_values[index] ? &dictionary : nullptr;
  attr.is_renamed = true;
  return attr;
}

void for_each_attr(View message, uint32_t field, const Dictionary &dictionary,
                   const std::function<void(const Attr &)> &take) {
  ProtoReader reader(message, kCause, kName);
  while (reader.next()) {
    if (reader.is(field, Wire::kBytes)) take(read_attr(reader.bytes(), dictionary));
  }
}

void check_texts(const Attr &attr) {
  if (attr.texts == nullptr) return;
  attr.as_text();
  attr.as_texts();
}

std::optional<int64_t> Attr::as_int() const {
  const Member member = member_of(value);
  if (texts != nullptr || !member.is(kInt, Wire::kVarint)) return {};
  return static_cast<int64_t>(member.value);
}

std::optional<bool> Attr::as_bool() const {
  const Member member = member_of(value);
  if (!member.is(kBool, Wire::kVarint)) return {};
  return member.value != 0;
}

std::optional<float> Attr::as_float() const {
  const Member member = member_of(value);
  if (!member.is(kFloat, Wire::kFixed32)) return {};
  const auto bits = static_cast<uint32_t>(member.value);
  float number = 0;
  std::memcpy(&number, &bits, sizeof number);
  return number;
}

std::optional<View> Attr::as_text() const {
  const Member member = member_of(value);
  if (texts != nullptr && member.is(kInt, Wire::kVarint)) {
    return text_at(*texts, static_cast<int64_t>(member.value), value);
  }
  if (!member.is(kText, Wire::kBytes)) return {};
  return member.bytes;
}

std::optional<View> Attr::as_named_attrs() const {
  const Member member = member_of(value);
  if (!member.is(kFunc, Wire::kBytes)) return {};
  return member.bytes;
}

std::optional<std::vector<int64_t>> Attr::as_ints() const {
  const std::optional<View> list = list_of(value);
  if (texts != nullptr || !list || !has_items(*list, kListInt)) return {};
  return read_ints(*list, kListInt);
}

std::optional<std::vector<View>> Attr::as_texts() const {
  const std::optional<View> list = list_of(value);
  if (!list) return {};
  std::vector<View> result;
  if (texts != nullptr && has_items(*list, kListInt)) {
    for (const int64_t number : read_ints(*list, kListInt)) {
      result.push_back(text_at(*texts, number, *list));
    }
    return result;
  }
  if (!has_items(*list, kListText)) return {};
  ProtoReader reader(*list, kCause, kName);
  while (reader.next()) {
    if (reader.is(kListText, Wire::kBytes)) result.push_back(reader.bytes());
  }
  return result;
}

std::optional<std::vector<bool>> Attr::as_bools() const {
  const std::optional<View> list = list_of(value);
  if (!list || !has_items(*list, kListBool)) return {};
  std::vector<bool> flags;
  for (const int64_t flag : read_ints(*list, kListBool)) flags.push_back(flag != 0);
  return flags;
}

std::optional<std::vector<std::vector<int64_t>>> Attr::as_int_lists() const {
  const Member member = member_of(value);
  if (!member.is(kIntLists, Wire::kBytes)) return {};
  std::vector<std::vector<int64_t>> lists;
  ProtoReader reader(member.bytes, kCause, kName);
  while (reader.next()) {
    if (reader.is(1, Wire::kBytes)) lists.push_back(read_ints(reader.bytes(), 1));
  }
  return lists;
}

}  // namespace om
