// SPDX-License-Identifier: Apache-2.0
//
// What every exported function passes through: no exception crosses into C, every failure becomes a
// status, and running out of memory needs no memory to say so.
#ifndef ACLRT_CAPI_GUARD_H
#define ACLRT_CAPI_GUARD_H

#include "aclrt/aclrt.h"
#include "core/error.h"
#include "core/runtime.h"

namespace aclrt::capi {

// The exception in flight as a status. Never throws; a static status stands for bad_alloc.
aclrt_status_t *current_exception_status() noexcept;

// For functions that touch no device: usable before, beside and after the runtime.
template <class Body>
aclrt_status_t *guard(Body &&body) noexcept {
  try {
    body();
    return nullptr;
  } catch (...) {
    return current_exception_status();
  }
}

// For functions that open or ask something: refused after a fork or a shutdown, which they hold up.
template <class Body>
aclrt_status_t *guard_session(Body &&body) noexcept {
  return guard([&] {
    const Runtime::Session session;
    body();
  });
}

// For calls on an open object, which has a lock and a state of its own: refused after a fork.
template <class Body>
aclrt_status_t *guard_object(Body &&body) noexcept {
  return guard([&] {
    Runtime::refuse_fork();
    body();
  });
}

[[noreturn]] void refuse_null(const char *name);
inline void require_pointer(const void *pointer, const char *name) {
  if (pointer == nullptr) refuse_null(name);
}

inline const char *or_empty(const char *text) noexcept {
  return text != nullptr ? text : "";
}

// A copy that aclrt_string_release gives back.
char *new_string(const std::string &text);

}  // namespace aclrt::capi

#endif
