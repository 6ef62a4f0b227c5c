// SPDX-License-Identifier: Apache-2.0
#include "core/warm_up.h"

#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "core/model.h"

namespace aclrt {
namespace {

struct Free {
  void operator()(void *data) const noexcept { std::free(data); }
};
using Memory = std::unique_ptr<void, Free>;

[[noreturn]] void refuse(const Tensor &tensor, const std::string &why) {
  throw Error(ACLRT_ERROR_INPUT, "input \"" + tensor.name + "\" " + why,
              "Warm the model up with a run on real data.");
}

Dims largest_dims(const Tensor &tensor) {
  Dims dims = tensor.dims;
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    if (dims[axis] >= 0) continue;
    if (tensor.range.empty() || tensor.range[axis].second < 0) {
      refuse(tensor, "has no largest shape: " + to_text(dims) + " has no limit");
    }
    dims[axis] = tensor.range[axis].second;
  }
  return dims;
}

// What the gear takes in all.
size_t total_bytes(const Gear &gear, const std::vector<Tensor> &inputs) {
  size_t total = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    total += nbytes_of(inputs[i].dtype, gear.inputs[i].data(), gear.inputs[i].size());
  }
  return total;
}

std::vector<Dims> largest_shapes(const Model &model) {
  const std::vector<Tensor> &inputs = model.description().inputs();
  for (const Tensor &tensor : inputs) {
    if (tensor.takes_aipp_image) refuse(tensor, "takes images of any size");
  }
  std::vector<Dims> shapes;
  if (model.gears().empty()) {
    for (const Tensor &tensor : inputs) shapes.push_back(largest_dims(tensor));
    return shapes;
  }
  const Gear *largest = &model.gears().all().front();
  for (const Gear &gear : model.gears().all()) {
    if (total_bytes(gear, inputs) > total_bytes(*largest, inputs)) largest = &gear;
  }
  return largest->inputs;
}

}  // namespace

void warm_up(Model &model) {
  const std::vector<Tensor> &inputs = model.description().inputs();
  const std::vector<Dims> shapes = largest_shapes(model);
  std::vector<Memory> memory;
  std::vector<aclrt_buffer_t> feed;
  std::vector<aclrt_dims_t> dims;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const bool is_fixed = !inputs[i].is_dynamic();
    const size_t nbytes = is_fixed ? inputs[i].nbytes
                                   : nbytes_of(inputs[i].dtype, shapes[i].data(), shapes[i].size());
    memory.emplace_back(std::calloc(nbytes > 0 ? nbytes : 1, 1));
    if (memory.back() == nullptr) throw std::bad_alloc();
    feed.push_back({memory.back().get(), nbytes, nullptr});
    dims.push_back({shapes[i].data(), shapes[i].size()});
  }
  std::vector<aclrt_buffer_t> fetch(model.description().outputs().size());
  model.run_shaped(feed.data(), dims.data(), feed.size(), fetch.data(), fetch.size(), nullptr);
  for (const aclrt_buffer_t &output : fetch) std::free(output.data);
}

}  // namespace aclrt
