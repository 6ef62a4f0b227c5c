// SPDX-License-Identifier: Apache-2.0
//
// Streams: a queue of tasks each, worked off in order by a thread of its own that starts with the
// first task, or by the deterministic scheduler. Errors of tasks wait for the next synchronise.
// Thread-safe.
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
#include "fake/device_engine.h"
#include "fake/faults.h"
#include "fake/handle_check.h"
#include "fake/handles.h"
#include "fake/scheduler.h"

namespace aclfake {

class Stream;

// A piece of work. When its turn comes, start() is called, then the engine is taken (in virtual
// time, or what ready() says is waited for), then run() is called; it resolves addresses then. Both
// return a 5070xx code (or 0), what they throw counts as 507000, and a failing start() is the end
// of it. They may block only in Stream::wait, so that a stream can be dropped.
struct Task {
  const char *what;  // "copy", "model execute": for messages; static storage
  std::function<aclError(Stream &)> run;
  Cost cost{};
  std::function<aclError(Stream &)> start{};
  // What run() waits for; a virtual clock does that waiting, so that run() finds it met or expired.
  std::function<bool()> ready{};
  int64_t timeout_ms = -1;     // of that wait
  bool external = false;       // it ends when a function of the client has returned
  Clock::time_point queued{};  // set by push()
  faults::Hang hang{};         // of an armed fault, set by push(): it takes so much longer
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
  // The same wait without the error, which is left for the next synchronise.
  void finish();
  bool idle();

  // Blocks a task until ready() under `mutex`; false when the stream is dropped or
  // aborted, or at the deadline.
  template <class Ready>
  bool wait(std::unique_lock<std::mutex> &lock, std::condition_variable &changed, Ready ready,
            Clock::time_point deadline = Clock::time_point::max());
  bool dropped() const noexcept { return dropped_.load(std::memory_order_acquire); }
  // Dropped or being aborted: what a task waits for does not matter any more.
  bool interrupted() const noexcept {
    return dropped() || aborting_.load(std::memory_order_acquire);
  }

  // Ends it: drain = after the queued work, else at once (running task is not waited for).
  void shutdown(bool drain);
  // aclrtStreamAbort: drops what is queued, waits for the running task.
  void abort();
  // False: from stop back to continue, which is refused.
  bool set_failure_mode(bool stop);

  // How far the device has come with this stream, on its own timeline. Within a task alone.
  Clock::time_point time() const noexcept;
  void advance(Clock::time_point when) noexcept { time_ = std::max(time_, when); }

  // What whoever works the queue off does, in this order: the stream's thread, or the scheduler.
  bool peek(Cost *cost);                                // false: nothing can begin
  bool has_external();                                  // a function of the client is queued
  bool take(Task *task, uint64_t *number, bool *skip);  // false: nothing is queued
  aclError call(const std::function<aclError(Stream &)> &function, const char *what,
                std::string *text) noexcept;
  void complete(Task task, uint64_t number, aclError code, std::string text);

  // Callbacks (callback.h): which family the stream is bound to.
  enum class Binding { kNone, kReport, kHostFunc };
  std::mutex binding_mutex;
  Binding binding = Binding::kNone;
  uint64_t report_thread = 0;

 private:
  void work();
  aclError run_in_real_time(Task &task, std::string *text);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> queue_;
  uint64_t pushed_ = 0;
  uint64_t done_ = 0;
  aclError error_ = ACL_SUCCESS;
  std::string error_text_;
  bool stop_on_failure_ = false;
  bool ending_ = false;
  bool scheduled_ = false;  // the deterministic scheduler knows this stream
  std::atomic<bool> dropped_{false};
  std::atomic<bool> aborting_{false};
  Clock::time_point time_{};     // of whoever works the queue off
  bool running_ = false;         // a task
  bool worker_running_ = false;  // the thread
  std::thread worker_;
};

template <class Ready>
bool Stream::wait(std::unique_lock<std::mutex> &lock, std::condition_variable &changed, Ready ready,
                  Clock::time_point deadline) {
  // Sliced, so that a drop is seen although it does not know what the task waits for.
  constexpr std::chrono::milliseconds kSlice(10);
  if (scheduler() != nullptr) return ready();  // it has waited
  while (!ready()) {
    const Clock::time_point now = Clock::now();
    if (interrupted() || now >= deadline) return false;
    changed.wait_until(lock, std::min(deadline, now + kSlice));
  }
  return true;
}

// The stream that a handle names, with the rules of enqueueing: stale or wrong handle 107017, no
// context 107002, foreign context 107003; NULL is the default stream.
aclError need_stream(aclrtStream handle, std::shared_ptr<Stream> *stream);
// Its two halves, for functions with tests in between: find_stream gives 107017 (and nullptr for
// the NULL handle), enter_stream puts in the default stream and gives 107002, 107003.
aclError find_stream(aclrtStream handle, std::shared_ptr<Stream> *stream, Want want = Want::kUse);
aclError enter_stream(std::shared_ptr<Stream> *stream);
// The same without the test of the context (synchronise, query, subscribe).
aclError need_any_stream(aclrtStream handle, std::shared_ptr<Stream> *stream);

aclError create_stream(uint32_t priority, uint32_t flags, aclrtStream *stream);
aclError destroy_stream(aclrtStream stream, bool drain);

}  // namespace aclfake

#endif
