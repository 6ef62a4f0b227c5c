// SPDX-License-Identifier: Apache-2.0
//
// The deterministic mode (ACLRT_FAKE_SEED): one thread runs the streams of all devices in virtual
// time, and a seeded choice says which of several that could go on does. It moves only while a
// client waits for the device, and stops the moment that what the client waits for is there; so
// what it does is a function of the seed and of the client's calls. docs/fake.md says what that
// means for programs of several threads.
//
// Locks: the scheduler's own is taken before those of streams, events and callbacks (conditions are
// looked at under it), and never while one of them is held. Work runs under none.
#ifndef ACLRT_FAKE_SCHEDULER_H
#define ACLRT_FAKE_SCHEDULER_H

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "fake/clock.h"
#include "fake/device_engine.h"
#include "fake/trace.h"

namespace aclfake {

class Stream;

class Scheduler {
 public:
  Scheduler() = default;
  Scheduler(const Scheduler &) = delete;
  Scheduler &operator=(const Scheduler &) = delete;

  void restart(uint64_t seed);  // time, choices and trace from the beginning
  Clock::time_point now() const noexcept;

  // The stream's queue is looked at from now on; until removed. Work of a removed stream that has
  // begun has no effect.
  void add(const std::shared_ptr<Stream> &stream);
  void remove(const Stream &stream);

  void wake() noexcept;  // something changed
  bool wait(const std::function<bool()> &ready, Clock::time_point deadline);
  // A query that found something unfinished: lets the device do one thing, if there is one, so
  // that polling gets somewhere.
  void poll();
  // Occupies the engine, in virtual time, for a synchronous call; returns when that is over.
  void occupy(const Cost &cost);

  std::string trace();

 private:
  struct Lane;    // a stream, or one synchronous call
  struct Waiter;  // a client inside a wait
  using Lanes = std::vector<std::shared_ptr<Lane>>;

  void loop();
  void release_ready();
  bool hold_for_client(std::unique_lock<std::mutex> &lock);
  void sleep(std::unique_lock<std::mutex> &lock);
  bool step(std::unique_lock<std::mutex> &lock);
  bool can_go_on(Lane &lane);
  void begin(std::unique_lock<std::mutex> &lock, const std::shared_ptr<Lane> &lane);
  void finish(std::unique_lock<std::mutex> &lock, const std::shared_ptr<Lane> &lane);
  void advance(Clock::time_point when) noexcept;
  int64_t elapsed_ns() const noexcept;
  uint64_t random();
  bool on_own_thread() const noexcept;

  std::atomic<int64_t> now_ns_{0};
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  Lanes lanes_;
  std::list<Waiter *> waiters_;
  TraceLog trace_;
  uint64_t seed_ = 0;
  uint64_t random_state_ = 0;
  uint64_t changes_ = 0;
  uint64_t steps_ = 0;
  uint64_t calls_ = 0;  // synchronous ones
  bool running_ = false;
  bool unasked_ = false;  // going on although no client waits (sleep())
};

// nullptr where the clock is real.
Scheduler *scheduler() noexcept;
void use_scheduler(bool deterministic, uint64_t seed);

// A synchronous operation on the calling thread: ordered against no stream, but it takes its
// engine's time.
template <class Work>
auto occupy(const Cost &cost, Work &&work) -> decltype(work()) {
  if (cost.engine == nullptr) return work();
  if (Scheduler *deterministic = scheduler()) {
    deterministic->occupy(cost);
    return work();
  }
  return cost.engine->run(cost, nullptr, work);
}

}  // namespace aclfake

#endif
