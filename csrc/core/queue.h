// SPDX-License-Identifier: Apache-2.0
//
// Runs in flight: a bounded queue over one or several instances of a model. A run goes through
// three steps, each with a thread of its own for every instance: its inputs are copied to the
// device, it is executed, its outputs are copied back. So the copies of one run overlap with the
// execution of another. Each slot has datasets of its own.
//
// Why threads and synchronous calls, not streams: AscendCL binds a model to synchronous or to
// asynchronous execution for as long as it is loaded, and plain runs of the same model are
// synchronous; and it copies asynchronously from page-locked memory alone, so that arrays of the
// caller's would be copied once more.
//
// Threads  One lock for all state; never held while AscendCL is called. A run's memory is in use
//          until its final completion is there; an aclrt_memory_t is held so long.
#ifndef ACLRT_CORE_QUEUE_H
#define ACLRT_CORE_QUEUE_H

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "aclrt/aclrt.h"
#include "core/lane.h"
#include "core/open_queues.h"
#include "core/runtime.h"

namespace aclrt {

struct QueueInfo {
  size_t depth = 0;     // slots of all instances
  size_t waiting = 0;   // submitted, not begun
  size_t running = 0;   // a step has begun, and the device may use its memory
  size_t finished = 0;  // to be taken
};

struct Completion {
  uint64_t tag = 0;
  aclrt_outcome_t outcome = ACLRT_OUTCOME_DONE;
  bool is_final = true;
  const Error *error = nullptr;  // FAILED
};

class Queue final : public Closeable, public RunsInFlight {
 public:
  using Clock = std::chrono::steady_clock;

  // depth: runs in flight on each instance.
  static std::shared_ptr<Queue> create(const std::vector<std::shared_ptr<Model>> &models,
                                       size_t depth);
  ~Queue() override;

  // All checks of a run; false where every slot is taken.
  bool submit(const aclrt_submission_t &submission);

  // Hands what has completed to sink(const Completion &), at most max; waits for the first.
  // timeout_ms: negative for no limit. Throws CLOSED where nothing can come any more.
  template <class Sink>
  size_t take(size_t max, int64_t timeout_ms, Sink &&sink) {
    Locked locked(*this);
    const std::optional<Clock::time_point> end = after(timeout_ms);
    while (true) {
      size_t count = 0;
      const Clock::time_point now = Clock::now();
      for (; count < max; ++count) {
        Completion completion;
        if (!next_completion(now, completion)) break;
        sink(static_cast<const Completion &>(completion));
      }
      if (count > 0 || max == 0) return count;
      if (!wait_for_completion(locked.lock, now, end)) return 0;
    }
  }

  // The runs with this tag; false if there is none any more.
  bool cancel(uint64_t tag);
  // Waits until the device uses no run's memory; false if that takes longer.
  bool drain(int64_t timeout_ms);
  // Cancels what has not begun, waits for what has. What has completed can still be taken.
  void close() override;
  void refuse_in_use(const Description &description, const RunBuffers &run) override;
  QueueInfo info();

  // For create() alone.
  Queue(const std::vector<std::shared_ptr<Model>> &models, size_t depth);

 private:
  // The lock; the runs that are given up under it let go of their memory after it.
  struct Locked {
    explicit Locked(Queue &queue) : owner(queue), lock(queue.mutex_) {}
    ~Locked() {
      std::unique_ptr<MemoryHold> dropped = std::move(owner.dropped_);
      lock.unlock();
      MemoryHold::drop(std::move(dropped));
    }
    Locked(const Locked &) = delete;
    Locked &operator=(const Locked &) = delete;

    Queue &owner;
    std::unique_lock<std::mutex> lock;
  };

  static std::optional<Clock::time_point> after(int64_t timeout_ms);
  void start();
  void work(Lane &lane, size_t step) noexcept;
  void finish(Slot &slot) noexcept;
  void give_up(Slot &slot, aclrt_outcome_t outcome) noexcept;
  void refuse_overlap(const Description &description, const RunBuffers &run) const;
  bool next_completion(Clock::time_point now, Completion &completion);
  bool wait_for_completion(std::unique_lock<std::mutex> &lock, Clock::time_point now,
                           const std::optional<Clock::time_point> &end);
  bool is_idle() const noexcept { return unfinished_ == 0; }
  void stop() noexcept;

  std::mutex mutex_;
  std::condition_variable completed_;  // something to take, or closed
  std::condition_variable idle_;       // nothing is waiting or running
  std::vector<std::unique_ptr<Lane>> lanes_;
  SlotRing finished_;
  std::unique_ptr<MemoryHold> dropped_;  // a list, for Locked
  size_t unfinished_ = 0;
  bool is_closing_ = false;
  bool is_stopping_ = false;

  std::mutex close_mutex_;  // before mutex_
  bool is_closed_ = false;
};

}  // namespace aclrt

#endif
