// SPDX-License-Identifier: Apache-2.0
//
// What is wrong with a handle, as a check: which of four (used after its end, ended twice, another
// kind's, nobody's) it is follows from the table's answer, the rest from what the table remembers.
#ifndef ACLRT_FAKE_HANDLE_CHECK_H
#define ACLRT_FAKE_HANDLE_CHECK_H

#include <string>

#include "acl/abi.h"
#include "fake/checks.h"
#include "fake/handles.h"
#include "fake/messages.h"

namespace aclfake {

// What the call wanted of the handle.
enum class Want { kUse, kDestroy };

Check handle_check(Kind kind, Miss miss, Want want) noexcept;  // miss: not kNone, not kNull
// "the stream 0x... was destroyed already; it was made by ..., and ended by ..."
std::string handle_text(Kind kind, const void *handle, Miss miss, const Trace &trace);

// For a find() that gave nothing: reports and returns code. NULL is no misuse of an object and has
// no ID. code 0: for functions without a status.
template <class T>
aclError bad_handle(aclError code, const void *handle, Miss miss, Want want = Want::kUse) {
  const Trace trace = miss == Miss::kStale ? handles<T>().trace(handle) : Trace{};
  const std::string text = handle_text(T::kKind, handle, miss, trace);
  if (miss == Miss::kNull && code == ACL_SUCCESS) return complain("%s", text.c_str()), code;
  if (miss == Miss::kNull) return fail(code, "%s", text.c_str());
  return violation(handle_check(T::kKind, miss, want), code, "%s", text.c_str());
}

}  // namespace aclfake

#endif
