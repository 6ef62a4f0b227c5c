// SPDX-License-Identifier: Apache-2.0
//
// AIPP in words. They are to show above all whether pixels are normalised inside the model, because
// doing it outside as well is the usual mistake.
#include <algorithm>
#include <cstdio>
#include <string>

#include "om/om.h"
#include "om/text.h"

namespace om {
namespace {

constexpr const char *kFormats[] = {"",          "YUV420SP_U8",    "XRGB8888_U8",  "RGB888_U8",
                                    "YUV400_U8", "NC1HWC0DI_FP16", "NC1HWC0DI_S8", "ARGB8888_U8",
                                    "YUYV_U8",   "YUV422SP_U8",    "AYUV444_U8",   "RAW10",
                                    "RAW12",     "RAW16",          "RAW24",        "RGB16",
                                    "RGB20",     "RGB24",          "RGB8_IR",      "RGB16_IR",
                                    "RGB24_IR"};
constexpr int64_t kFormatCount = sizeof kFormats / sizeof kFormats[0];
constexpr int64_t kYuv420sp = 1, kYuv400 = 4, kYuyv = 8, kYuv422sp = 9, kAyuv444 = 10;

bool is_yuv(int64_t format) {
  return format == kYuv420sp || format == kYuv400 || format == kYuyv || format == kYuv422sp ||
         format == kAyuv444;
}

// A colour conversion that has a name: rows of the matrix, and the bias on the side that counts.
struct Conversion {
  bool from_yuv;
  int64_t matrix[9];
  int64_t bias[3];
  const char *name;
  const char *exchanged;  // the same with two rows exchanged, 0 and 2 from YUV, 1 and 2 from RGB
};

constexpr Conversion kConversions[] = {
    {true,
     {256, 0, 359, 256, -88, -183, 256, 454, 0},
     {0, 128, 128},
     "YUV to RGB (BT.601 wide, JPEG)",
     "YUV to BGR (BT.601 wide, JPEG)"},
    {true,
     {298, 0, 409, 298, -100, -208, 298, 516, 0},
     {16, 128, 128},
     "YUV to RGB (BT.601 narrow)",
     "YUV to BGR (BT.601 narrow)"},
    {true,
     {298, 0, 459, 298, -55, -136, 298, 541, 0},
     {16, 128, 128},
     "YUV to RGB (BT.709 narrow)",
     "YUV to BGR (BT.709 narrow)"},
    {true,
     {256, 0, 403, 256, -48, -120, 256, 475, 0},
     {0, 128, 128},
     "YUV to RGB (BT.709 wide)",
     "YUV to BGR (BT.709 wide)"},
    {true, {256, 0, 0, 0, 0, 0, 0, 0, 0}, {0, 0, 0}, "YUV to gray", nullptr},
    {false,
     {77, 150, 29, -43, -85, 128, 128, -107, -21},
     {0, 128, 128},
     "RGB to YUV (BT.601 wide, JPEG)",
     "RGB to YVU (BT.601 wide, JPEG)"},
    {false,
     {66, 129, 25, -38, -74, 112, 112, -94, -18},
     {16, 128, 128},
     "RGB to YUV (BT.601 narrow)",
     "RGB to YVU (BT.601 narrow)"},
    {false,
     {47, 157, 16, -26, -87, 112, 112, -102, -10},
     {16, 128, 128},
     "RGB to YUV (BT.709 narrow)",
     "RGB to YVU (BT.709 narrow)"},
    {false,
     {55, 183, 19, -29, -99, 128, 128, -116, -12},
     {0, 128, 128},
     "RGB to YUV (BT.709 wide)",
     "RGB to YVU (BT.709 wide)"},
    {false, {76, 150, 30, 0, 0, 0, 0, 0, 0}, {0, 0, 0}, "RGB to gray", nullptr},
};

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  std::replace(text, text + sizeof text, ',', '.');  // the process's locale may say so
  return text;
}

// The fourth channel only where it is not as it is without AIPP.
template <class Value>
std::string channels(const Value (&values)[4], Value neutral) {
  const size_t count = values[3] == neutral ? 3 : 4;
  std::string text = "[";
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) text += ", ";
    text += number(static_cast<double>(values[i]));
  }
  return text + "]";
}

template <class Value>
bool all(const Value (&values)[4], Value expected) {
  return std::all_of(values, values + 4, [&](Value value) { return value == expected; });
}

std::string width_by_height(int64_t width, int64_t height) {
  return std::to_string(width) + "x" + std::to_string(height);
}

std::vector<int64_t> list(const int64_t *values, size_t count) {
  return {values, values + count};
}

std::string conversion_of(const Aipp &aipp) {
  const bool from_yuv = is_yuv(aipp.input_format);
  const int64_t *bias = from_yuv ? aipp.input_bias : aipp.output_bias;
  for (const Conversion &known : kConversions) {
    if (known.from_yuv != from_yuv || !std::equal(bias, bias + 3, known.bias)) continue;
    if (std::equal(aipp.matrix, aipp.matrix + 9, known.matrix)) return known.name;
    if (known.exchanged == nullptr) continue;
    int64_t rows[9];
    std::copy(known.matrix, known.matrix + 9, rows);
    std::swap_ranges(rows + (from_yuv ? 0 : 3), rows + (from_yuv ? 3 : 6), rows + 6);
    if (std::equal(aipp.matrix, aipp.matrix + 9, rows)) return known.exchanged;
  }
  return "matrix " + to_text(list(aipp.matrix, 9)) + " / 256, " + (from_yuv ? "input" : "output") +
         " bias " + to_text(list(bias, 3));
}

std::string network_text(const AippTensor &tensor) {
  if (tensor.name.empty()) return "";
  return "; the network behind it has " + tensor.format + " " + tensor.dtype + " " +
         to_text(tensor.dims);
}

bool normalises(const Aipp &aipp) {
  return !all(aipp.mean, int64_t{0}) || !all(aipp.min, 0.0f) || !all(aipp.var_reci, 1.0f);
}

// Every channel: p -> (p - mean - min) * var_reci.
std::string normalisation(const Aipp &aipp) {
  if (!normalises(aipp)) return "; does not normalise";
  std::string text;
  const auto add = [&](const char *what, const std::string &values) {
    text += (text.empty() ? "; normalises: " : ", then ") + (what + values);
  };
  if (!all(aipp.mean, int64_t{0})) add("subtracts mean ", channels(aipp.mean, int64_t{0}));
  if (!all(aipp.min, 0.0f)) add("subtracts min ", channels(aipp.min, 0.0f));
  if (!all(aipp.var_reci, 1.0f)) add("multiplies by ", channels(aipp.var_reci, 1.0f));
  return text;
}

std::string advice(const Aipp &aipp) {
  return normalises(aipp)
             ? ". Feed raw pixels: normalising them before would do it twice."
             : ". Feed raw pixels; they reach the network as 0 to 255, nothing is normalised.";
}

std::string describe_static(const Aipp &aipp) {
  const char *format = aipp_format_name(aipp.input_format);
  std::string text = "static AIPP: takes ";
  text += *format == '\0' ? "format " + std::to_string(aipp.input_format) : format;
  text += " images";
  if (aipp.src_image_w > 0 && aipp.src_image_h > 0) {
    text += " of " + width_by_height(aipp.src_image_w, aipp.src_image_h);
  }
  if (aipp.ax_swap) text += "; moves the first channel (A or X) behind the others";
  if (aipp.rbuv_swap) {
    text += is_yuv(aipp.input_format) ? "; exchanges U and V" : "; exchanges R and B";
  }
  if (aipp.crop) {
    text += "; crops ";
    text += aipp.crop_w > 0 && aipp.crop_h > 0 ? width_by_height(aipp.crop_w, aipp.crop_h)
                                               : std::string("to the network's size");
    text += " from left " + std::to_string(aipp.crop_start_w) + ", top " +
            std::to_string(aipp.crop_start_h);
  }
  if (aipp.csc) text += "; converts colours: " + conversion_of(aipp);
  if (aipp.resize) text += "; resizes to " + width_by_height(aipp.resize_w, aipp.resize_h);
  text += normalisation(aipp);
  if (aipp.padding) {
    text += "; pads left " + std::to_string(aipp.padding_left) + ", right " +
            std::to_string(aipp.padding_right) + ", top " + std::to_string(aipp.padding_top) +
            ", bottom " + std::to_string(aipp.padding_bottom);
    if (aipp.padding_value != 0) text += " with " + number(aipp.padding_value);
  }
  return text + network_text(aipp.network_input) + advice(aipp);
}

std::string describe_dynamic(const Aipp &aipp) {
  std::string text = "dynamic AIPP: takes images ";
  text += aipp.has_parameters
              ? "of at most " +
                    count_of(static_cast<uint64_t>(std::max<int64_t>(aipp.max_src_image_size, 0)),
                             "byte")
              : std::string("of a size that the file does not state");
  text += "; format, crop, colours and normalisation are set for each run";
  if (!aipp.parameter_input.empty()) text += " (input " + aipp.parameter_input + ")";
  if (aipp.support_rotation) text += "; may rotate";
  return text + network_text(aipp.network_input) +
         ". Normalise in one place only: here or in the parameters.";
}

}  // namespace

const char *aipp_format_name(int64_t input_format) noexcept {
  return input_format > 0 && input_format < kFormatCount ? kFormats[input_format] : "";
}

std::string describe(const Aipp &aipp) {
  if (aipp.mode == Aipp::Mode::kDynamic) return describe_dynamic(aipp);
  if (aipp.has_parameters) return describe_static(aipp);
  return "static AIPP with parameters that the file does not state" +
         network_text(aipp.network_input) + ".";
}

}  // namespace om
