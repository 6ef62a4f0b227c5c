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

// Makes a simulated .om of an ONNX model, as `aclrt convert` does, with fixed shapes. name: the
// model's; input_shape: "x:1,3,224,224;y:1,10" for inputs whose shape the model leaves open, else
// NULL. 0 and the file in *om, *om_nbytes long, which aclfake_free ends; or 100000 (an argument is
// NULL) or 500002 (it cannot be built), and aclGetRecentErrMsg says why. om NULL: looks only
// whether the bytes are an ONNX model at all.
int32_t aclfake_convert(const void *onnx, size_t nbytes, const char *name, const char *input_shape,
                        void **om, size_t *om_nbytes);
void aclfake_free(void *om);

// Adds a message to those that aclGetRecentErrMsg gives to this thread, and to the log: for
// libraries beside this one.
void aclfake_add_message(const char *text);

// The ledger as a table for people, by the rules of aclfake_ledger_json.
size_t aclfake_ledger_text(char *buffer, size_t capacity);

// ---- faults -------------------------------------------------------------------------------------

typedef enum aclfake_action {
  ACLFAKE_FAIL = 0,         // the call reports `code`
  ACLFAKE_LOSE_DEVICE = 1,  // so do all later calls on the thread's device, until it is reset
  ACLFAKE_HANG = 2          // the call, or the work that it queues, takes `hang_ms` longer
} aclfake_action_t;

// A fault to come. Zero-initialise, set struct_size, then what differs: zeros are "any" and
// "first".
typedef struct aclfake_fault {
  size_t struct_size;
  const char *function;  // only calls of this function; NULL: any
  const char *group;     // only calls of this group (docs/fake.md lists them); NULL: any
  int64_t thread;        // only calls by this thread (gettid); 0: any
  uint64_t nth;          // the nth of these calls, counted from arming; 0 is 1
  int32_t code;          // what it reports; LOSE_DEVICE: 0 is 507010; HANG: not used
  int32_t persistent;    // 1: also all of these calls after the nth; 0: once
  int32_t after;         // 1: the call does its work and then reports failure; 0: it does nothing
  int32_t action;        // aclfake_action_t
  int64_t hang_ms;
} aclfake_fault_t;

// Arms a fault and returns its number, never 0. 0: refused, aclGetRecentErrMsg says why.
// Several may be armed; all count, the one armed first decides.
uint64_t aclfake_fault_arm(const aclfake_fault_t *fault);
// Number 0: all. What has fired stays in the ledger. Returns how many were armed.
size_t aclfake_fault_disarm(uint64_t fault);
// Disarms all, forgets what has fired, brings lost devices back, lifts memory limits.
void aclfake_faults_clear(void);

// Loses a device at once: work that is queued and calls on it give `code` (0: 507010) until
// aclrtResetDevice brings its count to 0. 0, or 107001.
int32_t aclfake_lose_device(int32_t device, int32_t code);
// Bytes that may be allocated on a device (-1: each); beyond them 207001. 0: what the board has.
void aclfake_set_memory_limit(int32_t device, uint64_t bytes);

// ---- misuse checks (docs/checks.md)
// --------------------------------------------------------------

typedef enum aclfake_checks {
  ACLFAKE_CHECKS_ERROR = 0,  // code, recent error message and ledger
  ACLFAKE_CHECKS_WARN = 1,   // also a line on stderr
  ACLFAKE_CHECKS_ABORT = 2   // a line on stderr, then abort()
} aclfake_checks_t;

// What a check does besides returning its code. Without it: $ACLRT_FAKE_CHECKS (error, warn,
// abort), else error. Returns the mode before, -1 if mode is unknown.
int32_t aclfake_set_checks(int32_t mode);
// How often the check with this ID ("ACLFAKE-MEM-03") has fired since the last reset; NULL: all.
uint64_t aclfake_check_count(const char *id);
// Every check as a JSON array of {id, severity, code, title, remedy}, by the rules of
// aclfake_ledger_json.
size_t aclfake_check_table_json(char *buffer, size_t capacity);

// ---- time ---------------------------------------------------------------------------------------

// The board in use, or the one that would be: the profile with what the environment changes in it,
// by the rules of aclfake_ledger_json. "" if it makes no sense (aclInit says why).
size_t aclfake_profile_json(char *buffer, size_t capacity);

// What the deterministic scheduler has done since the devices came to be; no entries without
// $ACLRT_FAKE_SEED. By the same rules; aclfake_reset clears it.
size_t aclfake_trace_json(char *buffer, size_t capacity);

// The device's clock: nanoseconds, of the machine's steady clock (0 is returned) or, with
// $ACLRT_FAKE_SEED, of the scheduler's virtual one (1).
int32_t aclfake_clock(int64_t *now_ns);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
