// SPDX-License-Identifier: Apache-2.0
//
// What MODEL_DEF says about the model as a whole, and where its graphs lie (graph.h reads them).
#ifndef ACLRT_OM_MODEL_DEF_H
#define ACLRT_OM_MODEL_DEF_H

#include <cstdint>
#include <string>
#include <vector>

#include "om/attrs.h"
#include "om/om.h"
#include "om/view.h"

namespace om {

struct ModelDef {
  std::string name;
  std::string soc_version;
  std::string atc_version;
  std::string opp_version;
  std::string atc_cmdline;
  std::string framework_type;
  uint64_t stream_num = 0;
  uint64_t event_num = 0;
  uint64_t zero_copy_size = 0;
  std::vector<View> output_names;  // attr_model_out_nodes_name
  std::vector<View> graphs;        // GraphDef each, the root first
  std::vector<View> attributes;    // map entries
  Dictionary dictionary;           // the model's own; sub models use that of the first model
};

// Throws FormatError (Cause::kModelDef).
ModelDef read_model_def(View partition);

// Throws FormatError: Cause::kModelDef where the lists do not fit each other, kUnsupported for a
// newer way of compressing.
void check_dictionary(const Dictionary &dictionary, View partition);

// The attributes that are numbers or texts, without the command line and the dictionary.
std::vector<Attribute> list_attributes(const ModelDef &model);

}  // namespace om

#endif
