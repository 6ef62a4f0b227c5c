// SPDX-License-Identifier: Apache-2.0
//
// ModelDef's name, graphs and attributes (map<string, AttrDef>, field 11). The model's own
// attributes are never compressed.
#include "om/model_def.h"

#include <optional>
#include <string_view>

#include "om/error.h"
#include "om/proto.h"
#include "om/schema.h"

namespace om {
namespace {

constexpr std::string_view kName = "MODEL_DEF";
constexpr const char *kDictionaryNames[] = {"attr_name_enum", "attr_value_enum",
                                            "attrs_use_string_value"};

void take_text(const Attr &attr, std::string &target) {
  if (const auto text = attr.as_text()) target = text->text();
}

void take_number(const Attr &attr, uint64_t &target) {
  if (const auto number = attr.as_int()) target = static_cast<uint64_t>(*number);
}

void take_dictionary(const Attr &attr, Dictionary &dictionary) {
  if (attr.name == "om_compress_version") {
    const auto version = attr.as_int();
    dictionary.is_used = version.has_value();
    dictionary.version = version.value_or(0);
  }
  if (attr.name == "attr_name_enum") dictionary.names = or_empty(attr.as_texts());
  if (attr.name == "attr_value_enum") dictionary.values = or_empty(attr.as_texts());
  if (attr.name == "attrs_use_string_value") {
    dictionary.has_text_values = or_empty(attr.as_bools());
  }
}

void take_attr(const Attr &attr, ModelDef &model) {
  take_dictionary(attr, model.dictionary);
  if (attr.name == "soc_version") take_text(attr, model.soc_version);
  if (attr.name == "atc_version") take_text(attr, model.atc_version);
  if (attr.name == "opp_version") take_text(attr, model.opp_version);
  if (attr.name == "atc_cmdline") take_text(attr, model.atc_cmdline);
  if (attr.name == "framework_type") take_text(attr, model.framework_type);
  if (attr.name == "stream_num") take_number(attr, model.stream_num);
  if (attr.name == "event_num") take_number(attr, model.event_num);
  if (attr.name == "zero_copy_memory_size") take_number(attr, model.zero_copy_size);
  if (attr.name == "attr_model_out_nodes_name") {
    model.output_names = or_empty(attr.as_texts());
  }
}

// Newer compilers write the chip's name as an attribute, some only the command.
std::string soc_of_command(const std::string &command) {
  constexpr std::string_view kFlag = "--soc_version";
  const size_t begin = command.find(kFlag);
  if (begin == std::string::npos) return {};
  const size_t value = begin + kFlag.size() + 1;
  if (value >= command.size() || (command[value - 1] != '=' && command[value - 1] != ' ')) {
    return {};
  }
  return command.substr(value, command.find_first_of(" \t\"'", value) - value);
}

// False for what is neither number nor text, or an empty list.
bool read_value(const Attr &attr, Attribute &attribute) {
  if (const auto number = attr.as_int()) {
    attribute.value = *number;
  } else if (const auto real = attr.as_float()) {
    attribute.value = static_cast<double>(*real);
  } else if (const auto flag = attr.as_bool()) {
    attribute.value = *flag;
  } else if (const auto text = attr.as_text()) {
    attribute.value = text->text();
  } else if (const auto numbers = attr.as_ints()) {
    attribute.value = *numbers;
  } else if (const auto texts = attr.as_texts()) {
    attribute.value = strings(*texts);
  } else {
    return false;
  }
  return true;
}

bool is_listed(std::string_view name) {
  for (const char *other : kDictionaryNames) {
    if (name == other) return false;
  }
  return name != "atc_cmdline";
}

}  // namespace

ModelDef read_model_def(View partition) {
  check_model_def(partition);
  ModelDef model;
  ProtoReader reader(partition, Cause::kModelDef, kName);
  while (reader.next()) {
    if (reader.is(1, Wire::kBytes)) model.name = reader.bytes().text();
    if (reader.is(7, Wire::kBytes)) model.graphs.push_back(reader.bytes());
    if (!reader.is(11, Wire::kBytes)) continue;
    model.attributes.push_back(reader.bytes());
    take_attr(read_attr(reader.bytes(), {}), model);
  }
  if (model.soc_version.empty()) model.soc_version = soc_of_command(model.atc_cmdline);
  return model;
}

void check_dictionary(const Dictionary &dictionary, View partition) {
  if (!dictionary.is_used) return;
  if (dictionary.version != 1) {
    fail(Cause::kUnsupported, partition.offset, "om_compress_version", "1",
         std::to_string(dictionary.version));
  }
  if (dictionary.names.size() == dictionary.has_text_values.size()) return;
  fail(Cause::kModelDef, partition.offset, "attrs_use_string_value",
       std::to_string(dictionary.names.size()) + " flags (the length of attr_name_enum)",
       dictionary.has_text_values.size());
}

std::vector<Attribute> list_attributes(const ModelDef &model) {
  std::vector<Attribute> list;
  for (const View entry : model.attributes) {
    const Attr attr = read_attr(entry, {});
    Attribute attribute;
    attribute.name = std::string(attr.name);
    if (is_listed(attr.name) && read_value(attr, attribute)) list.push_back(std::move(attribute));
  }
  return list;
}

}  // namespace om
