// SPDX-License-Identifier: Apache-2.0
#include "core/aipp.h"

#include <initializer_list>
#include <string>

#include "core/error.h"
#include "core/runtime.h"

namespace aclrt {
namespace {

constexpr size_t kHeadBytes = 64;  // of the parameter input: then 96 for each image
constexpr size_t kImageBytes = 96;
constexpr char kCannotSet[] = "cannot set the AIPP parameters";

[[noreturn]] void refuse(const std::string &message, const char *hint = "") {
  throw Error(ACLRT_ERROR_INPUT, "AIPP: " + message, hint);
}

// AscendCL's object, while it is filled.
class ParameterSet {
 public:
  explicit ParameterSet(size_t images) : handle_(acl::api().aclmdlCreateAIPP(images)) {
    if (handle_ == nullptr) {
      fail(ACL_ERROR_BAD_ALLOC, "aclmdlCreateAIPP", kCannotSet);
    }
  }
  ~ParameterSet() { acl::api().aclmdlDestroyAIPP(handle_); }
  ParameterSet(const ParameterSet &) = delete;
  ParameterSet &operator=(const ParameterSet &) = delete;
  aclmdlAIPP *get() const noexcept { return handle_; }

 private:
  aclmdlAIPP *handle_;
};

size_t batch_of(const Description &description, const Tensor &tensor) {
  for (const InternalInput &input : description.internal_inputs()) {
    if (input.index != tensor.aipp_parameters_index) continue;
    if (input.nbytes > kHeadBytes) return (input.nbytes - kHeadBytes) / kImageBytes;
  }
  throw Error(ACLRT_ERROR_INTERNAL,
              "input \"" + tensor.name + "\" has dynamic AIPP, but no input for its parameters");
}

size_t bytes_of_image(const aclrt_aipp_t &given) {
  const auto pixels = static_cast<size_t>(given.width) * static_cast<size_t>(given.height);
  switch (given.input_format) {
    case ACL_YUV420SP_U8:
      return pixels * 3 / 2;
    case ACL_XRGB8888_U8:
      return pixels * 4;
    case ACL_RGB888_U8:
      return pixels * 3;
    case ACL_YUV400_U8:
      return pixels;
    default:
      refuse(
          "input_format: expected 1 (YUV420SP_U8), 2 (XRGB8888_U8), 3 (RGB888_U8) or 4 "
          "(YUV400_U8), given " +
          std::to_string(given.input_format));
  }
}

void check_range(const char *what, double value, double low, double high) {
  if (value >= low && value <= high) return;
  const auto text = [](double number) {
    std::string digits = std::to_string(number);
    digits.erase(digits.find_last_not_of('0') + 1);
    if (digits.back() == '.') digits.pop_back();
    return digits;
  };
  refuse(std::string(what) + ": expected " + text(low) + " to " + text(high) + ", given " +
         text(value));
}

void check_image(const aclrt_aipp_image_t &image) {
  constexpr double kHalfMax = 65504;
  if (image.crop_width != 0 || image.crop_height != 0) {
    check_range("crop_left", image.crop_left, 0, 4095);
    check_range("crop_top", image.crop_top, 0, 4095);
    check_range("crop_width", image.crop_width, 1, 4096);
    check_range("crop_height", image.crop_height, 1, 4096);
  }
  check_range("padding_left", image.padding_left, 0, 32);
  check_range("padding_right", image.padding_right, 0, 32);
  check_range("padding_top", image.padding_top, 0, 32);
  check_range("padding_bottom", image.padding_bottom, 0, 32);
  for (size_t i = 0; i < 4; ++i) {
    check_range("mean", image.mean[i], 0, 255);
    check_range("min", image.min[i], 0, 255);
    check_range("var_reci", image.var_reci[i], -kHalfMax, kHalfMax);
  }
}

void check_given(const aclrt_aipp_t &given, size_t batch, const Tensor &tensor) {
  if (given.image_count != 1 && given.image_count != batch) {
    refuse("input \"" + tensor.name + "\" takes parameters of one image for all, or of " +
           std::to_string(batch) + ", given " + std::to_string(given.image_count));
  }
  if (given.images == nullptr) refuse("images is NULL");
  check_range("width", given.width, 2, 4096);
  check_range("height", given.height, 1, 4096);
  const size_t bytes = bytes_of_image(given) * batch;
  if (bytes > tensor.device_nbytes) {
    refuse(std::to_string(batch) + " images of " + std::to_string(given.width) + "x" +
           std::to_string(given.height) + " have " + std::to_string(bytes) +
           " bytes, the model was converted with max_src_image_size " +
           std::to_string(tensor.device_nbytes));
  }
  for (size_t i = 0; i < given.image_count; ++i) check_image(given.images[i]);
}

void set_image(aclmdlAIPP *set, const aclrt_aipp_image_t &image, size_t index) {
  const acl::Table &api = acl::api();
  if (image.crop_width != 0) {
    check(api.aclmdlSetAIPPCropParams(set, 1, image.crop_left, image.crop_top, image.crop_width,
                                      image.crop_height, index),
          "aclmdlSetAIPPCropParams", kCannotSet);
  }
  if (image.padding_left + image.padding_right + image.padding_top + image.padding_bottom != 0) {
    check(api.aclmdlSetAIPPPaddingParams(set, 1, image.padding_top, image.padding_bottom,
                                         image.padding_left, image.padding_right, index),
          "aclmdlSetAIPPPaddingParams", kCannotSet);
  }
  const auto *mean = image.mean;
  check(api.aclmdlSetAIPPDtcPixelMean(set, mean[0], mean[1], mean[2], mean[3], index),
        "aclmdlSetAIPPDtcPixelMean", kCannotSet);
  const float *min = image.min;
  check(api.aclmdlSetAIPPDtcPixelMin(set, min[0], min[1], min[2], min[3], index),
        "aclmdlSetAIPPDtcPixelMin", kCannotSet);
  const float *factor = image.var_reci;
  check(api.aclmdlSetAIPPPixelVarReci(set, factor[0], factor[1], factor[2], factor[3], index),
        "aclmdlSetAIPPPixelVarReci", kCannotSet);
}

void set_head(aclmdlAIPP *set, const aclrt_aipp_t &given) {
  const acl::Table &api = acl::api();
  check(api.aclmdlSetAIPPInputFormat(set, static_cast<aclAippInputFormat>(given.input_format)),
        "aclmdlSetAIPPInputFormat", kCannotSet);
  check(api.aclmdlSetAIPPSrcImageSize(set, given.width, given.height), "aclmdlSetAIPPSrcImageSize",
        kCannotSet);
  check(api.aclmdlSetAIPPRbuvSwapSwitch(set, given.rbuv_swap != 0), "aclmdlSetAIPPRbuvSwapSwitch",
        kCannotSet);
  check(api.aclmdlSetAIPPAxSwapSwitch(set, given.ax_swap != 0), "aclmdlSetAIPPAxSwapSwitch",
        kCannotSet);
  if (given.csc == 0) return;
  const int16_t *m = given.matrix;
  const uint8_t *out = given.output_bias;
  const uint8_t *in = given.input_bias;
  check(api.aclmdlSetAIPPCscParams(set, 1, m[0], m[1], m[2], m[3], m[4], m[5], m[6], m[7], m[8],
                                   out[0], out[1], out[2], in[0], in[1], in[2]),
        "aclmdlSetAIPPCscParams", kCannotSet);
}

}  // namespace

void AippParameters::set(uint32_t model_id, const Description &description, Dataset &inputs,
                         size_t input, const aclrt_aipp_t &given) {
  if (input >= description.inputs().size()) {
    refuse("input " + std::to_string(input) + ": the model takes " +
           std::to_string(description.inputs().size()));
  }
  const Tensor &tensor = description.inputs()[input];
  if (!tensor.takes_aipp_image) {
    refuse("input \"" + tensor.name + "\" has no dynamic AIPP",
           "It is chosen at conversion: aipp_mode: dynamic in the file of --insert_op_conf.");
  }
  const size_t batch = batch_of(description, tensor);
  check_given(given, batch, tensor);
  const ParameterSet set(batch);
  set_head(set.get(), given);
  for (size_t i = 0; i < batch; ++i) {
    set_image(set.get(), given.images[given.image_count == 1 ? 0 : i], i);
  }
  const aclError code = acl::api().aclmdlSetInputAIPP(model_id, inputs.handle(),
                                                      tensor.aipp_parameters_index, set.get());
  if (code == ACL_ERROR_INVALID_PARAM) {  // a combination of them; AscendCL's message says which
    Error error = acl_error(code, "aclmdlSetInputAIPP", kCannotSet);
    error.kind = ACLRT_ERROR_INPUT;
    throw error;
  }
  check(code, "aclmdlSetInputAIPP", kCannotSet);
  image_bytes_[input] = bytes_of_image(given);
}

void AippParameters::check_images(const Description &description, const aclrt_buffer_t *inputs,
                                  const aclrt_dims_t *shapes) const {
  for (size_t i = 0; i < description.inputs().size(); ++i) {
    const Tensor &tensor = description.inputs()[i];
    if (!tensor.takes_aipp_image) continue;
    const auto found = image_bytes_.find(i);
    if (found == image_bytes_.end()) {
      refuse("input \"" + tensor.name + "\" takes images, and nothing says what they are",
             "Call set_aipp (aclrt_model_set_aipp) with their format and size first.");
    }
    const int64_t images = shapes[i].rank > 0 ? shapes[i].dims[0] : 0;
    const size_t needed = found->second * static_cast<size_t>(images);
    if (inputs[i].nbytes == needed) continue;
    refuse("input \"" + tensor.name + "\": " + std::to_string(images) + " images have " +
           std::to_string(needed) + " bytes by the parameters that were set, given " +
           std::to_string(inputs[i].nbytes));
  }
}

}  // namespace aclrt
