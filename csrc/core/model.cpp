// SPDX-License-Identifier: Apache-2.0
//
// Load, run, close.
#include "core/model.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "core/context_guard.h"
#include "core/overlap.h"
#include "core/user_memory.h"

namespace aclrt {

namespace {

constexpr char kCannotRun[] = "cannot run the model";

std::string quoted(const Tensor &tensor) {
  return "\"" + tensor.name + "\"";
}

[[noreturn]] void refuse_input(const std::string &message, const char *hint = "") {
  throw Error(ACLRT_ERROR_INPUT, message, hint);
}

void check_count(const std::vector<Tensor> &tensors, const void *buffers, size_t count,
                 const char *side, const char *verb) {
  if (count != tensors.size()) {
    refuse_input(std::string("the model ") + verb + " " + std::to_string(tensors.size()) + " " +
                 side + "(s), " + std::to_string(count) + " given");
  }
  if (count > 0 && buffers == nullptr) refuse_input(std::string("the ") + side + " array is NULL");
}

void check_bytes(const Tensor &tensor, const aclrt_buffer_t &buffer, size_t nbytes,
                 const char *side) {
  if (buffer.nbytes != nbytes) {
    refuse_input(std::string(side) + " " + quoted(tensor) + " has " + std::to_string(nbytes) +
                 " bytes, a buffer of " + std::to_string(buffer.nbytes) + " was given");
  }
  if (buffer.data == nullptr && nbytes > 0) {
    refuse_input(std::string(side) + " " + quoted(tensor) + " is NULL");
  }
}

// That a buffer lies in the memory it names, and where this device can use it.
void check_memory(const Tensor &tensor, const aclrt_buffer_t &buffer, const char *side,
                  int32_t device_id) {
  if (buffer.memory == nullptr) return;
  const UserMemory &memory = *buffer.memory->memory;
  const size_t offset = static_cast<size_t>(static_cast<uint8_t *>(buffer.data) - memory.data());
  if (offset > memory.nbytes() || buffer.nbytes > memory.nbytes() - offset) {
    refuse_input(std::string(side) + " " + quoted(tensor) + " does not lie in its memory of " +
                 std::to_string(memory.nbytes()) + " bytes");
  }
  if (memory.is_on_device() && memory.device_id() != device_id) {
    refuse_input(std::string(side) + " " + quoted(tensor) + " is on device " +
                     std::to_string(memory.device_id()) + ", the model on device " +
                     std::to_string(device_id),
                 "Copy it by way of the host.");
  }
}

void check_memories(const std::vector<Tensor> &tensors, const aclrt_buffer_t *buffers,
                    const char *side, int32_t device_id) {
  for (size_t i = 0; i < tensors.size(); ++i) check_memory(tensors[i], buffers[i], side, device_id);
}

void check_sizes(const std::vector<Tensor> &tensors, const aclrt_buffer_t *buffers,
                 const char *side) {
  for (size_t i = 0; i < tensors.size(); ++i) {
    check_bytes(tensors[i], buffers[i], tensors[i].nbytes, side);
  }
}

// One buffer for each of AscendCL's inputs, its own included.
std::vector<size_t> sizes_of_inputs(const Description &description, const Gears &gears) {
  std::vector<size_t> sizes(description.acl_input_count());
  for (const InternalInput &input : description.internal_inputs()) {
    sizes[input.index] = input.nbytes;
  }
  const bool is_range = gears.kind() == ACLRT_DYNAMIC_RANGE;
  for (const Tensor &tensor : description.inputs()) {
    sizes[tensor.index] = is_range ? ShapeRange::initial_size(tensor, true) : tensor.device_nbytes;
  }
  return sizes;
}

std::vector<size_t> sizes_of_outputs(const Description &description, const Gears &gears) {
  std::vector<size_t> sizes;
  const bool is_range = gears.kind() == ACLRT_DYNAMIC_RANGE;
  for (const Tensor &tensor : description.outputs()) {
    sizes.push_back(is_range ? ShapeRange::initial_size(tensor, false) : tensor.device_nbytes);
  }
  return sizes;
}

bool are_fixed(const Description &description, const Gears &gears) noexcept {
  const std::vector<Tensor> &inputs = description.inputs();
  return gears.kind() == ACLRT_DYNAMIC_NONE &&
         std::none_of(inputs.begin(), inputs.end(),
                      [](const Tensor &tensor) { return tensor.is_dynamic(); });
}

std::vector<aclrt_buffer_t> frame_of(const std::vector<Tensor> &tensors) {
  std::vector<aclrt_buffer_t> frame;
  for (const Tensor &tensor : tensors) frame.push_back({nullptr, tensor.nbytes, nullptr});
  return frame;
}

void point_at(const std::vector<Tensor> &tensors, void *const *pointers, const char *side,
              std::vector<aclrt_buffer_t> &frame) {
  for (size_t i = 0; i < frame.size(); ++i) {
    frame[i].data = pointers[i];
    check_bytes(tensors[i], frame[i], frame[i].nbytes, side);
  }
}

// Bytes of a tensor in this run.
size_t run_nbytes(const Tensor &tensor, const int64_t *dims, size_t rank) noexcept {
  return tensor.is_dynamic() ? nbytes_of(tensor.dtype, dims, rank) : tensor.nbytes;
}

void copy_shape(const aclrt_shape_t &from, aclrt_shape_t &to) noexcept {
  to.rank = from.rank;
  std::memcpy(to.dims, from.dims, from.rank * sizeof from.dims[0]);
}

}  // namespace

// Frees again what a run that fails has allocated.
class Model::OutputMemory {
 public:
  // allocated: room to note it, one null for each output.
  OutputMemory(aclrt_buffer_t *outputs, std::vector<void *> &allocated)
      : outputs_(outputs), allocated_(allocated) {}
  ~OutputMemory() {
    for (size_t i = 0; i < allocated_.size(); ++i) {
      if (allocated_[i] == nullptr) continue;
      std::free(allocated_[i]);
      allocated_[i] = nullptr;
      outputs_[i] = {nullptr, 0, nullptr};
    }
  }
  OutputMemory(const OutputMemory &) = delete;
  OutputMemory &operator=(const OutputMemory &) = delete;

  void allocate(size_t index, size_t nbytes) {
    allocated_[index] = std::malloc(nbytes);
    if (allocated_[index] == nullptr) throw std::bad_alloc();
    outputs_[index] = {allocated_[index], nbytes, nullptr};
  }
  void hand_over() noexcept { std::fill(allocated_.begin(), allocated_.end(), nullptr); }

 private:
  aclrt_buffer_t *outputs_;
  std::vector<void *> &allocated_;
};

namespace {

void check_overlap(const std::vector<Tensor> &takes, const aclrt_buffer_t *inputs,
                   const std::vector<Tensor> &gives, const aclrt_buffer_t *outputs) {
  for (size_t o = 0; o < gives.size(); ++o) {
    if (outputs[o].data == nullptr) continue;
    for (size_t i = 0; i < takes.size(); ++i) {
      if (overlap(outputs[o], inputs[i])) {
        refuse_input("output " + quoted(gives[o]) + " overlaps input " + quoted(takes[i]),
                     "Give each output memory of its own.");
      }
    }
    for (size_t other = 0; other < o; ++other) {
      if (overlap(outputs[o], outputs[other])) {
        refuse_input("output " + quoted(gives[o]) + " overlaps output " + quoted(gives[other]),
                     "Give each output memory of its own.");
      }
    }
  }
}

}  // namespace

Model::Model(DeviceRef device, const ModelSource &source, const ModelFacts &facts, const Kin &kin)
    : loss_(kin.loss),
      meter_(kin.meter),
      device_id_(device->id),
      device_(std::move(device)),
      facts_(facts),
      weights_(kin.weights),
      loaded_(source, facts, weights_.get()),
      load_weights_(meter_, MemoryMeter::kWeights, 0),
      load_work_(meter_, MemoryMeter::kWork, 0),
      description_(loaded_.id()),
      gears_(description_, facts.gear_order),
      has_fixed_shapes_(are_fixed(description_, gears_)),
      transfer_(description_, gears_.kind()),
      inputs_(sizes_of_inputs(description_, gears_), meter_),
      outputs_(sizes_of_outputs(description_, gears_), meter_),
      output_shapes_(description_.outputs().size()),
      input_frame_(frame_of(description_.inputs())),
      output_frame_(frame_of(description_.outputs())),
      allocated_(description_.outputs().size()),
      host_(meter_, MemoryMeter::kHost,
            output_shapes_.size() * (sizeof(aclrt_shape_t) + sizeof(void *))) {
  if (!facts_.has_sizes) query_sizes(source, facts_);
  if (weights_.get() == nullptr) load_weights_.set(facts_.weight_size);
  load_work_.set(facts_.work_size);
  gears_.learn_outputs(loaded_.id(), inputs_, description_);
}

Model::~Model() {
  if (Runtime::is_forked()) return;
  try {
    close();
  } catch (...) {
    // close() released the rest; a destructor has nobody to tell.
  }
}

template <class Body>
void Model::on_device(Body &&body) {
  try {
    const ContextGuard guard(*device_);
    body();
  } catch (const Error &error) {
    // What was set for this run may have arrived or not.
    gears_.forget();
    range_.forget();
    note(error);
    throw;
  }
}

void Model::run(const aclrt_buffer_t *inputs, size_t input_count, const aclrt_buffer_t *outputs,
                size_t output_count, aclrt_shape_t *shapes) {
  std::lock_guard<std::mutex> lock(mutex_);
  refuse_unless_open();
  refuse_unless_fixed();
  check_counts(inputs, input_count, outputs, output_count);
  const MemoryUse use(inputs, input_count, outputs, output_count);
  check_sizes(description_.inputs(), inputs, "input");
  check_sizes(description_.outputs(), outputs, "output");
  check_places(inputs, outputs);
  on_device([&] {
    execute_fixed(inputs, outputs);
    if (shapes != nullptr) read_output_shapes(shapes);
  });
}

void Model::run_pointers(void *const *pointers, size_t count) {
  std::lock_guard<std::mutex> lock(mutex_);
  refuse_unless_open();
  refuse_unless_fixed();
  if (count != input_frame_.size() + output_frame_.size()) {
    refuse_input("the model has " + std::to_string(input_frame_.size()) + " input(s) and " +
                 std::to_string(output_frame_.size()) + " output(s), " + std::to_string(count) +
                 " pointer(s) given");
  }
  point_at(description_.inputs(), pointers, "input", input_frame_);
  point_at(description_.outputs(), pointers + input_frame_.size(), "output", output_frame_);
  check_overlap(description_.inputs(), input_frame_.data(), description_.outputs(),
                output_frame_.data());
  on_device([&] { execute_fixed(input_frame_.data(), output_frame_.data()); });
}

void Model::run_bound(const aclrt_buffer_t *inputs, size_t input_count,
                      const aclrt_buffer_t *outputs, size_t output_count) {
  refuse_unless_open();
  const MemoryUse use(inputs, input_count, outputs, output_count);
  on_device([&] { execute_fixed(inputs, outputs); });
}

void Model::execute_fixed(const aclrt_buffer_t *inputs, const aclrt_buffer_t *outputs) {
  transfer_.copy_in(*device_, inputs, inputs_);
  transfer_.point_outputs(outputs, outputs_);
  check(acl::api().aclmdlExecute(loaded_.id(), inputs_.handle(), outputs_.handle()),
        "aclmdlExecute", kCannotRun);
  transfer_.copy_out(*device_, outputs, outputs_);
}

void Model::refuse_unless_fixed() const {
  if (has_fixed_shapes_) return;
  refuse_input("the model has dynamic shapes, and none were given",
               "aclrt_model_run_shaped takes them.");
}

void Model::run_shaped(const aclrt_buffer_t *inputs, const aclrt_dims_t *input_shapes,
                       size_t input_count, aclrt_buffer_t *outputs, size_t output_count,
                       aclrt_shape_t *shapes) {
  std::lock_guard<std::mutex> lock(mutex_);
  run_shaped_locked(inputs, input_shapes, input_count, outputs, output_count, shapes);
}

void Model::run_shaped_locked(const aclrt_buffer_t *inputs, const aclrt_dims_t *input_shapes,
                              size_t input_count, aclrt_buffer_t *outputs, size_t output_count,
                              aclrt_shape_t *shapes) {
  refuse_unless_open();
  check_counts(inputs, input_count, outputs, output_count);
  const MemoryUse use(inputs, input_count, outputs, output_count);
  execute_shaped(inputs, input_shapes, input_count, outputs, output_count, shapes);
}

void Model::run_held(const aclrt_buffer_t *inputs, const aclrt_dims_t *input_shapes,
                     size_t input_count, aclrt_buffer_t *outputs, size_t output_count,
                     aclrt_shape_t *shapes) {
  std::lock_guard<std::mutex> lock(mutex_);
  refuse_unless_open();
  execute_shaped(inputs, input_shapes, input_count, outputs, output_count, shapes);
}

void Model::execute_shaped(const aclrt_buffer_t *inputs, const aclrt_dims_t *input_shapes,
                           size_t input_count, aclrt_buffer_t *outputs, size_t output_count,
                           aclrt_shape_t *shapes) {
  check_shapes(input_shapes, input_count);
  check_places(inputs, outputs);
  const bool is_range = gears_.kind() == ACLRT_DYNAMIC_RANGE;
  if (is_range) ShapeRange::check(input_shapes, description_);
  const size_t gear = gears_.empty() ? 0 : gears_.find(input_shapes, description_);
  check_input_bytes(inputs, input_shapes);
  aipp_.check_images(description_, inputs, input_shapes);
  OutputMemory memory(outputs, allocated_);
  on_device([&] {
    if (is_range) {
      range_.bind(input_shapes, description_, inputs_);
    } else if (gears_.select(gear, loaded_.id(), inputs_)) {
      read_output_shapes(output_shapes_.data());
    }
    if (!is_range) prepare(outputs, memory);
    transfer_.copy_in(*device_, inputs, inputs_);
    transfer_.point_outputs(outputs, outputs_);
    check(is_range ? ShapeRange::execute(loaded_.id(), description_, inputs_, outputs_)
                   : acl::api().aclmdlExecute(loaded_.id(), inputs_.handle(), outputs_.handle()),
          "aclmdlExecute", kCannotRun);
    if (is_range) {
      ShapeRange::read_shapes(description_, outputs_, output_shapes_.data());
      prepare(outputs, memory);
    }
    transfer_.copy_out(*device_, outputs, outputs_);
  });
  memory.hand_over();
  if (shapes == nullptr) return;
  for (size_t i = 0; i < output_count; ++i) copy_shape(output_shapes_[i], shapes[i]);
}

void Model::note(const Error &error) {
  if (error.kind == ACLRT_ERROR_DEVICE_LOST) loss_->set(error);
}

std::vector<size_t> Model::input_sizes() const {
  return sizes_of_inputs(description_, gears_);
}

std::vector<size_t> Model::output_sizes() const {
  return sizes_of_outputs(description_, gears_);
}

// Without the lock: a binding does not wait for a run in progress.
void Model::check_bound(const aclrt_buffer_t *inputs, const aclrt_dims_t *input_shapes,
                        size_t input_count, const aclrt_buffer_t *outputs,
                        size_t output_count) const {
  refuse_unless_open();
  check_counts(inputs, input_count, outputs, output_count);
  const MemoryUse use(inputs, input_count, outputs, output_count);
  check_places(inputs, outputs);
  check_fit(inputs, input_shapes, input_count, outputs, output_count);
}

size_t Model::check_run(const aclrt_buffer_t *inputs, const aclrt_dims_t *input_shapes,
                        size_t input_count, const aclrt_buffer_t *outputs,
                        size_t output_count) const {
  check_counts(inputs, input_count, outputs, output_count);
  check_places(inputs, outputs);
  return check_fit(inputs, input_shapes, input_count, outputs, output_count);
}

size_t Model::check_fit(const aclrt_buffer_t *inputs, const aclrt_dims_t *input_shapes,
                        size_t input_count, const aclrt_buffer_t *outputs,
                        size_t output_count) const {
  if (input_shapes == nullptr && has_fixed_shapes()) {
    check_sizes(description_.inputs(), inputs, "input");
    check_sizes(description_.outputs(), outputs, "output");
    return 0;
  }
  check_shapes(input_shapes, input_count);
  if (gears_.kind() == ACLRT_DYNAMIC_RANGE) ShapeRange::check(input_shapes, description_);
  const size_t gear = gears_.empty() ? 0 : gears_.find(input_shapes, description_);
  check_input_bytes(inputs, input_shapes);
  if (gears_.kind() == ACLRT_DYNAMIC_RANGE) return gear;
  for (size_t i = 0; i < output_count; ++i) {
    if (outputs[i].data == nullptr) continue;
    const Tensor &tensor = description_.outputs()[i];
    const Dims &dims = gears_.empty() ? tensor.dims : gears_.all()[gear].outputs[i];
    check_bytes(tensor, outputs[i], run_nbytes(tensor, dims.data(), dims.size()), "output");
  }
  return gear;
}

void Model::execute(Dataset &inputs, Dataset &outputs, size_t gear, size_t &selected) {
  std::lock_guard<std::mutex> lock(mutex_);
  refuse_unless_open();
  on_device([&] {
    gears_.select(gear, loaded_.id(), inputs, selected);
    check(acl::api().aclmdlExecute(loaded_.id(), inputs.handle(), outputs.handle()),
          "aclmdlExecute", kCannotRun);
  });
}

void Model::set_aipp(size_t input, const aclrt_aipp_t &aipp) {
  std::lock_guard<std::mutex> lock(mutex_);
  refuse_unless_open();
  on_device([&] { aipp_.set(loaded_.id(), description_, inputs_, input, aipp); });
}

void Model::forget_aipp(size_t input) {
  std::lock_guard<std::mutex> lock(mutex_);
  aipp_.forget(input);
}

void Model::refuse_closed() {
  throw Error(ACLRT_ERROR_CLOSED, "the model is closed", "Load it again.");
}

void Model::refuse_unless_open() const {
  if (is_closed_) refuse_closed();
  refuse_if_broken();
}

void Model::refuse_if_broken() const {
  if (loss_->happened()) loss_->refuse();
}

void Model::check_counts(const aclrt_buffer_t *inputs, size_t input_count,
                         const aclrt_buffer_t *outputs, size_t output_count) const {
  check_count(description_.inputs(), inputs, input_count, "input", "takes");
  check_count(description_.outputs(), outputs, output_count, "output", "gives");
}

void Model::check_places(const aclrt_buffer_t *inputs, const aclrt_buffer_t *outputs) const {
  check_memories(description_.inputs(), inputs, "input", device_id_);
  check_memories(description_.outputs(), outputs, "output", device_id_);
  check_overlap(description_.inputs(), inputs, description_.outputs(), outputs);
}

void Model::check_shapes(const aclrt_dims_t *shapes, size_t input_count) const {
  const std::vector<Tensor> &takes = description_.inputs();
  if (input_count > 0 && shapes == nullptr) refuse_input("the array of input shapes is NULL");
  for (size_t i = 0; i < input_count; ++i) {
    const aclrt_dims_t &shape = shapes[i];
    const auto refuse = [&](const std::string &why) {
      refuse_input("input " + quoted(takes[i]) + " is " + why + "; the model takes " +
                   to_text(takes[i].dims));
    };
    if (shape.rank > ACLRT_MAX_RANK) refuse("of rank " + std::to_string(shape.rank));
    if (shape.rank > 0 && shape.dims == nullptr) refuse("without dims");
    for (size_t axis = 0; axis < shape.rank; ++axis) {
      if (shape.dims[axis] < 0) refuse(to_text(shape.dims, shape.rank));
    }
    if (gears_.kind() == ACLRT_DYNAMIC_NONE && !fits(shape, takes[i].dims)) {
      refuse(to_text(shape.dims, shape.rank));
    }
  }
}

void Model::check_input_bytes(const aclrt_buffer_t *inputs, const aclrt_dims_t *shapes) const {
  for (size_t i = 0; i < description_.inputs().size(); ++i) {
    const Tensor &tensor = description_.inputs()[i];
    const size_t nbytes = run_nbytes(tensor, shapes[i].dims, shapes[i].rank);
    check_bytes(tensor, inputs[i], nbytes, "input");
    if (tensor.device_nbytes > 0 && nbytes > tensor.device_nbytes) {
      refuse_input("input " + quoted(tensor) + " has " + std::to_string(nbytes) +
                   " bytes, the model takes at most " + std::to_string(tensor.device_nbytes));
    }
  }
}

// Before an output is copied: its size in this run is what output_shapes_ tells.
void Model::prepare(aclrt_buffer_t *outputs, OutputMemory &memory) const {
  for (size_t i = 0; i < output_shapes_.size(); ++i) {
    const Tensor &tensor = description_.outputs()[i];
    const size_t nbytes = run_nbytes(tensor, output_shapes_[i].dims, output_shapes_[i].rank);
    if (nbytes > outputs_.buffer(i).size()) {
      throw Error(ACLRT_ERROR_INTERNAL, "output " + quoted(tensor) + " is larger than its buffer");
    }
    if (outputs[i].data == nullptr) {
      outputs[i].nbytes = 0;
      if (nbytes > 0) memory.allocate(i, nbytes);
    } else {
      check_bytes(tensor, outputs[i], nbytes, "output");
    }
  }
}

void Model::read_output_shapes(aclrt_shape_t *shapes) const {
  static_assert(ACLRT_MAX_RANK == ACL_MAX_DIM_CNT, "aclrt_shape_t holds what AscendCL can report");
  for (size_t i = 0; i < description_.outputs().size(); ++i) {
    aclmdlIODims dims;
    dims.dimCount = 0;
    description_.current_output_dims(i, &dims);
    shapes[i].rank = dims.dimCount <= ACLRT_MAX_RANK ? dims.dimCount : 0;
    std::memcpy(shapes[i].dims, dims.dims, shapes[i].rank * sizeof dims.dims[0]);
  }
}

void Model::close() {
  FirstFailure failure;
  bool was_broken = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (is_closed_) return;
    was_broken = loss_->happened();
    is_closed_ = true;
    {
      const ContextGuard guard(*device_, failure);
      failure.add(loaded_.unload(), "aclmdlUnload", "cannot unload the model");
      weights_.release(failure);
      load_weights_.release();
      load_work_.release();
      inputs_.release(failure);
      outputs_.release(failure);
      failure.add(description_.release(), "aclmdlDestroyDesc", "cannot destroy a description");
    }
    failure.add(device_.release(), "aclrtResetDevice", "cannot reset the device");
  }
  Runtime::instance().remove(this);
  if (!was_broken) failure.throw_if_any();
}

}  // namespace aclrt
