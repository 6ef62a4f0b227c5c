// SPDX-License-Identifier: Apache-2.0
//
// The runtime.
#include "core/runtime.h"

#include "capi/guard.h"

#ifndef ACLRT_VERSION
#error "ACLRT_VERSION comes from the file VERSION, by way of CMake"
#endif

namespace {

aclrt::RuntimeOptions read_options(const aclrt_runtime_options_t *options) {
  aclrt::RuntimeOptions result;
  if (options == nullptr) return result;
  if (options->struct_size != sizeof *options) {
    throw aclrt::Error(ACLRT_ERROR_INPUT, "aclrt_runtime_options_t has the wrong struct_size",
                       "Set struct_size to sizeof(aclrt_runtime_options_t).");
  }
  using aclrt::capi::or_empty;
  result.backend = or_empty(options->backend);
  result.library = or_empty(options->library);
  result.prefixes = or_empty(options->prefixes);
  result.onnxruntime = or_empty(options->onnxruntime);
  result.acl_config = or_empty(options->acl_config);
  return result;
}

}  // namespace

extern "C" {

aclrt_status_t *aclrt_runtime_init(const aclrt_runtime_options_t *options) {
  return aclrt::capi::guard_session([&] {
    const aclrt::RuntimeOptions wanted = read_options(options);
    aclrt::Runtime::instance().init(&wanted);
  });
}

aclrt_status_t *aclrt_runtime_load(const aclrt_runtime_options_t *options, int32_t *is_default) {
  return aclrt::capi::guard_session([&] {
    const aclrt::RuntimeOptions wanted = read_options(options);
    aclrt::Runtime &runtime = aclrt::Runtime::instance();
    runtime.load(&wanted);
    if (is_default != nullptr) *is_default = runtime.is_default();
  });
}

aclrt_status_t *aclrt_runtime_info(aclrt_runtime_info_t *info) {
  return aclrt::capi::guard_session([&] {
    aclrt::capi::require_pointer(info, "info");
    aclrt::Runtime &runtime = aclrt::Runtime::instance();
    runtime.init(nullptr);
    const aclrt::RuntimeInfo &known = runtime.info();
    *info = {
        known.backend.c_str(),  known.library.c_str(),
        known.reason.c_str(),   known.trail.c_str(),
        known.soc_name.c_str(), known.is_default,
        known.is_adopted,       {known.acl_version[0], known.acl_version[1], known.acl_version[2]},
        known.device_count};
  });
}

aclrt_status_t *aclrt_runtime_search(const aclrt_runtime_options_t *options, char **trail) {
  return aclrt::capi::guard([&] {
    aclrt::capi::require_pointer(trail, "trail");
    aclrt::acl::Request request = aclrt::search_request(read_options(options));
    request.ask_loader = false;
    const aclrt::acl::Found found = aclrt::acl::search(request);
    std::string text = found.trail;
    if (!found.refusal.empty()) text += "refused: " + found.refusal + "\n";
    *trail = aclrt::capi::new_string(text);
  });
}

void aclrt_runtime_shutdown(void) {
  aclrt::Runtime::instance().shutdown();
}

const char *aclrt_version(void) {
  return ACLRT_VERSION;
}

}  // extern "C"
