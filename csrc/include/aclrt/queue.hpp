// SPDX-License-Identifier: Apache-2.0
//
// aclrt for C++17: runs in flight.
//
//   aclrt::Queue queue(model, 8);
//   while (queue.submit({{"image", image}}, {{"probs", probs}}, number)) ...  // false: no free
//   slot for (const auto &done : queue.take()) { done.check(); ... done.tag() ... }
//
// What is fed and what receives outputs stays the caller's, and must live until the run's final
// completion. A queue keeps its model; it may be used from many threads.
#ifndef ACLRT_QUEUE_HPP
#define ACLRT_QUEUE_HPP

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "aclrt/aclrt.hpp"

namespace aclrt {

class Completion {
 public:
  Completion(uint64_t tag, const aclrt_completion_t &raw)
      : tag_(tag), outcome_(raw.outcome), is_final_(raw.is_final != 0), status_(raw.status) {}

  uint64_t tag() const noexcept { return tag_; }
  aclrt_outcome_t outcome() const noexcept { return outcome_; }
  // false: its time is over, but the device still uses its memory; it completes once more.
  bool is_final() const noexcept { return is_final_; }
  // Throws what the run failed with, DeviceTimeoutError included; nothing for one that was done or
  // cancelled.
  void check() const {
    if (status_) throw_error(aclrt_status_error(status_.get()));
  }

 private:
  uint64_t tag_;
  aclrt_outcome_t outcome_;
  bool is_final_;
  std::unique_ptr<aclrt_status_t, detail::Releaser<aclrt_status_release>> status_;
};

class Queue {
 public:
  using milliseconds = std::chrono::milliseconds;
  static constexpr milliseconds kForever{-1};

  // depth: runs in flight on each instance, completed ones included until they are taken; 0: 8.
  explicit Queue(Model &model, size_t depth = 0)
      : inputs_(model.inputs()), outputs_(model.outputs()), runs_(std::make_unique<Runs>()) {
    detail::require_open(model.handle(), "the model");
    const aclrt_queue_options_t options{sizeof options, depth};
    aclrt_queue_t *handle = nullptr;
    aclrt::check(aclrt_queue_create(model.handle(), &options, &handle));
    handle_.reset(handle);
  }

  // Checks a run and takes it; false where there is no free slot. tag: comes back with the
  // completion.
  bool submit(std::initializer_list<Input> inputs, std::initializer_list<Output> outputs,
              uint64_t tag = 0, milliseconds timeout = kForever) {
    detail::require_open(handle_.get(), "the queue");
    auto in = Model::in_order(span<const Input>(inputs.begin(), inputs.size()), inputs_, "input");
    auto out =
        Model::in_order(span<const Output>(outputs.begin(), outputs.size()), outputs_, "output");
    std::vector<aclrt_dims_t> dims;
    for (const Shape &shape : in.shapes) dims.push_back({shape.data(), shape.size()});
    for (aclrt_buffer_t &buffer : out.buffers) {
      if (buffer.data == nullptr) buffer.data = &nothing_;  // else the library would allocate it
    }
    const std::lock_guard<std::mutex> lock(runs_->mutex);
    const uint64_t number = ++runs_->last;
    std::vector<aclrt_buffer_t> &kept = (runs_->in_flight[number] = {tag, out.buffers}).second;
    const aclrt_submission_t one{
        in.buffers.data(), dims.data(), in.buffers.size(), kept.data(), kept.size(),
        nullptr,           number,      timeout.count()};
    size_t accepted = 0;
    aclrt_status_t *status = aclrt_queue_submit(handle_.get(), &one, 1, &accepted);
    if (accepted == 0) runs_->in_flight.erase(number);
    aclrt::check(status);
    return accepted == 1;
  }

  // What has completed, at most max; waits for the first. Empty: nothing in time.
  std::vector<Completion> take(milliseconds timeout = kForever, size_t max = 64) {
    detail::require_open(handle_.get(), "the queue");
    std::vector<aclrt_completion_t> raw(max);
    size_t count = 0;
    aclrt::check(aclrt_queue_take(handle_.get(), raw.data(), raw.size(), timeout.count(), &count));
    const std::lock_guard<std::mutex> lock(runs_->mutex);
    std::vector<Completion> completions;
    completions.reserve(count);
    for (size_t i = 0; i < count; ++i) {
      const auto run = runs_->in_flight.find(raw[i].tag);
      completions.emplace_back(run->second.first, raw[i]);
      if (raw[i].is_final != 0) runs_->in_flight.erase(run);
    }
    return completions;
  }

  // Gives up the runs with this tag; they complete all the same. false: none is in flight.
  bool cancel(uint64_t tag) {
    detail::require_open(handle_.get(), "the queue");
    const std::lock_guard<std::mutex> lock(runs_->mutex);
    bool is_any = false;
    for (const auto &[number, run] : runs_->in_flight) {
      if (run.first != tag) continue;
      int32_t found = 0;
      aclrt::check(aclrt_queue_cancel(handle_.get(), number, &found));
      is_any = is_any || found != 0;
    }
    return is_any;
  }
  // Waits until no run is waiting or running; false: not in time.
  bool drain(milliseconds timeout = kForever) {
    detail::require_open(handle_.get(), "the queue");
    int32_t is_idle = 0;
    aclrt::check(aclrt_queue_drain(handle_.get(), timeout.count(), &is_idle));
    return is_idle != 0;
  }
  aclrt_queue_info_t info() const {
    detail::require_open(handle_.get(), "the queue");
    aclrt_queue_info_t info{};
    aclrt::check(aclrt_queue_info(handle_.get(), &info));
    return info;
  }
  // Cancels what has not begun, waits for what has. Idempotent; the destructor does it too, but
  // cannot tell what went wrong.
  void close() {
    if (handle_) aclrt::check(aclrt_queue_close(handle_.get()));
  }
  aclrt_queue_t *handle() const noexcept { return handle_.get(); }

 private:
  struct Runs {
    std::mutex mutex;
    uint64_t last = 0;
    std::map<uint64_t, std::pair<uint64_t, std::vector<aclrt_buffer_t>>> in_flight;
  };
  static inline std::byte nothing_{};

  std::vector<TensorSpec> inputs_;
  std::vector<TensorSpec> outputs_;
  std::unique_ptr<Runs> runs_;  // outlives the handle, which waits for the runs
  std::unique_ptr<aclrt_queue_t, detail::Releaser<aclrt_queue_release>> handle_;
};

}  // namespace aclrt

#endif
