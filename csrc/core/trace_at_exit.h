// SPDX-License-Identifier: Apache-2.0
//
// ACLRT_TRACE: a trace of the whole process, written when it exits, whatever the program.
#ifndef ACLRT_CORE_TRACE_AT_EXIT_H
#define ACLRT_CORE_TRACE_AT_EXIT_H

namespace aclrt {

// Where ACLRT_TRACE is set, starts the trace that is written at exit; otherwise does nothing. Once
// a process, when the library is installed. Throws Error of kind IO if the file cannot be written.
void trace_if_asked();

}  // namespace aclrt

#endif
