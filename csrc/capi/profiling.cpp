// SPDX-License-Identifier: Apache-2.0
//
// CANN's own profiler.
#include "core/profiling.h"

#include "capi/guard.h"

struct aclrt_profiling {
  aclrt_profiling(const std::string &directory, std::vector<uint32_t> devices, int32_t metrics,
                  uint64_t data_types)
      : profiling(directory, std::move(devices), metrics, data_types) {}
  aclrt::Profiling profiling;
};

extern "C" {

aclrt_status_t *aclrt_profiling_start(const aclrt_profiling_options_t *options,
                                      aclrt_profiling_t **profiling) {
  return aclrt::capi::guard_session([&] {
    aclrt::capi::require_pointer(options, "options");
    aclrt::capi::require_pointer(profiling, "profiling");
    if (options->struct_size != sizeof *options) {
      throw aclrt::Error(ACLRT_ERROR_INPUT, "aclrt_profiling_options_t has the wrong struct_size",
                         "Set struct_size to sizeof(aclrt_profiling_options_t).");
    }
    aclrt::capi::require_pointer(options->directory, "directory");
    if (options->device_count > 0) aclrt::capi::require_pointer(options->devices, "devices");
    std::vector<uint32_t> devices(options->devices, options->devices + options->device_count);
    *profiling = new aclrt_profiling(options->directory, std::move(devices), options->metrics,
                                     options->data_types);
  });
}

aclrt_status_t *aclrt_profiling_stop(aclrt_profiling_t *profiling) {
  return aclrt::capi::guard_session([&] {
    aclrt::capi::require_pointer(profiling, "profiling");
    profiling->profiling.stop();
  });
}

void aclrt_profiling_release(aclrt_profiling_t *profiling) {
  delete profiling;
}

}  // extern "C"
