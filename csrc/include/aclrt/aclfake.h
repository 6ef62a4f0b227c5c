// SPDX-License-Identifier: Apache-2.0
//
// Control of the fake device: the only functions that its libascendcl.so exports beside AscendCL's.
// A program that has these symbols runs on the fake. All may be called at any time, from any
// thread, before aclInit too.
#ifndef ACLRT_ACLFAKE_H
#define ACLRT_ACLFAKE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

// The version of aclrt it was built with; static storage.
const char *aclfake_version(void);

// Writes the ledger as NUL-terminated JSON into buffer (capacity bytes, cut if too small) and
// returns the length that it needs, the NUL not counted. Schema: docs/fake.md.
size_t aclfake_ledger_json(char *buffer, size_t capacity);

// Puts the device back to the state after loading: waits for queued work, destroys every object,
// clears counters, messages and faults, undoes aclInit. Returns the objects that were still live.
size_t aclfake_reset(void);

// Which libonnxruntime runs the models. Without it: $ACLRT_FAKE_ONNXRUNTIME, an installed
// onnxruntime beside this package or in $VIRTUAL_ENV, the loader's own search path. NULL: unset.
void aclfake_set_onnxruntime(const char *path);

// The ONNX file that stands in for the body of the next .om that this thread loads (for files
// compiled by the real ATC, which have none). NULL: unset. $ACLRT_FAKE_ONNX is the same for all.
void aclfake_set_onnx_for_next_load(const char *path);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
