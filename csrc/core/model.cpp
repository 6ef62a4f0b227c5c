// SPDX-License-Identifier: Apache-2.0
//
// Load, run, close.
#include "core/model.h"

#include <cstring>

#include "core/context_guard.h"
#include "core/overlap.h"

namespace aclrt {

namespace {

std::string quoted(const Tensor &tensor) {
  return "\"" + tensor.name + "\"";
}

[[noreturn]] void refuse_input(const std::string &message, const char *hint = "") {
  throw Error(ACLRT_ERROR_INPUT, message, hint);
}

void check_side(const std::vector<Tensor> &tensors, const aclrt_buffer_t *buffers, size_t count,
                const char *side, const char *verb) {
  if (count != tensors.size()) {
    refuse_input(std::string("the model ") + verb + " " + std::to_string(tensors.size()) + " " +
                 side + "(s), " + std::to_string(count) + " given");
  }
  if (count > 0 && buffers == nullptr) refuse_input(std::string("the ") + side + " array is NULL");
  for (size_t i = 0; i < count; ++i) {
    if (buffers[i].nbytes != tensors[i].nbytes) {
      refuse_input(std::string(side) + " " + quoted(tensors[i]) + " has " +
                   std::to_string(tensors[i].nbytes) + " bytes, a buffer of " +
                   std::to_string(buffers[i].nbytes) + " was given");
    }
    if (buffers[i].data == nullptr && buffers[i].nbytes > 0) {
      refuse_input(std::string(side) + " " + quoted(tensors[i]) + " is NULL");
    }
  }
}

}  // namespace

std::shared_ptr<Model> Model::load(const ModelSource &source, int32_t device_id) {
  Runtime &runtime = Runtime::instance();
  ModelFacts facts = judge(source);
  runtime.load(nullptr);
  if (facts.is_simulated && !runtime.is_fake()) {
    throw Error(ACLRT_ERROR_MODEL_LOAD,
                source.label() + " is a simulated model, which runs on the fake device alone",
                "Convert the ONNX with CANN's atc for this card, or set ACLRT_BACKEND=fake.");
  }
  runtime.init(nullptr);
  DeviceRef device(device_id);
  const ContextGuard guard(*device);
  auto model = std::make_shared<Model>(std::move(device), source, facts);
  runtime.add(model);
  return model;
}

Model::Model(DeviceRef device, const ModelSource &source, const ModelFacts &facts)
    : device_id_(device->id),
      device_(std::move(device)),
      facts_(facts),
      loaded_(source, facts),
      description_(loaded_.id()),
      inputs_(description_.inputs()),
      outputs_(description_.outputs()) {
  if (!facts_.has_sizes) query_sizes(source, facts_);
}

Model::~Model() {
  if (Runtime::is_forked()) return;
  try {
    close();
  } catch (...) {
    // close() released the rest; a destructor has nobody to tell.
  }
}

void Model::run(const aclrt_buffer_t *inputs, size_t input_count, const aclrt_buffer_t *outputs,
                size_t output_count, aclrt_shape_t *shapes) {
  std::lock_guard<std::mutex> lock(mutex_);
  refuse_unless_open();
  check_buffers(inputs, input_count, outputs, output_count);
  try {
    run_on_device(inputs, outputs, shapes);
  } catch (const Error &error) {
    if (error.kind == ACLRT_ERROR_DEVICE_LOST) {
      state_ = State::kBroken;
      lost_ = error;
    }
    throw;
  }
}

void Model::refuse_unless_open() const {
  if (state_ == State::kOpen) return;
  if (state_ == State::kClosed) {
    throw Error(ACLRT_ERROR_CLOSED, "the model is closed", "Load it again.");
  }
  Error error = *lost_;
  error.message = "the device was lost in an earlier run: " + error.message;
  throw error;
}

void Model::check_buffers(const aclrt_buffer_t *inputs, size_t input_count,
                          const aclrt_buffer_t *outputs, size_t output_count) const {
  const std::vector<Tensor> &takes = description_.inputs();
  const std::vector<Tensor> &gives = description_.outputs();
  check_side(takes, inputs, input_count, "input", "takes");
  check_side(gives, outputs, output_count, "output", "gives");
  for (size_t o = 0; o < output_count; ++o) {
    for (size_t i = 0; i < input_count; ++i) {
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

void Model::run_on_device(const aclrt_buffer_t *inputs, const aclrt_buffer_t *outputs,
                          aclrt_shape_t *shapes) {
  const acl::Table &api = acl::api();
  const ContextGuard guard(*device_);
  const size_t input_count = description_.inputs().size();
  for (size_t i = 0; i < input_count; ++i) {
    if (inputs[i].nbytes == 0) continue;  // older CANN refuses copies of nothing
    const DeviceBuffer &memory = inputs_.buffer(i);
    check(api.aclrtMemcpy(memory.data(), memory.size(), inputs[i].data, inputs[i].nbytes,
                          device_->to_device()),
          "aclrtMemcpy", "cannot copy an input to the device");
  }
  check(api.aclmdlExecute(loaded_.id(), inputs_.handle(), outputs_.handle()), "aclmdlExecute",
        "cannot run the model");
  const size_t output_count = description_.outputs().size();
  for (size_t i = 0; i < output_count; ++i) {
    if (outputs[i].nbytes == 0) continue;
    check(api.aclrtMemcpy(outputs[i].data, outputs[i].nbytes, outputs_.buffer(i).data(),
                          outputs[i].nbytes, device_->to_host()),
          "aclrtMemcpy", "the model ran, but an output cannot be copied to the host");
  }
  if (shapes == nullptr) return;
  static_assert(ACLRT_MAX_RANK == ACL_MAX_DIM_CNT, "aclrt_shape_t holds what AscendCL can report");
  for (size_t i = 0; i < output_count; ++i) {
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
    if (state_ == State::kClosed) return;
    was_broken = state_ == State::kBroken;
    state_ = State::kClosed;
    {
      const ContextGuard guard(*device_, failure);
      failure.add(loaded_.unload(), "aclmdlUnload", "cannot unload the model");
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
