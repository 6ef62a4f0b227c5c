// SPDX-License-Identifier: Apache-2.0
//
// Reader of protobuf's wire format: the fields of one message, one after the other. It follows
// nothing by itself; who enters a nested message counts the depth. Throws FormatError with the
// cause and the name given to it.
#ifndef ACLRT_OM_PROTO_H
#define ACLRT_OM_PROTO_H

#include <cstdint>
#include <string_view>

#include "om/om.h"
#include "om/view.h"

namespace om {

inline constexpr int kMaxProtoDepth = 100;

enum class Wire : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

class ProtoReader {
 public:
  // name must outlive the reader.
  ProtoReader(View message, Cause cause, std::string_view name)
      : message_(message), cause_(cause), name_(name) {}

  // Goes to the next field; false at the end of the message.
  bool next();

  uint32_t number() const { return number_; }
  Wire wire() const { return wire_; }
  bool is(uint32_t number, Wire wire) const { return number_ == number && wire_ == wire; }

  uint64_t value() const { return value_; }     // of kVarint, kFixed64, kFixed32
  const View &bytes() const { return bytes_; }  // of kBytes
  // The whole field, its tag included.
  View field() const { return message_.sub(begin_, position_ - begin_); }

 private:
  View message_;
  Cause cause_;
  std::string_view name_;
  size_t position_ = 0;
  size_t begin_ = 0;
  uint32_t number_ = 0;
  Wire wire_ = Wire::kVarint;
  uint64_t value_ = 0;
  View bytes_;
};

// The varints of a packed field.
class PackedReader {
 public:
  PackedReader(View content, Cause cause, std::string_view name)
      : content_(content), cause_(cause), name_(name) {}

  bool next();  // false at the end
  uint64_t value() const { return value_; }

 private:
  View content_;
  Cause cause_;
  std::string_view name_;
  size_t position_ = 0;
  uint64_t value_ = 0;
};

}  // namespace om

#endif
