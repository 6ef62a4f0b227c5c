// SPDX-License-Identifier: Apache-2.0
//
// Exported functions: the parameter objects of dynamic AIPP. A setter tests the ranges of what its
// switch turns on; sums, ratios and evenness belong to aclmdlSetInputAIPP (aipp_check.h).
#include <initializer_list>

#include "fake/aipp.h"
#include "fake/arguments.h"
#include "fake/entry.h"
#include "fake/state.h"
#include "fake/tensor_desc.h"

using namespace aclfake;  // the functions themselves are AscendCL's, in the global namespace

namespace {

size_t drop_parameters() {
  return handles<Aipp>().clear();
}
const bool registered = at_reset(drop_parameters);

struct Limit {
  const char *what;
  double value;
  double low;
  double high;
};

// Also refuses NaN.
aclError check_limits(const std::initializer_list<Limit> &limits) {
  for (const Limit &limit : limits) {
    if (limit.value >= limit.low && limit.value <= limit.high) continue;
    return fail(ACL_ERROR_INVALID_PARAM, "%s is %g, it must lie in %g to %g", limit.what,
                limit.value, limit.low, limit.high);
  }
  return ACL_SUCCESS;
}

struct Switch {
  const char *what;
  int8_t value;
};

aclError check_switch(const Switch &which) {
  if (which.value == 0 || which.value == 1) return ACL_SUCCESS;
  return fail(ACL_ERROR_INVALID_PARAM, "%s is %d, it must be 0 or 1", which.what, which.value);
}

// Parameters of all images. store runs when the limits hold.
template <class Store>
aclError set_head(Call call, const aclmdlAIPP *handle, const std::initializer_list<Limit> &limits,
                  Store store) {
  return entry(call, [&]() -> aclError {
    std::shared_ptr<Aipp> aipp;
    if (const aclError code = need_handle(handle, "AIPP parameter set", &aipp)) return code;
    if (const aclError code = check_limits(limits)) return code;
    store(aipp->head);
    return ACL_SUCCESS;
  });
}

aclError set_head_switch(Call call, const aclmdlAIPP *handle, const Switch &given,
                         int8_t AippHead::*member) {
  return entry(call, [&]() -> aclError {
    std::shared_ptr<Aipp> aipp;
    if (const aclError code = need_handle(handle, "AIPP parameter set", &aipp)) return code;
    if (const aclError code = check_switch(given)) return code;
    aipp->head.*member = given.value;
    return ACL_SUCCESS;
  });
}

aclError need_image(const aclmdlAIPP *handle, uint64_t index, AippImage **image,
                    std::shared_ptr<Aipp> *aipp) {
  if (const aclError code = need_handle(handle, "AIPP parameter set", aipp)) return code;
  std::vector<AippImage> &images = (*aipp)->images;
  if (index >= images.size()) {
    return fail(ACL_ERROR_INVALID_PARAM, "batchIndex %llu, the set was made for %zu images",
                static_cast<unsigned long long>(index), images.size());
  }
  *image = &images[static_cast<size_t>(index)];
  return ACL_SUCCESS;
}

// Parameters of one image.
template <class Store>
aclError set_image(Call call, const aclmdlAIPP *handle, uint64_t index,
                   const std::initializer_list<Limit> &limits, Store store) {
  return entry(call, [&]() -> aclError {
    std::shared_ptr<Aipp> aipp;
    AippImage *image = nullptr;
    if (const aclError code = need_image(handle, index, &image, &aipp)) return code;
    if (const aclError code = check_limits(limits)) return code;
    store(*image);
    return ACL_SUCCESS;
  });
}

// The same behind a switch: when it is 0 nothing else is tested or stored.
template <class Store>
aclError set_image(Call call, const aclmdlAIPP *handle, uint64_t index, const Switch &given,
                   int8_t AippImage::*member, const std::initializer_list<Limit> &limits,
                   Store store) {
  return entry(call, [&]() -> aclError {
    std::shared_ptr<Aipp> aipp;
    AippImage *image = nullptr;
    if (const aclError code = need_image(handle, index, &image, &aipp)) return code;
    if (const aclError code = check_switch(given)) return code;
    if (given.value != 0) {
      if (const aclError code = check_limits(limits)) return code;
      store(*image);
    }
    image->*member = given.value;
    return ACL_SUCCESS;
  });
}

template <class Given, class Stored, size_t count>
void copy_values(const Given (&given)[count], Stored (&stored)[count]) {
  for (size_t i = 0; i < count; ++i) stored[i] = given[i];
}

void copy_halves(const float (&given)[4], aclFloat16 (&stored)[4]) {
  for (size_t i = 0; i < 4; ++i) stored[i] = float_to_float16(given[i]);
}

}  // namespace

aclmdlAIPP *aclmdlCreateAIPP(uint64_t batchSize) {
  return value_entry(
      Call::aclmdlCreateAIPP, static_cast<aclmdlAIPP *>(nullptr), [&]() -> aclmdlAIPP * {
        if (batchSize == 0) {
          complain("batchSize is 0");
          return nullptr;
        }
        return static_cast<aclmdlAIPP *>(
            handles<Aipp>().insert(std::make_shared<Aipp>(static_cast<size_t>(batchSize))));
      });
}

aclError aclmdlDestroyAIPP(const aclmdlAIPP *aippParmsSet) {
  return entry(Call::aclmdlDestroyAIPP,
               [&] { return destroy_handle<Aipp>(aippParmsSet, "AIPP parameter set"); });
}

aclError aclmdlSetAIPPInputFormat(aclmdlAIPP *aippParmsSet, aclAippInputFormat inputFormat) {
  return entry(Call::aclmdlSetAIPPInputFormat, [&]() -> aclError {
    std::shared_ptr<Aipp> aipp;
    if (const aclError code = need_handle(aippParmsSet, "AIPP parameter set", &aipp)) return code;
    const uint8_t format = aipp_format(inputFormat);
    if (format == 0) return fail(ACL_ERROR_INVALID_PARAM, "unknown input format %d", inputFormat);
    aipp->head.input_format = format;
    return ACL_SUCCESS;
  });
}

aclError aclmdlSetAIPPCscParams(aclmdlAIPP *aippParmsSet, int8_t cscSwitch, int16_t cscMatrixR0C0,
                                int16_t cscMatrixR0C1, int16_t cscMatrixR0C2, int16_t cscMatrixR1C0,
                                int16_t cscMatrixR1C1, int16_t cscMatrixR1C2, int16_t cscMatrixR2C0,
                                int16_t cscMatrixR2C1, int16_t cscMatrixR2C2,
                                uint8_t cscOutputBiasR0, uint8_t cscOutputBiasR1,
                                uint8_t cscOutputBiasR2, uint8_t cscInputBiasR0,
                                uint8_t cscInputBiasR1, uint8_t cscInputBiasR2) {
  return entry(Call::aclmdlSetAIPPCscParams, [&]() -> aclError {
    std::shared_ptr<Aipp> aipp;
    if (const aclError code = need_handle(aippParmsSet, "AIPP parameter set", &aipp)) return code;
    if (const aclError code = check_switch({"cscSwitch", cscSwitch})) return code;
    AippHead &head = aipp->head;
    if (cscSwitch != 0) {
      const int16_t matrix[9] = {cscMatrixR0C0, cscMatrixR0C1, cscMatrixR0C2,
                                 cscMatrixR1C0, cscMatrixR1C1, cscMatrixR1C2,
                                 cscMatrixR2C0, cscMatrixR2C1, cscMatrixR2C2};
      for (const int16_t value : matrix) {
        const aclError code = check_limits({{"a CSC matrix value", 1.0 * value, -32677, 32676}});
        if (code != ACL_SUCCESS) return code;
      }
      copy_values(matrix, head.csc_matrix);
      copy_values({cscOutputBiasR0, cscOutputBiasR1, cscOutputBiasR2}, head.csc_output_bias);
      copy_values({cscInputBiasR0, cscInputBiasR1, cscInputBiasR2}, head.csc_input_bias);
    }
    head.csc_switch = cscSwitch;
    return ACL_SUCCESS;
  });
}

aclError aclmdlSetAIPPRbuvSwapSwitch(aclmdlAIPP *aippParmsSet, int8_t rbuvSwapSwitch) {
  return set_head_switch(Call::aclmdlSetAIPPRbuvSwapSwitch, aippParmsSet,
                         {"rbuvSwapSwitch", rbuvSwapSwitch}, &AippHead::rbuv_swap_switch);
}

aclError aclmdlSetAIPPAxSwapSwitch(aclmdlAIPP *aippParmsSet, int8_t axSwapSwitch) {
  return set_head_switch(Call::aclmdlSetAIPPAxSwapSwitch, aippParmsSet,
                         {"axSwapSwitch", axSwapSwitch}, &AippHead::ax_swap_switch);
}

aclError aclmdlSetAIPPSrcImageSize(aclmdlAIPP *aippParmsSet, int32_t srcImageSizeW,
                                   int32_t srcImageSizeH) {
  return set_head(Call::aclmdlSetAIPPSrcImageSize, aippParmsSet,
                  {{"srcImageSizeW", 1.0 * srcImageSizeW, 2, 4096},
                   {"srcImageSizeH", 1.0 * srcImageSizeH, 1, 4096}},
                  [&](AippHead &head) {
                    head.src_w = srcImageSizeW;
                    head.src_h = srcImageSizeH;
                  });
}

aclError aclmdlSetAIPPScfParams(aclmdlAIPP *aippParmsSet, int8_t scfSwitch, int32_t scfInputSizeW,
                                int32_t scfInputSizeH, int32_t scfOutputSizeW,
                                int32_t scfOutputSizeH, uint64_t batchIndex) {
  return set_image(Call::aclmdlSetAIPPScfParams, aippParmsSet, batchIndex, {"scfSwitch", scfSwitch},
                   &AippImage::scf_switch,
                   {{"scfInputSizeW", 1.0 * scfInputSizeW, 16, 4096},
                    {"scfInputSizeH", 1.0 * scfInputSizeH, 16, 4096},
                    {"scfOutputSizeW", 1.0 * scfOutputSizeW, 16, 1920},
                    {"scfOutputSizeH", 1.0 * scfOutputSizeH, 16, 4096}},
                   [&](AippImage &image) {
                     image.scf_in_w = scfInputSizeW;
                     image.scf_in_h = scfInputSizeH;
                     image.scf_out_w = scfOutputSizeW;
                     image.scf_out_h = scfOutputSizeH;
                   });
}

aclError aclmdlSetAIPPCropParams(aclmdlAIPP *aippParmsSet, int8_t cropSwitch, int32_t cropStartPosW,
                                 int32_t cropStartPosH, int32_t cropSizeW, int32_t cropSizeH,
                                 uint64_t batchIndex) {
  return set_image(Call::aclmdlSetAIPPCropParams, aippParmsSet, batchIndex,
                   {"cropSwitch", cropSwitch}, &AippImage::crop_switch,
                   {{"cropStartPosW", 1.0 * cropStartPosW, 0, 4095},
                    {"cropStartPosH", 1.0 * cropStartPosH, 0, 4095},
                    {"cropSizeW", 1.0 * cropSizeW, 1, 4096},
                    {"cropSizeH", 1.0 * cropSizeH, 1, 4096}},
                   [&](AippImage &image) {
                     image.crop_x = cropStartPosW;
                     image.crop_y = cropStartPosH;
                     image.crop_w = cropSizeW;
                     image.crop_h = cropSizeH;
                   });
}

aclError aclmdlSetAIPPPaddingParams(aclmdlAIPP *aippParmsSet, int8_t paddingSwitch,
                                    int32_t paddingSizeTop, int32_t paddingSizeBottom,
                                    int32_t paddingSizeLeft, int32_t paddingSizeRight,
                                    uint64_t batchIndex) {
  return set_image(Call::aclmdlSetAIPPPaddingParams, aippParmsSet, batchIndex,
                   {"paddingSwitch", paddingSwitch}, &AippImage::padding_switch,
                   {{"paddingSizeTop", 1.0 * paddingSizeTop, 0, 32},
                    {"paddingSizeBottom", 1.0 * paddingSizeBottom, 0, 32},
                    {"paddingSizeLeft", 1.0 * paddingSizeLeft, 0, 32},
                    {"paddingSizeRight", 1.0 * paddingSizeRight, 0, 32}},
                   [&](AippImage &image) {
                     image.padding_top = paddingSizeTop;
                     image.padding_bottom = paddingSizeBottom;
                     image.padding_left = paddingSizeLeft;
                     image.padding_right = paddingSizeRight;
                   });
}

aclError aclmdlSetAIPPDtcPixelMean(aclmdlAIPP *aippParmsSet, int16_t dtcPixelMeanChn0,
                                   int16_t dtcPixelMeanChn1, int16_t dtcPixelMeanChn2,
                                   int16_t dtcPixelMeanChn3, uint64_t batchIndex) {
  return set_image(Call::aclmdlSetAIPPDtcPixelMean, aippParmsSet, batchIndex,
                   {{"dtcPixelMeanChn0", 1.0 * dtcPixelMeanChn0, 0, 255},
                    {"dtcPixelMeanChn1", 1.0 * dtcPixelMeanChn1, 0, 255},
                    {"dtcPixelMeanChn2", 1.0 * dtcPixelMeanChn2, 0, 255},
                    {"dtcPixelMeanChn3", 1.0 * dtcPixelMeanChn3, 0, 255}},
                   [&](AippImage &image) {
                     copy_values(
                         {dtcPixelMeanChn0, dtcPixelMeanChn1, dtcPixelMeanChn2, dtcPixelMeanChn3},
                         image.mean);
                   });
}

aclError aclmdlSetAIPPDtcPixelMin(aclmdlAIPP *aippParmsSet, float dtcPixelMinChn0,
                                  float dtcPixelMinChn1, float dtcPixelMinChn2,
                                  float dtcPixelMinChn3, uint64_t batchIndex) {
  return set_image(Call::aclmdlSetAIPPDtcPixelMin, aippParmsSet, batchIndex,
                   {{"dtcPixelMinChn0", dtcPixelMinChn0, 0, 255},
                    {"dtcPixelMinChn1", dtcPixelMinChn1, 0, 255},
                    {"dtcPixelMinChn2", dtcPixelMinChn2, 0, 255},
                    {"dtcPixelMinChn3", dtcPixelMinChn3, 0, 255}},
                   [&](AippImage &image) {
                     copy_halves(
                         {dtcPixelMinChn0, dtcPixelMinChn1, dtcPixelMinChn2, dtcPixelMinChn3},
                         image.min);
                   });
}

aclError aclmdlSetAIPPPixelVarReci(aclmdlAIPP *aippParmsSet, float dtcPixelVarReciChn0,
                                   float dtcPixelVarReciChn1, float dtcPixelVarReciChn2,
                                   float dtcPixelVarReciChn3, uint64_t batchIndex) {
  constexpr double kMost = 65504;
  return set_image(Call::aclmdlSetAIPPPixelVarReci, aippParmsSet, batchIndex,
                   {{"dtcPixelVarReciChn0", dtcPixelVarReciChn0, -kMost, kMost},
                    {"dtcPixelVarReciChn1", dtcPixelVarReciChn1, -kMost, kMost},
                    {"dtcPixelVarReciChn2", dtcPixelVarReciChn2, -kMost, kMost},
                    {"dtcPixelVarReciChn3", dtcPixelVarReciChn3, -kMost, kMost}},
                   [&](AippImage &image) {
                     copy_halves({dtcPixelVarReciChn0, dtcPixelVarReciChn1, dtcPixelVarReciChn2,
                                  dtcPixelVarReciChn3},
                                 image.var_reci);
                   });
}
