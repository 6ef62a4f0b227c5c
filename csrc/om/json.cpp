// SPDX-License-Identifier: Apache-2.0
//
// The model as JSON; docs/om.md describes the fields.
#include <string>

#include "om/json_writer.h"
#include "om/numbers.h"
#include "om/om.h"
#include "om/table.h"

namespace om {
namespace {

void write_dims(JsonWriter &json, const char *name, const std::vector<int64_t> &dims) {
  json.key(name).begin_array();
  for (const int64_t dim : dims) json.value(dim);
  json.end_array();
}

void write_tensor(JsonWriter &json, const Tensor &tensor) {
  const Dtype *dtype = find_dtype(tensor.dtype);
  json.begin_object();
  json.field("name", tensor.name);
  json.field("dtype", tensor.dtype);
  json.field("dtype_name", dtype == nullptr ? "" : dtype->name);
  json.field("format", tensor.format);
  json.field("format_name", format_name(tensor.format));
  json.field("size", tensor.size);
  write_dims(json, "dims", tensor.dims);
  write_dims(json, "dims_v2", tensor.dims_v2);
  json.key("range").begin_array();
  for (const auto &[low, high] : tensor.range) {
    json.begin_array().value(low).value(high).end_array();
  }
  json.end_array();
  json.end_object();
}

void write_tensors(JsonWriter &json, const char *name, const std::vector<Tensor> &tensors) {
  json.key(name).begin_array();
  for (const Tensor &tensor : tensors) write_tensor(json, tensor);
  json.end_array();
}

// Where the partitions would lie by their sizes alone, as the real loader walks them.
void write_partitions(JsonWriter &json, const Model &model) {
  uint64_t walked = 256 + table_size(model.generation == 3, model.partitions.size());
  json.key("partitions").begin_array();
  for (const Partition &partition : model.partitions) {
    json.begin_object();
    json.field("type", partition.type);
    json.field("name", partition_name(partition.type));
    json.field("offset", partition.offset);
    json.field("size", partition.size);
    if (partition.offset != walked) json.field("walked_offset", walked);
    json.end_object();
    walked += partition.size;
  }
  json.end_array();
}

}  // namespace

std::string to_json(const Model &model) {
  JsonWriter json;
  json.begin_object();
  json.field("generation", model.generation);
  json.field("name", model.name);
  json.field("platform_version", model.platform_version);
  json.field("om_ir_version", model.om_ir_version);
  json.field("model_num", model.model_num);
  json.field("is_unknown_shape", model.is_unknown_shape);
  json.field("simulated", model.simulated);
  json.field("onnx_size", model.onnx.size);
  json.field("soc_version", model.soc_version);
  json.field("compiler_version", model.compiler_version);
  json.field("opp_version", model.opp_version);
  json.field("command_line", model.command_line);
  json.field("framework", model.framework);
  json.field("work_size", model.work_size);
  json.field("weight_size", model.weight_size);
  json.field("stream_num", model.stream_num);
  json.field("event_num", model.event_num);
  json.field("io_source", model.find(partition::kModelInoutInfo) ? "inout_info" : "none");
  write_tensors(json, "inputs", model.inputs);
  write_tensors(json, "outputs", model.outputs);
  write_partitions(json, model);
  json.end_object();
  return json.take();
}

}  // namespace om
