// SPDX-License-Identifier: Apache-2.0
//
// Streams: a queue of tasks each, worked off in order by a thread of its own that starts with the
// first task. Errors of tasks wait for the next synchronise. Thread-safe.
#ifndef ACLRT_FAKE_STREAM_H
#define ACLRT_FAKE_STREAM_H

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "acl/abi.h"
#include "fake/clock.h"
#include "fake/context.h"
#include "fake/device.h"
#include "fake/handles.h"

namespace aclfake {

class Stream;

// A piece of work. run() is called on the stream's thread when its turn comes; it resolves
// addresses then and returns a 5070xx code (or 0). What it throws counts as 507000. It may block
// only in Stream::wait, so that a stream can be dropped.
struct Task {
  const char *what;  // "copy", "model execute": for messages; static storage
  std::function<aclError(Stream &)> run;
};

class Stream : public std::enable_shared_from_this<Stream> {
 public:
  static constexpr Kind kKind = Kind::kStream;

  Stream(std::shared_ptr<Device> device_, std::weak_ptr<Context> context_, uint32_t priority_,
         uint32_t flags_);
  ~Stream();

  const std::shared_ptr<Device> device;
  const std::weak_ptr<Context> context;
  const uint32_t priority;
  const uint32_t flags;
  const int32_t id;
  void *handle = nullptr;  // set once, before anybody else knows the stream

  // PERSISTENT, CPU_SCHEDULE and DEVICE_USE_ONLY streams: synchronise and query return at once.
  bool never_waits() const noexcept;

  // Queues a task. 107017 if the stream is being ended, 207005 if it cannot get a thread.
  aclError push(Task task);

  // Waits until everything queued before the call is done; timeout_ms < 0: forever. Gives the first
  // error of a task since the last synchronise (and forgets it), or 507046.
  aclError synchronize(int64_t timeout_ms);
  aclError synchronize_until(Clock::time_point deadline);
  bool idle();

  // Blocks a task until ready() under `mutex`; false when the stream is dropped or at the deadline.
  template <class Ready>
  bool wait(std::unique_lock<std::mutex> &lock, std::condition_variable &changed, Ready ready,
            Clock::time_point deadline = Clock::time_point::max());
  bool dropped() const noexcept { return dropped_.load(std::memory_order_acquire); }

  // Ends it: drain = after the queued work, else at once (running task is not waited for).
  void shutdown(bool drain);
  // aclrtStreamAbort: drops what is queued, waits for the running task.
  void abort();
  // False: from stop back to continue, which is refused.
  bool set_failure_mode(bool stop);

  // Callbacks (callback.h): which family the stream is bound to.
  enum class Binding { kNone, kReport, kHostFunc };
  std::mutex binding_mutex;
  Binding binding = Binding::kNone;
  uint64_t report_thread = 0;

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> queue_;
  uint64_t pushed_ = 0;
  uint64_t done_ = 0;
  aclError error_ = ACL_SUCCESS;
  std::string error_text_;
  bool stop_on_failure_ = false;
  bool ending_ = false;
  std::atomic<bool> dropped_{false};
  bool running_ = false;         // a task
  bool worker_running_ = false;  // the thread
  std::thread worker_;
};

template <class Ready>
bool Stream::wait(std::unique_lock<std::mutex> &lock, std::condition_variable &changed, Ready ready,
                  Clock::time_point deadline) {
  // Sliced, so that a drop is seen although it does not know what the task waits for.
  constexpr std::chrono::milliseconds kSlice(10);
  while (!ready()) {
    const Clock::time_point now = Clock::now();
    if (dropped() || now >= deadline) return false;
    changed.wait_until(lock, std::min(deadline, now + kSlice));
  }
  return true;
}

// The stream that a handle names, with the rules of enqueueing: stale or wrong handle 107017, no
// context 107002, foreign context 107003; NULL is the default stream.
aclError need_stream(aclrtStream handle, std::shared_ptr<Stream> *stream);
// Its two halves, for functions with tests in between: find_stream gives 107017 (and nullptr for
// the NULL handle), enter_stream puts in the default stream and gives 107002, 107003.
aclError find_stream(aclrtStream handle, std::shared_ptr<Stream> *stream);
aclError enter_stream(std::shared_ptr<Stream> *stream);
// The same without the test of the context (synchronise, query, subscribe).
aclError need_any_stream(aclrtStream handle, std::shared_ptr<Stream> *stream);

aclError create_stream(uint32_t priority, uint32_t flags, aclrtStream *stream);
aclError destroy_stream(aclrtStream stream, bool drain);

}  // namespace aclfake

#endif
