// SPDX-License-Identifier: Apache-2.0
#include "fake/entry.h"

#include <stdexcept>

#include "fake/admission.h"
#include "fake/faults.h"

namespace aclfake {
namespace {

thread_local Call current_call = Call::kCount;
thread_local uint64_t current_number = 0;

}  // namespace

CallScope::CallScope(Call call) noexcept
    : outer_(current_call),
      outer_number_(current_number),
      messages_before_(messages::added()),
      watched_(faults::any()) {
  current_call = call;
  current_number = ledger::called(call);
  refusal_ = admit(call);
  if (!watched_ || refused()) return;
  const faults::Verdict verdict = faults::consult(call, current_number);
  (verdict.after ? denial_ : refusal_) = verdict.code;
}

CallScope::~CallScope() {
  current_call = outer_;
  current_number = outer_number_;
}

aclError CallScope::end_watch() noexcept {
  faults::wait_out(faults::take_hang());
  return denial_ != ACL_SUCCESS ? faults::deny(denial_, current_call, current_number) : denial_;
}

aclError CallScope::finish(aclError code) noexcept {
  if (watched_) {
    const aclError denial = end_watch();
    if (denial != ACL_SUCCESS) return denial;
  }
  if (code != ACL_SUCCESS && messages::added() == messages_before_) {
    messages::add(code, messages::code_meaning(code));
  }
  return code;
}

Call CallScope::current() noexcept {
  return current_call;
}

uint64_t CallScope::number() noexcept {
  return current_number;
}

aclError exception_code() noexcept {
  try {
    throw;
  } catch (const std::bad_alloc &) {
    return fail(ACL_ERROR_BAD_ALLOC, "the host is out of memory");
  } catch (const std::exception &error) {
    return fail(ACL_ERROR_INTERNAL_ERROR, "%s", error.what());
  } catch (...) {
    return fail(ACL_ERROR_INTERNAL_ERROR, "unknown exception inside the fake device");
  }
}

}  // namespace aclfake
