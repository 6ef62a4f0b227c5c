// SPDX-License-Identifier: Apache-2.0
//
// Finds and opens libonnxruntime and fills the table of its functions. A path that somebody named
// (aclfake_set_onnxruntime, $ACLRT_FAKE_ONNXRUNTIME) is the only one tried: no silent fallback.
#include "fake/ort_api.h"

#include <dlfcn.h>
#include <glob.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include "fake/engine.h"

namespace aclfake {
namespace {

constexpr const char *kPathVariable = "ACLRT_FAKE_ONNXRUNTIME";

struct Settings {
  std::mutex mutex;
  std::string path;
};

Settings &settings() {
  static Settings *const instance = new Settings;
  return *instance;
}

const char *environment(const char *name) {
  const char *value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : nullptr;
}

// Newest name first, so that of several versions the last in the alphabet is tried first.
std::vector<std::string> expand(const std::string &pattern) {
  std::vector<std::string> paths;
  glob_t found{};
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  globfree(&found);
  std::reverse(paths.begin(), paths.end());
  return paths;
}

std::string own_directory() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void *>(&own_directory), &info) == 0) return {};
  const std::string path = info.dli_fname;
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

// Shared: somebody is inside the library. Exclusive, for good: the process is exiting.
std::shared_timed_mutex &gate() {
  static std::shared_timed_mutex *const instance = new std::shared_timed_mutex;
  return *instance;
}

// Never opened again. Where a run takes longer than this, exiting goes on without it.
void close_gate() {
  constexpr std::chrono::seconds kPatience(5);
  static_cast<void>(gate().try_lock_for(kPatience));
}

class Search {
 public:
  void *open(const std::string &path, const char *why) {
    void *handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
      const char *error = dlerror();
      note(path, why, error != nullptr ? error : "cannot be opened");
    } else {
      path_ = path;
    }
    return handle;
  }

  void *open_any(const std::string &pattern, const char *why) {
    const std::vector<std::string> paths = expand(pattern);
    if (paths.empty()) note(pattern, why, "no such file");
    for (const std::string &path : paths) {
      if (void *handle = open(path, why)) return handle;
    }
    return nullptr;
  }

  void note(const std::string &path, const char *why, const char *result) {
    tried_ += "\n  " + path + " (" + why + "): " + result;
  }

  [[noreturn]] void fail() const {
    throw EngineError(
        "ONNX Runtime was not found; the fake device runs models with it. Looked at:" + tried_ +
        "\nRemedy: pip install onnxruntime, or set " + kPathVariable +
        " to the path of libonnxruntime.so");
  }

  const std::string &path() const { return path_; }

 private:
  std::string tried_;
  std::string path_;
};

void *open_library(Search &search, const std::string &chosen) {
  if (!chosen.empty()) return search.open(chosen, "aclfake_set_onnxruntime");
  if (const char *path = environment(kPathVariable)) return search.open(path, kPathVariable);
  const std::string own = own_directory();
  if (!own.empty()) {
    const std::string beside = own + "/../../../onnxruntime/capi/libonnxruntime.so*";
    if (void *handle = search.open_any(beside, "installed beside aclrt")) return handle;
  }
  if (const char *root = environment("VIRTUAL_ENV")) {
    const std::string inside =
        std::string(root) + "/lib/python3*/site-packages/onnxruntime/capi/libonnxruntime.so*";
    if (void *handle = search.open_any(inside, "VIRTUAL_ENV")) return handle;
  }
  return search.open("libonnxruntime.so.1", "the loader's search path");
}

struct ApiBase {
  const void *(*get_api)(uint32_t version);
  const char *(*get_version)();
};

template <class Function>
void fill(Function *target, const void *slots, size_t position) {
  *target = static_cast<const Function *>(slots)[position];
}

std::unique_ptr<ort::Library> load(const std::string &chosen) {
  // ONNX Runtime 1.32 reports usage to its maker from a thread of its own, at whose end a forked
  // child hangs in exit(). A variable that the user has set stays as it is.
  setenv("ORT_DISABLE_TELEMETRY", "1", 0);
  Search search;
  void *handle = open_library(search, chosen);
  if (handle == nullptr) search.fail();
  using GetBase = const ApiBase *(*)();
  const auto get_base = reinterpret_cast<GetBase>(dlsym(handle, "OrtGetApiBase"));
  if (get_base == nullptr) {
    search.note(search.path(), "opened", "has no OrtGetApiBase");
    search.fail();
  }
  const ApiBase *base = get_base();
  const void *slots = base->get_api(ort::kApiVersion);
  if (slots == nullptr) {
    search.note(search.path(), base->get_version(), "does not offer version 11 of its API");
    search.fail();
  }
  auto result = std::make_unique<ort::Library>();
#define ACLFAKE_ORT_FILL(position, type, name, parameters) fill(&result->name, slots, position);
  ACLFAKE_ORT_FUNCTIONS(ACLFAKE_ORT_FILL)
#undef ACLFAKE_ORT_FILL
  result->path = search.path();
  result->version = base->get_version();
  result->check(result->CreateEnv(ort::kSeverityFatal, "aclrt", &result->env));
  result->check(
      result->CreateCpuMemoryInfo(ort::kDeviceAllocator, ort::kMemoryDefault, &result->memory));
  result->check(result->GetAllocatorWithDefaultOptions(&result->allocator));
  // Registered after the library's own static objects were made, so it runs before they end.
  std::atexit(close_gate);
  return result;
}

}  // namespace

void set_onnxruntime_path(const char *path) {
  std::lock_guard<std::mutex> lock(settings().mutex);
  settings().path = path != nullptr ? path : "";
}

namespace ort {

void Library::check(Status *status) const {
  if (status == nullptr) return;
  const std::string text = GetErrorMessage(status);
  ReleaseStatus(status);
  throw EngineError("ONNX Runtime " + version + ": " + text);
}

Use::Use() : granted_(gate().try_lock_shared()) {}

Use::~Use() {
  if (granted_) gate().unlock_shared();
}

RequiredUse::RequiredUse() {
  if (!*this) throw EngineError("the process is exiting; models cannot be run any more");
}

const Library &library() {
  static std::atomic<const Library *> opened{nullptr};
  if (const Library *ready = opened.load(std::memory_order_acquire)) return *ready;
  std::lock_guard<std::mutex> lock(settings().mutex);
  if (opened.load(std::memory_order_relaxed) == nullptr) {
    opened.store(load(settings().path).release(), std::memory_order_release);
  }
  return *opened.load(std::memory_order_relaxed);
}

}  // namespace ort
}  // namespace aclfake
