// SPDX-License-Identifier: Apache-2.0
//
// A wrong length or checksum is an error, so that a damaged file never computes something else.
#include "om/payload.h"

#include <cstring>
#include <string>

#include "om/crc32.h"
#include "om/error.h"

namespace om {
namespace {

constexpr char kMagic[] = "ACLRTSIM";
constexpr size_t kMagicSize = 8;
constexpr size_t kHeadSize = 24;
constexpr size_t kSecondHeadSize = 40;
constexpr uint32_t kVersion = 1;
constexpr uint32_t kSecondVersion = 2;
constexpr uint64_t kAlignment = 4096;
constexpr size_t kCrcSize = 4;

void check_crc(View onnx, View partition) {
  const uint32_t stated = load_u32(partition.data + 12);
  const uint32_t computed = crc32(onnx.data, onnx.size);
  if (stated != computed) {
    fail(Cause::kBody, partition.offset + 12, "ONNX body CRC-32",
         std::to_string(computed) + " (of the bytes that are there)", stated);
  }
}

Payload read_first(View partition) {
  const View onnx = partition.sub(kHeadSize, partition.size - kHeadSize);
  const uint64_t length = load_u64(partition.data + 16);
  if (length != onnx.size) {
    fail(Cause::kBody, partition.offset + 16, "ONNX body length",
         std::to_string(onnx.size) + " (the partition's size less its head)", length);
  }
  check_crc(onnx, partition);
  return {{onnx.data, onnx.size}, {}, 0};
}

Payload read_second(View partition) {
  if (partition.size < kSecondHeadSize + kCrcSize) {
    fail(Cause::kBody, partition.offset, "ONNX body", "at least 44 bytes", partition.size);
  }
  const uint64_t room = partition.size - kSecondHeadSize - kCrcSize;
  const uint64_t length = load_u64(partition.data + 16);
  if (length > room) {
    fail(Cause::kBody, partition.offset + 16, "ONNX body length", "at most " + std::to_string(room),
         length);
  }
  const uint64_t first = partition.offset + kSecondHeadSize + length;
  const uint64_t begin = (first + kAlignment - 1) / kAlignment * kAlignment - partition.offset;
  const uint64_t stated = load_u64(partition.data + 24);
  if (stated != begin) {
    fail(Cause::kBody, partition.offset + 24, "place of the weights in the ONNX body",
         std::to_string(begin) + " (the next multiple of 4096 in the file)", stated);
  }
  const uint64_t end = partition.size - kCrcSize;
  const uint64_t weights = load_u64(partition.data + 32);
  if (begin > end || weights != end - begin) {
    fail(Cause::kBody, partition.offset + 32, "length of the weights in the ONNX body",
         begin > end ? "a partition that reaches them" : std::to_string(end - begin), weights);
  }
  check_crc(partition.sub(kSecondHeadSize, static_cast<size_t>(length)), partition);
  return {{partition.data + kSecondHeadSize, static_cast<size_t>(length)},
          {partition.data + begin, static_cast<size_t>(weights)},
          load_u32(partition.data + end)};
}

}  // namespace

Payload read_payload(View partition) {
  if (partition.size < kMagicSize || std::memcmp(partition.data, kMagic, kMagicSize) != 0) {
    return {};
  }
  if (partition.size < kHeadSize) {
    fail(Cause::kBody, partition.offset, "ONNX body", "at least 24 bytes", partition.size);
  }
  const uint32_t version = load_u32(partition.data + 8);
  if (version == kVersion) return read_first(partition);
  if (version == kSecondVersion) return read_second(partition);
  fail(Cause::kUnsupported, partition.offset + 8, "ONNX body version", "1 or 2", version);
}

}  // namespace om
