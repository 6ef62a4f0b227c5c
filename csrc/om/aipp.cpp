// SPDX-License-Identifier: Apache-2.0
//
// The parameters are the keys of ATC's configuration file.
#include "om/aipp.h"

#include <charconv>
#include <string_view>

#include "om/proto.h"
#include "om/text.h"

namespace om {
namespace {

struct IntKey {
  std::string_view name;
  int64_t Aipp::*member;
};

struct FlagKey {
  std::string_view name;
  bool Aipp::*member;
};

constexpr IntKey kInts[] = {
    {"max_src_image_size", &Aipp::max_src_image_size},
    {"input_format", &Aipp::input_format},
    {"src_image_size_w", &Aipp::src_image_w},
    {"src_image_size_h", &Aipp::src_image_h},
    {"load_start_pos_w", &Aipp::crop_start_w},
    {"load_start_pos_h", &Aipp::crop_start_h},
    {"crop_size_w", &Aipp::crop_w},
    {"crop_size_h", &Aipp::crop_h},
    {"resize_output_w", &Aipp::resize_w},
    {"resize_output_h", &Aipp::resize_h},
    {"left_padding_size", &Aipp::padding_left},
    {"right_padding_size", &Aipp::padding_right},
    {"top_padding_size", &Aipp::padding_top},
    {"bottom_padding_size", &Aipp::padding_bottom},
};

constexpr FlagKey kFlags[] = {
    {"support_rotation", &Aipp::support_rotation},
    {"crop", &Aipp::crop},
    {"resize", &Aipp::resize},
    {"padding", &Aipp::padding},
    {"csc_switch", &Aipp::csc},
    {"rbuv_swap_switch", &Aipp::rbuv_swap},
    {"ax_swap_switch", &Aipp::ax_swap},
    {"single_line_mode", &Aipp::single_line},
};

// "mean_chn_2": the item that the last character names, if the rest is the prefix.
template <class Value, size_t N>
Value *item(std::string_view name, std::string_view prefix, Value (&values)[N]) {
  if (name.size() != prefix.size() + 1 || name.substr(0, prefix.size()) != prefix) return nullptr;
  const auto index = static_cast<size_t>(name.back() - '0');
  return index < N ? &values[index] : nullptr;
}

int64_t *matrix_item(std::string_view name, int64_t (&matrix)[9]) {
  constexpr std::string_view kPattern = "matrix_r0c0";
  if (name.size() != kPattern.size() || name.substr(0, 8) != kPattern.substr(0, 8)) return nullptr;
  const auto row = static_cast<size_t>(name[8] - '0');
  const auto column = static_cast<size_t>(name[10] - '0');
  return name[9] == 'c' && row < 3 && column < 3 ? &matrix[3 * row + column] : nullptr;
}

void take_int(std::string_view name, int64_t number, Aipp &aipp) {
  for (const IntKey &key : kInts) {
    if (key.name == name) aipp.*key.member = number;
  }
  if (int64_t *value = item(name, "mean_chn_", aipp.mean)) *value = number;
  if (int64_t *value = item(name, "output_bias_", aipp.output_bias)) *value = number;
  if (int64_t *value = item(name, "input_bias_", aipp.input_bias)) *value = number;
  if (int64_t *value = matrix_item(name, aipp.matrix)) *value = number;
}

void take_float(std::string_view name, float number, Aipp &aipp) {
  if (name == "cpadding_value") aipp.cpadding_value = number;
  if (float *value = item(name, "min_chn_", aipp.min)) *value = number;
  if (float *value = item(name, "var_reci_chn_", aipp.var_reci)) *value = number;
}

void take_parameter(const Attr &attr, Aipp &aipp) {
  if (const auto number = attr.as_int()) take_int(attr.name, *number, aipp);
  if (const auto number = attr.as_float()) take_float(attr.name, *number, aipp);
  const auto flag = attr.as_bool();
  if (!flag) return;
  for (const FlagKey &key : kFlags) {
    if (key.name == attr.name) aipp.*key.member = *flag;
  }
}

// "format:dtype:name:size:rank:dims", the first of the list. Blank if it has another form.
AippTensor tensor_of(const Attr &attr) {
  const auto texts = attr.as_texts();
  if (!texts || texts->empty()) return {};
  std::vector<std::string_view> parts;
  std::string_view rest = text_of(texts->front());
  for (size_t end = rest.find(':'); end != rest.npos && parts.size() < 6; end = rest.find(':')) {
    parts.push_back(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  parts.push_back(rest);
  if (parts.size() != 6) return {};
  const auto size = parse_int(parts[3]);
  const auto dims = find_ints(parts[5]);
  if (!size || *size < 0 || !dims) return {};
  return {std::string(parts[2]), std::string(parts[0]), std::string(parts[1]),
          static_cast<uint64_t>(*size), *dims};
}

// "padding_value": 3.5, with or without quotes around the number.
std::optional<float> find_padding(std::string_view json) {
  constexpr std::string_view kKey = "\"padding_value\"";
  const size_t key = json.find(kKey);
  if (key == json.npos) return {};
  const size_t at = json.find_first_not_of(" \t\n:\"", key + kKey.size());
  if (at == json.npos) return {};
  float number = 0;
  const auto [stop, error] = std::from_chars(json.data() + at, json.data() + json.size(), number);
  if (error != std::errc()) return {};
  return number;
}

}  // namespace

AippAttrs read_aipp(View op, const Dictionary &dictionary, Sentences &sentences) {
  AippAttrs result;
  Aipp &aipp = result.aipp;
  std::string mode;
  for_each_attr(op, 10, dictionary, [&](const Attr &attr) {
    if (attr.name == "_data_related_aipp_mode") {
      if (const auto text = attr.as_text()) mode = text->text();
    }
    if (attr.name == "_data_aipp_data_name_map") {
      if (const auto text = attr.as_text()) result.partner = text->text();
    }
    if (attr.name == "_aipp_inputs") aipp.network_input = tensor_of(attr);
    if (attr.name == "_aipp_outputs") aipp.output = tensor_of(attr);
    if (attr.name != "aipp") return;
    if (const auto parameters = attr.as_named_attrs()) {
      aipp.has_parameters = true;
      for_each_attr(*parameters, 2, dictionary,
                    [&](const Attr &parameter) { take_parameter(parameter, aipp); });
    }
  });
  result.has_aipp = mode == "static_aipp" || mode == "dynamic_aipp";
  aipp.mode = mode == "dynamic_aipp" ? Aipp::Mode::kDynamic : Aipp::Mode::kStatic;
  if (!mode.empty() && !result.has_aipp && mode != "dynamic_aipp_conf") {
    sentences.add("a node's AIPP mode is \"" + shortened(mode) +
                  "\"; it can be static_aipp, dynamic_aipp or dynamic_aipp_conf");
  }
  return result;
}

AippOperator read_aipp_operator(View op, const Dictionary &dictionary) {
  AippOperator result;
  ProtoReader reader(op, Cause::kModelDef, "MODEL_DEF");
  while (reader.next()) {
    if (!reader.is(5, Wire::kBytes) || !result.input.empty()) continue;
    const std::string source = reader.bytes().text();  // "node:index"
    result.input = source.substr(0, source.rfind(':'));
  }
  for_each_attr(op, 10, dictionary, [&](const Attr &attr) {
    if (attr.name != "aipp_config_path") return;
    if (const auto text = attr.as_text()) result.padding_value = find_padding(text_of(*text));
  });
  return result;
}

}  // namespace om
