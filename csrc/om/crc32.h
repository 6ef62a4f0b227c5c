// SPDX-License-Identifier: Apache-2.0
//
// CRC-32 as zlib, PNG and Python's zlib.crc32 compute it.
#ifndef ACLRT_OM_CRC32_H
#define ACLRT_OM_CRC32_H

#include <cstddef>
#include <cstdint>

namespace om {

uint32_t crc32(const uint8_t *data, size_t size) noexcept;

}  // namespace om

#endif
