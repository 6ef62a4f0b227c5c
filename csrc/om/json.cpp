// SPDX-License-Identifier: Apache-2.0
//
// The model as JSON; docs/om.md describes the fields.
#include <string>
#include <type_traits>
#include <variant>

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
  json.field("internal", tensor.is_internal);
  json.end_object();
}

void write_tensors(JsonWriter &json, const char *name, const std::vector<Tensor> &tensors) {
  json.key(name).begin_array();
  for (const Tensor &tensor : tensors) write_tensor(json, tensor);
  json.end_array();
}

const char *name_of(IoSource source) {
  switch (source) {
    case IoSource::kTlv:
      return "tlv";
    case IoSource::kGraph:
      return "graph";
    case IoSource::kBoth:
      return "both";
    case IoSource::kNone:
      break;
  }
  return "none";
}

const char *name_of(Dynamic dynamic) {
  switch (dynamic) {
    case Dynamic::kBatch:
      return "batch";
    case Dynamic::kImage:
      return "image";
    case Dynamic::kDims:
      return "dims";
    case Dynamic::kRange:
      return "range";
    case Dynamic::kNone:
      break;
  }
  return "none";
}

template <class Item>
void write_list(JsonWriter &json, const char *name, const std::vector<Item> &items) {
  json.key(name).begin_array();
  for (const Item &item : items) json.value(item);
  json.end_array();
}

template <class Item, size_t N>
void write_list(JsonWriter &json, const char *name, const Item (&items)[N]) {
  json.key(name).begin_array();
  for (const Item &item : items) {
    if constexpr (std::is_floating_point_v<Item>) {
      json.value(static_cast<double>(item));
    } else {
      json.value(item);
    }
  }
  json.end_array();
}

void write_dynamic(JsonWriter &json, const Model &model) {
  json.field("dynamic", name_of(model.dynamic));
  json.key("gears").begin_array();
  for (const std::vector<int64_t> &gear : model.gears) {
    json.begin_array();
    for (const int64_t value : gear) json.value(value);
    json.end_array();
  }
  json.end_array();
  write_list(json, "gear_order", model.gear_order);
  json.key("output_shapes").begin_array();
  for (const OutputShape &shape : model.output_shapes) {
    json.begin_object();
    json.field("gear", shape.gear);
    json.field("output", shape.output);
    write_dims(json, "dims", shape.dims);
    json.end_object();
  }
  json.end_array();
}

void write_aipp_tensor(JsonWriter &json, const char *name, const AippTensor &tensor) {
  json.key(name);
  if (tensor.name.empty()) {
    json.null();
    return;
  }
  json.begin_object();
  json.field("name", tensor.name);
  json.field("format", tensor.format);
  json.field("dtype", tensor.dtype);
  json.field("size", tensor.size);
  write_dims(json, "dims", tensor.dims);
  json.end_object();
}

void write_static(JsonWriter &json, const Aipp &aipp) {
  json.field("input_format", aipp.input_format);
  json.field("input_format_name", aipp_format_name(aipp.input_format));
  json.field("src_image_size_w", aipp.src_image_w);
  json.field("src_image_size_h", aipp.src_image_h);
  json.field("crop", aipp.crop);
  json.field("load_start_pos_w", aipp.crop_start_w);
  json.field("load_start_pos_h", aipp.crop_start_h);
  json.field("crop_size_w", aipp.crop_w);
  json.field("crop_size_h", aipp.crop_h);
  json.field("resize", aipp.resize);
  json.field("resize_output_w", aipp.resize_w);
  json.field("resize_output_h", aipp.resize_h);
  json.field("padding", aipp.padding);
  json.field("left_padding_size", aipp.padding_left);
  json.field("right_padding_size", aipp.padding_right);
  json.field("top_padding_size", aipp.padding_top);
  json.field("bottom_padding_size", aipp.padding_bottom);
  json.field("padding_value", static_cast<double>(aipp.padding_value));
  json.field("cpadding_value", static_cast<double>(aipp.cpadding_value));
  json.field("csc_switch", aipp.csc);
  json.field("rbuv_swap_switch", aipp.rbuv_swap);
  json.field("ax_swap_switch", aipp.ax_swap);
  json.field("single_line_mode", aipp.single_line);
  write_list(json, "matrix", aipp.matrix);
  write_list(json, "output_bias", aipp.output_bias);
  write_list(json, "input_bias", aipp.input_bias);
  write_list(json, "mean_chn", aipp.mean);
  write_list(json, "min_chn", aipp.min);
  write_list(json, "var_reci_chn", aipp.var_reci);
}

void write_aipp(JsonWriter &json, const Model &model) {
  json.key("aipp").begin_array();
  for (const Aipp &aipp : model.aipp) {
    const bool is_dynamic = aipp.mode == Aipp::Mode::kDynamic;
    json.begin_object();
    json.field("input", model.inputs[aipp.input].name);
    json.field("mode", is_dynamic ? "dynamic" : "static");
    json.field("description", describe(aipp));
    json.field("parameter_input", aipp.parameter_input);
    json.field("has_parameters", aipp.has_parameters);
    json.field("max_src_image_size", aipp.max_src_image_size);
    json.field("support_rotation", aipp.support_rotation);
    write_static(json, aipp);
    write_aipp_tensor(json, "network_input", aipp.network_input);
    write_aipp_tensor(json, "output", aipp.output);
    json.end_object();
  }
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

void write_attribute(JsonWriter &json, const Attribute &attribute) {
  json.key(attribute.name);
  std::visit(
      [&](const auto &value) {
        using Value = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, std::vector<int64_t>> ||
                      std::is_same_v<Value, std::vector<std::string>>) {
          json.begin_array();
          for (const auto &item : value) json.value(item);
          json.end_array();
        } else {
          json.value(value);
        }
      },
      attribute.value);
}

void write_details(JsonWriter &json, const Details &details) {
  json.key("graphs").begin_array();
  for (const Graph &graph : details.graphs) {
    json.begin_object();
    json.field("name", graph.name);
    json.field("operators", graph.operators);
    json.end_object();
  }
  json.end_array();
  json.key("operators").begin_object();
  for (const auto &[type, count] : details.operators) json.field(type, count);
  json.end_object();
  json.key("attributes").begin_object();
  for (const Attribute &attribute : details.attributes) write_attribute(json, attribute);
  json.end_object();
  json.field("renamed_attributes", details.renamed_attributes);
  json.field("tasks", details.tasks);
}

void write_sub_models(JsonWriter &json, const Model &model) {
  json.key("sub_models").begin_array();
  for (const SubModel &sub : model.sub_models) {
    json.begin_object();
    json.field("name", sub.name);
    json.field("io_problem", sub.io_problem);
    write_tensors(json, "inputs", sub.inputs);
    write_tensors(json, "outputs", sub.outputs);
    json.key("partitions").begin_array();
    for (const Partition &partition : sub.partitions) {
      json.begin_object();
      json.field("type", partition.type);
      json.field("name", partition_name(partition.type));
      json.field("offset", partition.offset);
      json.field("size", partition.size);
      json.end_object();
    }
    json.end_array();
    write_details(json, sub.details);
    json.end_object();
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
  json.field("needs_host_check", model.needs_host_check);
  json.field("simulated", model.simulated);
  json.field("onnx_size", model.onnx.size);
  json.field("soc_version", model.soc_version);
  json.field("compiler_version", model.compiler_version);
  json.field("opp_version", model.opp_version);
  json.field("command_line", model.command_line);
  json.field("framework", model.framework);
  json.field("work_size", model.work_size);
  json.field("weight_size", model.weight_size);
  json.field("zero_copy_size", model.zero_copy_size);
  json.field("stream_num", model.stream_num);
  json.field("event_num", model.event_num);
  json.field("io_source", name_of(model.io_source));
  json.field("io_problem", model.io_problem);
  write_tensors(json, "inputs", model.inputs);
  write_tensors(json, "outputs", model.outputs);
  write_dynamic(json, model);
  write_aipp(json, model);
  write_list(json, "disagreements", model.disagreements);
  write_partitions(json, model);
  write_details(json, model.details);
  write_sub_models(json, model);
  json.end_object();
  return json.take();
}

}  // namespace om
