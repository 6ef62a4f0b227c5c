// SPDX-License-Identifier: Apache-2.0
#include "fake/aipp.h"

namespace aclfake {

uint8_t aipp_format(aclAippInputFormat format) noexcept {
  switch (format) {
    case ACL_YUV420SP_U8:
      return 1;
    case ACL_XRGB8888_U8:
      return 2;
    case ACL_NC1HWC0DI_FP16:
      return 3;
    case ACL_NC1HWC0DI_S8:
      return 4;
    case ACL_RGB888_U8:
      return 5;
    case ACL_ARGB8888_U8:
      return 6;
    case ACL_YUYV_U8:
      return 7;
    case ACL_YUV422SP_U8:
      return 8;
    case ACL_AYUV444_U8:
      return 9;
    case ACL_YUV400_U8:
      return 10;
    case ACL_RAW10:
      return 11;
    case ACL_RAW12:
      return 12;
    case ACL_RAW16:
      return 13;
    case ACL_RAW24:
      return 16;
    default:
      return 0;
  }
}

}  // namespace aclfake
