// SPDX-License-Identifier: Apache-2.0
#include "fake/aipp.h"

namespace aclfake {

namespace {

struct Numbers {
  aclAippInputFormat format;
  uint8_t in_block;
};

constexpr Numbers kFormats[] = {
    {ACL_YUV420SP_U8, 1}, {ACL_XRGB8888_U8, 2}, {ACL_NC1HWC0DI_FP16, 3}, {ACL_NC1HWC0DI_S8, 4},
    {ACL_RGB888_U8, 5},   {ACL_ARGB8888_U8, 6}, {ACL_YUYV_U8, 7},        {ACL_YUV422SP_U8, 8},
    {ACL_AYUV444_U8, 9},  {ACL_YUV400_U8, 10},  {ACL_RAW10, 11},         {ACL_RAW12, 12},
    {ACL_RAW16, 13},      {ACL_RAW24, 16},
};

}  // namespace

uint8_t aipp_format(aclAippInputFormat format) noexcept {
  for (const Numbers &numbers : kFormats) {
    if (numbers.format == format) return numbers.in_block;
  }
  return 0;
}

int64_t aipp_input_format(uint8_t number) noexcept {
  for (const Numbers &numbers : kFormats) {
    if (numbers.in_block == number) return numbers.format;
  }
  return 0;
}

}  // namespace aclfake
