// SPDX-License-Identifier: Apache-2.0
//
// The whole file, part by part.
#include "om/om.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "om/compare.h"
#include "om/error.h"
#include "om/graph.h"
#include "om/header.h"
#include "om/model_def.h"
#include "om/numbers.h"
#include "om/payload.h"
#include "om/sentences.h"
#include "om/table.h"
#include "om/task_info.h"
#include "om/tlv.h"

namespace om {
namespace {

constexpr std::string_view kGearInput = "ascend_mbatch_shape_data";
constexpr std::string_view kAippInput = "ascend_dynamic_aipp_data";  // or begins with it

using Partitions = std::vector<Partition>;

View view_of(View file, const Partition &partition) {
  return file.sub(static_cast<size_t>(partition.offset), static_cast<size_t>(partition.size));
}

const Partition *find_in(const Partitions &partitions, uint32_t type) {
  for (const Partition &partition : partitions) {
    if (partition.type == type) return &partition;
  }
  return nullptr;
}

void take_header(Header &&header, Model &model) {
  model.generation = header.generation;
  model.name = std::move(header.name);
  model.platform_version = std::move(header.platform_version);
  model.om_ir_version = header.om_ir_version;
  model.model_num = header.model_num;
  model.is_unknown_shape = header.is_unknown_shape;
  model.needs_host_check = header.needs_host_check;
  model.simulated = header.simulated;
}

void take_model_def(const ModelDef &def, Model &model) {
  if (!def.name.empty()) model.name = def.name;  // the header cuts it at 31 bytes
  model.soc_version = def.soc_version;
  model.compiler_version = def.atc_version;
  model.opp_version = def.opp_version;
  model.command_line = def.atc_cmdline;
  model.framework = def.framework_type;
  model.stream_num = def.stream_num;
  model.event_num = def.event_num;
  model.zero_copy_size = def.zero_copy_size;
}

bool is_dynamic(const Model &model) {
  return model.model_num > 1 || model.is_unknown_shape;
}

// ---- inputs and outputs -------------------------------------------------------------------------

std::vector<Tensor> tensors(std::vector<GraphTensor> &&from) {
  std::vector<Tensor> result;
  for (GraphTensor &tensor : from) result.push_back(std::move(tensor.tensor));
  return result;
}

// The graph's answer, or why it has none. Throws what the real loader refuses as well.
struct GraphAnswer {
  GraphIo io;
  std::string problem;
  bool is_broken = false;  // there is something that cannot be read
};

GraphAnswer ask_graph(const ModelDef &def, const Dictionary &dictionary, bool dynamic,
                      Sentences &sentences) {
  GraphAnswer answer;
  try {
    answer.io = read_graph_io(def, dictionary, dynamic, sentences);
    if (answer.io.is_empty()) {
      answer.problem = "the graph in MODEL_DEF has no Data and no NetOutput node";
    } else if (answer.io.outputs.empty()) {
      answer.problem =
          "the graph in MODEL_DEF has no NetOutput node with inputs, so the outputs "
          "are unknown";
    }
  } catch (const FormatError &error) {
    if (error.cause() != Cause::kUnsupported) throw;
    answer.problem = error.what();
    answer.is_broken = true;
  }
  return answer;
}

void take_dynamic(Gears &&gears, std::vector<OutputShape> &&output_shapes, Model &model) {
  model.dynamic = gears.kind;
  model.gears = std::move(gears.values);
  model.gear_order = std::move(gears.order);
  model.output_shapes = std::move(output_shapes);
}

void take_listed(InoutInfo &&listed, Model &model) {
  model.io_source = IoSource::kTlv;
  model.inputs = std::move(listed.inputs);
  model.outputs = std::move(listed.outputs);
  take_dynamic(std::move(listed.gears), std::move(listed.output_shapes), model);
}

// The graph alone knows AIPP; its inputs are found again by name where the list counts.
void take_aipp(GraphIo &graph, Model &model, Sentences &sentences) {
  std::map<std::string_view, size_t> positions;
  for (size_t i = 0; i < model.inputs.size(); ++i) positions.emplace(model.inputs[i].name, i);
  for (Aipp &aipp : graph.aipp) {
    const auto found = positions.find(graph.inputs[aipp.input].tensor.name);
    if (found == positions.end()) {
      sentences.add("the graph has AIPP at an input that MODEL_INOUT_INFO does not list");
      continue;
    }
    aipp.input = found->second;
    model.aipp.push_back(std::move(aipp));
  }
}

void take_graph(GraphAnswer &&graph, Model &model, Sentences &sentences) {
  const bool is_listed = model.io_source == IoSource::kTlv;
  if (graph.io.is_empty()) {
    if (!is_listed) {
      model.io_problem = std::move(graph.problem);
    } else if (graph.is_broken) {
      sentences.add("MODEL_INOUT_INFO cannot be compared with the graph: " + graph.problem);
    }
    return;
  }
  if (!is_listed) {
    model.io_source = IoSource::kGraph;
    model.io_problem = std::move(graph.problem);
    std::vector<Aipp> aipp = std::move(graph.io.aipp);
    take_dynamic(std::move(graph.io.gears), std::move(graph.io.output_shapes), model);
    model.inputs = tensors(std::move(graph.io.inputs));
    model.outputs = tensors(std::move(graph.io.outputs));
    model.aipp = std::move(aipp);
    return;
  }
  model.io_source = IoSource::kBoth;
  take_aipp(graph.io, model, sentences);
  if (model.dynamic == Dynamic::kNone) {  // the list says nothing: a difference, but the better one
    take_dynamic(std::move(graph.io.gears), std::move(graph.io.output_shapes), model);
  }
}

void mark_internal(std::vector<Tensor> &inputs) {
  for (Tensor &tensor : inputs) {
    const std::string_view name = tensor.name;
    if (name == kGearInput || name.substr(0, kAippInput.size()) == kAippInput) {
      tensor.is_internal = true;
    }
  }
}

// An open dim without gears: any dims of a range, unless dynamic AIPP makes it so.
bool has_range(const Model &model) {
  std::vector<bool> is_image(model.inputs.size());
  for (const Aipp &aipp : model.aipp) {
    if (aipp.mode == Aipp::Mode::kDynamic) is_image[aipp.input] = true;
  }
  for (size_t i = 0; i < model.inputs.size(); ++i) {
    const Tensor &tensor = model.inputs[i];
    const bool is_open =
        std::any_of(tensor.dims.begin(), tensor.dims.end(), [](int64_t dim) { return dim < 0; });
    if (is_open && !is_image[i] && !tensor.is_internal) return true;
  }
  return false;
}

void read_io(View file, const ModelDef &def, const Options &options, Model &model) {
  Sentences sentences;
  InoutInfo listed;
  if (const Partition *inout = model.find(partition::kModelInoutInfo)) {
    listed = read_inout_info(view_of(file, *inout), sentences);
  }
  const bool is_listed = !listed.is_empty();
  if (options.graph) {
    GraphAnswer graph = ask_graph(def, def.dictionary, is_dynamic(model), sentences);
    if (is_listed && !graph.io.is_empty()) compare(listed, graph.io, sentences);
    if (is_listed) take_listed(std::move(listed), model);
    take_graph(std::move(graph), model, sentences);
  } else if (is_listed) {
    take_listed(std::move(listed), model);
  } else {
    model.io_problem = "the file has no list of inputs and outputs (MODEL_INOUT_INFO)";
  }
  mark_internal(model.inputs);
  if (model.dynamic == Dynamic::kNone && has_range(model)) model.dynamic = Dynamic::kRange;
  check_gears(model, sentences);
  model.disagreements = sentences.take();
}

// ---- details ------------------------------------------------------------------------------------

Details read_details(const ModelDef &def, const TaskInfo &tasks, uint64_t renamed) {
  Details details;
  count_operators(def, details);
  details.attributes = list_attributes(def);
  details.renamed_attributes = renamed;
  details.tasks = tasks.tasks;
  return details;
}

TaskInfo read_tasks(View file, const Partitions &partitions) {
  const Partition *tasks = find_in(partitions, partition::kTaskInfo);
  return tasks == nullptr ? TaskInfo{} : read_task_info(view_of(file, *tasks));
}

// number: 1 is the first behind the root. The root's dictionary counts for all.
SubModel read_sub_model(View file, Partitions &&partitions, const Dictionary &dictionary,
                        size_t number) {
  SubModel sub;
  sub.partitions = std::move(partitions);
  const Partition *partition = find_in(sub.partitions, partition::kModelDef);
  if (partition == nullptr) {
    fail(Cause::kNoModelDef, kHeaderSize, "partition table " + std::to_string(number),
         "a partition MODEL_DEF (type 0)", "none");
  }
  const ModelDef def = read_model_def(view_of(file, *partition));
  sub.name = def.name;
  Sentences sentences;
  GraphAnswer answer = ask_graph(def, dictionary, false, sentences);
  sub.inputs = tensors(std::move(answer.io.inputs));
  sub.outputs = tensors(std::move(answer.io.outputs));
  sub.io_problem = std::move(answer.problem);
  sub.details = read_details(def, read_tasks(file, sub.partitions), check_graphs(def, dictionary));
  return sub;
}

}  // namespace

const Partition *Model::find(uint32_t type) const {
  return find_in(partitions, type);
}

Model parse(Bytes bytes, const Options &options) {
  const View file{bytes.data, bytes.size, 0};
  Header header = read_header(file);
  Tables tables = read_tables(file, header);

  Model model;
  take_header(std::move(header), model);
  model.partitions = std::move(tables.models.front());
  model.weight_size = tables.weight_size;

  const Partition *def_partition = model.find(partition::kModelDef);
  if (def_partition == nullptr) {
    fail(Cause::kNoModelDef, kHeaderSize, "partition table 0", "a partition MODEL_DEF (type 0)",
         "none");
  }
  const View def_view = view_of(file, *def_partition);
  const ModelDef def = read_model_def(def_view);
  check_dictionary(def.dictionary, def_view);
  const uint64_t renamed = check_graphs(def, def.dictionary);
  take_model_def(def, model);

  const TaskInfo tasks = read_tasks(file, model.partitions);
  model.work_size = is_dynamic(model) ? 0 : tasks.memory_size;  // what aclmdlQuerySize answers
  read_io(file, def, options, model);
  if (options.details) {
    model.details = read_details(def, tasks, renamed);
    for (size_t i = 1; i < tables.models.size(); ++i) {
      model.sub_models.push_back(
          read_sub_model(file, std::move(tables.models[i]), def.dictionary, i));
    }
  }
  const Partition *body = model.find(partition::kOnnxBody);
  if (model.simulated && body != nullptr) {
    const Payload payload = read_payload(view_of(file, *body));
    model.onnx = payload.onnx;
    model.onnx_weights = payload.weights;
    model.onnx_weights_crc = payload.weights_crc;
  }
  return model;
}

}  // namespace om
