// SPDX-License-Identifier: Apache-2.0
//
// A piece of the file that knows where in the file it lies, and little-endian numbers out of
// unaligned bytes. Nothing here checks a bound: the callers do, once, before they read.
#ifndef ACLRT_OM_VIEW_H
#define ACLRT_OM_VIEW_H

#include <cstddef>
#include <cstdint>
#include <string>

namespace om {

struct View {
  const uint8_t *data = nullptr;
  size_t size = 0;
  uint64_t offset = 0;  // of data[0], from the start of the file

  View sub(size_t begin, size_t length) const { return {data + begin, length, offset + begin}; }
  std::string text() const { return {reinterpret_cast<const char *>(data), size}; }
};

inline uint32_t load_u32(const uint8_t *p) {
  return static_cast<uint32_t>(p[0]) | static_cast<uint32_t>(p[1]) << 8 |
         static_cast<uint32_t>(p[2]) << 16 | static_cast<uint32_t>(p[3]) << 24;
}

inline uint64_t load_u64(const uint8_t *p) {
  return load_u32(p) | static_cast<uint64_t>(load_u32(p + 4)) << 32;
}

}  // namespace om

#endif
