// SPDX-License-Identifier: Apache-2.0
#include "fake/aipp_check.h"

#include <cinttypes>

#include "fake/aipp_pixels.h"
#include "fake/aipp_stage.h"
#include "fake/messages.h"

namespace aclfake {
namespace {

constexpr int64_t kMaxPaddedWidth = 1080;

struct Size {
  int64_t w = 0;
  int64_t h = 0;
};

Size output_size(const AippHead &head, const AippImage &image) {
  Size size{head.src_w, head.src_h};
  if (image.crop_switch != 0) size = {image.crop_w, image.crop_h};
  if (image.padding_switch != 0) {
    size.w += int64_t{image.padding_left} + image.padding_right;
    size.h += int64_t{image.padding_top} + image.padding_bottom;
  }
  return size;
}

aclError check_bytes(int64_t format, const AippHead &head, size_t batch, const om::Aipp &aipp) {
  const uint64_t bytes = aipp_image_bytes(format, head.src_w, head.src_h) * batch;
  if (bytes <= static_cast<uint64_t>(aipp.max_src_image_size)) return ACL_SUCCESS;
  return fail(ACL_ERROR_INVALID_PARAM,
              "%zu images of %dx%d have %" PRIu64 " bytes, max_src_image_size is %" PRId64, batch,
              head.src_w, head.src_h, bytes, aipp.max_src_image_size);
}

// Against the network's own input, of the largest gear. Not for dims that the file leaves open.
aclError check_network(const Description &description, const AippInput &input, const Aipp &given) {
  if (description.shape_range || !input.network.is_known()) return ACL_SUCCESS;
  AippNetwork network = input.network;
  network.dims = description.largest_dims(input.aipp.input, network.dims);
  const Size size = output_size(given.head, given.images.front());
  if (size.w != network.width() || size.h != network.height()) {
    return fail(ACL_ERROR_INVALID_PARAM,
                "images of %" PRId64 "x%" PRId64 " come out, the network takes %" PRId64
                "x%" PRId64,
                size.w, size.h, network.width(), network.height());
  }
  if (static_cast<int64_t>(given.images.size()) == network.batch()) return ACL_SUCCESS;
  return fail(ACL_ERROR_INVALID_PARAM,
              "the set was made for %zu images, the network takes %" PRId64, given.images.size(),
              network.batch());
}

aclError check_source(int64_t format, const AippHead &head) {
  const bool is_420 = format == ACL_YUV420SP_U8;
  if (!is_420 && format != ACL_XRGB8888_U8 && format != ACL_RGB888_U8 && format != ACL_YUV400_U8) {
    return fail(ACL_ERROR_INVALID_PARAM,
                "input format %s; this chip takes YUV420SP_U8, XRGB8888_U8, RGB888_U8, YUV400_U8",
                aipp_format_text(format).c_str());
  }
  if (format == ACL_YUV400_U8 && head.csc_switch != 0) {
    return fail(ACL_ERROR_INVALID_PARAM, "cscSwitch is 1, YUV400_U8 has no colours to convert");
  }
  if (head.src_w == 0 || head.src_h == 0) {
    return fail(ACL_ERROR_INVALID_PARAM, "aclmdlSetAIPPSrcImageSize was not called");
  }
  if (is_420 && (head.src_w % 2 != 0 || head.src_h % 2 != 0)) {
    return fail(ACL_ERROR_INVALID_PARAM, "YUV420SP_U8 images have even sizes, given %dx%d",
                head.src_w, head.src_h);
  }
  return ACL_SUCCESS;
}

aclError check_image(int64_t format, const Aipp &given, size_t index) {
  const AippHead &head = given.head;
  const AippImage &image = given.images[index];
  if (image.scf_switch != 0) {
    return fail(ACL_ERROR_INVALID_PARAM, "image %zu: scfSwitch is 1, no chip resizes", index);
  }
  if (image.crop_switch != 0) {
    const bool is_odd = image.crop_x % 2 != 0 || image.crop_y % 2 != 0;
    if (image.crop_x + image.crop_w > head.src_w || image.crop_y + image.crop_h > head.src_h) {
      return fail(ACL_ERROR_INVALID_PARAM,
                  "image %zu: the crop of %dx%d from %d,%d is not inside %dx%d", index,
                  image.crop_w, image.crop_h, image.crop_x, image.crop_y, head.src_w, head.src_h);
    }
    if (is_odd && format == ACL_YUV420SP_U8) {
      return fail(ACL_ERROR_INVALID_PARAM,
                  "image %zu: the crop starts at %d,%d; YUV420SP_U8 needs even places", index,
                  image.crop_x, image.crop_y);
    }
  }
  const Size size = output_size(head, image);
  if (image.padding_switch != 0 && size.w > kMaxPaddedWidth) {
    return fail(ACL_ERROR_INVALID_PARAM,
                "image %zu: %" PRId64 " wide after padding, at most %" PRId64, index, size.w,
                kMaxPaddedWidth);
  }
  const Size first = output_size(head, given.images.front());
  if (size.w == first.w && size.h == first.h) return ACL_SUCCESS;
  return fail(ACL_ERROR_INVALID_PARAM,
              "image %zu comes out as %" PRId64 "x%" PRId64 ", image 0 as %" PRId64 "x%" PRId64,
              index, size.w, size.h, first.w, first.h);
}

}  // namespace

aclError check_aipp(const Description &description, const AippInput &input, const Aipp &given) {
  const AippHead &head = given.head;
  const int64_t format = aipp_input_format(head.input_format);
  if (const aclError code = check_bytes(format, head, given.images.size(), input.aipp)) return code;
  if (const aclError code = check_network(description, input, given)) return code;
  if (const aclError code = check_source(format, head)) return code;
  for (size_t i = 0; i < given.images.size(); ++i) {
    if (const aclError code = check_image(format, given, i)) return code;
  }
  return ACL_SUCCESS;
}

}  // namespace aclfake
