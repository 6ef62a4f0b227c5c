// SPDX-License-Identifier: Apache-2.0
//
// Asks for gears, and sets them.
#include "core/gears.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"

namespace aclrt {

namespace {

// The getters and setters of gears speak of all inputs at once.
constexpr size_t kAllInputs = static_cast<size_t>(-1);

[[noreturn]] void refuse(const std::string &why) {
  throw Error(ACLRT_ERROR_MODEL_LOAD, "the gears of the model make no sense: " + why,
              "Compile it again, and keep the .om for a report.");
}

// Bytes in memory for one byte of the plain dims: YUV images have more rows than the image is high.
void stretch_height(Dims &dims, size_t axis, const Tensor &tensor, const Dims &largest) {
  const size_t plain = nbytes_of(tensor.dtype, largest.data(), largest.size());
  if (plain == 0 || plain == SIZE_MAX || tensor.nbytes == 0 || tensor.takes_aipp_image) return;
  const size_t divisor = std::gcd(plain, tensor.nbytes);
  const auto up = static_cast<int64_t>(tensor.nbytes / divisor);
  const auto down = static_cast<int64_t>(plain / divisor);
  if (down > 2 || up > 3) return;  // no image layout; the compiler's alignment
  dims[axis] = dims[axis] * up / down;
}

// The dims with -1 replaced by the values in turn; further ones stay.
Dims filled(const Dims &dims, const Dims &values) {
  Dims result = dims;
  size_t next = 0;
  for (int64_t &dim : result) {
    if (dim < 0 && next < values.size()) dim = values[next++];
  }
  return result;
}

bool is_segment(const Dims &dims, const aclmdlIODims &all, size_t at) noexcept {
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    if (dims[axis] >= 0 && dims[axis] != all.dims[at + axis]) return false;
  }
  return true;
}

// Finds an order of the inputs in which every gear's concatenated dims are theirs. Static inputs
// may be left out, because ATC need not be told their shape.
class OrderSearch {
 public:
  OrderSearch(const Description &description, const aclmdlIODims *gears, size_t gear_count)
      : inputs_(description.inputs()), gears_(gears), gear_count_(gear_count) {
    used_.resize(inputs_.size());
  }

  // preferred: tried first at every place.
  bool find(const std::vector<size_t> &preferred) {
    preferred_ = preferred;
    order_.clear();
    std::fill(used_.begin(), used_.end(), false);
    steps_ = 0;
    return extend(0);
  }
  const std::vector<size_t> &order() const noexcept { return order_; }

 private:
  bool extend(size_t at) {
    if (++steps_ > kMaxSteps) return false;
    if (at == gears_[0].dimCount && all_dynamic_used()) return true;
    for (const size_t input : preferred_) {
      if (used_[input] || !fits_at(inputs_[input].dims, at)) continue;
      used_[input] = true;
      order_.push_back(input);
      if (extend(at + inputs_[input].dims.size())) return true;
      order_.pop_back();
      used_[input] = false;
    }
    return false;
  }
  bool all_dynamic_used() const {
    for (size_t i = 0; i < inputs_.size(); ++i) {
      if (inputs_[i].is_dynamic() && !used_[i]) return false;
    }
    return true;
  }
  bool fits_at(const Dims &dims, size_t at) const noexcept {
    if (at + dims.size() > gears_[0].dimCount) return false;
    return std::all_of(gears_, gears_ + gear_count_,
                       [&](const aclmdlIODims &gear) { return is_segment(dims, gear, at); });
  }

  static constexpr size_t kMaxSteps = 100000;
  const std::vector<Tensor> &inputs_;
  const aclmdlIODims *gears_;
  size_t gear_count_;
  std::vector<size_t> preferred_;
  std::vector<size_t> order_;
  std::vector<bool> used_;
  size_t steps_ = 0;
};

// The inputs' positions, those that the file names first.
std::vector<size_t> preferred_order(const Description &description,
                                    const std::vector<std::string> &file_order) {
  const std::vector<Tensor> &inputs = description.inputs();
  std::vector<size_t> order;
  const auto add = [&](size_t input) {
    if (std::find(order.begin(), order.end(), input) == order.end()) order.push_back(input);
  };
  for (const std::string &name : file_order) {
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i].acl_name == name) add(i);
    }
  }
  for (size_t i = 0; i < inputs.size(); ++i) add(i);
  return order;
}

// Least and greatest of each dim over the gears; -1 in dims where they differ.
void complete(Tensor &tensor, const std::vector<Gear> &gears, std::vector<Dims> Gear::*side,
              size_t index) {
  const Dims &first = (gears[0].*side)[index];
  tensor.range.clear();
  for (const int64_t dim : first) tensor.range.emplace_back(dim, dim);
  for (const Gear &gear : gears) {
    const Dims &dims = (gear.*side)[index];
    if (dims.size() != first.size()) refuse("the rank of " + tensor.name + " varies");
    for (size_t axis = 0; axis < dims.size(); ++axis) {
      auto &[least, greatest] = tensor.range[axis];
      least = std::min(least, dims[axis]);
      greatest = std::max(greatest, dims[axis]);
    }
  }
  tensor.dims = first;
  for (size_t axis = 0; axis < first.size(); ++axis) {
    auto &[least, greatest] = tensor.range[axis];
    if (least != greatest) tensor.dims[axis] = -1;
    if (least < 0) tensor.range[axis] = {0, -1};
  }
}

std::string list(const std::vector<Gear> &gears, const std::vector<Tensor> &inputs) {
  std::string text;
  for (const Gear &gear : gears) {
    text += text.empty() ? "" : "; ";
    for (size_t i = 0; i < inputs.size(); ++i) {
      text += (i > 0 ? ", " : "") + inputs[i].name + " " + to_text(gear.inputs[i]);
    }
  }
  return text;
}

}  // namespace

bool fits(const aclrt_dims_t &shape, const Dims &dims) noexcept {
  return std::equal(dims.begin(), dims.end(), shape.dims, shape.dims + shape.rank,
                    [](int64_t wanted, int64_t given) { return wanted < 0 || wanted == given; });
}

Gears::Gears(Description &description, const std::vector<std::string> &file_order) {
  const InternalInput *gear_input = description.gear_input();
  if (gear_input != nullptr) {
    gear_index_ = gear_input->index;
    read_batches(description);
    if (empty()) read_images(description);
    if (empty()) read_dims(description, file_order);
    if (empty()) refuse("it has an input for a gear, but AscendCL knows of no gears");
    return;
  }
  const auto is_open = [](const Tensor &tensor) {
    return tensor.is_dynamic() && !tensor.takes_aipp_image;
  };
  const auto any_open = [&](const std::vector<Tensor> &tensors) {
    return std::any_of(tensors.begin(), tensors.end(), is_open);
  };
  if (any_open(description.inputs()) || any_open(description.outputs())) {
    kind_ = ACLRT_DYNAMIC_RANGE;
  }
}

void Gears::read_batches(const Description &description) {
  const auto batches = std::make_unique<aclmdlBatch>();
  check(acl::api().aclmdlGetDynamicBatch(description.handle(), batches.get()),
        "aclmdlGetDynamicBatch", "cannot ask for the gears of the model");
  if (batches->batchCount > ACL_MAX_BATCH_NUM) refuse("there are more than AscendCL allows");
  for (size_t g = 0; g < batches->batchCount; ++g) {
    Gear gear{{static_cast<int64_t>(batches->batch[g])}, {}, {}};
    for (const Tensor &tensor : description.inputs()) {
      gear.inputs.push_back(tensor.dims);
      if (tensor.is_dynamic() && tensor.dims[0] < 0) gear.inputs.back()[0] = gear.values[0];
    }
    gears_.push_back(std::move(gear));
  }
  if (!empty()) kind_ = ACLRT_DYNAMIC_BATCH;
}

void Gears::read_images(const Description &description) {
  const auto sizes = std::make_unique<aclmdlHW>();
  check(acl::api().aclmdlGetDynamicHW(description.handle(), kAllInputs, sizes.get()),
        "aclmdlGetDynamicHW", "cannot ask for the gears of the model");
  if (sizes->hwCount > ACL_MAX_HW_NUM) refuse("there are more than AscendCL allows");
  Dims largest;
  for (size_t g = 0; g < sizes->hwCount; ++g) {
    const Dims size = {static_cast<int64_t>(sizes->hw[g][0]),
                       static_cast<int64_t>(sizes->hw[g][1])};
    if (largest.empty() || size[0] * size[1] > largest[0] * largest[1]) largest = size;
    gears_.push_back({size, {}, {}});
  }
  for (Gear &gear : gears_) {
    for (const Tensor &tensor : description.inputs()) {
      const auto height = std::find(tensor.dims.begin(), tensor.dims.end(), -1);
      gear.inputs.push_back(tensor.takes_aipp_image ? tensor.dims
                                                    : filled(tensor.dims, gear.values));
      if (height == tensor.dims.end()) continue;
      stretch_height(gear.inputs.back(), static_cast<size_t>(height - tensor.dims.begin()), tensor,
                     filled(tensor.dims, largest));
    }
  }
  if (!empty()) kind_ = ACLRT_DYNAMIC_IMAGE;
}

void Gears::read_dims(const Description &description, const std::vector<std::string> &file_order) {
  const acl::Table &api = acl::api();
  size_t count = 0;
  check(api.aclmdlGetInputDynamicGearCount(description.handle(), kAllInputs, &count),
        "aclmdlGetInputDynamicGearCount", "cannot ask for the gears of the model");
  if (count == 0) return;
  if (count > ACL_MAX_DIM_CNT) refuse("there are more than AscendCL allows");
  concatenated_ = std::make_unique<aclmdlIODims[]>(count);
  check(api.aclmdlGetInputDynamicDims(description.handle(), kAllInputs, concatenated_.get(), count),
        "aclmdlGetInputDynamicDims", "cannot ask for the gears of the model");
  for (size_t g = 0; g < count; ++g) {
    const size_t rank = concatenated_[g].dimCount;
    if (rank > ACL_MAX_DIM_CNT || rank != concatenated_[0].dimCount) {
      refuse("one has " + std::to_string(rank) + " dims");
    }
  }
  OrderSearch search(description, concatenated_.get(), count);
  if (!search.find(preferred_order(description, file_order))) {
    refuse("their dims are not those of the inputs");
  }
  const std::vector<Tensor> &inputs = description.inputs();
  for (size_t g = 0; g < count; ++g) {
    Gear gear;
    for (const Tensor &tensor : inputs) gear.inputs.push_back(tensor.dims);
    const int64_t *next = concatenated_[g].dims;
    for (const size_t input : search.order()) {
      for (int64_t &dim : gear.inputs[input]) {
        if (dim < 0) gear.values.push_back(*next);
        dim = *next++;
      }
    }
    gears_.push_back(std::move(gear));
  }
  kind_ = ACLRT_DYNAMIC_DIMS;
}

void Gears::learn_outputs(uint32_t model_id, Dataset &inputs, Description &description) {
  aclmdlIODims dims;
  for (size_t g = 0; g < gears_.size(); ++g) {
    select(g, model_id, inputs);
    for (size_t o = 0; o < description.outputs().size(); ++o) {
      dims.dimCount = 0;
      description.current_output_dims(o, &dims);
      if (dims.dimCount > ACL_MAX_DIM_CNT) refuse("an output has too many dims");
      gears_[g].outputs.emplace_back(dims.dims, dims.dims + dims.dimCount);
    }
  }
  forget();
  if (empty()) return;
  for (size_t i = 0; i < description.inputs().size(); ++i) {
    complete(description.inputs()[i], gears_, &Gear::inputs, i);
  }
  for (size_t o = 0; o < description.outputs().size(); ++o) {
    complete(description.outputs()[o], gears_, &Gear::outputs, o);
  }
}

size_t Gears::find(const aclrt_dims_t *shapes, const Description &description) const {
  const auto takes = [&](const Gear &gear) {
    for (size_t i = 0; i < gear.inputs.size(); ++i) {
      if (!fits(shapes[i], gear.inputs[i])) return false;
    }
    return true;
  };
  // Images of any size fit every gear of image sizes; dynamic AIPP runs under the largest alone.
  const bool has_image = std::any_of(description.inputs().begin(), description.inputs().end(),
                                     [](const Tensor &tensor) { return tensor.takes_aipp_image; });
  if (kind_ == ACLRT_DYNAMIC_IMAGE && has_image) {
    const auto largest =
        std::max_element(gears_.begin(), gears_.end(), [](const Gear &one, const Gear &other) {
          return one.values[0] * one.values[1] < other.values[0] * other.values[1];
        });
    if (takes(*largest)) return static_cast<size_t>(largest - gears_.begin());
  } else if (const size_t current = current_; current < gears_.size() && takes(gears_[current])) {
    return current;
  }
  const auto found = std::find_if(gears_.begin(), gears_.end(), takes);
  if (found != gears_.end()) return static_cast<size_t>(found - gears_.begin());
  std::string given;
  const std::vector<Tensor> &inputs = description.inputs();
  for (size_t i = 0; i < inputs.size(); ++i) {
    given += (i > 0 ? ", " : "") + inputs[i].name + " " + to_text(shapes[i].dims, shapes[i].rank);
  }
  throw Error(ACLRT_ERROR_INPUT,
              "no gear takes " + given + "; the gears are: " + list(gears_, inputs),
              "Feed one of these shapes.");
}

bool Gears::select(size_t gear, uint32_t model_id, Dataset &inputs) {
  size_t selected = current_;
  if (gear == selected) return false;
  forget();
  select(gear, model_id, inputs, selected);
  current_ = gear;
  return true;
}

void Gears::select(size_t gear, uint32_t model_id, Dataset &inputs, size_t &selected) const {
  if (gear == selected || empty()) return;
  static constexpr const char *kSetter[] = {"", "aclmdlSetDynamicBatchSize",
                                            "aclmdlSetDynamicHWSize", "aclmdlSetInputDynamicDims"};
  selected = kNone;
  check(set(gear, model_id, inputs), kSetter[kind_], "cannot select a gear of the model");
  selected = gear;
}

aclError Gears::set(size_t gear, uint32_t model_id, Dataset &inputs) const noexcept {
  const acl::Table &api = acl::api();
  aclmdlDataset *dataset = inputs.handle();
  const Dims &values = gears_[gear].values;
  if (kind_ == ACLRT_DYNAMIC_BATCH) {
    return api.aclmdlSetDynamicBatchSize(model_id, dataset, gear_index_,
                                         static_cast<uint64_t>(values[0]));
  }
  if (kind_ == ACLRT_DYNAMIC_IMAGE) {
    return api.aclmdlSetDynamicHWSize(model_id, dataset, gear_index_,
                                      static_cast<uint64_t>(values[0]),
                                      static_cast<uint64_t>(values[1]));
  }
  return api.aclmdlSetInputDynamicDims(model_id, dataset, gear_index_, &concatenated_[gear]);
}

}  // namespace aclrt
