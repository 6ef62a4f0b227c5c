// SPDX-License-Identifier: Apache-2.0
//
// State of the process: initialisation and the options of acl.json. Leaked on purpose, as all state
// of the fake is: nothing here may be destroyed while a thread of the client still runs at exit.
//
// How a function of the fake is written:
//   - It stands in an abi_*.cpp file as `entry(Call::name, [&]() -> aclError {...})` (entry.h) and
//     holds only what its contract says: tests in the contract's order, then one call to the
//     object.
//   - A failing test is `return fail(code, "what was given, what was expected")` (messages.h).
//     The text need not name the function, that is added.
//   - Handles come in through handles<T>().find(handle, &miss) and go out through insert(); the
//     result of find() keeps the object alive while it is used. Null first (100000), then find.
//   - The context: `current_context()` (context.h) is the thread's or null; `need_context(&ctx)`
//     gives 107002. Streams: `need_stream(handle, &stream)` (stream.h) does the whole set of rules.
//   - Device memory is touched through `pin_device(ptr, size)` (memory.h) alone: the addresses that
//     clients hold are not mapped for reading or writing.
//   - Work for a stream is a Task; it resolves addresses when it runs, not when it is queued.
//   - Lock order: init mutex, device, context, stream, memory; none is held while client code runs.
#ifndef ACLRT_FAKE_STATE_H
#define ACLRT_FAKE_STATE_H

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>

#include "acl/abi.h"

namespace aclfake {

struct State {
  std::recursive_mutex init_mutex;  // guards what follows up to the atomics
  uint64_t init_count = 0;
  bool finalized = false;
  bool config_known = false;
  std::string config;  // content of the first config that initialised successfully

  std::atomic<bool> initialised{false};
  std::atomic<int32_t> default_device{-1};  // acl.json; -1: none
  std::atomic<int32_t> saturation_mode{0};
  std::atomic<uint32_t> op_wait_timeout_s{0};
};

State &state();

inline bool initialised() {
  return state().initialised.load(std::memory_order_acquire);
}

aclError need_initialised();     // 0 or 145001; for what needs the model module
void warn_unless_initialised();  // for what a card tolerates before aclInit

aclError initialise(const char *config_path);  // aclInit
aclError finalise();                           // aclFinalize
aclError finalise_reference(uint64_t *count);  // aclFinalizeReference; count may be nullptr

// Runs in aclfake_reset before the objects of the runtime half are destroyed: drop what the hook's
// owner keeps and return how many of the client's objects that were. Call it from a static
// initialiser: `static const bool registered = at_reset(drop_models);`
using ResetHook = size_t (*)();
bool at_reset(ResetHook hook);
size_t run_reset_hooks();  // the sum of what they returned

}  // namespace aclfake

#endif
