// SPDX-License-Identifier: Apache-2.0
//
// Memory that was freed lately, so that its misuse can be told from that of memory which never was
// AscendCL's. The last few thousand ranges; a range that is given out again is forgotten.
// Thread-safe.
#ifndef ACLRT_FAKE_FREED_H
#define ACLRT_FAKE_FREED_H

#include <cstdint>

#include "fake/ledger.h"
#include "fake/origin.h"

namespace aclfake {

struct Freed {
  uintptr_t start = 0;
  uint64_t size = 0;
  Kind kind = Kind::kNone;  // kDeviceMemory or kHostMemory
  Origin made;
  Origin ended;
  bool in_use = false;  // work was using it: has been reported
};

void remember_freed(const Freed &range);
void forget_freed(uintptr_t start, uint64_t size);  // all that begins inside
void forget_all_freed();
bool find_freed(const void *ptr, Freed *found);  // the range that holds ptr

}  // namespace aclfake

#endif
