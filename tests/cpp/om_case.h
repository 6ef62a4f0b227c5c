// SPDX-License-Identifier: Apache-2.0
//
// For the .om reader's tests: files made byte by byte, and read from a block of exactly their size.
#ifndef ACLRT_TESTS_CPP_OM_CASE_H
#define ACLRT_TESTS_CPP_OM_CASE_H

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "check.h"
#include "om/crc32.h"
#include "om/om.h"

namespace om_case {

inline std::string u32(uint32_t value) {
  std::string out;
  for (int i = 0; i < 4; ++i) out += static_cast<char>(value >> (8 * i));
  return out;
}

inline std::string u64(uint64_t value) {
  return u32(static_cast<uint32_t>(value)) + u32(static_cast<uint32_t>(value >> 32));
}

inline std::string varint(uint64_t value) {
  std::string out;
  for (; value > 0x7F; value >>= 7) out += static_cast<char>((value & 0x7F) | 0x80);
  return out + static_cast<char>(value);
}

inline std::string field(uint32_t number, const std::string &content) {
  return varint(number << 3 | 2) + varint(content.size()) + content;
}

inline std::string field(uint32_t number, uint64_t value) {
  return varint(number << 3) + varint(value);
}

inline std::string attr(const std::string &name, const std::string &value) {
  return field(11, field(1, name) + field(2, value));
}

struct Part {
  uint32_t type;
  std::string content;
};

inline std::string wide_table(const std::vector<Part> &parts) {
  std::string table = u32(static_cast<uint32_t>(parts.size())) + u32(0);
  std::string content;
  for (const Part &part : parts) {
    table += u32(part.type) + u32(0) + u64(content.size()) + u64(part.content.size());
    content += part.content;
  }
  return table + content;
}

inline std::string narrow_table(const std::vector<Part> &parts) {
  std::string table = u32(static_cast<uint32_t>(parts.size()));
  std::string content;
  for (const Part &part : parts) {
    table += u32(part.type) + u32(static_cast<uint32_t>(content.size())) +
             u32(static_cast<uint32_t>(part.content.size()));
    content += part.content;
  }
  return table + content;
}

inline void put(std::string &bytes, size_t at, const std::string &value) {
  bytes.replace(at, value.size(), value);
}

inline std::string header(int generation, const std::string &body, uint32_t model_num = 1) {
  std::string out(256, '\0');
  put(out, 0x00, "IMOD" + u32(256) + u32(generation == 1 ? 0x10000000 : 0x20000000));
  put(out, 0x54, "short");
  put(out, 0x98, u32(2));
  put(out, generation == 1 ? 0x9C : 0xA0, "1.11.z.0");
  if (generation > 1) put(out, 0x9C, u32(model_num));
  if (generation < 3) put(out, 0x4C, u32(static_cast<uint32_t>(body.size())));
  if (generation == 3) put(out, 0xB8, u64(body.size()));
  return out + body;
}

inline std::string tensor(const std::string &name, const std::vector<int64_t> &dims, uint64_t size,
                          uint32_t format = 2, uint32_t dtype = 0) {
  std::string raw;
  for (const int64_t dim : dims) raw += u64(static_cast<uint64_t>(dim));
  const auto length = static_cast<uint32_t>(raw.size());
  return u64(size) + u32(format) + u32(dtype) + u32(static_cast<uint32_t>(name.size())) +
         u32(length) + u32(length) + u32(0) + name + raw + raw;
}

inline std::string record(uint32_t type, const std::string &value) {
  return u32(type) + u32(static_cast<uint32_t>(value.size())) + value;
}

inline const std::string kModelDef =
    field(1, "a name that is longer than thirty-one bytes") +
    field(7,
          field(1, "graph") + field(6, field(1, "x") + field(2, "Data") +
                                           field(33, field(3, field(1, varint(2) + varint(3)))))) +
    attr("soc_version", field(2, "AscendSim")) + attr("stream_num", field(3, 2)) +
    attr("event_num", field(3, 1)) + attr("atc_version", field(2, "7.6")) +
    attr("framework_type", field(2, "Onnx")) + attr("unset", "");
inline const std::string kTasks = field(11, 4096) + field(14, 0);
inline const std::string kInout = record(0, u32(1) + tensor("x", {2, 3}, 24)) +
                                  record(1, u32(1) + tensor("sm:0:y", {2, 3}, 24, 0x05000003, 1));
inline const std::string kGears =
    record(2, u32(2) + u64(1) + u64(8)) + record(3, u32(1) + u32(2) + u64(224) + u64(224)) +
    record(5, u32(2) + u32(3) + u32(3) + "0,1" + "0,8") + record(6, u32(1) + u32(1) + "x");
inline const std::string kOnnx = "not really an ONNX model, but some bytes";

inline std::string payload(const std::string &onnx) {
  const auto *data = reinterpret_cast<const uint8_t *>(onnx.data());
  return "ACLRTSIM" + u32(1) + u32(om::crc32(data, onnx.size())) + u64(onnx.size()) + onnx;
}

inline std::string marked(std::string file, const std::string &marker = "aclrt-sim/1") {
  put(file, 0x78, marker);
  return file;
}

inline std::string with_parts(const std::vector<Part> &parts) {
  return header(3, wide_table(parts));
}

inline std::string simulated(const std::string &body) {
  return marked(
      with_parts({{8, kInout + kGears}, {0, kModelDef}, {2, kTasks}, {0x4E4F4158, body}}));
}

// The bytes in a block of exactly their size, so that a sanitizer sees one byte too far.
class Exact {
 public:
  explicit Exact(const std::string &text) : data_(new uint8_t[text.size()]), size_(text.size()) {
    if (size_ != 0) std::memcpy(data_.get(), text.data(), size_);
  }
  om::Bytes bytes() const { return {data_.get(), size_}; }

 private:
  std::unique_ptr<uint8_t[]> data_;
  size_t size_;
};

// Reads and asks for JSON as well; the returned model's onnx is not to be followed.
inline om::Model parse(const std::string &file) {
  const Exact exact(file);
  om::Model model = om::parse(exact.bytes());
  om::to_json(model);
  return model;
}

}  // namespace om_case

#define CHECK_REFUSED(file, expected_cause, expected_offset) \
  CHECK_THROWS(om::FormatError, om_case::parse(file),        \
               error.cause() == (expected_cause) && error.offset() == uint64_t(expected_offset))

#endif
