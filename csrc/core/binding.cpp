// SPDX-License-Identifier: Apache-2.0
//
// Copies what describes the buffers; the memory behind them stays the caller's.
#include "core/binding.h"

#include "core/error.h"

namespace aclrt {

namespace {

char g_nothing;  // where an empty output is, so that no run allocates one

void require_array(const void *array, size_t count, const char *name) {
  if (array == nullptr && count > 0) {
    throw Error(ACLRT_ERROR_INPUT, std::string("the array of ") + name + " is NULL");
  }
}

}  // namespace

Binding::Binding(std::shared_ptr<Model> model, const aclrt_buffer_t *inputs,
                 const aclrt_dims_t *input_shapes, size_t input_count,
                 const aclrt_buffer_t *outputs, size_t output_count)
    : model_(std::move(model)) {
  require_array(inputs, input_count, "inputs");
  require_array(outputs, output_count, "outputs");
  inputs_ = hold(inputs, input_count);
  outputs_ = hold(outputs, output_count);
  if (!model_->has_fixed_shapes()) {
    require_array(input_shapes, input_count, "input shapes");
    copy_shapes(input_shapes, input_count);
    for (aclrt_buffer_t &output : outputs_) {
      if (output.data == nullptr) output = {&g_nothing, output.nbytes, nullptr};
      if (output.data == &g_nothing && output.nbytes > 0) {
        throw Error(ACLRT_ERROR_INPUT, "an output is NULL",
                    "Bound outputs have memory of the caller's.");
      }
    }
  }
  const auto check = [&](const aclrt_dims_t *shapes) {
    model_->check_bound(inputs_.data(), shapes, input_count, outputs_.data(), output_count);
  };
  if (model_->has_fixed_shapes()) check(nullptr);
  if (input_shapes != nullptr) check(input_shapes);
}

void Binding::copy_shapes(const aclrt_dims_t *shapes, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (shapes[i].rank > ACLRT_MAX_RANK || (shapes[i].rank > 0 && shapes[i].dims == nullptr)) {
      throw Error(ACLRT_ERROR_INPUT, "the shape of input " + std::to_string(i) + " has no dims");
    }
    dims_.emplace_back(shapes[i].dims, shapes[i].dims + shapes[i].rank);
  }
  for (const Dims &dims : dims_) shapes_.push_back({dims.data(), dims.size()});
}

std::vector<aclrt_buffer_t> Binding::hold(const aclrt_buffer_t *buffers, size_t count) {
  std::vector<aclrt_buffer_t> held(buffers, buffers + count);
  for (aclrt_buffer_t &buffer : held) {
    if (buffer.memory == nullptr) continue;
    memories_.push_back(*buffer.memory);
    buffer.memory = &memories_.back();
  }
  return held;
}

void Binding::refuse_if_closed() const {
  if (is_closed_) throw Error(ACLRT_ERROR_CLOSED, "the binding is closed", "Bind the model again.");
}

void Binding::run() {
  refuse_if_closed();
  model_->queues().refuse_in_use(
      model_->description(), {inputs_.data(), inputs_.size(), outputs_.data(), outputs_.size()});
  const auto lock = model_->lock();
  refuse_if_closed();
  if (shapes_.empty()) {
    model_->run_bound(inputs_.data(), inputs_.size(), outputs_.data(), outputs_.size());
  } else {
    model_->run_shaped_locked(inputs_.data(), shapes_.data(), inputs_.size(), outputs_.data(),
                              outputs_.size(), nullptr);
  }
}

void Binding::close() noexcept {
  const auto lock = model_->lock();
  is_closed_ = true;
}

}  // namespace aclrt
