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
constexpr uint32_t kVersion = 1;

}  // namespace

Bytes read_payload(View partition) {
  if (partition.size < kMagicSize || std::memcmp(partition.data, kMagic, kMagicSize) != 0) {
    return {};
  }
  if (partition.size < kHeadSize) {
    fail(Cause::kBody, partition.offset, "ONNX body", "at least 24 bytes", partition.size);
  }
  const uint32_t version = load_u32(partition.data + 8);
  if (version != kVersion) {
    fail(Cause::kUnsupported, partition.offset + 8, "ONNX body version", "1", version);
  }
  const View onnx = partition.sub(kHeadSize, partition.size - kHeadSize);
  const uint64_t length = load_u64(partition.data + 16);
  if (length != onnx.size) {
    fail(Cause::kBody, partition.offset + 16, "ONNX body length",
         std::to_string(onnx.size) + " (the partition's size less its head)", length);
  }
  const uint32_t stated = load_u32(partition.data + 12);
  const uint32_t computed = crc32(onnx.data, onnx.size);
  if (stated != computed) {
    fail(Cause::kBody, partition.offset + 12, "ONNX body CRC-32",
         std::to_string(computed) + " (of the bytes that are there)", stated);
  }
  return {onnx.data, onnx.size};
}

}  // namespace om
