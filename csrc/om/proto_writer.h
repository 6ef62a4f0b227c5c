// SPDX-License-Identifier: Apache-2.0
//
// Protobuf's wire format, written: fields appended to a message that the caller holds as a string.
#ifndef ACLRT_OM_PROTO_WRITER_H
#define ACLRT_OM_PROTO_WRITER_H

#include <cstdint>
#include <string>

#include "om/view.h"

namespace om {

inline void put_varint(std::string &out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

// An integer, enum or bool field.
inline void put_number(std::string &out, uint32_t field, uint64_t value) {
  put_varint(out, uint64_t{field} << 3);
  put_varint(out, value);
}

// A string, bytes or message field.
inline void put_bytes(std::string &out, uint32_t field, const std::string &content) {
  put_varint(out, uint64_t{field} << 3 | 2);
  put_varint(out, content.size());
  out += content;
}

// A repeated integer field; nothing at all where there are no values.
template <class Numbers>
void put_packed(std::string &out, uint32_t field, const Numbers &values) {
  std::string content;
  for (const auto value : values) put_varint(content, static_cast<uint64_t>(value));
  if (!content.empty()) put_bytes(out, field, content);
}

// A whole field as ProtoReader::field() gives it.
inline void put_view(std::string &out, const View &view) {
  out.append(reinterpret_cast<const char *>(view.data), view.size);
}

}  // namespace om

#endif
