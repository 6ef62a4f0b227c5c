// SPDX-License-Identifier: Apache-2.0
#include "fake/aipp_stage.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "fake/gears.h"
#include "fake/tensor_desc.h"

namespace aclfake {
namespace {

constexpr size_t kSizeTolerance = 64;  // bytes that a buffer may be smaller than the images

// An input's bytes; missing ones count as zero.
class Source {
 public:
  Source(const ModelEngine::Input &input, size_t needed) : data_(input.data) {
    if (input.size >= needed) return;
    copy_.resize(needed);
    if (input.size > 0) std::memcpy(copy_.data(), input.data, input.size);
    data_ = copy_.data();
  }
  const uint8_t *data() const { return data_; }

 private:
  const uint8_t *data_;
  std::vector<uint8_t> copy_;
};

}  // namespace

AippRecipe static_recipe(const om::Aipp &aipp, int64_t network_w, int64_t network_h) {
  AippRecipe recipe;
  recipe.format = aipp.input_format;
  recipe.src_w = aipp.src_image_w > 0 ? aipp.src_image_w : network_w;
  recipe.src_h = aipp.src_image_h > 0 ? aipp.src_image_h : network_h;
  recipe.ax_swap = aipp.ax_swap;
  recipe.rbuv_swap = aipp.rbuv_swap;
  recipe.csc = aipp.csc;
  recipe.crop_w = recipe.src_w;
  recipe.crop_h = recipe.src_h;
  if (aipp.crop) {
    recipe.crop_x = aipp.crop_start_w;
    recipe.crop_y = aipp.crop_start_h;
    recipe.crop_w = aipp.crop_w > 0 ? aipp.crop_w : network_w;
    recipe.crop_h = aipp.crop_h > 0 ? aipp.crop_h : network_h;
  }
  if (aipp.padding) {
    recipe.left = aipp.padding_left;
    recipe.right = aipp.padding_right;
    recipe.top = aipp.padding_top;
    recipe.bottom = aipp.padding_bottom;
  }
  recipe.padding_value = aipp.padding_value;
  const auto narrow = [](int64_t value) {  // what does not fit is out of every range
    return static_cast<int32_t>(std::clamp<int64_t>(value, INT32_MIN, INT32_MAX));
  };
  std::transform(aipp.matrix, aipp.matrix + 9, recipe.matrix, narrow);
  std::transform(aipp.output_bias, aipp.output_bias + 3, recipe.output_bias, narrow);
  std::transform(aipp.input_bias, aipp.input_bias + 3, recipe.input_bias, narrow);
  std::transform(aipp.mean, aipp.mean + 4, recipe.mean, narrow);
  std::transform(aipp.min, aipp.min + 4, recipe.min, float_to_float16);
  std::transform(aipp.var_reci, aipp.var_reci + 4, recipe.var_reci, float_to_float16);
  return recipe;
}

AippRecipe dynamic_recipe(const uint8_t *block, size_t index) {
  AippHead head;
  AippImage image;
  std::memcpy(&head, block, sizeof head);
  std::memcpy(&image, block + aipp_block_bytes(index), sizeof image);
  AippRecipe recipe;
  recipe.format = aipp_input_format(head.input_format);
  recipe.src_w = head.src_w;
  recipe.src_h = head.src_h;
  recipe.ax_swap = head.ax_swap_switch != 0;
  recipe.rbuv_swap = head.rbuv_swap_switch != 0;
  recipe.csc = head.csc_switch != 0;
  recipe.crop_w = head.src_w;
  recipe.crop_h = head.src_h;
  if (image.crop_switch != 0) {
    recipe.crop_x = image.crop_x;
    recipe.crop_y = image.crop_y;
    recipe.crop_w = image.crop_w;
    recipe.crop_h = image.crop_h;
  }
  if (image.padding_switch != 0) {
    recipe.left = image.padding_left;
    recipe.right = image.padding_right;
    recipe.top = image.padding_top;
    recipe.bottom = image.padding_bottom;
  }
  std::copy(head.csc_matrix, head.csc_matrix + 9, recipe.matrix);
  std::copy(head.csc_output_bias, head.csc_output_bias + 3, recipe.output_bias);
  std::copy(head.csc_input_bias, head.csc_input_bias + 3, recipe.input_bias);
  std::copy(image.mean, image.mean + 4, recipe.mean);
  std::copy(image.min, image.min + 4, recipe.min);
  std::copy(image.var_reci, image.var_reci + 4, recipe.var_reci);
  return recipe;
}

AippStage::AippStage(const om::Model &model) {
  const Gears gears(model);
  for (AippInput &input : aipp_inputs(model)) {
    const std::string &name = model.inputs[input.aipp.input].name;
    std::string problem;
    if (!input.network.is_known() || input.network.dtype == ACL_DT_UNDEFINED) {
      problem = "the file does not tell the network's own input";
    } else if (!input.is_dynamic() && !input.aipp.has_parameters) {
      problem = "the file does not tell its parameters";
    } else if (!input.is_dynamic() && input.aipp.resize) {
      problem = "it resizes, which no chip does";
    } else if (input.is_dynamic() && input.block == model.inputs.size()) {
      problem = "there is no input \"" + input.aipp.parameter_input + "\"";
    }
    if (!problem.empty()) throw EngineError("AIPP of input \"" + name + "\": " + problem);
    Step step{std::move(input), name, {}, {}};
    const AippInput &kept = step.input;
    for (size_t gear = 0; gear < gears.gears.size(); ++gear) {
      step.dims.push_back(gears.filled(gear, kept.aipp.input, kept.network.dims));
    }
    if (!gears.any()) step.dims.push_back(kept.network.dims);
    steps_.push_back(std::move(step));
  }
}

bool AippStage::takes(size_t input) const noexcept {
  return std::any_of(steps_.begin(), steps_.end(),
                     [&](const Step &step) { return step.input.aipp.input == input; });
}

void AippStage::run(std::optional<size_t> gear, std::vector<ModelEngine::Input> *inputs) {
  for (Step &step : steps_) {
    ModelEngine::Input &image = (*inputs)[step.input.aipp.input];
    const std::vector<int64_t> &dims = step.dims[gear.value_or(0)];
    compute(step, dims,
            step.input.is_dynamic() ? (*inputs)[step.input.block] : ModelEngine::Input(), &image);
    image.dims = &dims;
  }
}

void AippStage::compute(Step &step, const std::vector<int64_t> &dims,
                        const ModelEngine::Input &block, ModelEngine::Input *image) {
  AippNetwork network = step.input.network;
  network.dims = dims;
  const std::string about = "AIPP of input \"" + step.name + "\"";
  const auto batch = static_cast<size_t>(std::max<int64_t>(network.batch(), 0));
  const AippTarget target{network.dtype, network.channels_last(), network.channels(),
                          network.width(), network.height()};
  size_t bytes = 0;
  if (!tensor_bytes(network.dtype, network.dims, &bytes)) {
    throw EngineError(about + ": " + tensor_text(network.dtype, network.dims) +
                      " has no fixed size");
  }
  const om::Aipp &aipp = step.input.aipp;
  const bool is_dynamic = step.input.is_dynamic();
  const Source parameters(block, is_dynamic ? aipp_block_bytes(batch) : 0);
  step.result.assign(bytes, 0);
  for (size_t i = 0; i < batch; ++i) {
    const AippRecipe recipe =
        is_dynamic ? dynamic_recipe(parameters.data(), i) : static_recipe(aipp, target.w, target.h);
    const uint64_t one = aipp_image_bytes(recipe.format, recipe.src_w, recipe.src_h);
    std::string problem = aipp_problem(recipe, target);
    const auto most = static_cast<uint64_t>(std::max<int64_t>(aipp.max_src_image_size, 0));
    if (problem.empty() && is_dynamic && one * batch > most) {
      problem = "the images have " + std::to_string(one * batch) +
                " bytes, max_src_image_size is " + std::to_string(most);
    }
    if (problem.empty() && one * batch > image->size + kSizeTolerance) {
      problem = "the buffer has " + std::to_string(image->size) + " bytes, the images " +
                std::to_string(one * batch);
    }
    if (is_dynamic && recipe.format == 0) problem += "; aclmdlSetInputAIPP was not called";
    if (!problem.empty()) {
      throw EngineError(about + ", image " + std::to_string(i) + ": " + problem);
    }
    const Source images(*image, static_cast<size_t>(one * batch));
    aipp_compute(recipe, images.data() + one * i, target, step.result.data() + bytes / batch * i);
  }
  image->data = step.result.data();
  image->size = step.result.size();
}

}  // namespace aclfake
