// SPDX-License-Identifier: Apache-2.0
//
// Do two buffers share a byte?
#ifndef ACLRT_CORE_OVERLAP_H
#define ACLRT_CORE_OVERLAP_H

#include <cstdint>

#include "aclrt/aclrt.h"

namespace aclrt {

inline bool overlap(const aclrt_buffer_t &a, const aclrt_buffer_t &b) noexcept {
  if (a.nbytes == 0 || b.nbytes == 0) return false;
  const uintptr_t a_begin = reinterpret_cast<uintptr_t>(a.data);
  const uintptr_t b_begin = reinterpret_cast<uintptr_t>(b.data);
  // By differences: begin + nbytes may wrap around for numbers made up by a caller.
  return a_begin <= b_begin ? b_begin - a_begin < a.nbytes : a_begin - b_begin < b.nbytes;
}

}  // namespace aclrt

#endif
