// SPDX-License-Identifier: Apache-2.0
//
// Pixels are bytes until they are normalised, so that each channel's normalisation is a table of
// 256 elements. Exact in double: a byte less two halves has at most 33 bits, the factor 11.
#include "fake/aipp_pixels.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <vector>

#include "fake/tensor_desc.h"
#include "om/om.h"

namespace aclfake {
namespace {

constexpr int64_t kMaxSide = 4096;  // of a source image
constexpr int64_t kMaxPadding = 32;

using Pixel = std::array<uint8_t, 4>;

bool is_yuv(int64_t format) {
  return format == ACL_YUV420SP_U8 || format == ACL_YUV400_U8 || format == ACL_YUYV_U8 ||
         format == ACL_YUV422SP_U8 || format == ACL_AYUV444_U8;
}

int64_t channels_of(int64_t format) {
  switch (format) {
    case ACL_YUV400_U8:
      return 1;
    case ACL_XRGB8888_U8:
    case ACL_ARGB8888_U8:
    case ACL_AYUV444_U8:
      return 4;
    default:
      return 3;
  }
}

// The source's channels at a place, chroma expanded: every pixel takes the sample it lies in.
Pixel fetch(const AippRecipe &recipe, const uint8_t *image, int64_t x, int64_t y) {
  const int64_t w = recipe.src_w;
  const int64_t plane = w * recipe.src_h;
  const int64_t at = y * w + x;
  const int64_t pair = x & ~int64_t{1};
  switch (recipe.format) {
    case ACL_YUV420SP_U8: {
      const uint8_t *chroma = image + plane + y / 2 * w + pair;
      return {image[at], chroma[0], chroma[1], 0};
    }
    case ACL_YUV422SP_U8: {
      const uint8_t *chroma = image + plane + y * w + pair;
      return {image[at], chroma[0], chroma[1], 0};
    }
    case ACL_YUYV_U8: {
      const uint8_t *two = image + 2 * (y * w + pair);
      return {two[2 * (x - pair)], two[1], two[3], 0};
    }
    case ACL_YUV400_U8:
      return {image[at], 0, 0, 0};
    case ACL_RGB888_U8:
      return {image[3 * at], image[3 * at + 1], image[3 * at + 2], 0};
    default:
      return {image[4 * at], image[4 * at + 1], image[4 * at + 2], image[4 * at + 3]};
  }
}

void swap_channels(const AippRecipe &recipe, Pixel &pixel) {
  if (recipe.ax_swap && channels_of(recipe.format) == 4) {
    std::rotate(pixel.begin(), pixel.begin() + 1, pixel.end());
  }
  if (!recipe.rbuv_swap || recipe.format == ACL_YUV400_U8) return;
  std::swap(pixel[is_yuv(recipe.format) ? 1 : 0], pixel[2]);
}

uint8_t clamped(int32_t value) {
  return static_cast<uint8_t>(std::clamp(value, 0, 255));
}

// Fixed point, 256 is 1.0; the shift rounds down, also below zero.
void convert_colours(const AippRecipe &recipe, Pixel &pixel) {
  const bool from_yuv = is_yuv(recipe.format);
  int32_t source[3];
  for (size_t j = 0; j < 3; ++j) source[j] = pixel[j] - (from_yuv ? recipe.input_bias[j] : 0);
  for (size_t i = 0; i < 3; ++i) {
    int32_t sum = 0;
    for (size_t j = 0; j < 3; ++j) sum += recipe.matrix[3 * i + j] * source[j];
    pixel[i] = clamped((sum >> 8) + (from_yuv ? 0 : recipe.output_bias[i]));
  }
}

// Elements of the target's type that each value of a channel becomes, and the padding's.
class Elements {
 public:
  Elements(const AippRecipe &recipe, const AippTarget &target)
      : size_(target.dtype == ACL_FLOAT     ? 4
              : target.dtype == ACL_FLOAT16 ? 2
                                            : 1),
        bytes_((4 * 256 + 1) * size_) {
    for (size_t channel = 0; channel < 4; ++channel) {
      const double offset = float16_to_float(recipe.min[channel]);
      const double factor = float16_to_float(recipe.var_reci[channel]);
      for (size_t value = 0; value < 256; ++value) {
        const double difference = static_cast<double>(value) - recipe.mean[channel] - offset;
        put(channel * 256 + value, target.dtype, static_cast<uint8_t>(value),
            double_to_float16(difference * factor));
      }
    }
    put(4 * 256, target.dtype, nearest_byte(recipe.padding_value),
        float_to_float16(recipe.padding_value));
  }

  size_t size() const { return size_; }
  void write(size_t channel, uint8_t value, uint8_t *to) const {
    std::memcpy(to, bytes_.data() + (channel * 256 + value) * size_, size_);
  }
  void write_padding(uint8_t *to) const {
    std::memcpy(to, bytes_.data() + size_t{4 * 256} * size_, size_);
  }

 private:
  static uint8_t nearest_byte(float value) {
    return clamped(static_cast<int32_t>(std::clamp(std::nearbyint(value), 0.0f, 255.0f)));
  }

  void put(size_t index, int32_t dtype, uint8_t byte, aclFloat16 half) {
    uint8_t *const to = bytes_.data() + index * size_;
    const float wide = float16_to_float(half);
    if (dtype == ACL_FLOAT) {
      std::memcpy(to, &wide, size_);
    } else if (dtype == ACL_FLOAT16) {
      std::memcpy(to, &half, size_);
    } else {
      *to = byte;
    }
  }

  const size_t size_;
  std::vector<uint8_t> bytes_;
};

std::string times(int64_t w, int64_t h) {
  return std::to_string(w) + "x" + std::to_string(h);
}

bool inside(int64_t value, int64_t low, int64_t high) {
  return value >= low && value <= high;
}

std::string source_problem(const AippRecipe &recipe) {
  const std::string format = aipp_format_text(recipe.format);
  if (aipp_image_bytes(recipe.format, 2, 2) == 0) return "the input format is " + format;
  if (!inside(recipe.src_w, 1, kMaxSide) || !inside(recipe.src_h, 1, kMaxSide)) {
    return "the source images have the size " + times(recipe.src_w, recipe.src_h);
  }
  const bool even_w = recipe.format == ACL_YUV420SP_U8 || recipe.format == ACL_YUYV_U8 ||
                      recipe.format == ACL_YUV422SP_U8;
  const bool even_h = recipe.format == ACL_YUV420SP_U8;
  if ((even_w && recipe.src_w % 2 != 0) || (even_h && recipe.src_h % 2 != 0)) {
    return format + " images have even sizes, given " + times(recipe.src_w, recipe.src_h);
  }
  if ((even_w && recipe.crop_x % 2 != 0) || (even_h && recipe.crop_y % 2 != 0)) {
    return "a crop of " + format + " starts at even places, given left " +
           std::to_string(recipe.crop_x) + ", top " + std::to_string(recipe.crop_y);
  }
  if (!inside(recipe.crop_x, 0, kMaxSide) || !inside(recipe.crop_y, 0, kMaxSide) ||
      !inside(recipe.crop_w, 1, recipe.src_w - recipe.crop_x) ||
      !inside(recipe.crop_h, 1, recipe.src_h - recipe.crop_y)) {
    return "the crop of " + times(recipe.crop_w, recipe.crop_h) + " from left " +
           std::to_string(recipe.crop_x) + ", top " + std::to_string(recipe.crop_y) +
           " is not inside the image of " + times(recipe.src_w, recipe.src_h);
  }
  return "";
}

// What the file's and the block's own types may hold beyond the setters' limits.
bool parameters_fit(const AippRecipe &recipe) {
  const auto all = [](const int32_t *values, size_t count, int32_t low, int32_t high) {
    return std::all_of(values, values + count,
                       [&](int32_t value) { return value >= low && value <= high; });
  };
  return all(recipe.matrix, 9, INT16_MIN, INT16_MAX) && all(recipe.output_bias, 3, 0, 255) &&
         all(recipe.input_bias, 3, 0, 255) && all(recipe.mean, 4, 0, 255);
}

}  // namespace

uint64_t aipp_image_bytes(int64_t format, int64_t w, int64_t h) noexcept {
  if (w < 0 || h < 0) return 0;
  const uint64_t pixels = static_cast<uint64_t>(w) * static_cast<uint64_t>(h);
  switch (format) {
    case ACL_YUV420SP_U8:
      return pixels * 3 / 2;
    case ACL_RGB888_U8:
      return pixels * 3;
    case ACL_YUV400_U8:
      return pixels;
    case ACL_XRGB8888_U8:
    case ACL_ARGB8888_U8:
    case ACL_AYUV444_U8:
      return pixels * 4;
    case ACL_YUYV_U8:
    case ACL_YUV422SP_U8:
      return pixels * 2;
    default:
      return 0;
  }
}

std::string aipp_format_text(int64_t format) {
  const char *name = om::aipp_format_name(format);
  return *name != '\0' ? name : std::to_string(format);
}

std::string aipp_problem(const AippRecipe &recipe, const AippTarget &target) {
  if (const std::string problem = source_problem(recipe); !problem.empty()) return problem;
  for (const int64_t padding : {recipe.left, recipe.right, recipe.top, recipe.bottom}) {
    if (!inside(padding, 0, kMaxPadding)) return "a padding of " + std::to_string(padding);
  }
  if (recipe.out_w() != target.w || recipe.out_h() != target.h) {
    return "images of " + times(recipe.out_w(), recipe.out_h()) + " come out, the network takes " +
           times(target.w, target.h);
  }
  if (!parameters_fit(recipe)) return "a matrix value, bias or mean is out of range";
  const int64_t channels = recipe.csc ? 3 : channels_of(recipe.format);
  if (recipe.csc && channels_of(recipe.format) == 1) return "YUV400_U8 has no colours to convert";
  if (!inside(target.channels, 1, channels)) {
    return std::to_string(channels) + " channels come out of " + aipp_format_text(recipe.format) +
           ", the network takes " + std::to_string(target.channels);
  }
  if (target.dtype != ACL_FLOAT && target.dtype != ACL_FLOAT16 && target.dtype != ACL_UINT8) {
    return "the network's element type is " + std::to_string(target.dtype);
  }
  return "";
}

void aipp_compute(const AippRecipe &recipe, const uint8_t *image, const AippTarget &target,
                  uint8_t *out) {
  const Elements elements(recipe, target);
  const auto channels = static_cast<size_t>(target.channels);
  const auto plane = static_cast<size_t>(target.w * target.h);
  const size_t pixel_step = (target.channels_last ? channels : 1) * elements.size();
  const size_t channel_step = (target.channels_last ? 1 : plane) * elements.size();
  for (int64_t y = 0; y < target.h; ++y) {
    for (int64_t x = 0; x < target.w; ++x, out += pixel_step) {
      const int64_t from_x = x - recipe.left;
      const int64_t from_y = y - recipe.top;
      if (!inside(from_x, 0, recipe.crop_w - 1) || !inside(from_y, 0, recipe.crop_h - 1)) {
        for (size_t c = 0; c < channels; ++c) elements.write_padding(out + c * channel_step);
        continue;
      }
      Pixel pixel = fetch(recipe, image, recipe.crop_x + from_x, recipe.crop_y + from_y);
      swap_channels(recipe, pixel);
      if (recipe.csc) convert_colours(recipe, pixel);
      for (size_t c = 0; c < channels; ++c) elements.write(c, pixel[c], out + c * channel_step);
    }
  }
}

aclFloat16 double_to_float16(double value) noexcept {
  constexpr aclFloat16 kMax = 0x7bff;
  constexpr int kLowest = -24;  // exponent of the smallest half
  const aclFloat16 sign = std::signbit(value) ? 0x8000 : 0;
  const double magnitude = std::fabs(value);
  if (!(magnitude < 65504.0)) return static_cast<aclFloat16>(sign | kMax);
  if (magnitude == 0.0) return sign;
  int exponent = 0;
  std::frexp(magnitude, &exponent);
  const int unit = std::max(exponent - 11, kLowest);
  const double units = std::ldexp(magnitude, -unit);
  double whole = std::floor(units);
  const double rest = units - whole;
  if (rest > 0.5 || (rest == 0.5 && std::fmod(whole, 2.0) != 0.0)) whole += 1.0;
  // The leading bit adds one to the exponent field, as does a carry out of rounding.
  const int bits = ((unit - kLowest) << 10) + static_cast<int>(whole);
  return static_cast<aclFloat16>(sign | std::min<int>(bits, kMax));
}

}  // namespace aclfake
