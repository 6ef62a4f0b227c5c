// SPDX-License-Identifier: Apache-2.0
//
// Who may call: asked at the start of every function, before its body. Refused are all calls in a
// child of fork() once the parent has used the device (its threads and locks are not in the child),
// except those that read messages; and synchronising inside a callback. No exceptions.
#ifndef ACLRT_FAKE_ADMISSION_H
#define ACLRT_FAKE_ADMISSION_H

#include "acl/abi.h"
#include "fake/ledger.h"

namespace aclfake {

aclError admit(Call call) noexcept;  // 0, or the code with a message

void mark_used(bool used) noexcept;  // from now on a child of fork() is refused (or not)
bool forked_child() noexcept;        // this process is such a child

// Around the client's callback.
class CallbackScope {
 public:
  CallbackScope() noexcept;
  ~CallbackScope();
  CallbackScope(const CallbackScope &) = delete;
  CallbackScope &operator=(const CallbackScope &) = delete;
};

}  // namespace aclfake

#endif
