// SPDX-License-Identifier: Apache-2.0
//
// Exported functions: the parameter objects of dynamic AIPP. The setters test ranges; sums, ratios
// and evenness belong to aclmdlSetInputAIPP, which refuses every model that has no dynamic AIPP.
#include <initializer_list>

#include "fake/aipp.h"
#include "fake/arguments.h"
#include "fake/dataset.h"
#include "fake/entry.h"
#include "fake/model.h"
#include "fake/state.h"
#include "fake/tensor_desc.h"

using namespace aclfake;  // the functions themselves are AscendCL's, in the global namespace

namespace {

size_t drop_parameters() {
  return handles<Aipp>().clear();
}
const bool registered = at_reset(drop_parameters);

aclError need_aipp(const aclmdlAIPP *handle, std::shared_ptr<Aipp> *aipp) {
  return need_handle(handle, "AIPP parameter set", aipp);
}

aclError need_image(const aclmdlAIPP *handle, uint64_t index, std::shared_ptr<Aipp> *aipp) {
  if (const aclError code = need_aipp(handle, aipp)) return code;
  if (index < (*aipp)->images.size()) return ACL_SUCCESS;
  return fail(ACL_ERROR_INVALID_PARAM, "batchIndex %llu, the set was made for %zu images",
              static_cast<unsigned long long>(index), (*aipp)->images.size());
}

aclError check_switch(const char *what, int8_t value) {
  if (value == 0 || value == 1) return ACL_SUCCESS;
  return fail(ACL_ERROR_INVALID_PARAM, "%s is %d, it must be 0 or 1", what, value);
}

// Also refuses NaN.
aclError check_range(const char *what, std::initializer_list<double> values, double low,
                     double high) {
  for (const double value : values) {
    if (value >= low && value <= high) continue;
    return fail(ACL_ERROR_INVALID_PARAM, "%s is %g, it must lie in %g to %g", what, value, low,
                high);
  }
  return ACL_SUCCESS;
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
    if (const aclError code = need_aipp(aippParmsSet, &aipp)) return code;
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
    if (const aclError code = need_aipp(aippParmsSet, &aipp)) return code;
    if (const aclError code = check_switch("cscSwitch", cscSwitch)) return code;
    AippHead &head = aipp->head;
    if (cscSwitch != 0) {
      const int16_t matrix[9] = {cscMatrixR0C0, cscMatrixR0C1, cscMatrixR0C2,
                                 cscMatrixR1C0, cscMatrixR1C1, cscMatrixR1C2,
                                 cscMatrixR2C0, cscMatrixR2C1, cscMatrixR2C2};
      for (const int16_t value : matrix) {
        constexpr double kLow = -32677, kHigh = 32676;
        if (const aclError code = check_range("a CSC matrix value", {1.0 * value}, kLow, kHigh)) {
          return code;
        }
      }
      for (size_t i = 0; i < 9; ++i) head.csc_matrix[i] = matrix[i];
      const uint8_t output[3] = {cscOutputBiasR0, cscOutputBiasR1, cscOutputBiasR2};
      const uint8_t input[3] = {cscInputBiasR0, cscInputBiasR1, cscInputBiasR2};
      for (size_t i = 0; i < 3; ++i) {
        head.csc_output_bias[i] = output[i];
        head.csc_input_bias[i] = input[i];
      }
    }
    head.csc_switch = cscSwitch;
    return ACL_SUCCESS;
  });
}

aclError aclmdlSetAIPPRbuvSwapSwitch(aclmdlAIPP *aippParmsSet, int8_t rbuvSwapSwitch) {
  return entry(Call::aclmdlSetAIPPRbuvSwapSwitch, [&]() -> aclError {
    std::shared_ptr<Aipp> aipp;
    if (const aclError code = need_aipp(aippParmsSet, &aipp)) return code;
    if (const aclError code = check_switch("rbuvSwapSwitch", rbuvSwapSwitch)) return code;
    aipp->head.rbuv_swap_switch = rbuvSwapSwitch;
    return ACL_SUCCESS;
  });
}

aclError aclmdlSetAIPPAxSwapSwitch(aclmdlAIPP *aippParmsSet, int8_t axSwapSwitch) {
  return entry(Call::aclmdlSetAIPPAxSwapSwitch, [&]() -> aclError {
    std::shared_ptr<Aipp> aipp;
    if (const aclError code = need_aipp(aippParmsSet, &aipp)) return code;
    if (const aclError code = check_switch("axSwapSwitch", axSwapSwitch)) return code;
    aipp->head.ax_swap_switch = axSwapSwitch;
    return ACL_SUCCESS;
  });
}

aclError aclmdlSetAIPPSrcImageSize(aclmdlAIPP *aippParmsSet, int32_t srcImageSizeW,
                                   int32_t srcImageSizeH) {
  return entry(Call::aclmdlSetAIPPSrcImageSize, [&]() -> aclError {
    std::shared_ptr<Aipp> aipp;
    if (const aclError code = need_aipp(aippParmsSet, &aipp)) return code;
    if (const aclError code = check_range("srcImageSizeW", {1.0 * srcImageSizeW}, 2, 4096)) {
      return code;
    }
    if (const aclError code = check_range("srcImageSizeH", {1.0 * srcImageSizeH}, 1, 4096)) {
      return code;
    }
    aipp->head.src_w = srcImageSizeW;
    aipp->head.src_h = srcImageSizeH;
    return ACL_SUCCESS;
  });
}

aclError aclmdlSetAIPPScfParams(aclmdlAIPP *aippParmsSet, int8_t scfSwitch, int32_t scfInputSizeW,
                                int32_t scfInputSizeH, int32_t scfOutputSizeW,
                                int32_t scfOutputSizeH, uint64_t batchIndex) {
  return entry(Call::aclmdlSetAIPPScfParams, [&]() -> aclError {
    std::shared_ptr<Aipp> aipp;
    if (const aclError code = need_image(aippParmsSet, batchIndex, &aipp)) return code;
    if (const aclError code = check_switch("scfSwitch", scfSwitch)) return code;
    AippImage &image = aipp->images[static_cast<size_t>(batchIndex)];
    if (scfSwitch != 0) {
      if (const aclError code = check_range(
              "a resize size", {1.0 * scfInputSizeW, 1.0 * scfInputSizeH, 1.0 * scfOutputSizeH}, 16,
              4096)) {
        return code;
      }
      if (const aclError code = check_range("scfOutputSizeW", {1.0 * scfOutputSizeW}, 16, 1920)) {
        return code;
      }
      image.scf_in_w = scfInputSizeW;
      image.scf_in_h = scfInputSizeH;
      image.scf_out_w = scfOutputSizeW;
      image.scf_out_h = scfOutputSizeH;
    }
    image.scf_switch = scfSwitch;
    return ACL_SUCCESS;
  });
}

aclError aclmdlSetAIPPCropParams(aclmdlAIPP *aippParmsSet, int8_t cropSwitch, int32_t cropStartPosW,
                                 int32_t cropStartPosH, int32_t cropSizeW, int32_t cropSizeH,
                                 uint64_t batchIndex) {
  return entry(Call::aclmdlSetAIPPCropParams, [&]() -> aclError {
    std::shared_ptr<Aipp> aipp;
    if (const aclError code = need_image(aippParmsSet, batchIndex, &aipp)) return code;
    if (const aclError code = check_switch("cropSwitch", cropSwitch)) return code;
    AippImage &image = aipp->images[static_cast<size_t>(batchIndex)];
    if (cropSwitch != 0) {
      if (const aclError code =
              check_range("a crop start", {1.0 * cropStartPosW, 1.0 * cropStartPosH}, 0, 4095)) {
        return code;
      }
      if (const aclError code =
              check_range("a crop size", {1.0 * cropSizeW, 1.0 * cropSizeH}, 1, 4096)) {
        return code;
      }
      image.crop_x = cropStartPosW;
      image.crop_y = cropStartPosH;
      image.crop_w = cropSizeW;
      image.crop_h = cropSizeH;
    }
    image.crop_switch = cropSwitch;
    return ACL_SUCCESS;
  });
}

aclError aclmdlSetAIPPPaddingParams(aclmdlAIPP *aippParmsSet, int8_t paddingSwitch,
                                    int32_t paddingSizeTop, int32_t paddingSizeBottom,
                                    int32_t paddingSizeLeft, int32_t paddingSizeRight,
                                    uint64_t batchIndex) {
  return entry(Call::aclmdlSetAIPPPaddingParams, [&]() -> aclError {
    std::shared_ptr<Aipp> aipp;
    if (const aclError code = need_image(aippParmsSet, batchIndex, &aipp)) return code;
    if (const aclError code = check_switch("paddingSwitch", paddingSwitch)) return code;
    AippImage &image = aipp->images[static_cast<size_t>(batchIndex)];
    if (paddingSwitch != 0) {
      if (const aclError code = check_range("a padding size",
                                            {1.0 * paddingSizeTop, 1.0 * paddingSizeBottom,
                                             1.0 * paddingSizeLeft, 1.0 * paddingSizeRight},
                                            0, 32)) {
        return code;
      }
      image.padding_top = paddingSizeTop;
      image.padding_bottom = paddingSizeBottom;
      image.padding_left = paddingSizeLeft;
      image.padding_right = paddingSizeRight;
    }
    image.padding_switch = paddingSwitch;
    return ACL_SUCCESS;
  });
}

aclError aclmdlSetAIPPDtcPixelMean(aclmdlAIPP *aippParmsSet, int16_t dtcPixelMeanChn0,
                                   int16_t dtcPixelMeanChn1, int16_t dtcPixelMeanChn2,
                                   int16_t dtcPixelMeanChn3, uint64_t batchIndex) {
  return entry(Call::aclmdlSetAIPPDtcPixelMean, [&]() -> aclError {
    std::shared_ptr<Aipp> aipp;
    if (const aclError code = need_image(aippParmsSet, batchIndex, &aipp)) return code;
    const int16_t values[4] = {dtcPixelMeanChn0, dtcPixelMeanChn1, dtcPixelMeanChn2,
                               dtcPixelMeanChn3};
    for (const int16_t value : values) {
      if (const aclError code = check_range("a mean", {1.0 * value}, 0, 255)) return code;
    }
    AippImage &image = aipp->images[static_cast<size_t>(batchIndex)];
    for (size_t i = 0; i < 4; ++i) image.mean[i] = values[i];
    return ACL_SUCCESS;
  });
}

aclError aclmdlSetAIPPDtcPixelMin(aclmdlAIPP *aippParmsSet, float dtcPixelMinChn0,
                                  float dtcPixelMinChn1, float dtcPixelMinChn2,
                                  float dtcPixelMinChn3, uint64_t batchIndex) {
  return entry(Call::aclmdlSetAIPPDtcPixelMin, [&]() -> aclError {
    std::shared_ptr<Aipp> aipp;
    if (const aclError code = need_image(aippParmsSet, batchIndex, &aipp)) return code;
    const float values[4] = {dtcPixelMinChn0, dtcPixelMinChn1, dtcPixelMinChn2, dtcPixelMinChn3};
    for (const float value : values) {
      if (const aclError code = check_range("a minimum", {value}, 0, 255)) return code;
    }
    AippImage &image = aipp->images[static_cast<size_t>(batchIndex)];
    for (size_t i = 0; i < 4; ++i) image.min[i] = float_to_float16(values[i]);
    return ACL_SUCCESS;
  });
}

aclError aclmdlSetAIPPPixelVarReci(aclmdlAIPP *aippParmsSet, float dtcPixelVarReciChn0,
                                   float dtcPixelVarReciChn1, float dtcPixelVarReciChn2,
                                   float dtcPixelVarReciChn3, uint64_t batchIndex) {
  return entry(Call::aclmdlSetAIPPPixelVarReci, [&]() -> aclError {
    std::shared_ptr<Aipp> aipp;
    if (const aclError code = need_image(aippParmsSet, batchIndex, &aipp)) return code;
    const float values[4] = {dtcPixelVarReciChn0, dtcPixelVarReciChn1, dtcPixelVarReciChn2,
                             dtcPixelVarReciChn3};
    constexpr double kHalfMax = 65504;
    for (const float value : values) {
      if (const aclError code = check_range("a factor", {value}, -kHalfMax, kHalfMax)) return code;
    }
    AippImage &image = aipp->images[static_cast<size_t>(batchIndex)];
    for (size_t i = 0; i < 4; ++i) image.var_reci[i] = float_to_float16(values[i]);
    return ACL_SUCCESS;
  });
}

aclError aclmdlSetInputAIPP(uint32_t modelId, aclmdlDataset *dataset, size_t index,
                            const aclmdlAIPP *aippParmsSet) {
  return entry(Call::aclmdlSetInputAIPP, [&]() -> aclError {
    std::shared_ptr<Dataset> object;
    if (const aclError code = need_handle(dataset, "dataset", &object)) return code;
    std::shared_ptr<Aipp> aipp;
    if (const aclError code = need_aipp(aippParmsSet, &aipp)) return code;
    std::shared_ptr<Model> model;
    if (const aclError code = need_model(modelId, &model)) return code;
    const size_t count = model->description->inputs.size();
    if (index >= count) {
      return fail(ACL_ERROR_INVALID_PARAM, "index %zu, the model has %zu inputs", index, count);
    }
    return fail(ACL_ERROR_INVALID_PARAM, "input %zu of model %u is no AIPP parameter input", index,
                modelId);
  });
}

aclError aclmdlSetAIPPByInputIndex(uint32_t modelId, aclmdlDataset *dataset, size_t index,
                                   const aclmdlAIPP *aippParmsSet) {
  return entry(Call::aclmdlSetAIPPByInputIndex, [&]() -> aclError {
    std::shared_ptr<Dataset> object;
    if (const aclError code = need_handle(dataset, "dataset", &object)) return code;
    std::shared_ptr<Aipp> aipp;
    if (const aclError code = need_aipp(aippParmsSet, &aipp)) return code;
    if (index >= object->size()) {
      return fail(ACL_ERROR_INVALID_PARAM, "index %zu, the dataset has %zu buffers", index,
                  object->size());
    }
    std::shared_ptr<Model> model;
    if (const aclError code = need_model(modelId, &model)) return code;
    return fail(ACL_ERROR_FAILURE, "input %zu of model %u has no dynamic AIPP", index, modelId);
  });
}
