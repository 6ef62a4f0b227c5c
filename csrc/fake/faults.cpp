// SPDX-License-Identifier: Apache-2.0
#include "fake/faults.h"

#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "fake/context.h"
#include "fake/fault_spec.h"
#include "fake/groups.h"
#include "fake/messages.h"
#include "fake/quick.h"
#include "fake/stream.h"

namespace aclfake::faults {
namespace {

// The list of fired sites is short: what comes after these is counted only.
constexpr size_t kMaxFired = 256;
constexpr size_t kMaxArmed = 1024;

struct Fault {
  uint64_t id = 0;
  Call function = Call::kCount;  // kCount: any
  Groups groups = 0;             // 0: any
  std::string group;
  int64_t thread = 0;
  uint64_t nth = 1;
  aclError code = ACL_SUCCESS;
  bool persistent = false;
  bool after = false;
  aclfake_action_t action = ACLFAKE_FAIL;
  int64_t hang_ms = 0;
  uint64_t seen = 0;
  uint64_t fired = 0;
};

struct Fired {
  uint64_t fault;
  Call function;
  uint64_t call;  // of the function
  uint64_t n;     // since arming
  int64_t thread;
  aclError code;
  bool after;
  aclfake_action_t action;
  int64_t hang_ms;
};

struct State {
  std::mutex mutex;
  std::condition_variable changed;  // something was disarmed
  uint64_t next_id = 1;
  uint64_t disarmed = 0;  // how often; ends hangs
  std::vector<Fault> armed;
  std::vector<Fired> fired;
  uint64_t fired_total = 0;
  std::set<std::pair<Call, uint64_t>> denied;
  std::map<int32_t, aclError> lost;
  std::map<int32_t, uint64_t> limits;  // by device; -1: each
  std::string environment_problem;
};

State &state() {
  static State *const instance = new State;
  return *instance;
}

std::atomic<bool> limited{false};
thread_local Hang pending_hang;

void update_alert(const State &all) noexcept {
  alert.store(static_cast<uint32_t>(all.armed.size() + all.lost.size()), std::memory_order_relaxed);
  quick::changed();
}

aclError announce(aclError code) noexcept {
  const char *meaning = messages::code_meaning(code);
  return fail(code, "%s", meaning[0] != '\0' ? meaning : "an armed fault");
}

const char *when(bool after) noexcept {
  return after ? "after" : "before";
}

const char *action_name(aclfake_action_t action) noexcept {
  switch (action) {
    case ACLFAKE_FAIL:
      return "fail";
    case ACLFAKE_LOSE_DEVICE:
      return "lose-device";
    case ACLFAKE_HANG:
      return "hang";
  }
  return "";
}

bool concerns(const Fault &fault, Call call, Groups groups, int64_t thread) noexcept {
  return (fault.function == Call::kCount || fault.function == call) &&
         (fault.groups == 0 || (fault.groups & groups) != 0) &&
         (fault.thread == 0 || fault.thread == thread);
}

bool due(const Fault &fault) noexcept {
  return fault.persistent ? fault.seen >= fault.nth : fault.seen == fault.nth;
}

void note(State &all, Fault &fault, Call call, uint64_t number, int64_t thread) {
  ++fault.fired;
  ++all.fired_total;
  if (all.fired.size() < kMaxFired) {
    all.fired.push_back({fault.id, call, number, fault.seen, thread, fault.code, fault.after,
                         fault.action, fault.hang_ms});
  }
}

// Device of the thread's current context; -1: it has none.
int32_t current_device() {
  const std::shared_ptr<Context> &context = chosen_context();
  return context != nullptr ? context->device->id : -1;
}

Call find_call(const char *name) {
  for (uint16_t index = 0; index < static_cast<uint16_t>(Call::kCount); ++index) {
    if (std::string_view(call_name(static_cast<Call>(index))) == name) {
      return static_cast<Call>(index);
    }
  }
  return Call::kCount;
}

std::string read_fault(const aclfake_fault_t &given, Fault *fault) {
  if (given.struct_size != sizeof given) return "the fault has the wrong struct_size";
  if (given.function != nullptr) {
    fault->function = find_call(given.function);
    if (fault->function == Call::kCount) {
      return std::string("there is no function ") + given.function;
    }
  }
  if (given.group != nullptr) {
    fault->groups = find_group(given.group);
    fault->group = given.group;
    if (fault->groups == 0) {
      return std::string("there is no group ") + given.group + "; there are " + group_names();
    }
    if (given.function != nullptr && (groups_of(fault->function) & fault->groups) == 0) {
      return std::string(given.function) + " is not in the group " + given.group;
    }
  }
  if (given.action < ACLFAKE_FAIL || given.action > ACLFAKE_HANG) {
    return "there is no action " + std::to_string(given.action);
  }
  fault->action = static_cast<aclfake_action_t>(given.action);
  fault->code = given.code;
  if (fault->action == ACLFAKE_FAIL && given.code == ACL_SUCCESS) {
    return "the code that the call reports is missing";
  }
  if (given.code < 0) return "a code is positive";
  if (fault->action == ACLFAKE_LOSE_DEVICE && given.code == ACL_SUCCESS) {
    fault->code = ACL_ERROR_RT_LOST_HEARTBEAT;
  }
  if (fault->action == ACLFAKE_HANG) {
    if (given.hang_ms <= 0) return "the time of a hang (ms) is missing";
    if (given.code != ACL_SUCCESS || given.after != 0) {
      return "a hang reports no code of its own and is neither before nor after";
    }
  } else if (given.hang_ms != 0) {
    return "ms is for hangs";
  }
  if (given.thread < 0) return "a thread is named by its number (gettid)";
  fault->thread = given.thread;
  fault->nth = std::max<uint64_t>(given.nth, 1);
  fault->persistent = given.persistent != 0;
  fault->after = given.after != 0;
  fault->hang_ms = given.hang_ms;
  return "";
}

Verdict consult_armed(Call call, uint64_t number) {
  const int64_t thread = gettid();
  const Groups groups = groups_of(call);
  const int32_t device = current_device();
  Verdict verdict;
  State &all = state();
  std::lock_guard<std::mutex> lock(all.mutex);
  bool decided = false;
  for (auto fault = all.armed.begin(); fault != all.armed.end();) {
    bool used_up = false;
    if (concerns(*fault, call, groups, thread)) {
      ++fault->seen;
      if (!decided && due(*fault)) {
        decided = true;
        note(all, *fault, call, number, thread);
        if (fault->action == ACLFAKE_HANG) {
          pending_hang = {fault->hang_ms, all.disarmed};
        } else {
          verdict = {fault->code, fault->after};
          if (fault->action == ACLFAKE_LOSE_DEVICE && device >= 0) all.lost[device] = fault->code;
        }
      }
      used_up = !fault->persistent && fault->seen >= fault->nth;
    }
    fault = used_up ? all.armed.erase(fault) : fault + 1;
  }
  if (verdict.code == ACL_SUCCESS && is_device_call(call)) {
    const auto lost = all.lost.find(device);
    // What is given back to a lost device is gone all the same.
    if (lost != all.lost.end()) verdict = {lost->second, is_release_call(call)};
  }
  update_alert(all);
  return verdict;
}

}  // namespace

std::atomic<uint32_t> alert{0};

Verdict consult(Call call, uint64_t number) noexcept {
  try {
    pending_hang = {};
    const Verdict verdict = consult_armed(call, number);
    if (verdict.code != ACL_SUCCESS && !verdict.after) announce(verdict.code);
    return verdict;
  } catch (...) {
    return {};
  }
}

aclError deny(aclError code, Call call, uint64_t number) noexcept {
  try {
    State &all = state();
    std::lock_guard<std::mutex> lock(all.mutex);
    all.denied.emplace(call, number);
  } catch (...) {
    // Out of memory: what the call made looks like the client's.
  }
  return announce(code);
}

bool is_denied(Call call, uint64_t number) noexcept {
  State &all = state();
  std::lock_guard<std::mutex> lock(all.mutex);
  return all.denied.count({call, number}) != 0;
}

Hang take_hang() noexcept {
  return std::exchange(pending_hang, Hang());
}

bool wait_out(const Hang &hang, Clock::time_point deadline) noexcept {
  if (hang.ms <= 0) return true;
  const Clock::time_point end = device_now() + std::chrono::milliseconds(hang.ms);
  State &all = state();
  std::unique_lock<std::mutex> lock(all.mutex);
  const bool ended = wait_for_device(
      lock, all.changed, [&] { return all.disarmed != hang.disarmed; }, std::min(end, deadline));
  return ended || end <= deadline;
}

void wait_out(Hang hang, const Stream &stream) noexcept {
  constexpr int64_t kSliceMs = 10;
  State &all = state();
  for (; hang.ms > 0 && !stream.dropped(); hang.ms -= kSliceMs) {
    wait_out({std::min(hang.ms, kSliceMs), hang.disarmed});
    std::lock_guard<std::mutex> lock(all.mutex);
    if (all.disarmed != hang.disarmed) return;
  }
}

aclError lost_code(int32_t device) noexcept {
  if (!any()) return ACL_SUCCESS;
  State &all = state();
  std::lock_guard<std::mutex> lock(all.mutex);
  const auto found = all.lost.find(device);
  return found != all.lost.end() ? found->second : ACL_SUCCESS;
}

void device_reset(int32_t device) noexcept {
  if (!any()) return;
  State &all = state();
  std::lock_guard<std::mutex> lock(all.mutex);
  all.lost.erase(device);
  update_alert(all);
}

void lose_device(int32_t device, aclError code) {
  State &all = state();
  std::lock_guard<std::mutex> lock(all.mutex);
  all.lost[device] = code != ACL_SUCCESS ? code : ACL_ERROR_RT_LOST_HEARTBEAT;
  update_alert(all);
}

uint64_t memory_limit(int32_t device) noexcept {
  if (!limited.load(std::memory_order_relaxed)) return 0;
  State &all = state();
  std::lock_guard<std::mutex> lock(all.mutex);
  for (const int32_t id : {device, -1}) {
    const auto found = all.limits.find(id);
    if (found != all.limits.end()) return found->second;
  }
  return 0;
}

void set_memory_limit(int32_t device, uint64_t bytes) {
  State &all = state();
  std::lock_guard<std::mutex> lock(all.mutex);
  if (bytes == 0) {
    all.limits.erase(device);
  } else {
    all.limits[device] = bytes;
  }
  limited.store(!all.limits.empty(), std::memory_order_relaxed);
}

uint64_t arm(const aclfake_fault_t &given, std::string *problem) {
  Fault fault;
  *problem = read_fault(given, &fault);
  if (!problem->empty()) return 0;
  State &all = state();
  std::lock_guard<std::mutex> lock(all.mutex);
  if (all.armed.size() >= kMaxArmed) {
    *problem = "too many faults are armed";
    return 0;
  }
  fault.id = all.next_id++;
  all.armed.push_back(std::move(fault));
  update_alert(all);
  return all.armed.back().id;
}

size_t disarm(uint64_t id) noexcept {
  State &all = state();
  size_t count = 0;
  {
    std::lock_guard<std::mutex> lock(all.mutex);
    const size_t before = all.armed.size();
    all.armed.erase(std::remove_if(all.armed.begin(), all.armed.end(),
                                   [&](const Fault &fault) { return id == 0 || fault.id == id; }),
                    all.armed.end());
    count = before - all.armed.size();
    ++all.disarmed;
    all.changed.notify_all();
    update_alert(all);
  }
  notify_device();
  return count;
}

void clear() noexcept {
  disarm(0);
  State &all = state();
  std::lock_guard<std::mutex> lock(all.mutex);
  all.fired.clear();
  all.fired_total = 0;
  all.denied.clear();
  all.lost.clear();
  all.limits.clear();
  limited.store(false, std::memory_order_relaxed);
  update_alert(all);
}

void arm_from_environment() noexcept {
  try {
    std::string problem;
    std::vector<FaultSpec> specs;
    const char *text = std::getenv("ACLRT_FAKE_FAULTS");
    if (text != nullptr) problem = parse_faults(text, &specs);
    for (size_t index = 0; index < specs.size() && problem.empty(); ++index) {
      if (arm(specs[index].resolved(), &problem) == 0) {
        problem = "fault " + std::to_string(index + 1) + ": " + problem;
      }
    }
    if (!problem.empty()) {
      problem = "ACLRT_FAKE_FAULTS: " + problem;
      disarm(0);
    }
    const char *limit = std::getenv("ACLRT_FAKE_MEMORY_LIMIT");
    if (limit != nullptr && limit[0] != '\0' && problem.empty()) {
      uint64_t bytes = 0;
      problem = parse_number(limit, &bytes);
      if (problem.empty()) {
        set_memory_limit(-1, bytes);
      } else {
        problem = "ACLRT_FAKE_MEMORY_LIMIT: \"" + std::string(limit) + "\" " + problem;
      }
    }
    std::lock_guard<std::mutex> lock(state().mutex);
    state().environment_problem = std::move(problem);
  } catch (...) {
    std::fprintf(stderr, "aclrt fake device: cannot read ACLRT_FAKE_FAULTS\n");
  }
}

aclError check_environment() {
  std::string problem;
  {
    std::lock_guard<std::mutex> lock(state().mutex);
    problem = state().environment_problem;
  }
  return problem.empty() ? ACL_SUCCESS : fail(ACL_ERROR_INVALID_PARAM, "%s", problem.c_str());
}

namespace {

const bool armed_at_loading = [] {
  arm_from_environment();
  return true;
}();

void write_armed(om::JsonWriter &json, const Fault &fault) {
  json.begin_object();
  json.field("fault", fault.id);
  json.field("function", call_name(fault.function)).field("group", fault.group);
  json.field("thread", fault.thread).field("nth", fault.nth).field("code", fault.code);
  json.field("mode", fault.persistent ? "persistent" : "transient");
  json.field("when", when(fault.after)).field("action", action_name(fault.action));
  json.field("ms", fault.hang_ms).field("seen", fault.seen).field("fired", fault.fired);
  json.end_object();
}

void write_fired(om::JsonWriter &json, const Fired &site) {
  json.begin_object();
  json.field("fault", site.fault).field("function", call_name(site.function));
  json.field("call", site.call).field("n", site.n).field("thread", site.thread);
  json.field("code", site.code).field("when", when(site.after));
  json.field("action", action_name(site.action)).field("ms", site.hang_ms);
  json.end_object();
}

}  // namespace

void write_json(om::JsonWriter &json) {
  State &all = state();
  std::lock_guard<std::mutex> lock(all.mutex);
  json.key("armed").begin_array();
  for (const Fault &fault : all.armed) write_armed(json, fault);
  json.end_array();
  json.key("fired").begin_array();
  for (const Fired &site : all.fired) write_fired(json, site);
  json.end_array();
  json.field("fired_total", all.fired_total);
  json.key("lost_devices").begin_array();
  for (const auto &[device, code] : all.lost) {
    json.begin_object().field("device", device).field("code", code).end_object();
  }
  json.end_array();
  json.key("memory_limits").begin_array();
  for (const auto &[device, bytes] : all.limits) {
    json.begin_object().field("device", device).field("bytes", bytes).end_object();
  }
  json.end_array();
}

std::string text() {
  State &all = state();
  std::lock_guard<std::mutex> lock(all.mutex);
  std::string lines;
  for (const Fired &site : all.fired) {
    lines += "  " + std::string(action_name(site.action)) + " " + when(site.after) + " " +
             call_name(site.function) + ", call " + std::to_string(site.call) + ", code " +
             std::to_string(site.code) + ", thread " + std::to_string(site.thread) + "\n";
  }
  if (all.fired_total > all.fired.size()) {
    lines += "  and " + std::to_string(all.fired_total - all.fired.size()) + " more\n";
  }
  return lines;
}

}  // namespace aclfake::faults
