// SPDX-License-Identifier: Apache-2.0
//
// Loading, initialising, adopting and finalising AscendCL.
#include "core/runtime.h"

#include <pthread.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "core/record.h"
#include "core/trace_at_exit.h"

namespace aclrt {

namespace {

Error closed_error() {
  return Error(ACLRT_ERROR_CLOSED, "the runtime was shut down",
               "aclrt_runtime_shutdown ends all use in this process; it runs at exit by itself.");
}

Error forked_error() {
  return Error(
      ACLRT_ERROR_FORKED,
      "this process is a fork of one that had initialised AscendCL, which a child cannot use",
      "Start workers by spawn or forkserver, or fork before the first use.");
}

acl::Backend parse_backend(const std::string &name, const char *source) {
  if (name.empty() || name == "auto") return acl::Backend::kAuto;
  if (name == "npu") return acl::Backend::kNpu;
  if (name == "fake") return acl::Backend::kFake;
  throw Error(ACLRT_ERROR_BACKEND,
              std::string(source) + " is \"" + name + "\"; it must be auto, npu or fake");
}

acl::Backend wanted_backend(const RuntimeOptions &options) {
  if (!options.backend.empty()) return parse_backend(options.backend, "the backend");
  const char *value = getenv("ACLRT_BACKEND");
  return parse_backend(value != nullptr ? value : "", "ACLRT_BACKEND");
}

bool same_file(const std::string &a, const std::string &b) {
  struct stat one{}, other{};
  return stat(a.c_str(), &one) == 0 && stat(b.c_str(), &other) == 0 && one.st_dev == other.st_dev &&
         one.st_ino == other.st_ino;
}

}  // namespace

acl::Request search_request(const RuntimeOptions &options) {
  acl::Request request;
  request.backend = wanted_backend(options);
  request.library = options.library;
  request.prefixes = options.prefixes;
  return request;
}

Runtime &Runtime::instance() {
  static Runtime *runtime = new Runtime;
  return *runtime;
}

Runtime::Runtime() {
  // In the child only atomics are touched: a lock may be held by a thread that no longer exists.
  pthread_atfork(nullptr, nullptr, [] {
    if (touched_.load()) forked_.store(true);
  });
}

void Runtime::refuse_fork() {
  if (is_forked()) throw forked_error();
}

Runtime::Session::Session() {
  refuse_fork();
  Runtime &runtime = instance();
  lock_ = std::shared_lock<std::shared_mutex>(runtime.sessions_);
  if (runtime.is_shut_down()) throw closed_error();
}

void Runtime::load(const RuntimeOptions *options) {
  if (options == nullptr && started_.load(std::memory_order_acquire)) return;
  std::lock_guard<std::mutex> lock(init_);
  load_locked(options);
}

void Runtime::init(const RuntimeOptions *options) {
  if (options == nullptr && started_.load(std::memory_order_acquire)) return;
  std::lock_guard<std::mutex> lock(init_);
  load_locked(options);
  if (options != nullptr && started_ && !options->acl_config.empty() &&
      options->acl_config != options_.acl_config) {
    throw Error(ACLRT_ERROR_BACKEND,
                "AscendCL is already initialised " +
                    (options_.acl_config.empty() ? std::string("without a configuration file")
                                                 : "with " + options_.acl_config) +
                    ", not with " + options->acl_config,
                "Give acl_config before anything else uses the device.");
  }
  if (started_) return;
  if (options != nullptr && !options->acl_config.empty()) options_.acl_config = options->acl_config;
  start_locked();
}

void Runtime::load_locked(const RuntimeOptions *options) {
  const RuntimeOptions none;
  const RuntimeOptions &wanted = options != nullptr ? *options : none;
  if (loaded_) {
    refuse_conflict(wanted);
    use_onnxruntime(wanted.onnxruntime);
    return;
  }
  const acl::Request request = search_request(wanted);
  touched_ = true;
  acl::Found found = acl::search(request);
  if (found.path.empty()) {
    touched_ = false;
    Error error(ACLRT_ERROR_BACKEND, found.refusal, found.hint);
    error.detail = found.detail.empty() ? found.trail : found.detail + "\n" + found.trail;
    if (!error.detail.empty() && error.detail.back() == '\n') error.detail.pop_back();
    throw error;
  }
  std::unique_ptr<const acl::Table> table;
  try {
    table = acl::load(found.path);
  } catch (const acl::LoadError &failure) {
    throw backend_error(failure);
  }
  record_if_asked(*table);
  options_ = wanted;
  options_.acl_config.clear();  // until aclInit has taken one
  found.is_fake = table->is_fake();
  found.path = table->path;
  found_ = std::move(found);
  acl::install(std::move(table));
  loaded_ = true;
  trace_if_asked();
  use_onnxruntime(wanted.onnxruntime);
}

void Runtime::refuse_conflict(const RuntimeOptions &options) const {
  const char *in_use = found_.is_fake ? "fake" : "npu";
  if (!options.backend.empty()) {
    const acl::Backend wanted = parse_backend(options.backend, "the backend");
    if (wanted != acl::Backend::kAuto && (wanted == acl::Backend::kFake) != found_.is_fake) {
      throw Error(ACLRT_ERROR_BACKEND,
                  "the backend in use is " + std::string(in_use) + ", not " + options.backend,
                  "One process has one backend, chosen at the first use; start a new process.");
    }
  }
  if (!options.library.empty() && !same_file(options.library, found_.path)) {
    throw Error(ACLRT_ERROR_BACKEND,
                "the library in use is " + found_.path + ", not " + options.library,
                "One process has one libascendcl, chosen at the first use; start a new process.");
  }
}

void Runtime::use_onnxruntime(const std::string &path) {
  if (path.empty() || !found_.is_fake || path == onnxruntime_) return;
  if (!onnxruntime_.empty()) {
    throw Error(ACLRT_ERROR_BACKEND,
                "the fake device uses " + onnxruntime_ + " already, not " + path,
                "Name one ONNX Runtime per process.");
  }
  acl::api().fake.set_onnxruntime(path.c_str());
  onnxruntime_ = path;
}

void Runtime::start_locked() {
  const acl::Table &api = acl::api();
  const char *config = options_.acl_config.empty() ? nullptr : options_.acl_config.c_str();
  const aclError code = api.aclInit(config);
  if (code != ACL_SUCCESS && code != ACL_ERROR_REPEAT_INITIALIZE) {
    Error error = acl_error(code, "aclInit", "cannot initialise AscendCL of " + found_.path);
    options_.acl_config.clear();
    if (error.kind == ACLRT_ERROR_BACKEND) error.message += " (" + found_.reason + ")";
    throw error;
  }
  is_adopted_ = code == ACL_ERROR_REPEAT_INITIALIZE;
  devices_.set_owned(!is_adopted_);
  if (!has_exit_handler_) {
    // Registered after the library was loaded, hence run before its own exit handlers.
    std::atexit([] { instance().shut_down(true); });
    has_exit_handler_ = true;
  }
  started_.store(true, std::memory_order_release);
}

bool RuntimeInfo::operator==(const RuntimeInfo &other) const noexcept {
  return backend == other.backend && library == other.library && reason == other.reason &&
         trail == other.trail && soc_name == other.soc_name && is_default == other.is_default &&
         is_adopted == other.is_adopted && device_count == other.device_count &&
         std::equal(acl_version, acl_version + 3, other.acl_version);
}

const RuntimeInfo &Runtime::info() {
  std::lock_guard<std::mutex> lock(init_);
  if (is_info_complete_) return infos_.back();
  const acl::Table &api = acl::api();
  RuntimeInfo info;
  info.backend = found_.is_fake ? "fake" : "npu";
  info.library = found_.path;
  info.reason = found_.reason;
  info.trail = found_.trail;
  info.is_default = found_.is_default;
  info.is_adopted = is_adopted_;
  const char *soc = api.aclrtGetSocName();
  info.soc_name = soc != nullptr ? soc : "";
  int32_t *version = info.acl_version;
  const bool has_version =
      api.aclrtGetVersion != nullptr &&
      api.aclrtGetVersion(&version[0], &version[1], &version[2]) == ACL_SUCCESS;
  if (!has_version) std::fill(version, version + 3, -1);
  // The count is not written where there is no usable device: it stays 0.
  const aclError counted = api.aclrtGetDeviceCount(&info.device_count);
  if (counted != ACL_ERROR_RT_NO_DEVICE) {
    check(counted, "aclrtGetDeviceCount", "cannot count the devices");
  }
  // What could not be told may be told the next time.
  is_info_complete_ = soc != nullptr && (has_version || api.aclrtGetVersion == nullptr);
  if (infos_.empty() || !(infos_.back() == info)) infos_.push_back(std::move(info));
  return infos_.back();
}

void Runtime::add(const std::shared_ptr<Closeable> &object) {
  std::lock_guard<std::mutex> lock(open_mutex_);
  open_.insert({object.get(), object});
}

void Runtime::remove(const Closeable *object) noexcept {
  std::lock_guard<std::mutex> lock(open_mutex_);
  open_.erase({object, {}});
}

void Runtime::reset_fake() {
  std::lock_guard<std::mutex> lock(init_);
  const uint32_t users = devices_.user_count();
  if (users > 0) {
    throw Error(ACLRT_ERROR_INPUT,
                "the fake device cannot be reset: " + std::to_string(users) +
                    (users == 1 ? " model or device is open" : " models or devices are open"),
                "Close them first.");
  }
  acl::api().fake.reset();
  started_ = false;
  is_adopted_ = false;
  is_info_complete_ = false;
}

void Runtime::shut_down(bool is_exit) noexcept {
  if (is_forked()) return;
  try {
    std::unique_lock<std::shared_mutex> sessions(sessions_);
    if (is_finalised_) return;
    std::vector<std::shared_ptr<Closeable>> open;
    bool has_survivors = false;
    {
      std::lock_guard<std::mutex> lock(open_mutex_);
      for (const Entry &entry : open_) {
        auto object = entry.object.lock();
        if (!object) continue;
        if (object->outlives_shutdown() && !is_exit) {
          has_survivors = true;
        } else {
          open.push_back(std::move(object));
        }
      }
    }
    for (const auto &object : open) {
      try {
        object->close();
      } catch (...) {
        // Nobody is left to hear of it; the next object must still be closed.
      }
    }
    shut_down_.store(true, std::memory_order_release);
    if (!started_ || has_survivors) return;
    is_finalised_ = true;
    const acl::Table &api = acl::api();
    // By count where the library counts, because others may use AscendCL besides us.
    if (api.aclFinalizeReference != nullptr) {
      api.aclFinalizeReference(nullptr);
    } else if (!is_adopted_) {
      api.aclFinalize();
    }
  } catch (...) {
    // A lock that fails at exit leaves everything to the operating system.
  }
}

}  // namespace aclrt
