// SPDX-License-Identifier: Apache-2.0
//
// The toy's controls; shim_case.h finds them by dlsym.
#ifndef ACLRT_TESTS_CPP_TOY_H
#define ACLRT_TESTS_CPP_TOY_H

extern "C" {
#pragma GCC visibility push(default)
void toy_fail(const char *name, int nth, int code);  // once, at the nth call from now
int toy_calls(const char *name);
void toy_forget_calls(void);
int toy_live(void);
int toy_inits(void);
int toy_device_users(void);
void toy_execute_ms(int ms);
int toy_overlapped(void);  // 1: two executions ran at once
const char *toy_onnx(void);
#pragma GCC visibility pop
}

#endif
