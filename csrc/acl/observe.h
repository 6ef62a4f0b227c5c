// SPDX-License-Identifier: Apache-2.0
//
// Watching AscendCL's calls from below the shim, so that it works on a card too. While somebody
// observes, api() gives a table of generated wrappers, one for each row of functions.def, which
// tell what was called, with what, when and with what result; otherwise it is the library's own
// table, and observing costs nothing.
//
// Threads  An observer is called on the thread that calls AscendCL, on several at once. It may call
//          AscendCL itself through direct(). No lock is held while AscendCL runs.
#ifndef ACLRT_ACL_OBSERVE_H
#define ACLRT_ACL_OBSERVE_H

#include <cstddef>
#include <cstdint>

#include "acl/loader.h"

namespace aclrt::acl {

struct Call {
  size_t function = 0;                  // row of functions.def, as for function_info
  const uint64_t *arguments = nullptr;  // in order: pointers, numbers and enums; a float's bits
  size_t argument_count = 0;
  uint64_t result = 0;   // in after(): the code, handle or number; 0 for none
  int64_t begin_ns = 0;  // as now_ns()
  int64_t end_ns = 0;
};

class Observer {
 public:
  virtual ~Observer() = default;
  virtual void before(const Call &call) noexcept = 0;
  // Also for a call whose before() came before this observer did: begin_ns tells.
  virtual void after(const Call &call) noexcept = 0;
};

// May come before a library is loaded. Throws std::bad_alloc alone.
void observe(Observer *observer);
// When it returns, no thread is inside the observer, and none will be.
void unobserve(Observer *observer) noexcept;

// Nanoseconds of the clock that calls are stamped with: the steady one, or the fake's, which is
// another where it is virtual.
int64_t now_ns(bool *is_virtual = nullptr) noexcept;

}  // namespace aclrt::acl

#endif
