// SPDX-License-Identifier: Apache-2.0
//
// The frame of every exported function: counts the call, names it for messages, and lets no C++
// exception out (bad_alloc: 200000, anything else: 500000). A failing status always leaves a
// message. The body is a lambda:
//
//   aclError aclrtSetDevice(int32_t deviceId) {
//     return entry(Call::aclrtSetDevice, [&]() -> aclError { ...; return ACL_SUCCESS; });
//   }
//   size_t aclDataTypeSize(aclDataType type) {
//     return value_entry(Call::aclDataTypeSize, size_t{0}, [&] { return ...; });
//   }
//
// Bodies never call an exported function (it would be counted as the client's). Armed faults
// (faults.h) strike here: before the body, which then does not run, or after it.
#ifndef ACLRT_FAKE_ENTRY_H
#define ACLRT_FAKE_ENTRY_H

#include <exception>
#include <new>

#include "acl/abi.h"
#include "fake/ledger.h"
#include "fake/messages.h"

namespace aclfake {

class CallScope {
 public:
  explicit CallScope(Call call) noexcept;
  ~CallScope();
  CallScope(const CallScope &) = delete;
  CallScope &operator=(const CallScope &) = delete;
  // Adds a general message if the call failed without one of its own; returns code.
  aclError finish(aclError code) noexcept;
  // An armed fault forbids the work; its code.
  bool refused() const noexcept { return refusal_ != ACL_SUCCESS; }
  aclError refusal() const noexcept { return refusal_; }
  // At the end of a function without a status: whether an armed fault denies its success.
  bool denied() noexcept { return watched_ && end_watch() != ACL_SUCCESS; }
  static Call current() noexcept;     // of this thread; Call::kCount outside of one
  static uint64_t number() noexcept;  // the how-manieth of its function current() is; 0 outside

 private:
  Call outer_;
  uint64_t outer_number_;
  unsigned messages_before_;
  aclError end_watch() noexcept;

  const bool watched_;  // something was armed when the call began
  aclError refusal_ = ACL_SUCCESS;
  aclError denial_ = ACL_SUCCESS;
};

aclError exception_code() noexcept;  // inside a catch block: code of the exception, message added

template <class Body>
aclError entry(Call call, Body &&body) noexcept {
  CallScope scope(call);
  if (scope.refused()) return scope.refusal();
  try {
    return scope.finish(body());
  } catch (...) {
    return scope.finish(exception_code());
  }
}

template <class Value, class Body>
Value value_entry(Call call, Value neutral, Body &&body) noexcept {
  CallScope scope(call);
  if (scope.refused()) return neutral;
  try {
    const Value value = body();
    return scope.denied() ? neutral : value;
  } catch (...) {
    exception_code();
    return neutral;
  }
}

template <class Body>
void void_entry(Call call, Body &&body) noexcept {
  CallScope scope(call);
  if (scope.refused()) return;
  try {
    body();
    scope.denied();
  } catch (...) {
    exception_code();
  }
}

}  // namespace aclfake

#endif
