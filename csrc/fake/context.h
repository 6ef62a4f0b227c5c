// SPDX-License-Identifier: Apache-2.0
//
// Contexts and the calling thread's choice among them. A context owns its default stream and lists
// the streams made in it; it dies by aclrtDestroyContext or, if primary, with the last ResetDevice.
#ifndef ACLRT_FAKE_CONTEXT_H
#define ACLRT_FAKE_CONTEXT_H

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "acl/abi.h"
#include "fake/device.h"
#include "fake/handles.h"
#include "fake/system_options.h"

namespace aclfake {

class Stream;
class HostFuncThread;

class Context {
 public:
  static constexpr Kind kKind = Kind::kContext;

  // Makes the context and its default stream and enters both into the tables.
  static std::shared_ptr<Context> create(std::shared_ptr<Device> device, bool primary);

  // Ends it: handles die, then streams are waited for (drain) or dropped. False: was dead already.
  bool destroy(bool drain);

  const std::shared_ptr<Device> device;
  const bool primary;
  void *handle() const noexcept { return handle_; }
  void *default_stream_handle() const noexcept { return default_stream_handle_; }
  const std::shared_ptr<Stream> &default_stream() const noexcept { return default_stream_; }
  bool alive() const noexcept { return alive_.load(std::memory_order_acquire); }

  void add(std::shared_ptr<Stream> stream);
  void drop(const Stream *stream);
  std::vector<std::shared_ptr<Stream>> streams();      // the default stream included
  aclError synchronize(int64_t timeout_ms);            // all streams; < 0: forever
  std::shared_ptr<HostFuncThread> host_func_thread();  // made at first use

  SystemOptions options;
  std::atomic<bool> stop_on_failure{false};  // of every stream, once any of them was told to

  Context(std::shared_ptr<Device> device_, bool primary_);
  ~Context();

 private:
  void *handle_ = nullptr;
  void *default_stream_handle_ = nullptr;
  std::shared_ptr<Stream> default_stream_;
  std::atomic<bool> alive_{true};
  std::mutex mutex_;
  std::vector<std::shared_ptr<Stream>> streams_;
  std::shared_ptr<HostFuncThread> host_func_thread_;
};

// The thread's current context; nullptr if it has none or it has been destroyed. Applies the
// defaultDevice of acl.json to a thread that never chose.
const std::shared_ptr<Context> &current_context();
const std::shared_ptr<Context> &chosen_context();  // the same without defaultDevice
void choose_context(std::shared_ptr<Context> context);

// current_context() or 107002.
aclError need_context(std::shared_ptr<Context> *context);
aclError no_context_here();  // 107002 with the reason

}  // namespace aclfake

#endif
