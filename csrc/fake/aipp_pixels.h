// SPDX-License-Identifier: Apache-2.0
//
// What AIPP computes from one image (contract 19.2): expand chroma, swap channels, crop, convert
// colours, normalise, pad. No state, no files, no AscendCL: numbers in, bytes out.
#ifndef ACLRT_FAKE_AIPP_PIXELS_H
#define ACLRT_FAKE_AIPP_PIXELS_H

#include <cstddef>
#include <cstdint>
#include <string>

#include "acl/abi.h"

namespace aclfake {

// One image and what is to happen to it.
struct AippRecipe {
  int64_t format = 0;  // aclAippInputFormat
  int64_t src_w = 0;
  int64_t src_h = 0;
  bool ax_swap = false;
  bool rbuv_swap = false;
  bool csc = false;
  int32_t matrix[9] = {};
  int32_t output_bias[3] = {};
  int32_t input_bias[3] = {};
  int64_t crop_x = 0;  // of the source; all of it where nothing is cut away
  int64_t crop_y = 0;
  int64_t crop_w = 0;
  int64_t crop_h = 0;
  int64_t left = 0;
  int64_t right = 0;
  int64_t top = 0;
  int64_t bottom = 0;
  int32_t mean[4] = {};
  aclFloat16 min[4] = {};
  aclFloat16 var_reci[4] = {};
  float padding_value = 0;

  int64_t out_w() const { return crop_w + left + right; }
  int64_t out_h() const { return crop_h + top + bottom; }
};

// One image as the network takes it.
struct AippTarget {
  int32_t dtype = ACL_FLOAT;  // or ACL_FLOAT16, ACL_UINT8
  bool channels_last = false;
  int64_t channels = 0;
  int64_t w = 0;
  int64_t h = 0;
};

// Bytes of an image; 0 if the format is none that is computed.
uint64_t aipp_image_bytes(int64_t format, int64_t w, int64_t h) noexcept;
// "YUV420SP_U8", or the number.
std::string aipp_format_text(int64_t format);

// Why this cannot be computed, or "". Nothing of the recipe is trusted.
std::string aipp_problem(const AippRecipe &recipe, const AippTarget &target);

// image: aipp_image_bytes. out: all elements of the target. Only without an aipp_problem.
void aipp_compute(const AippRecipe &recipe, const uint8_t *image, const AippTarget &target,
                  uint8_t *out);

// To the nearest, ties to even; beyond +-65504 to that.
aclFloat16 double_to_float16(double value) noexcept;

}  // namespace aclfake

#endif
