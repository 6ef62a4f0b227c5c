// SPDX-License-Identifier: Apache-2.0
//
// Attributes of a descriptor override its plain fields, as very old files need it.
#include "om/descriptor.h"

#include "om/error.h"
#include "om/om.h"
#include "om/proto.h"

namespace om {
namespace {

constexpr uint32_t kFormatMask = 0xFF;
constexpr int32_t kReservedFormat = 40;
constexpr int32_t kDual = 25;

// The numbers of __tensor_desc_data_type__, an own numbering for rare types.
int32_t self_defined_type(int64_t number) {
  if (number == 13) return kDual;
  const bool known = (number >= 14 && number <= 22) || number == 33;
  return known ? static_cast<int32_t>(number) : -1;
}

struct Stated {
  uint64_t proto_type = 0;
  View layout;
  std::optional<int64_t> format;
  std::optional<int64_t> type;
};

void take_attr(const Attr &attr, Stated &stated, Descriptor &desc) {
  const auto number = attr.as_int();
  if (attr.name == "format_for_int") stated.format = number;
  if (attr.name == "__tensor_desc_data_type__") stated.type = number;
  if (number && *number >= 0) {
    const auto size = static_cast<uint64_t>(*number);
    if (attr.name == "size") desc.size = size;
    if (attr.name == "_special_input_size") desc.special_input_size = size;
    if (attr.name == "_special_output_size") desc.special_output_size = size;
  }
  if (attr.name != "shape_range") return;
  for (const std::vector<int64_t> &pair : or_empty(attr.as_int_lists())) {
    if (pair.size() == 2) desc.range.emplace_back(pair[0], pair[1]);
  }
}

int32_t type_of(const Stated &stated) {
  if (stated.type) return self_defined_type(*stated.type);
  if (stated.proto_type > INT32_MAX) return -1;
  const Dtype *dtype = find_dtype_by_proto(static_cast<int32_t>(stated.proto_type));
  return dtype == nullptr ? -1 : dtype->value;
}

int32_t format_of(const Stated &stated) {
  const int64_t number = stated.format ? *stated.format : find_format(stated.layout.text());
  return plain_format(static_cast<uint32_t>(number));
}

}  // namespace

int32_t plain_format(uint32_t number) {
  if (number == UINT32_MAX) return -1;
  const auto format = static_cast<int32_t>(number & kFormatMask);
  return format == kReservedFormat ? -1 : format;
}

void check_rank(const std::vector<int64_t> &dims, View place) {
  if (dims.size() <= kMaxRank) return;
  fail(Cause::kUnsupported, place.offset, "MODEL_DEF dims", "at most 128", dims.size());
}

Descriptor read_descriptor(View message, const Dictionary &dictionary) {
  Descriptor desc;
  Stated stated;
  ProtoReader reader(message, Cause::kModelDef, "MODEL_DEF");
  while (reader.next()) {
    if (reader.is(2, Wire::kVarint)) stated.proto_type = reader.value();
    if (reader.is(3, Wire::kBytes)) desc.dims = read_ints(reader.bytes(), 1);
    if (reader.is(4, Wire::kBytes)) stated.layout = reader.bytes();
    if (reader.is(10, Wire::kVarint)) desc.size = reader.value();
  }
  for_each_attr(message, 5, dictionary, [&](const Attr &attr) { take_attr(attr, stated, desc); });
  check_rank(desc.dims, message);
  desc.dtype = type_of(stated);
  desc.format = format_of(stated);
  return desc;
}

uint64_t bytes_of(int32_t dtype, const std::vector<int64_t> &dims) {
  const Dtype *type = find_dtype(dtype);
  if (type == nullptr) return 0;
  uint64_t bits = static_cast<uint64_t>(type->bits);
  bool is_large = false;
  for (const int64_t dim : dims) {
    if (dim <= 0) return 0;
    is_large = __builtin_mul_overflow(bits, static_cast<uint64_t>(dim), &bits) || is_large;
  }
  return is_large ? 0 : bits / 8 + (bits % 8 != 0);
}

}  // namespace om
