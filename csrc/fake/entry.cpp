// SPDX-License-Identifier: Apache-2.0
#include "fake/entry.h"

#include <stdexcept>

namespace aclfake {
namespace {

thread_local Call current_call = Call::kCount;

}  // namespace

CallScope::CallScope(Call call) noexcept
    : outer_(current_call), messages_before_(messages::added()) {
  current_call = call;
  ledger::called(call);
}

CallScope::~CallScope() {
  current_call = outer_;
}

aclError CallScope::finish(aclError code) noexcept {
  if (code != ACL_SUCCESS && messages::added() == messages_before_) {
    messages::add(code, messages::code_meaning(code));
  }
  return code;
}

Call CallScope::current() noexcept {
  return current_call;
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
