// SPDX-License-Identifier: Apache-2.0
//
// The fake device's ledger, reset and faults, through the library in use.
#include "capi/guard.h"

namespace {

// The library is loaded for the answer, but AscendCL is not initialised: asking leaves no trace.
aclrt::Runtime &fake_runtime() {
  aclrt::Runtime &runtime = aclrt::Runtime::instance();
  runtime.load(nullptr);
  if (!runtime.is_fake()) {
    throw aclrt::Error(ACLRT_ERROR_BACKEND,
                       "the backend in use is " + aclrt::acl::api().path + ", not the fake device",
                       "Set ACLRT_BACKEND=fake.");
  }
  return runtime;
}

using WriteLedger = decltype(&::aclfake_ledger_json);

aclrt_status_t *give_ledger(char **target, const char *name,
                            WriteLedger aclrt::acl::FakeFunctions::*member) {
  return aclrt::capi::guard_session([&] {
    aclrt::capi::require_pointer(target, name);
    fake_runtime();
    const WriteLedger write = aclrt::acl::api().fake.*member;
    std::string text;
    // Other threads may make the ledger longer between two calls.
    for (size_t needed = write(nullptr, 0) + 1; text.size() < needed;) {
      text.resize(needed + 256);
      needed = write(text.data(), text.size()) + 1;
    }
    text.resize(text.find('\0'));
    *target = aclrt::capi::new_string(text);
  });
}

aclfake_fault_t foreign(const aclrt_fake_fault_t &fault) {
  aclfake_fault_t result{};
  result.struct_size = sizeof result;
  result.function = fault.function;
  result.group = fault.group;
  result.thread = fault.thread;
  result.nth = fault.nth;
  result.code = fault.code;
  result.persistent = fault.persistent;
  result.after = fault.after;
  result.action = fault.action;
  result.hang_ms = fault.hang_ms;
  return result;
}

}  // namespace

extern "C" {

aclrt_status_t *aclrt_fake_ledger(char **json) {
  return give_ledger(json, "json", &aclrt::acl::FakeFunctions::ledger_json);
}

aclrt_status_t *aclrt_fake_ledger_text(char **text) {
  return give_ledger(text, "text", &aclrt::acl::FakeFunctions::ledger_text);
}

aclrt_status_t *aclrt_fake_profile(char **json) {
  return give_ledger(json, "json", &aclrt::acl::FakeFunctions::profile_json);
}

aclrt_status_t *aclrt_fake_trace(char **json) {
  return give_ledger(json, "json", &aclrt::acl::FakeFunctions::trace_json);
}

aclrt_status_t *aclrt_fake_check_table(char **json) {
  return give_ledger(json, "json", &aclrt::acl::FakeFunctions::check_table_json);
}

aclrt_status_t *aclrt_fake_set_checks(int32_t mode, int32_t *before) {
  return aclrt::capi::guard_session([&] {
    aclrt::capi::require_pointer(before, "before");
    fake_runtime();
    const int32_t old = aclrt::acl::api().fake.set_checks(mode);
    if (old < 0) throw aclrt::Error(ACLRT_ERROR_INPUT, "the mode of the checks is 0, 1 or 2");
    *before = old;
  });
}

aclrt_status_t *aclrt_fake_fault_arm(const aclrt_fake_fault_t *fault, uint64_t *number) {
  return aclrt::capi::guard_session([&] {
    aclrt::capi::require_pointer(fault, "fault");
    aclrt::capi::require_pointer(number, "number");
    if (fault->struct_size != sizeof *fault) {
      throw aclrt::Error(ACLRT_ERROR_INPUT, "aclrt_fake_fault_t has the wrong struct_size",
                         "Set struct_size to sizeof(aclrt_fake_fault_t).");
    }
    fake_runtime();
    const aclfake_fault_t armed = foreign(*fault);
    *number = aclrt::acl::api().fake.fault_arm(&armed);
    if (*number != 0) return;
    aclrt::Error refused(ACLRT_ERROR_INPUT, "the fault cannot be armed");
    refused.detail = aclrt::recent_message();
    throw refused;
  });
}

aclrt_status_t *aclrt_fake_fault_disarm(uint64_t number) {
  return aclrt::capi::guard_session([&] {
    fake_runtime();
    aclrt::acl::api().fake.fault_disarm(number);
  });
}

aclrt_status_t *aclrt_fake_faults_clear(void) {
  return aclrt::capi::guard_session([] {
    fake_runtime();
    aclrt::acl::api().fake.faults_clear();
  });
}

aclrt_status_t *aclrt_fake_lose_device(int32_t device_id, int32_t code) {
  return aclrt::capi::guard_session([&] {
    fake_runtime();
    aclrt::check(aclrt::acl::api().fake.lose_device(device_id, code), "aclfake_lose_device",
                 "cannot lose the device");
  });
}

aclrt_status_t *aclrt_fake_set_memory_limit(int32_t device_id, uint64_t nbytes) {
  return aclrt::capi::guard_session([&] {
    fake_runtime();
    aclrt::acl::api().fake.set_memory_limit(device_id, nbytes);
  });
}

aclrt_status_t *aclrt_fake_reset(void) {
  return aclrt::capi::guard_session([] { fake_runtime().reset_fake(); });
}

}  // extern "C"
