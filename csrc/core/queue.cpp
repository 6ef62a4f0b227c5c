// SPDX-License-Identifier: Apache-2.0
//
// Who waits for what.
#include "core/queue.h"

#include <algorithm>

#include "core/overlap.h"

namespace aclrt {

namespace {

Error closed_error() {
  return Error(ACLRT_ERROR_CLOSED, "the queue is closed", "Create another one.");
}

// A time that the clock can hold, however long the caller is willing to wait.
constexpr int64_t kLongestMs = int64_t{1000} * 3600 * 24 * 365;

// The first of some that shares a byte with one of others; count where none does.
size_t first_shared(const aclrt_buffer_t *some, size_t count,
                    const std::vector<aclrt_buffer_t> &others) {
  for (size_t i = 0; i < count; ++i) {
    for (const aclrt_buffer_t &other : others) {
      if (some[i].data != nullptr && other.data != nullptr && overlap(some[i], other)) return i;
    }
  }
  return count;
}

}  // namespace

std::shared_ptr<Queue> Queue::create(const std::vector<std::shared_ptr<Model>> &models,
                                     size_t depth) {
  auto queue = std::make_shared<Queue>(models, depth);
  queue->start();
  for (const auto &lane : queue->lanes_) lane->model->queues().add(*queue);
  Runtime::instance().add(queue);
  return queue;
}

Queue::Queue(const std::vector<std::shared_ptr<Model>> &models, size_t depth) {
  for (const auto &model : models) {
    model->refuse_unless_open();
    lanes_.push_back(std::make_unique<Lane>(model, depth));
  }
  finished_.reserve(lanes_.size() * depth);
}

Queue::~Queue() {
  try {
    close();
  } catch (...) {
    // close() released the rest; a destructor has nobody to tell.
  }
}

void Queue::start() {
  try {
    for (const auto &lane : lanes_) {
      const size_t steps = lane->runs_whole ? 2 : Lane::kSteps;
      for (size_t step = 0; step < steps; ++step) {
        lane->threads.emplace_back([this, &lane = *lane, step] { work(lane, step); });
      }
    }
  } catch (...) {
    stop();
    throw;
  }
}

std::optional<Queue::Clock::time_point> Queue::after(int64_t timeout_ms) {
  if (timeout_ms < 0 || timeout_ms > kLongestMs) return std::nullopt;
  return Clock::now() + std::chrono::milliseconds(timeout_ms);
}

bool Queue::submit(const aclrt_submission_t &submission) {
  const Model &model = *lanes_.front()->model;
  model.refuse_unless_open();
  const size_t gear =
      model.check_run(submission.inputs, submission.input_shapes, submission.input_count,
                      submission.outputs, submission.output_count);
  auto hold = MemoryHold::of(submission.inputs, submission.input_count, submission.outputs,
                             submission.output_count);  // let go of after the lock
  std::lock_guard<std::mutex> lock(mutex_);
  if (is_closing_) throw closed_error();
  Lane *best = nullptr;
  for (const auto &lane : lanes_) {
    if (lane->busy == lane->slots.size()) continue;
    if (best == nullptr || lane->busy < best->busy) best = lane.get();
  }
  refuse_overlap(model.description(), {submission.inputs, submission.input_count,
                                       submission.outputs, submission.output_count});
  if (best == nullptr) return false;
  Slot &slot = *best->free_slot();
  best->fill(slot, submission, gear, hold);
  slot.deadline = after(submission.timeout_ms);
  best->pending[0].push(slot);
  slot.state = Slot::State::kWaiting;
  ++best->busy;
  ++unfinished_;
  best->arrived[0].notify_one();
  if (slot.deadline) completed_.notify_all();  // whoever waits may have to wake earlier
  return true;
}

void Queue::refuse_in_use(const Description &description, const RunBuffers &run) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!is_idle()) refuse_overlap(description, run);
}

void Queue::refuse_overlap(const Description &description, const RunBuffers &run) const {
  for (const auto &lane : lanes_) {
    for (const auto &slot : lane->slots) {
      if (slot->state != Slot::State::kWaiting && slot->state != Slot::State::kRunning) continue;
      const size_t output = std::min(first_shared(run.outputs, run.output_count, slot->given),
                                     first_shared(run.outputs, run.output_count, slot->inputs));
      if (output < run.output_count) {
        throw Error(ACLRT_ERROR_INPUT,
                    "the memory given for output \"" + description.outputs()[output].name +
                        "\" is in use by a run in flight",
                    "Wait for that run, or give each run outputs of its own.");
      }
      const size_t input = first_shared(run.inputs, run.input_count, slot->given);
      if (input < run.input_count) {
        throw Error(ACLRT_ERROR_INPUT,
                    "input \"" + description.inputs()[input].name +
                        "\" is the memory that a run in flight writes its output to",
                    "Wait for that run before its outputs are fed.");
      }
    }
  }
}

void Queue::work(Lane &lane, size_t step) noexcept {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    lane.arrived[step].wait(lock, [&] { return is_stopping_ || !lane.pending[step].empty(); });
    if (lane.pending[step].empty()) return;
    Slot &slot = lane.pending[step].pop();
    slot.state = Slot::State::kRunning;
    if (slot.outcome == ACLRT_OUTCOME_DONE) {  // not given up
      lock.unlock();
      lane.run(step, slot);
      lock.lock();
    }
    const bool is_last = step + 1 == lane.threads.size();
    if (is_last || slot.error || slot.outcome != ACLRT_OUTCOME_DONE) {
      if (slot.hold != nullptr) {  // before anyone hears of it
        lock.unlock();
        slot.hold.reset();
        lock.lock();
      }
      finish(slot);
      continue;
    }
    lane.pending[step + 1].push(slot);
    lane.arrived[step + 1].notify_one();
  }
}

void Queue::finish(Slot &slot) noexcept {
  slot.lane.hand_over(slot);
  if (slot.error && slot.outcome == ACLRT_OUTCOME_DONE) slot.outcome = ACLRT_OUTCOME_FAILED;
  slot.state = Slot::State::kFinished;
  finished_.push(slot);
  completed_.notify_one();
  if (--unfinished_ == 0) idle_.notify_all();
}

// What has not begun ends here; what has is finished by its thread.
void Queue::give_up(Slot &slot, aclrt_outcome_t outcome) noexcept {
  if (slot.outcome == ACLRT_OUTCOME_DONE) slot.outcome = outcome;
  if (slot.state != Slot::State::kWaiting) return;
  slot.lane.pending[0].remove(slot);
  if (slot.hold != nullptr) {
    slot.hold->next = std::move(dropped_);
    dropped_ = std::move(slot.hold);
  }
  finish(slot);
}

bool Queue::next_completion(Clock::time_point now, Completion &completion) {
  for (const auto &lane : lanes_) {
    for (const auto &slot : lane->slots) {
      const bool is_running = slot->state == Slot::State::kRunning;
      if (!is_running && slot->state != Slot::State::kWaiting) continue;
      if (slot->outcome != ACLRT_OUTCOME_DONE || !slot->deadline || *slot->deadline > now) continue;
      give_up(*slot, ACLRT_OUTCOME_TIMED_OUT);
      if (!is_running) continue;  // it is in finished_ now
      completion = {slot->tag, ACLRT_OUTCOME_TIMED_OUT, false, nullptr};
      return true;
    }
  }
  if (finished_.empty()) return false;
  Slot &slot = finished_.pop();
  completion = {slot.tag, slot.outcome, true,
                slot.outcome == ACLRT_OUTCOME_FAILED ? &*slot.error : nullptr};
  slot.state = Slot::State::kFree;
  --slot.lane.busy;
  return true;
}

bool Queue::wait_for_completion(std::unique_lock<std::mutex> &lock, Clock::time_point now,
                                const std::optional<Clock::time_point> &end) {
  if (is_closing_ && is_idle()) throw closed_error();
  if (end && *end <= now) return false;
  std::optional<Clock::time_point> until = end;
  for (const auto &lane : lanes_) {
    for (const auto &slot : lane->slots) {
      if (slot->state != Slot::State::kWaiting && slot->state != Slot::State::kRunning) continue;
      if (slot->outcome != ACLRT_OUTCOME_DONE || !slot->deadline) continue;
      if (!until || *slot->deadline < *until) until = slot->deadline;
    }
  }
  if (until) {
    completed_.wait_until(lock, *until);
  } else {
    completed_.wait(lock);
  }
  return true;
}

bool Queue::cancel(uint64_t tag) {
  const Locked locked(*this);
  bool is_found = false;
  for (const auto &lane : lanes_) {
    for (const auto &slot : lane->slots) {
      const bool is_unfinished =
          slot->state == Slot::State::kWaiting || slot->state == Slot::State::kRunning;
      if (!is_unfinished || slot->tag != tag) continue;
      is_found = true;
      give_up(*slot, ACLRT_OUTCOME_CANCELLED);
    }
  }
  return is_found;
}

bool Queue::drain(int64_t timeout_ms) {
  std::unique_lock<std::mutex> lock(mutex_);
  const std::optional<Clock::time_point> end = after(timeout_ms);
  if (end) return idle_.wait_until(lock, *end, [this] { return is_idle(); });
  idle_.wait(lock, [this] { return is_idle(); });
  return true;
}

void Queue::close() {
  FirstFailure failure;
  {
    std::lock_guard<std::mutex> only(close_mutex_);
    if (is_closed_) return;
    {
      const Locked locked(*this);
      is_closing_ = true;
      for (const auto &lane : lanes_) {
        for (const auto &slot : lane->slots) {
          if (slot->state == Slot::State::kWaiting) give_up(*slot, ACLRT_OUTCOME_CANCELLED);
        }
      }
    }
    {
      std::unique_lock<std::mutex> lock(mutex_);
      idle_.wait(lock, [this] { return is_idle(); });
      completed_.notify_all();
    }
    stop();
    for (const auto &lane : lanes_) lane->release(failure);
    is_closed_ = true;
  }
  for (const auto &lane : lanes_) lane->model->queues().remove(*this);
  Runtime::instance().remove(this);
  const bool is_broken = std::any_of(lanes_.begin(), lanes_.end(),
                                     [](const auto &lane) { return lane->model->is_broken(); });
  if (!is_broken) failure.throw_if_any();
}

void Queue::stop() noexcept {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    is_stopping_ = true;
    for (const auto &lane : lanes_) {
      for (std::condition_variable &arrived : lane->arrived) arrived.notify_all();
    }
  }
  for (const auto &lane : lanes_) {
    for (std::thread &thread : lane->threads) thread.join();
    lane->threads.clear();
  }
}

QueueInfo Queue::info() {
  std::lock_guard<std::mutex> lock(mutex_);
  QueueInfo info;
  for (const auto &lane : lanes_) {
    for (const auto &slot : lane->slots) {
      ++info.depth;
      info.waiting += slot->state == Slot::State::kWaiting;
      info.running += slot->state == Slot::State::kRunning;
    }
  }
  info.finished = finished_.size();
  return info;
}

}  // namespace aclrt
