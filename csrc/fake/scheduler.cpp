// SPDX-License-Identifier: Apache-2.0
#include "fake/scheduler.h"

#include <algorithm>
#include <string>
#include <thread>
#include <utility>

#include "fake/quick.h"
#include "fake/stream.h"

namespace aclfake {
namespace {

using std::chrono::milliseconds;

// The clock starts a second after the chip's boot: a timestamp of 0 would look like none.
constexpr int64_t kBootNs = 1000000000;

// A function of the client (host function, blocking callback) gets this long, in real time, before
// virtual time goes on without it. A client that waits for one without calling AscendCL gets it
// after the same time.
constexpr milliseconds kPatience(1000);

// A timeout on an idle device comes this much later in real time: a thread that is about to queue
// something shall not be late because virtual time costs nothing.
constexpr milliseconds kPause(2);

constexpr Clock::time_point kNever = Clock::time_point::max();

std::atomic<Scheduler *> current{nullptr};
thread_local const Scheduler *running_on = nullptr;

}  // namespace

struct Scheduler::Lane {
  enum class State { kIdle, kWaiting, kOccupying, kWorking };

  std::shared_ptr<Stream> stream;  // null: a synchronous call
  State state = State::kIdle;
  bool removed = false;
  bool done = false;  // of a synchronous call
  Task task;
  uint64_t number = 0;
  size_t trace = TraceLog::kNone;
  Clock::time_point until = kNever;  // end of the engine's time, or of the wait
  Clock::time_point patience;        // real
};

struct Scheduler::Waiter {
  const std::function<bool()> &ready;
  const Clock::time_point deadline;
  const bool one_step;
  uint64_t steps_before = 0;
  std::condition_variable changed{};
  bool released = false;
  bool met = false;

  void release(bool was_met) {
    met = was_met;
    released = true;
    changed.notify_all();
  }
};

Scheduler *scheduler() noexcept {
  return current.load(std::memory_order_acquire);
}

void use_scheduler(bool deterministic, uint64_t seed) {
  static auto *const instance = new Scheduler;
  if (deterministic) instance->restart(seed);
  current.store(deterministic ? instance : nullptr, std::memory_order_release);
  quick::changed();
}

void Scheduler::restart(uint64_t seed) {
  Lanes old;  // ends without the lock
  std::lock_guard<std::mutex> lock(mutex_);
  old.swap(lanes_);
  for (const auto &lane : old) lane->removed = true;
  now_ns_.store(kBootNs);
  trace_.clear();
  seed_ = seed;
  random_state_ = seed;
  steps_ = 0;
  calls_ = 0;
  changed_.notify_all();
  if (!std::exchange(running_, true)) std::thread([this] { loop(); }).detach();
}

Clock::time_point Scheduler::now() const noexcept {
  return Clock::time_point(std::chrono::nanoseconds(now_ns_.load(std::memory_order_acquire)));
}

int64_t Scheduler::elapsed_ns() const noexcept {
  return now_ns_.load(std::memory_order_acquire) - kBootNs;
}

void Scheduler::advance(Clock::time_point when) noexcept {
  if (when > now()) now_ns_.store(when.time_since_epoch().count(), std::memory_order_release);
}

uint64_t Scheduler::random() {
  uint64_t value = random_state_ += 0x9E3779B97F4A7C15u;  // SplitMix64
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9u;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBu;
  return value ^ (value >> 31);
}

bool Scheduler::on_own_thread() const noexcept {
  return running_on == this;
}

void Scheduler::wake() noexcept {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    ++changes_;
  }
  changed_.notify_all();
}

void Scheduler::add(const std::shared_ptr<Stream> &stream) {
  auto lane = std::make_shared<Lane>();
  lane->stream = stream;
  std::lock_guard<std::mutex> lock(mutex_);
  lanes_.push_back(std::move(lane));
}

void Scheduler::remove(const Stream &stream) {
  Task task;  // ends without the lock: what it holds may call us
  {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto found = std::find_if(lanes_.begin(), lanes_.end(), [&](const auto &entry) {
      return entry->stream.get() == &stream;
    });
    if (found == lanes_.end()) return;
    const std::shared_ptr<Lane> lane = std::move(*found);
    lanes_.erase(found);
    lane->removed = true;
    DeviceEngine *const engine = lane->task.cost.engine;
    if (lane->state == Lane::State::kOccupying && engine != nullptr) engine->occupied = false;
    if (lane->state != Lane::State::kWorking) {
      task = std::move(lane->task);
      lane->task = Task{};
      lane->state = Lane::State::kIdle;
    }
    ++changes_;
  }
  changed_.notify_all();
}

bool Scheduler::wait(const std::function<bool()> &ready, Clock::time_point deadline) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (on_own_thread()) return ready();  // a callback about an exception: it cannot wait
  Waiter waiter{ready, deadline, false, steps_};
  waiters_.push_back(&waiter);
  changed_.notify_all();
  waiter.changed.wait(lock, [&] { return waiter.released; });
  return waiter.met;
}

void Scheduler::poll() {
  static const std::function<bool()> never = [] { return false; };
  std::unique_lock<std::mutex> lock(mutex_);
  if (on_own_thread()) return;
  Waiter waiter{never, kNever, true, steps_};
  waiters_.push_back(&waiter);
  changed_.notify_all();
  waiter.changed.wait(lock, [&] { return waiter.released; });
}

void Scheduler::occupy(const Cost &cost) {
  if (on_own_thread()) return;
  auto lane = std::make_shared<Lane>();
  lane->task.what = "synchronous call";
  lane->task.cost = cost;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    lane->number = calls_++;
    lanes_.push_back(lane);
  }
  wait([&] { return lane->done || lane->removed; }, kNever);
}

std::string Scheduler::trace() {
  std::lock_guard<std::mutex> lock(mutex_);
  return trace_.json(seed_, elapsed_ns());
}

// ---- the thread --------------------------------------------------------------------------------

void Scheduler::loop() {
  running_on = this;
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    release_ready();
    if (waiters_.empty() && !unasked_) {
      sleep(lock);
    } else if (hold_for_client(lock)) {
      continue;
    } else if (step(lock)) {
      ++steps_;
    } else {
      // Nothing can happen until somebody queues something. (A wait of one step is over then too.)
      unasked_ = false;
      for (Waiter *waiter : waiters_) {
        if (waiter->one_step) waiter->steps_before = UINT64_MAX;
      }
      release_ready();
      const uint64_t seen = changes_;
      const size_t count = waiters_.size();
      if (count > 0) {
        changed_.wait(lock, [&] { return changes_ != seen || waiters_.size() != count; });
      }
    }
  }
}

void Scheduler::release_ready() {
  waiters_.remove_if([&](Waiter *waiter) {
    const bool over = waiter->one_step ? waiter->steps_before != steps_ : waiter->ready();
    if (over) waiter->release(true);
    return over;
  });
}

// Nobody waits: so does the device, unless a host function is due that a client may be waiting for
// by means of its own.
void Scheduler::sleep(std::unique_lock<std::mutex> &lock) {
  const bool due = std::any_of(lanes_.begin(), lanes_.end(), [](const auto &lane) {
    return lane->stream != nullptr && (lane->task.external || lane->stream->has_external());
  });
  const uint64_t seen = changes_;
  const auto changed = [&] { return changes_ != seen || !waiters_.empty(); };
  if (!due) {
    changed_.wait(lock, changed);
  } else if (!changed_.wait_for(lock, kPatience, changed)) {
    unasked_ = true;
  }
}

// Holds virtual time while a function of the client is due or running; true: look again.
bool Scheduler::hold_for_client(std::unique_lock<std::mutex> &lock) {
  const Clock::time_point now = Clock::now();
  Clock::time_point latest = Clock::time_point::min();
  for (const auto &lane : lanes_) {
    if (lane->state == Lane::State::kWaiting && lane->task.external && !can_go_on(*lane)) {
      latest = std::max(latest, lane->patience);
    }
  }
  if (latest <= now) return false;
  const uint64_t seen = changes_;
  const size_t count = waiters_.size();
  changed_.wait_until(lock, latest, [&] { return changes_ != seen || waiters_.size() != count; });
  return true;
}

bool Scheduler::can_go_on(Lane &lane) {
  if (lane.state == Lane::State::kWaiting) {
    return lane.stream->interrupted() || lane.task.ready();
  }
  if (lane.state != Lane::State::kIdle) return false;
  Cost cost = lane.task.cost;
  if (lane.stream != nullptr ? !lane.stream->peek(&cost) : lane.done) return false;
  return cost.engine == nullptr || !cost.engine->occupied;
}

bool Scheduler::step(std::unique_lock<std::mutex> &lock) {
  Lanes choice;
  for (const auto &lane : lanes_) {
    if (can_go_on(*lane)) choice.push_back(lane);
  }
  const auto choose = [&] { return choice[random() % choice.size()]; };
  if (!choice.empty()) {
    const std::shared_ptr<Lane> lane = choose();
    if (lane->state == Lane::State::kIdle) {
      begin(lock, lane);
    } else {
      finish(lock, lane);
    }
    return true;
  }
  // Nothing more at this time: on to the next one at which something ends.
  Clock::time_point next = kNever;
  bool busy = false;
  for (const auto &lane : lanes_) {
    if (lane->state == Lane::State::kOccupying || lane->state == Lane::State::kWaiting) {
      next = std::min(next, lane->until);
      busy = busy || lane->until != kNever;
    }
  }
  Waiter *first = nullptr;
  for (Waiter *waiter : waiters_) {
    if (waiter->deadline < next) {
      first = waiter;
      next = waiter->deadline;
    }
  }
  if (next == kNever) return false;
  if (first != nullptr) {
    if (!busy) {
      const uint64_t seen = changes_;
      const size_t count = waiters_.size();
      if (changed_.wait_for(lock, kPause,
                            [&] { return changes_ != seen || waiters_.size() != count; })) {
        return true;
      }
    }
    advance(next);
    waiters_.remove(first);
    first->release(false);
    return true;
  }
  advance(next);
  for (const auto &lane : lanes_) {
    if (lane->state != Lane::State::kIdle && lane->until == next) choice.push_back(lane);
  }
  finish(lock, choose());
  return true;
}

void Scheduler::begin(std::unique_lock<std::mutex> &lock, const std::shared_ptr<Lane> &lane) {
  bool skip = false;
  if (lane->stream != nullptr && !lane->stream->take(&lane->task, &lane->number, &skip)) return;
  const Task &task = lane->task;
  const Cost &cost = task.cost;
  lane->state = Lane::State::kWorking;
  if (cost.engine != nullptr) cost.engine->occupied = true;
  aclError code = ACL_SUCCESS;
  std::string text;
  if (!skip && task.start) {
    lock.unlock();
    code = lane->stream->call(task.start, task.what, &text);
    lock.lock();
  }
  if (skip || code != ACL_SUCCESS || lane->removed) {
    if (cost.engine != nullptr) cost.engine->occupied = false;
    lock.unlock();
    const std::shared_ptr<Stream> stream = lane->stream;
    stream->complete(std::move(lane->task), lane->number, code, std::move(text));
    lock.lock();
    lane->task = Task{};
    lane->state = Lane::State::kIdle;
    return;
  }
  TraceEntry entry;
  entry.begin_ns = elapsed_ns();
  entry.stream = lane->stream != nullptr ? lane->stream->id : -1;
  entry.device = lane->stream != nullptr ? lane->stream->device->id : cost.engine->device;
  entry.engine = cost.engine != nullptr ? cost.engine->name : "";
  entry.task = cost.kind[0] != '\0' ? cost.kind : task.what;
  entry.number = lane->number;
  lane->trace = trace_.begin(entry);
  if (task.ready) {
    lane->state = Lane::State::kWaiting;
    lane->until = task.timeout_ms < 0 ? kNever : now() + milliseconds(task.timeout_ms);
    lane->patience = Clock::now() + kPatience;
  } else if (cost.total_us > 0) {
    lane->state = Lane::State::kOccupying;
    lane->until = now() + microseconds_of(cost.total_us);
  } else {
    finish(lock, lane);
  }
}

void Scheduler::finish(std::unique_lock<std::mutex> &lock, const std::shared_ptr<Lane> &lane) {
  const bool external = lane->task.external;
  if (lane->task.cost.engine != nullptr) lane->task.cost.engine->occupied = false;
  lane->state = Lane::State::kWorking;
  lane->until = kNever;
  trace_.end(lane->trace, elapsed_ns());
  if (lane->stream != nullptr) {
    const std::shared_ptr<Stream> stream = lane->stream;
    lock.unlock();
    std::string text;
    aclError code = ACL_SUCCESS;
    if (!stream->dropped()) code = stream->call(lane->task.run, lane->task.what, &text);
    stream->complete(std::move(lane->task), lane->number, code, std::move(text));
    lock.lock();
    lane->task = Task{};
  } else {
    lane->done = true;
    lanes_.erase(std::find(lanes_.begin(), lanes_.end(), lane));
  }
  lane->state = Lane::State::kIdle;
  if (external) unasked_ = false;
}

}  // namespace aclfake
