// SPDX-License-Identifier: Apache-2.0
//
// The exports of aclfake.h that concern the whole device (those about ONNX are with the engine).
#include <algorithm>
#include <cstring>
#include <string>

#include "aclrt/aclfake.h"
#include "fake/admission.h"
#include "fake/checks.h"
#include "fake/context.h"
#include "fake/data_buffer.h"
#include "fake/device.h"
#include "fake/event.h"
#include "fake/exception_info.h"
#include "fake/faults.h"
#include "fake/init_hooks.h"
#include "fake/ledger.h"
#include "fake/ledger_report.h"
#include "fake/memory.h"
#include "fake/messages.h"
#include "fake/state.h"
#include "fake/stream.h"
#include "fake/stream_config.h"
#include "fake/system_options.h"
#include "fake/tensor_desc.h"
#include "fake/thread.h"

namespace aclfake {
namespace {

// How long queued work gets before a reset drops it.
constexpr int64_t kResetPatienceMs = 2000;

// Waits a bounded time for the queues, then ends the context.
void end_context(const std::shared_ptr<Context> &context) {
  context->synchronize(kResetPatienceMs);
  bool idle = true;
  for (const auto &stream : context->streams()) idle = idle && stream->idle();
  context->destroy(idle);
}

void end_devices() {
  const auto list = device_list_if_known();
  if (list == nullptr) return;
  for (const auto &device : list->devices) {
    std::shared_ptr<Context> primary;
    {
      std::lock_guard<std::mutex> lock(device->mutex);
      primary.swap(device->primary);
      device->set_count = 0;
    }
    if (primary != nullptr) end_context(primary);
    free_all(*device);
  }
}

void undo_init() {
  State &process = state();
  std::lock_guard<std::recursive_mutex> lock(process.init_mutex);
  process.init_count = 0;
  process.finalized = false;
  process.config_known = false;
  process.config.clear();
  process.initialised.store(false);
  process.default_device.store(-1);
  process.saturation_mode.store(0);
  process.op_wait_timeout_s.store(0);
}

size_t reset_everything() {
  const size_t live = static_cast<size_t>(ledger::live_objects());
  for (const auto &entry : handles<Context>().all()) {
    if (!entry.second->primary) end_context(entry.second);
  }
  end_devices();
  run_reset_hooks();
  handles<Event>().clear();
  handles<StreamConfig>().clear();
  handles<DataBuffer>().clear();
  handles<TensorDescArray>().clear();
  forget_host_memory();
  forget_hooks();
  process_options().clear();
  forget_devices();
  undo_init();
  set_exception_callback(nullptr);
  messages::set_process_wide(false);
  messages::clear();
  choose_context(nullptr);
  this_thread().chose = false;
  ledger::clear();
  checks::clear();
  mark_used(false);
  faults::clear();
  faults::arm_from_environment();
  return live;
}

// Cut to the buffer; returns the whole length.
size_t give_text(const std::string &text, char *buffer, size_t capacity) {
  if (buffer != nullptr && capacity > 0) {
    const size_t count = std::min(text.size(), capacity - 1);
    std::memcpy(buffer, text.data(), count);
    buffer[count] = '\0';
  }
  return text.size();
}

size_t give_nothing(char *buffer, size_t capacity) {
  if (buffer != nullptr && capacity > 0) buffer[0] = '\0';
  return 0;
}

}  // namespace
}  // namespace aclfake

const char *aclfake_version(void) {
  return ACLRT_VERSION;
}

size_t aclfake_ledger_json(char *buffer, size_t capacity) {
  try {
    return aclfake::give_text(aclfake::ledger::json(), buffer, capacity);
  } catch (...) {
    return aclfake::give_nothing(buffer, capacity);
  }
}

size_t aclfake_ledger_text(char *buffer, size_t capacity) {
  try {
    return aclfake::give_text(aclfake::ledger::text(), buffer, capacity);
  } catch (...) {
    return aclfake::give_nothing(buffer, capacity);
  }
}

size_t aclfake_reset(void) {
  // The threads that it would wait for are not in a child.
  if (aclfake::forked_child()) return 0;
  try {
    return aclfake::reset_everything();
  } catch (...) {
    return 0;
  }
}
