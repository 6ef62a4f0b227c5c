// SPDX-License-Identifier: Apache-2.0
//
// The short way of the four calls that clients make for every inference. What the long way found
// out about its arguments (which memory, which model, that nothing was wrong) is remembered per
// thread and holds while one epoch stands; whatever could make it wrong raises that epoch, after
// it has happened. The short way does what the long one would do and answers 0, or does nothing and
// says no: then the long way judges. So it reports nothing, and is closed wherever a call means
// more than its work: armed faults, lost devices, virtual time, callbacks, children of fork(),
// boards on which things take time.
#ifndef ACLRT_FAKE_QUICK_H
#define ACLRT_FAKE_QUICK_H

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "acl/abi.h"
#include "fake/ledger.h"

namespace aclfake {

class Context;

namespace quick {

// ---- for the four functions: true if the call is done ----
bool copy(void *dst, size_t capacity, const void *src, size_t count, aclrtMemcpyKind kind) noexcept;
bool execute(uint32_t model, const void *input, const void *output) noexcept;
bool current_context(aclrtContext *context) noexcept;
bool set_context(aclrtContext context) noexcept;

// ---- for their long ways ----
// What to remember by; 0: nothing, as things are. Ask before looking at anything.
uint64_t epoch() noexcept;
// A copy of plain bytes that was done without a remark.
void remember_copy(uint64_t epoch, const void *dst, const void *src, aclrtMemcpyKind kind);
// An execution that computed nothing, without a remark. running: the model's, true while it is
// being executed.
void remember_execution(uint64_t epoch, uint32_t model, const void *input, const void *output,
                        std::shared_ptr<std::atomic<bool>> running);
void remember_context(uint64_t epoch, const std::shared_ptr<Context> &context);

// ---- for everybody else ----
// Something was freed, ended, changed, armed: what anybody remembers holds no more. Call it when
// that can be seen already.
void changed() noexcept;
// Whether a short copy of another thread is inside this device memory. Those that began before the
// memory was taken out of the books and changed() was called are seen; no others begin.
bool touching(uintptr_t start, uint64_t size) noexcept;
void wait_until_left(uintptr_t start, uint64_t size) noexcept;
// This thread's current context from now on; the caller owns it.
void chose(const Context *context) noexcept;
void thread_ends() noexcept;
void in_callback(int more) noexcept;  // +1, -1
// Calls that went the short way, of all threads; 0 for functions without one.
uint64_t calls(Call call) noexcept;
void forget_calls() noexcept;

}  // namespace quick
}  // namespace aclfake

#endif
