// SPDX-License-Identifier: Apache-2.0
//
// The process's one runtime: which library is loaded, whether AscendCL is initialised and by whom,
// what is open. Leaked on purpose, so that handles released late still find it; AscendCL is
// finalised by shutdown() alone, which runs from atexit at the latest.
//
// Threads  Everything may be called from any thread. A Session is held by each call that opens or
//          asks something, so that shutdown waits for it; runs are kept out by their model's lock.
// Fork     A child of the process that began to initialise may use nothing: is_forked().
#ifndef ACLRT_CORE_RUNTIME_H
#define ACLRT_CORE_RUNTIME_H

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <string>

#include "acl/search.h"
#include "core/device.h"
#include "core/error.h"

namespace aclrt {

// Something that shutdown has to close.
class Closeable {
 public:
  virtual ~Closeable() = default;
  virtual void close() = 0;
  // Pointers to it may be anywhere: only the exit handler closes it.
  virtual bool outlives_shutdown() const noexcept { return false; }
};

struct RuntimeOptions {
  std::string backend;  // "" : $ACLRT_BACKEND, else auto
  std::string library;
  std::string prefixes;
  std::string onnxruntime;
  std::string acl_config;
};

struct RuntimeInfo {
  std::string backend, library, reason, trail, soc_name;
  bool is_default = false;
  bool is_adopted = false;
  int32_t acl_version[3] = {-1, -1, -1};
  uint32_t device_count = 0;

  bool operator==(const RuntimeInfo &other) const noexcept;
};

// What the options and the environment ask of the search.
acl::Request search_request(const RuntimeOptions &options);

class Runtime {
 public:
  static Runtime &instance();

  // Finds and loads the library. options may be nullptr: whatever is in use is right.
  void load(const RuntimeOptions *options);
  // load(), then aclInit.
  void init(const RuntimeOptions *options);
  bool is_fake() const noexcept { return acl::api().is_fake(); }
  // After load(): the fake, because nothing was asked for and nothing else was found.
  bool is_default() const noexcept { return found_.is_default; }
  // Valid for the life of the process.
  const RuntimeInfo &info();

  // Finalises AscendCL, unless something outlives it: then that is left to the exit handler.
  void shutdown() noexcept { shut_down(false); }
  static bool is_forked() noexcept { return forked_.load(std::memory_order_relaxed); }
  static void refuse_fork();  // throws FORKED
  bool is_shut_down() const noexcept { return shut_down_.load(std::memory_order_acquire); }

  Devices &devices() noexcept { return devices_; }

  // From the end of its construction until it is closed or gone.
  void add(const std::shared_ptr<Closeable> &object);
  void remove(const Closeable *object) noexcept;

  // The fake's reset; AscendCL is initialised again at the next use.
  void reset_fake();

  // Keeps shutdown waiting. Throws FORKED or CLOSED.
  class Session {
   public:
    Session();

   private:
    std::shared_lock<std::shared_mutex> lock_;
  };

 private:
  Runtime();
  void shut_down(bool is_exit) noexcept;
  void load_locked(const RuntimeOptions *options);
  void refuse_conflict(const RuntimeOptions &options) const;
  void start_locked();
  void use_onnxruntime(const std::string &path);

  std::shared_mutex sessions_;
  std::mutex init_;
  acl::Found found_;
  RuntimeOptions options_;
  std::string onnxruntime_;
  std::atomic<bool> started_{false};
  // Static, so that the handler in a child needs no object.
  static inline std::atomic<bool> touched_{false};  // a library may be loaded
  static inline std::atomic<bool> forked_{false};   // and this is a child of that process
  std::atomic<bool> shut_down_{false};
  bool is_finalised_ = false;
  bool loaded_ = false;
  bool is_adopted_ = false;
  bool has_exit_handler_ = false;
  std::deque<RuntimeInfo> infos_;  // all that were ever given out: pointers into them are around
  bool is_info_complete_ = false;

  Devices devices_;

  struct Entry {
    const Closeable *key;
    std::weak_ptr<Closeable> object;
    bool operator<(const Entry &other) const { return key < other.key; }
  };
  std::mutex open_mutex_;
  std::set<Entry> open_;
};

}  // namespace aclrt

#endif
