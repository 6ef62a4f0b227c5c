// SPDX-License-Identifier: Apache-2.0
//
// Protobuf's wire format. Groups are refused: proto3 has none.
#include "om/proto.h"

#include <string>

#include "om/error.h"

namespace om {
namespace {

constexpr uint64_t kMaxFieldNumber = (1u << 29) - 1;

uint64_t read_varint(View message, size_t &position, Cause cause, std::string_view name) {
  const size_t begin = position;
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    if (position == message.size) {
      fail(cause, message.offset + begin, name, "a whole varint", "one that is cut");
    }
    const uint8_t byte = message.data[position++];
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  fail(cause, message.offset + begin, name, "a varint of at most 10 bytes", "a longer one");
}

}  // namespace

bool PackedReader::next() {
  if (position_ == content_.size) return false;
  value_ = read_varint(content_, position_, cause_, name_);
  return true;
}

bool ProtoReader::next() {
  if (position_ == message_.size) return false;
  begin_ = position_;
  const uint64_t at = message_.offset + position_;
  const uint64_t tag = read_varint(message_, position_, cause_, name_);
  const uint64_t number = tag >> 3;
  if (number == 0 || number > kMaxFieldNumber) {
    fail(cause_, at, name_, "a field number of 1 to 536870911", number);
  }
  number_ = static_cast<uint32_t>(number);
  const size_t left = message_.size - position_;
  switch (tag & 7) {
    case 0:
      wire_ = Wire::kVarint;
      value_ = read_varint(message_, position_, cause_, name_);
      return true;
    case 1:
      wire_ = Wire::kFixed64;
      if (left < 8) fail(cause_, at, name_, "8 bytes", left);
      value_ = load_u64(message_.data + position_);
      position_ += 8;
      return true;
    case 2: {
      wire_ = Wire::kBytes;
      const uint64_t length = read_varint(message_, position_, cause_, name_);
      const uint64_t rest = message_.size - position_;
      if (length > rest) {
        fail(cause_, at, name_,
             "a field of at most " + std::to_string(rest) + " bytes (the rest of the message)",
             length);
      }
      bytes_ = message_.sub(position_, static_cast<size_t>(length));
      position_ += static_cast<size_t>(length);
      return true;
    }
    case 5:
      wire_ = Wire::kFixed32;
      if (left < 4) fail(cause_, at, name_, "4 bytes", left);
      value_ = load_u32(message_.data + position_);
      position_ += 4;
      return true;
    default:
      fail(cause_, at, name_, "wire type 0, 1, 2 or 5", tag & 7);
  }
}

}  // namespace om
