// SPDX-License-Identifier: Apache-2.0
//
// The three steps of a run in a queue.
#include "core/lane.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "core/context_guard.h"

namespace aclrt {

namespace {

bool runs_at_once(const Model &model) {
  const std::vector<Tensor> &inputs = model.description().inputs();
  return model.gears().kind() == ACLRT_DYNAMIC_RANGE ||
         std::any_of(inputs.begin(), inputs.end(),
                     [](const Tensor &tensor) { return tensor.takes_aipp_image; });
}

void set_shape(aclrt_shape_t &shape, const Dims &dims) noexcept {
  shape.rank = std::min<size_t>(dims.size(), ACLRT_MAX_RANK);
  std::copy_n(dims.begin(), shape.rank, shape.dims);
}

}  // namespace

Lane::Lane(std::shared_ptr<Model> loaded, size_t depth)
    : model(std::move(loaded)), device(model->device_id()), runs_whole(runs_at_once(*model)) {
  for (SlotRing &ring : pending) ring.reserve(depth);
  const ContextGuard guard(*device);
  const Description &description = model->description();
  for (size_t i = 0; i < depth; ++i) {
    slots.push_back(std::make_unique<Slot>(*this));
    Slot &slot = *slots.back();
    slot.inputs.resize(description.inputs().size());
    slot.dims.resize(description.inputs().size());
    slot.input_shapes.resize(description.inputs().size());
    slot.outputs.resize(description.outputs().size());
    slot.given.resize(description.outputs().size());
    slot.is_allocated.resize(description.outputs().size());
    slot.output_shapes.resize(description.outputs().size());
    if (runs_whole) continue;
    slot.device_inputs = std::make_unique<Dataset>(model->input_sizes(), model->meter());
    slot.device_outputs = std::make_unique<Dataset>(model->output_sizes(), model->meter());
  }
}

void Lane::fill(Slot &slot, const aclrt_submission_t &submission, size_t gear,
                std::unique_ptr<MemoryHold> &hold) {
  std::copy_n(submission.inputs, slot.inputs.size(), slot.inputs.begin());
  std::copy_n(submission.outputs, slot.outputs.size(), slot.outputs.begin());
  slot.given = slot.outputs;
  for (size_t i = 0; i < slot.inputs.size(); ++i) {
    Dims &dims = slot.dims[i];
    if (submission.input_shapes == nullptr) {
      dims = model->description().inputs()[i].dims;
    } else {
      const aclrt_dims_t &given = submission.input_shapes[i];
      dims.assign(given.dims, given.dims + given.rank);
    }
    slot.input_shapes[i] = {dims.data(), dims.size()};
  }
  if (hold != nullptr) hold->rename(slot.inputs, slot.outputs);
  slot.hold = std::move(hold);
  slot.is_allocated.assign(slot.outputs.size(), false);
  slot.gear = gear;
  slot.callers_outputs = submission.outputs;
  slot.callers_shapes = submission.shapes;
  slot.error.reset();
  slot.tag = submission.tag;
  slot.outcome = ACLRT_OUTCOME_DONE;
}

void Lane::run(size_t step, Slot &slot) noexcept {
  try {
    try {
      if (step == 0) copy_in(slot);
      if (step == 1) execute(slot);
      if (step == 2) copy_out(slot);
    } catch (const Error &error) {
      slot.selected_gear = Gears::kNone;
      model->note(error);
      slot.error = error;
    } catch (const std::bad_alloc &) {
      slot.error = Error(ACLRT_ERROR_HOST_MEMORY, "out of host memory");
    } catch (const std::exception &error) {
      slot.error = Error(ACLRT_ERROR_INTERNAL, error.what(), "Please report this.");
    }
  } catch (...) {
    // No memory for the words of the error: its kind is what counts.
    slot.error.emplace(ACLRT_ERROR_HOST_MEMORY, std::string());
  }
}

void Lane::copy_in(Slot &slot) {
  model->refuse_unless_open();
  if (runs_whole) return;
  const ContextGuard guard(*device);
  model->transfer().copy_in(*device, slot.inputs.data(), *slot.device_inputs);
  model->transfer().point_outputs(slot.outputs.data(), *slot.device_outputs);
}

void Lane::execute(Slot &slot) {
  if (!runs_whole) {
    model->execute(*slot.device_inputs, *slot.device_outputs, slot.gear, slot.selected_gear);
    return;
  }
  for (size_t i = 0; i < slot.outputs.size(); ++i) {
    slot.is_allocated[i] = slot.outputs[i].data == nullptr;
  }
  model->run_held(slot.inputs.data(), slot.input_shapes.data(), slot.inputs.size(),
                  slot.outputs.data(), slot.outputs.size(), slot.output_shapes.data());
}

void Lane::copy_out(Slot &slot) {
  if (runs_whole) return;
  model->refuse_if_broken();
  const ContextGuard guard(*device);
  const std::vector<Tensor> &tensors = model->description().outputs();
  for (size_t i = 0; i < tensors.size(); ++i) {
    aclrt_buffer_t &to = slot.outputs[i];
    const Dims &dims =
        model->gears().empty() ? tensors[i].dims : model->gears().all()[slot.gear].outputs[i];
    set_shape(slot.output_shapes[i], dims);
    if (to.data == nullptr) {
      to.nbytes = tensors[i].is_dynamic() ? nbytes_of(tensors[i].dtype, dims.data(), dims.size())
                                          : tensors[i].nbytes;
      if (to.nbytes > 0) to.data = std::malloc(to.nbytes);
      if (to.nbytes > 0 && to.data == nullptr) throw std::bad_alloc();
      slot.is_allocated[i] = true;
    }
  }
  model->transfer().copy_out(*device, slot.outputs.data(), *slot.device_outputs);
}

void Lane::hand_over(Slot &slot) noexcept {
  const bool succeeded = slot.outcome == ACLRT_OUTCOME_DONE && !slot.error;
  for (size_t i = 0; i < slot.outputs.size(); ++i) {
    if (!slot.is_allocated[i]) continue;
    if (succeeded) {
      slot.callers_outputs[i] = slot.outputs[i];
    } else {
      std::free(slot.outputs[i].data);
    }
    slot.outputs[i].data = nullptr;
  }
  if (succeeded && slot.callers_shapes != nullptr) {
    std::copy(slot.output_shapes.begin(), slot.output_shapes.end(), slot.callers_shapes);
  }
}

Slot *Lane::free_slot() noexcept {
  for (const auto &slot : slots) {
    if (slot->state == Slot::State::kFree) return slot.get();
  }
  return nullptr;
}

void Lane::release(FirstFailure &failure) noexcept {
  if (!device) return;
  {
    const ContextGuard guard(*device, failure);
    for (const auto &slot : slots) {
      if (slot->device_inputs) slot->device_inputs->release(failure);
      if (slot->device_outputs) slot->device_outputs->release(failure);
    }
  }
  failure.add(device.release(), "aclrtResetDevice", "cannot reset the device");
}

}  // namespace aclrt
