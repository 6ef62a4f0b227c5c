// SPDX-License-Identifier: Apache-2.0
#include "core/profiling.h"

#include "core/error.h"
#include "core/runtime.h"

namespace aclrt {

namespace {

// An optional function, or the error that names it.
template <class Pointer>
Pointer need(Pointer acl::Functions::*member) {
  try {
    return acl::api().require(member);
  } catch (const acl::LoadError &failure) {
    throw backend_error(failure);
  }
}

}  // namespace

Profiling::Profiling(const std::string &directory, std::vector<uint32_t> devices, int32_t metrics,
                     uint64_t data_types) {
  Runtime::instance().init(nullptr);
  const auto init = need(&acl::Functions::aclprofInit);
  const auto create = need(&acl::Functions::aclprofCreateConfig);
  const auto start = need(&acl::Functions::aclprofStart);
  need(&acl::Functions::aclprofStop);
  const auto destroy = need(&acl::Functions::aclprofDestroyConfig);
  const auto finalize = need(&acl::Functions::aclprofFinalize);
  check(init(directory.c_str(), directory.size()), "aclprofInit", "cannot begin profiling");
  config_ = create(devices.data(), static_cast<uint32_t>(devices.size()),
                   static_cast<aclprofAicoreMetrics>(metrics), nullptr, data_types);
  if (config_ == nullptr) {
    const std::string detail = recent_message();
    finalize();
    Error error(ACLRT_ERROR_INPUT, "AscendCL takes no such profiling configuration",
                "Name existing devices, each once, and data types that the CANN release knows.");
    error.call = "aclprofCreateConfig";
    error.detail = detail;
    throw error;
  }
  const aclError code = start(config_);
  if (code == ACL_SUCCESS) {
    is_running_ = true;
    return;
  }
  const Error error = acl_error(code, "aclprofStart", "cannot start profiling");
  destroy(config_);
  finalize();
  throw error;
}

Profiling::~Profiling() {
  if (Runtime::is_forked() || Runtime::instance().is_shut_down()) return;
  try {
    stop();
  } catch (...) {
    // A destructor has nobody to tell.
  }
}

void Profiling::stop() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!is_running_) return;
  is_running_ = false;
  const acl::Table &api = acl::api();
  FirstFailure failure;
  failure.add(api.aclprofStop(config_), "aclprofStop", "cannot stop profiling");
  failure.add(api.aclprofDestroyConfig(config_), "aclprofDestroyConfig",
              "cannot destroy the profiling configuration");
  failure.add(api.aclprofFinalize(), "aclprofFinalize", "cannot end profiling");
  failure.throw_if_any();
}

}  // namespace aclrt
