// SPDX-License-Identifier: Apache-2.0
//
// aclAppLog, and the reasons of failed builds: to stdout or to a file, as the ASCEND_* variables
// say (contract 20 and 21.1).
#ifndef ACLRT_FAKE_LOG_H
#define ACLRT_FAKE_LOG_H

#include <cstdarg>
#include <cstdint>

#include "acl/abi.h"

namespace aclfake {

void write_log(aclLogLevel level, const char *function, const char *file, uint32_t line,
               const char *format, va_list arguments) __attribute__((format(printf, 5, 0)));

// One line of level ERROR, as CANN's own parts write them.
void log_error(const char *part, const char *text);

}  // namespace aclfake

#endif
