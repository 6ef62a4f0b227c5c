// SPDX-License-Identifier: Apache-2.0
//
// Armed faults: which calls fail, hang or lose their device, and the list of those that did.
// CallScope (entry.h) asks before each call; while nothing is armed that costs one relaxed load.
// Thread-safe; one lock, under which nothing of the rest of the fake is called.
#ifndef ACLRT_FAKE_FAULTS_H
#define ACLRT_FAKE_FAULTS_H

#include <atomic>
#include <cstdint>
#include <string>

#include "acl/abi.h"
#include "aclrt/aclfake.h"
#include "fake/clock.h"
#include "fake/ledger.h"
#include "om/json_writer.h"

namespace aclfake {

class Stream;

namespace faults {

// Armed faults and lost devices.
extern std::atomic<uint32_t> alert;
inline bool any() noexcept {
  return alert.load(std::memory_order_relaxed) != 0;
}

// What is to happen to a call.
struct Verdict {
  aclError code = ACL_SUCCESS;  // 0: nothing
  bool after = false;           // it does its work first
};

// Counts the call (number: of its function) for every armed fault. Adds a message if it shall fail
// before its work.
Verdict consult(Call call, uint64_t number) noexcept;
// The failure after the work: adds the message. What the call made is nobody's from now on.
aclError deny(aclError code, Call call, uint64_t number) noexcept;
bool is_denied(Call call, uint64_t number) noexcept;

// ---- what a hang is made of ----
struct Hang {
  int64_t ms = 0;         // 0: none
  uint64_t disarmed = 0;  // how often there was disarming when the fault struck: any more ends it
};
// consult() leaves the time that the thread's current call shall take longer; the first of these
// takes it: a queued task (Stream::push), a synchronise, else the end of the call.
Hang take_hang() noexcept;
// Waits that long, but not beyond the deadline; false: the deadline came first. Disarming ends it.
bool wait_out(const Hang &hang, Clock::time_point deadline = Clock::time_point::max()) noexcept;
// For a task: dropping its stream ends it too.
void wait_out(Hang hang, const Stream &stream) noexcept;

// ---- devices ----
aclError lost_code(int32_t device) noexcept;  // 0: it is not lost
void lose_device(int32_t device, aclError code);
void device_reset(int32_t device) noexcept;      // brings it back
uint64_t memory_limit(int32_t device) noexcept;  // 0: none
void set_memory_limit(int32_t device, uint64_t bytes);

// ---- arming ----
// The number of the new fault; 0 and *problem if it makes no sense.
uint64_t arm(const aclfake_fault_t &fault, std::string *problem);
size_t disarm(uint64_t id) noexcept;
// $ACLRT_FAKE_FAULTS and $ACLRT_FAKE_MEMORY_LIMIT; run at loading and after a reset.
void arm_from_environment() noexcept;
// 0, or 100000 and a message if they make no sense; aclInit asks.
aclError check_environment();
void clear() noexcept;

void write_json(om::JsonWriter &json);  // the fields of "faults" in the ledger
std::string text();                     // a line for each that fired; "" if none

}  // namespace faults
}  // namespace aclfake

#endif
