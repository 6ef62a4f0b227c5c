// SPDX-License-Identifier: Apache-2.0
//
// What a queue has for one instance of a model: the slots, each with the device's memory for one
// run, and the three steps that a run takes. Runs whose memory follows what is fed (shape ranges,
// dynamic AIPP) take them all at once, as a plain run does.
//
// The fields of a slot are under the queue's lock, except for what the step in progress uses:
// inputs, outputs, datasets, error.
#ifndef ACLRT_CORE_LANE_H
#define ACLRT_CORE_LANE_H

#include <chrono>
#include <condition_variable>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "aclrt/aclrt.h"
#include "core/dataset.h"
#include "core/device.h"
#include "core/error.h"
#include "core/memory_hold.h"
#include "core/model.h"

namespace aclrt {

struct Lane;

struct Slot {
  enum class State { kFree, kWaiting, kRunning, kFinished };

  explicit Slot(Lane &owner) : lane(owner) {}

  Lane &lane;
  State state = State::kFree;
  uint64_t tag = 0;
  std::optional<std::chrono::steady_clock::time_point> deadline;
  aclrt_outcome_t outcome = ACLRT_OUTCOME_DONE;  // not DONE before it is finished: given up

  std::vector<aclrt_buffer_t> inputs;
  std::vector<aclrt_buffer_t> outputs;
  std::vector<aclrt_buffer_t> given;  // outputs as submitted, which no run changes
  std::unique_ptr<MemoryHold> hold;   // of the memory that they name; nullptr: none
  std::vector<bool> is_allocated;     // outputs that the run has allocated
  std::vector<Dims> dims;             // of the inputs; empty for fixed shapes
  std::vector<aclrt_dims_t> input_shapes;
  std::vector<aclrt_shape_t> output_shapes;
  size_t gear = 0;
  aclrt_buffer_t *callers_outputs = nullptr;
  aclrt_shape_t *callers_shapes = nullptr;
  std::optional<Error> error;

  std::unique_ptr<Dataset> device_inputs;
  std::unique_ptr<Dataset> device_outputs;
  size_t selected_gear = Gears::kNone;
};

// First in, first out; with room for all slots from the start.
class SlotRing {
 public:
  void reserve(size_t count) { slots_.resize(count); }
  bool empty() const noexcept { return count_ == 0; }
  size_t size() const noexcept { return count_; }
  void push(Slot &slot) noexcept { at(count_++) = &slot; }
  Slot &pop() noexcept {
    Slot &first = *at(0);
    begin_ = (begin_ + 1) % slots_.size();
    --count_;
    return first;
  }
  void remove(const Slot &slot) noexcept {
    size_t kept = 0;
    for (size_t i = 0; i < count_; ++i) {
      if (at(i) != &slot) at(kept++) = at(i);
    }
    count_ = kept;
  }

 private:
  Slot *&at(size_t place) noexcept { return slots_[(begin_ + place) % slots_.size()]; }

  std::vector<Slot *> slots_;
  size_t begin_ = 0;
  size_t count_ = 0;
};

struct Lane {
  static constexpr size_t kSteps = 3;

  Lane(std::shared_ptr<Model> loaded, size_t depth);

  // Takes over what was submitted and checked, and the hold.
  void fill(Slot &slot, const aclrt_submission_t &submission, size_t gear,
            std::unique_ptr<MemoryHold> &hold);
  // The step-th step of a run, on its thread. Failures become the slot's error.
  void run(size_t step, Slot &slot) noexcept;
  // Before a run's completion: the caller gets what it asked for, or nothing.
  void hand_over(Slot &slot) noexcept;
  Slot *free_slot() noexcept;
  void release(FirstFailure &failure) noexcept;

  std::shared_ptr<Model> model;
  DeviceRef device;
  const bool runs_whole;  // all steps at once
  std::vector<std::unique_ptr<Slot>> slots;
  size_t busy = 0;  // slots that are not free

  // Under the queue's lock: what each step has to do.
  SlotRing pending[kSteps];
  std::condition_variable arrived[kSteps];
  std::vector<std::thread> threads;

 private:
  void copy_in(Slot &slot);
  void execute(Slot &slot);
  void copy_out(Slot &slot);
};

}  // namespace aclrt

#endif
