// SPDX-License-Identifier: Apache-2.0
//
// Where an object was made or ended: the function, the how-manieth call of it, the thread. Handle
// tables, memory blocks and models keep one per object, for reports (checks.h) and the ledger.
#ifndef ACLRT_FAKE_ORIGIN_H
#define ACLRT_FAKE_ORIGIN_H

#include <cstdint>
#include <string>

#include "fake/ledger.h"

namespace aclfake {

struct Origin {
  Call call = Call::kCount;  // kCount: not by a call of the client (a stream's worker, a reset)
  uint64_t number = 0;       // the first call of that function is 1
  int64_t thread = 0;        // as gettid gives it

  explicit operator bool() const noexcept { return thread != 0; }
};

Origin here() noexcept;  // the call that this thread is in
int64_t thread_number() noexcept;

// "aclrtMalloc (call 3 of it, thread 4711)"; "the device" where no call is known.
std::string origin_text(const Origin &origin);

}  // namespace aclfake

#endif
