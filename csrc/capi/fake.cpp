// SPDX-License-Identifier: Apache-2.0
//
// The fake device's ledger and reset, through the library in use.
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

}  // namespace

extern "C" {

aclrt_status_t *aclrt_fake_ledger(char **json) {
  return aclrt::capi::guard_session([&] {
    aclrt::capi::require_pointer(json, "json");
    fake_runtime();
    const auto write = aclrt::acl::api().fake.ledger_json;
    std::string text;
    // Other threads may make the ledger longer between two calls.
    for (size_t needed = write(nullptr, 0) + 1; text.size() < needed;) {
      text.resize(needed + 256);
      needed = write(text.data(), text.size()) + 1;
    }
    text.resize(text.find('\0'));
    *json = aclrt::capi::new_string(text);
  });
}

aclrt_status_t *aclrt_fake_reset(void) {
  return aclrt::capi::guard_session([] { fake_runtime().reset_fake(); });
}

}  // extern "C"
