// SPDX-License-Identifier: Apache-2.0
//
// ModelDef's name and attributes (map<string, AttrDef>, field 11).
#include "om/model_def.h"

#include <string_view>

#include "om/proto.h"
#include "om/schema.h"

namespace om {
namespace {

constexpr std::string_view kName = "MODEL_DEF";

// Of an AttrDef, the two members that the attributes read here can have.
struct Attr {
  View text;
  uint64_t number = 0;
};

Attr read_attr(View bytes) {
  Attr attr;
  ProtoReader reader(bytes, Cause::kModelDef, kName);
  while (reader.next()) {
    if (reader.is(2, Wire::kBytes)) attr = {reader.bytes(), 0};
    if (reader.is(3, Wire::kVarint)) attr = {{}, reader.value()};
  }
  return attr;
}

void read_entry(View bytes, ModelDef &model) {
  View key;
  View value;
  ProtoReader reader(bytes, Cause::kModelDef, kName);
  while (reader.next()) {
    if (reader.is(1, Wire::kBytes)) key = reader.bytes();
    if (reader.is(2, Wire::kBytes)) value = reader.bytes();
  }
  const std::string_view name(reinterpret_cast<const char *>(key.data), key.size);
  if (name == "soc_version") model.soc_version = read_attr(value).text.text();
  if (name == "atc_version") model.atc_version = read_attr(value).text.text();
  if (name == "opp_version") model.opp_version = read_attr(value).text.text();
  if (name == "atc_cmdline") model.atc_cmdline = read_attr(value).text.text();
  if (name == "framework_type") model.framework_type = read_attr(value).text.text();
  if (name == "stream_num") model.stream_num = read_attr(value).number;
  if (name == "event_num") model.event_num = read_attr(value).number;
}

// Newer compilers write the chip's name as an attribute, some only the command.
std::string soc_of_command(const std::string &command) {
  constexpr std::string_view kFlag = "--soc_version=";
  const size_t begin = command.find(kFlag);
  if (begin == std::string::npos) return {};
  const size_t value = begin + kFlag.size();
  return command.substr(value, command.find_first_of(" \t\"'", value) - value);
}

}  // namespace

ModelDef read_model_def(View partition) {
  check_model_def(partition);
  ModelDef model;
  ProtoReader reader(partition, Cause::kModelDef, kName);
  while (reader.next()) {
    if (reader.is(1, Wire::kBytes)) model.name = reader.bytes().text();
    if (reader.is(11, Wire::kBytes)) read_entry(reader.bytes(), model);
  }
  if (model.soc_version.empty()) model.soc_version = soc_of_command(model.atc_cmdline);
  return model;
}

}  // namespace om
