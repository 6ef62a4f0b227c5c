// SPDX-License-Identifier: Apache-2.0
//
// Which value of a gear fills which open dim: the batch fills the first dim, height and width the
// two open ones of an image, and with gears of dims every open dim has a value of its own.
#include "fake/gears.h"

#include <algorithm>
#include <cstring>

#include "acl/abi.h"

namespace aclfake {
namespace {

size_t gear_input(const om::Model &model) {
  const auto found =
      std::find_if(model.inputs.begin(), model.inputs.end(),
                   [](const om::Tensor &tensor) { return tensor.name == ACL_DYNAMIC_TENSOR_NAME; });
  return static_cast<size_t>(found - model.inputs.begin());
}

size_t open_dims(const om::Tensor &tensor) {
  return static_cast<size_t>(
      std::count_if(tensor.dims.begin(), tensor.dims.end(), [](int64_t dim) { return dim < 0; }));
}

// Inputs in the order of --input_shape; in their own where the file does not say.
std::vector<size_t> order_of(const om::Model &model) {
  std::vector<size_t> order;
  for (const std::string &name : model.gear_order) {
    for (size_t i = 0; i < model.inputs.size(); ++i) {
      if (model.inputs[i].name == name) order.push_back(i);
    }
  }
  for (size_t i = 0; i < model.inputs.size(); ++i) {
    const bool is_listed = std::find(order.begin(), order.end(), i) != order.end();
    if (is_listed || model.inputs[i].is_internal) continue;
    if (model.gear_order.empty() || open_dims(model.inputs[i]) > 0) order.push_back(i);
  }
  return order;
}

std::string text_of(const Gears::Values &values) {
  std::string text;
  for (const int64_t value : values) text += (text.empty() ? "" : ",") + std::to_string(value);
  return text;
}

}  // namespace

Gears::Gears(const om::Model &model)
    : kind(model.dynamic),
      gears(model.gears),
      value_count(gears.empty() ? 0 : gears.front().size()),
      input(gear_input(model)),
      first_value_(model.inputs.size(), 0) {
  size_t next = 0;
  for (const size_t i : order_of(model)) {
    first_value_[i] = kind == om::Dynamic::kDims ? next : 0;
    next += open_dims(model.inputs[i]);
    const Dims &dims = model.inputs[i].dims;
    all_dims_.insert(all_dims_.end(), dims.begin(), dims.end());
  }
  for (size_t gear = 0; gear < gears.size(); ++gear) {
    std::vector<Dims> inputs;
    for (size_t i = 0; i < model.inputs.size(); ++i) {
      inputs.push_back(filled(gear, i, model.inputs[i].dims));
    }
    input_dims_.push_back(std::move(inputs));
    std::vector<std::optional<Dims>> outputs(model.outputs.size());
    for (const om::OutputShape &shape : model.output_shapes) {
      const bool is_here = shape.gear == -1 || shape.gear == static_cast<int64_t>(gear);
      const auto output = static_cast<size_t>(shape.output);
      if (is_here && shape.output >= 0 && output < outputs.size()) outputs[output] = shape.dims;
    }
    output_dims_.push_back(std::move(outputs));
  }
}

std::optional<size_t> Gears::find(const Values &values) const {
  const auto found = std::find(gears.begin(), gears.end(), values);
  if (found == gears.end()) return std::nullopt;
  return static_cast<size_t>(found - gears.begin());
}

std::string Gears::text() const {
  const char *between = value_count == 1 ? ", " : "; ";
  std::string text;
  for (const Values &values : gears) text += (text.empty() ? "" : between) + text_of(values);
  return text;
}

const Gears::Dims *Gears::output_dims(size_t gear, size_t output) const {
  const std::optional<Dims> &dims = output_dims_[gear][output];
  return dims ? &*dims : nullptr;
}

Gears::Dims Gears::filled(size_t gear, size_t index, Dims dims) const {
  if (kind == om::Dynamic::kBatch) {
    if (!dims.empty() && dims[0] < 0 && !gears[gear].empty()) dims[0] = gears[gear][0];
    return dims;
  }
  size_t next = first_value_[index];
  for (int64_t &dim : dims) {
    if (dim < 0 && next < gears[gear].size()) dim = gears[gear][next++];
  }
  return dims;
}

Gears::Dims Gears::all_dims(size_t gear) const {
  Dims dims = all_dims_;
  size_t next = 0;
  for (int64_t &dim : dims) {
    if (dim < 0 && next < gears[gear].size()) dim = gears[gear][next++];
  }
  return dims;
}

size_t Gears::value_bytes(size_t buffer_size) const noexcept {
  for (const size_t bytes : {sizeof(uint64_t), sizeof(uint32_t)}) {
    if (buffer_size >= bytes * value_count) return bytes;
  }
  return 0;
}

// Little endian, as the host is.
std::vector<uint8_t> Gears::encode(const Values &values, size_t value_bytes) {
  std::vector<uint8_t> data(values.size() * value_bytes);
  for (size_t i = 0; i < values.size(); ++i) {
    std::memcpy(data.data() + i * value_bytes, &values[i], value_bytes);
  }
  return data;
}

Gears::Values Gears::decode(const uint8_t *data, size_t value_bytes) const {
  Values values(value_count, 0);
  for (size_t i = 0; i < value_count; ++i) {
    std::memcpy(&values[i], data + i * value_bytes, value_bytes);
  }
  return values;
}

}  // namespace aclfake
