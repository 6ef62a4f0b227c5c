// SPDX-License-Identifier: Apache-2.0
//
// Error messages as aclGetRecentErrMsg gives them: newest first, per thread (or per process with
// err_msg_mode "1"), and the last runtime error of the thread. Any thread; allocation failures are
// swallowed (the code still reaches the caller).
#ifndef ACLRT_FAKE_MESSAGES_H
#define ACLRT_FAKE_MESSAGES_H

#include <string>

#include "acl/abi.h"

namespace aclfake {

// Adds a message about the current call and returns code: `return fail(code, "...", ...)`.
aclError fail(aclError code, const char *format, ...) noexcept
    __attribute__((format(printf, 2, 3)));

// For getters, which have no status: adds a message, nothing more.
void complain(const char *format, ...) noexcept __attribute__((format(printf, 1, 2)));

namespace messages {

void add(aclError code, const char *text) noexcept;  // code 0: no code
// A message that a stream's worker composed.
void add_text(aclError code, const std::string &text) noexcept;
const char *take() noexcept;              // text for aclGetRecentErrMsg; nullptr if none
unsigned added() noexcept;                // how many this thread has added so far
void set_process_wide(bool on) noexcept;  // err_msg_mode
void clear() noexcept;                    // of all threads

aclError last_error(bool clear) noexcept;
const char *code_name(aclError code) noexcept;     // "ACL_ERROR_INVALID_PARAM", "unknown code"
const char *code_meaning(aclError code) noexcept;  // "" if unknown

}  // namespace messages
}  // namespace aclfake

#endif
