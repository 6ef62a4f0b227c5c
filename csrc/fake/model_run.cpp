// SPDX-License-Identifier: Apache-2.0
//
// One execution: which dims it has, the device memory behind its ranges, and the engine's run. Of a
// model with gears the values in the gear input's memory choose, now and not at the call; only the
// bytes of that gear are read and written.
#include <algorithm>
#include <cstring>

#include "fake/checks.h"
#include "fake/freed.h"
#include "fake/messages.h"
#include "fake/model.h"

namespace aclfake {
namespace {

// size: of the tensor. Fewer bytes only where the client's buffer says so.
aclError pin_range(const Model &model, const char *side, size_t index, const Range &range,
                   size_t size, DevicePin *pin) {
  *pin = pin_device(range.data, size);
  if (*pin) {
    if (&pin->device() == model.device.get()) return ACL_SUCCESS;
    return violation(Check::BUF_09, ACL_ERROR_RT_MODEL_EXECUTE,
                     "%s %zu at %p is memory of device %d, the model's is %d", side, index,
                     range.data, pin->device().id, model.device->id);
  }
  const Place place = locate(range.data).place;
  const std::string text = memory_text(range.data);
  Freed freed;
  if (place == Place::kDead && find_freed(range.data, &freed) && freed.in_use) {
    return fail(ACL_ERROR_RT_MODEL_EXECUTE, "%s %zu: %zu bytes: %s", side, index, size,
                text.c_str());  // the free was reported
  }
  Check check = Check::BUF_07;
  const char *why = "is not device memory";
  if (place == Place::kDead) check = Check::BUF_08, why = "is not allocated";
  if (place == Place::kDevice) check = Check::BUF_10, why = "ends before the tensor does";
  return violation(check, ACL_ERROR_RT_MODEL_EXECUTE, "%s %zu: the memory for its %zu bytes %s: %s",
                   side, index, size, why, text.c_str());
}

// Cuts a range to the tensor's bytes, where they are known. gears: the sizes were not tested at the
// call, if a gear had been set.
aclError fit(const char *side, size_t index, const TensorInfo &info,
             const std::vector<int64_t> *dims, bool gears, Range *range) {
  size_t needed = 0;
  if (dims == nullptr || !tensor_bytes(info.tensor.dtype, *dims, &needed)) return ACL_SUCCESS;
  if (gears && range->size < needed && needed - range->size > kSizeTolerance) {
    return violation(Check::DYN_10, ACL_ERROR_RT_MODEL_EXECUTE,
                     "the buffer of %s %zu \"%s\" has %zu bytes, under this gear it is %s with "
                     "%zu bytes",
                     side, index, info.tensor.name.c_str(), range->size,
                     tensor_text(info.tensor.dtype, *dims).c_str(), needed);
  }
  if (range->size > needed) range->size = needed;
  return ACL_SUCCESS;
}

bool is_fixed(const std::vector<int64_t> &dims) {
  return std::all_of(dims.begin(), dims.end(), [](int64_t dim) { return dim >= 0; });
}

std::string values_text(const Gears::Values &values) {
  std::string text;
  for (const int64_t value : values) text += (text.empty() ? "" : ",") + std::to_string(value);
  return text;
}

}  // namespace

std::optional<size_t> Model::gear() const noexcept {
  const ptrdiff_t gear = gear_.load(std::memory_order_acquire);
  if (gear < 0) return std::nullopt;
  return static_cast<size_t>(gear);
}

void Model::set_gear(size_t gear) noexcept {
  gear_.store(static_cast<ptrdiff_t>(gear), std::memory_order_release);
}

const std::vector<int64_t> &Model::output_dims(size_t output) const {
  const std::vector<int64_t> *dims = engine_outputs_[output].dims;
  return dims != nullptr ? *dims : engine_->result(output).dims;
}

std::optional<ModelEngine::Shapes> Model::infer_dims(const ModelEngine::Shapes &input_dims) const {
  ModelEngine::Shapes shapes;
  for (const TensorInfo &info : description->outputs) {
    if (is_fixed(info.tensor.dims)) shapes.push_back(info.tensor.dims);
  }
  if (shapes.size() == description->outputs.size()) return shapes;
  if (aipp_ != nullptr) return std::nullopt;  // its images are not what the graph takes
  return engine_->infer(input_dims);
}

aclError Model::find_gear(const Ranges &ranges, size_t *gear) {
  const Gears &gears = description->gears;
  const Range &range = ranges.inputs[gears.input];
  const size_t width = gears.value_bytes(range.size);
  if (width == 0) {
    return violation(Check::DYN_09, ACL_ERROR_RT_MODEL_EXECUTE,
                     "the gear input %zu of model %u has %zu bytes, too few for %zu values",
                     gears.input, id, range.size, gears.value_count);
  }
  DevicePin pin;
  if (const aclError code =
          pin_range(*this, "input", gears.input, range, width * gears.value_count, &pin)) {
    return code;
  }
  const Gears::Values values = gears.decode(pin.data(), width);
  if (const std::optional<size_t> found = gears.find(values)) {
    *gear = *found;
    return ACL_SUCCESS;
  }
  return violation(Check::DYN_09, ACL_ERROR_RT_MODEL_EXECUTE,
                   "the memory of the gear input %zu of model %u holds %s; its gears are %s",
                   gears.input, id, values_text(values).c_str(), gears.text().c_str());
}

aclError Model::choose_dims(const Ranges &ranges) {
  for (size_t i = 0; i < ranges.input_dims.size(); ++i) {
    engine_inputs_[i].dims = &ranges.input_dims[i];
  }
  const Gears &gears = description->gears;
  for (size_t i = 0; !gears.any() && i < engine_outputs_.size(); ++i) {
    const std::vector<int64_t> &dims = description->outputs[i].tensor.dims;
    engine_outputs_[i].dims = is_fixed(dims) ? &dims : nullptr;
    if (!ranges.output_dims.empty()) engine_outputs_[i].dims = &ranges.output_dims[i];
  }
  run_gear_.reset();
  if (!gears.any()) return ACL_SUCCESS;
  size_t gear = 0;
  if (const aclError code = find_gear(ranges, &gear)) return code;
  run_gear_ = gear;
  for (size_t i = 0; i < engine_inputs_.size(); ++i) {
    engine_inputs_[i].dims = &gears.input_dims(gear, i);
  }
  for (size_t i = 0; i < engine_outputs_.size(); ++i) {
    engine_outputs_[i].dims = gears.output_dims(gear, i);
  }
  return ACL_SUCCESS;
}

// The outputs whose dims nobody knew. Nothing is written unless all of them fit.
aclError Model::give_results(const Ranges &ranges) {
  for (const bool write : {false, true}) {
    for (size_t i = 0; i < engine_outputs_.size(); ++i) {
      const ModelEngine::Output &output = engine_outputs_[i];
      if (output.dims != nullptr || ranges.outputs[i].data == nullptr) continue;
      const ModelEngine::Result &result = engine_->result(i);
      if (write) {
        if (result.size > 0) std::memcpy(output.data, result.data, result.size);
      } else if (output.size < result.size) {
        const om::Tensor &tensor = description->outputs[i].tensor;
        return violation(Check::DYN_13, ACL_ERROR_GE_FAILURE,
                         "E13031: the buffer of output %zu \"%s\" has %zu bytes, its result %s "
                         "needs %zu",
                         i, tensor.name.c_str(), output.size,
                         tensor_text(tensor.dtype, result.dims).c_str(), result.size);
      }
    }
  }
  return ACL_SUCCESS;
}

aclError Model::run(const Ranges &ranges) {
  struct Unpin {
    std::vector<DevicePin> &pins;
    ~Unpin() {
      for (DevicePin &pin : pins) pin = DevicePin();
    }
  } unpin{pins_};

  if (!work_.alive() || !weights_.alive()) {
    return violation(Check::RUN_05, ACL_ERROR_RT_MODEL_EXECUTE,
                     "the client's work or weight memory of model %u was freed before the model "
                     "was unloaded",
                     id);
  }
  if (const aclError code = choose_dims(ranges)) return code;
  const bool gears = description->gears.any();
  const bool varies = gears || description->shape_range;
  bool all_known = true;
  for (size_t i = 0; i < ranges.inputs.size(); ++i) {
    Range range = ranges.inputs[i];
    DevicePin &pin = pins_[i];
    ModelEngine::Input &input = engine_inputs_[i];
    if (varies && (aipp_ == nullptr || !aipp_->takes(i))) {
      const TensorInfo &info = description->inputs[i];
      if (const aclError code = fit("input", i, info, input.dims, gears, &range)) return code;
    }
    if (range.size > 0) {
      if (const aclError code = pin_range(*this, "input", i, range, range.size, &pin)) return code;
    }
    input.data = pin.data();
    input.size = range.size;
  }
  for (size_t i = 0; i < ranges.outputs.size(); ++i) {
    Range range = ranges.outputs[i];
    DevicePin &pin = pins_[ranges.inputs.size() + i];
    ModelEngine::Output &output = engine_outputs_[i];
    all_known = all_known && output.dims != nullptr;
    if (varies) {
      const TensorInfo &info = description->outputs[i];
      if (const aclError code = fit("output", i, info, output.dims, gears, &range)) return code;
    }
    if (range.size > 0) {
      if (const aclError code = pin_range(*this, "output", i, range, range.size, &pin)) return code;
    }
    output.data = pin.data();
    output.size = range.size;
  }
  // It computes nothing, so that copies alone count; but results have no dims then.
  if (device->profile.window && all_known) return ACL_SUCCESS;
  try {
    if (aipp_ != nullptr) aipp_->run(run_gear_, &engine_inputs_);
    engine_->run(engine_inputs_, engine_outputs_);
  } catch (const EngineError &error) {
    return fail(ACL_ERROR_RT_MODEL_EXECUTE, "model \"%s\": %s", name.c_str(), error.what());
  }
  return all_known ? ACL_SUCCESS : give_results(ranges);
}

}  // namespace aclfake
