// SPDX-License-Identifier: Apache-2.0
//
// The whole file, part by part.
#include "om/om.h"

#include <string>
#include <utility>

#include "om/error.h"
#include "om/header.h"
#include "om/model_def.h"
#include "om/numbers.h"
#include "om/payload.h"
#include "om/table.h"
#include "om/task_info.h"
#include "om/tlv.h"

namespace om {
namespace {

View view_of(View file, const Partition &partition) {
  return file.sub(static_cast<size_t>(partition.offset), static_cast<size_t>(partition.size));
}

void take_header(Header &&header, Model &model) {
  model.generation = header.generation;
  model.name = std::move(header.name);
  model.platform_version = std::move(header.platform_version);
  model.om_ir_version = header.om_ir_version;
  model.model_num = header.model_num;
  model.is_unknown_shape = header.is_unknown_shape;
  model.simulated = header.simulated;
}

void take_model_def(ModelDef &&def, Model &model) {
  if (!def.name.empty()) model.name = std::move(def.name);  // the header cuts it at 31 bytes
  model.soc_version = std::move(def.soc_version);
  model.compiler_version = std::move(def.atc_version);
  model.opp_version = std::move(def.opp_version);
  model.command_line = std::move(def.atc_cmdline);
  model.framework = std::move(def.framework_type);
  model.stream_num = def.stream_num;
  model.event_num = def.event_num;
}

}  // namespace

const Partition *Model::find(uint32_t type) const {
  for (const Partition &partition : partitions) {
    if (partition.type == type) return &partition;
  }
  return nullptr;
}

Model parse(Bytes bytes) {
  const View file{bytes.data, bytes.size, 0};
  Header header = read_header(file);
  Tables tables = read_tables(file, header);

  Model model;
  take_header(std::move(header), model);
  model.partitions = std::move(tables.root);
  model.weight_size = tables.weight_size;

  const Partition *def = model.find(partition::kModelDef);
  if (def == nullptr) {
    fail(Cause::kNoModelDef, kHeaderSize, "partition table 0", "a partition MODEL_DEF (type 0)",
         "none");
  }
  take_model_def(read_model_def(view_of(file, *def)), model);

  if (const Partition *tasks = model.find(partition::kTaskInfo)) {
    const uint64_t memory = read_task_memory(view_of(file, *tasks));
    const bool is_dynamic = model.model_num > 1 || model.is_unknown_shape;
    model.work_size = is_dynamic ? 0 : memory;  // what aclmdlQuerySize answers
  }
  if (const Partition *inout = model.find(partition::kModelInoutInfo)) {
    InoutInfo info = read_inout_info(view_of(file, *inout));
    model.inputs = std::move(info.inputs);
    model.outputs = std::move(info.outputs);
  }
  const Partition *body = model.find(partition::kOnnxBody);
  if (model.simulated && body != nullptr) model.onnx = read_payload(view_of(file, *body));
  return model;
}

}  // namespace om
