// SPDX-License-Identifier: Apache-2.0
//
// What cannot be read in a graph that is well-formed protobuf is thrown as Cause::kUnsupported: the
// caller decides whether it matters.
#include "om/graph.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "om/aipp.h"
#include "om/descriptor.h"
#include "om/error.h"
#include "om/proto.h"
#include "om/text.h"

namespace om {
namespace {

constexpr std::string_view kName = "MODEL_DEF";
constexpr int32_t kFractalZ = 4;
constexpr int32_t kHwcn = 16;

// Fields of OpDef.
enum : uint32_t { kAttr = 10, kSrcName = 24, kSrcIndex = 25, kInputDesc = 33, kOutputDesc = 34 };

struct Op {
  View message;
  View name;
  View type;

  bool is(std::string_view wanted) const { return text_of(type) == wanted; }
  bool is_input() const { return is("Data") || is("AippData") || is("AnnData"); }
};

Op read_op(View message) {
  Op op;
  op.message = message;
  ProtoReader reader(message, Cause::kModelDef, kName);
  while (reader.next()) {
    if (reader.is(1, Wire::kBytes)) op.name = reader.bytes();
    if (reader.is(2, Wire::kBytes)) op.type = reader.bytes();
  }
  return op;
}

// The node's messages of one field, in order.
std::vector<View> messages(View message, uint32_t field) {
  std::vector<View> found;
  ProtoReader reader(message, Cause::kModelDef, kName);
  while (reader.next()) {
    if (reader.is(field, Wire::kBytes)) found.push_back(reader.bytes());
  }
  return found;
}

[[noreturn]] void fail_at(const Op &op, const char *field, std::string_view expected,
                          std::string_view given) {
  fail(Cause::kUnsupported, op.message.offset,
       "MODEL_DEF " + op.type.text() + " node \"" + shortened(text_of(op.name)) + "\"." + field,
       expected, given);
}

// ---- inputs -----------------------------------------------------------------------------------

struct Input {
  std::optional<int64_t> index;
  int64_t position = 0;  // index, or the running number of files that have none
  GraphTensor io;
  AippAttrs aipp;
};

struct DataAttrs {
  std::optional<int64_t> index;
  std::optional<std::vector<int64_t>> gear_dims;  // with the open dims of a model with gears
  std::optional<std::vector<int64_t>> dynamic_aipp_dims;
  std::optional<std::vector<int64_t>> image_dims;  // static AIPP: the image's memory
  bool is_gear = false;
};

DataAttrs read_data_attrs(const Op &op, const Dictionary &dictionary) {
  DataAttrs attrs;
  for_each_attr(op.message, kAttr, dictionary, [&](const Attr &attr) {
    if (attr.name == "index") attrs.index = attr.as_int();
    if (attr.name == "_mbatch_origin_input_dims") attrs.gear_dims = attr.as_ints();
    if (attr.name == "_dynamic_aipp_input_dims") attrs.dynamic_aipp_dims = attr.as_ints();
    if (attr.name == "input_dims") attrs.image_dims = attr.as_ints();
    if (attr.name == "_is_multi_batch_shape_data") attrs.is_gear = attr.as_bool().value_or(false);
  });
  return attrs;
}

Input read_input(const Op &op, const Dictionary &dictionary, bool is_dynamic, int64_t running,
                 Sentences &sentences) {
  const std::vector<View> descs = messages(op.message, kInputDesc);
  if (descs.empty()) fail_at(op, "input_desc", "a descriptor", "none");
  const Descriptor desc = read_descriptor(descs.front(), dictionary);
  const DataAttrs attrs = read_data_attrs(op, dictionary);

  Input input;
  input.index = attrs.index;
  input.position = attrs.index.value_or(running);
  Tensor &tensor = input.io.tensor;
  tensor.name = op.name.text();
  tensor.dtype = desc.dtype;
  tensor.format = desc.format;
  tensor.size = desc.size;
  tensor.dims = attrs.dynamic_aipp_dims ? *attrs.dynamic_aipp_dims
                : attrs.gear_dims       ? *attrs.gear_dims
                                        : desc.dims;
  tensor.dims_v2 = attrs.image_dims.value_or(tensor.dims);
  tensor.is_internal = attrs.is_gear || op.is("AippData");
  check_rank(tensor.dims, op.message);
  check_rank(tensor.dims_v2, op.message);
  if (!attrs.image_dims) tensor.range = desc.range;
  input.io.listed_size = is_dynamic ? bytes_of(desc.dtype, desc.dims) : desc.size;

  const std::vector<View> outputs = messages(op.message, kOutputDesc);
  if (!outputs.empty()) {
    const uint64_t special = read_descriptor(outputs.front(), dictionary).special_input_size;
    if (special > 0) tensor.size = special;
  }
  input.aipp = read_aipp(op.message, dictionary, sentences);
  return input;
}

void sort_inputs(std::vector<Input> &inputs) {
  std::stable_sort(inputs.begin(), inputs.end(),
                   [](const Input &a, const Input &b) { return a.position < b.position; });
}

// The image inputs; parameters that stand on the partner node are taken from there.
std::vector<Aipp> collect_aipp(const std::vector<Input> &inputs) {
  std::map<std::string_view, const Aipp *> stated;
  for (const Input &input : inputs) {
    if (input.aipp.aipp.has_parameters) stated[input.io.tensor.name] = &input.aipp.aipp;
  }
  std::vector<Aipp> result;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const AippAttrs &attrs = inputs[i].aipp;
    if (!attrs.has_aipp) continue;
    Aipp aipp = attrs.aipp;
    aipp.input = i;
    if (aipp.mode == Aipp::Mode::kDynamic) {
      aipp.parameter_input = attrs.partner;
      const auto partner = stated.find(attrs.partner);
      if (!aipp.has_parameters && partner != stated.end()) {
        aipp.has_parameters = true;
        aipp.max_src_image_size = partner->second->max_src_image_size;
        aipp.support_rotation = partner->second->support_rotation;
      }
    }
    result.push_back(std::move(aipp));
  }
  return result;
}

// ---- outputs ----------------------------------------------------------------------------------

// Where the values of a NetOutput come from.
struct Sources {
  std::vector<View> names;
  std::vector<int64_t> indices;
};

std::string output_name(const Op &op, const ModelDef &model, const Sources &sources, size_t i,
                        size_t count) {
  const auto source_index = [&] {
    if (i >= sources.indices.size()) {
      fail_at(op, "src_index", std::to_string(count) + " numbers",
              std::to_string(sources.indices.size()));
    }
    return std::to_string(sources.indices[i]);
  };
  if (model.output_names.size() == count) {
    std::string name = model.output_names[i].text();
    return name.find(':') != std::string::npos ? name : name + ":" + source_index();
  }
  if (i >= sources.names.size()) {
    fail_at(op, "src_name", std::to_string(count) + " names", std::to_string(sources.names.size()));
  }
  return "output_" + std::to_string(i) + "_" + sources.names[i].text() + "_" + source_index();
}

GraphTensor output_of(const Descriptor &desc) {
  GraphTensor output;
  Tensor &tensor = output.tensor;
  tensor.dtype = desc.dtype;
  tensor.format = desc.format;
  tensor.dims = desc.dims;
  if (desc.format == kFractalZ && desc.dims.size() == 4) {  // k, c, h, w to h, w, c, k
    tensor.format = kHwcn;
    tensor.dims = {desc.dims[2], desc.dims[3], desc.dims[1], desc.dims[0]};
  }
  tensor.dims_v2 = tensor.dims;
  const uint64_t computed = bytes_of(desc.dtype, desc.dims);
  output.listed_size = desc.special_input_size > 0 ? desc.special_input_size : computed;
  tensor.size = desc.special_output_size > 0 ? desc.special_output_size : output.listed_size;
  return output;
}

void read_outputs(const Op &op, const ModelDef &model, const Dictionary &dictionary, GraphIo &io) {
  const std::vector<View> descs = messages(op.message, kInputDesc);
  const Sources sources{messages(op.message, kSrcName), read_ints(op.message, kSrcIndex)};
  for (size_t i = 0; i < descs.size(); ++i) {
    GraphTensor output = output_of(read_descriptor(descs[i], dictionary));
    output.tensor.name = output_name(op, model, sources, i, descs.size());
    io.outputs.push_back(std::move(output));
  }
}

// ---- the dictionary -----------------------------------------------------------------------------

uint64_t check_attrs(View message, uint32_t field, const Dictionary &dictionary) {
  uint64_t renamed = 0;
  for_each_attr(message, field, dictionary, [&](const Attr &attr) {
    check_texts(attr);
    renamed += attr.is_renamed;
  });
  return renamed;
}

template <class Visit>
void for_each_op(View graph, Visit visit) {
  ProtoReader reader(graph, Cause::kModelDef, kName);
  while (reader.next()) {
    if (reader.is(6, Wire::kBytes)) visit(reader.bytes());
  }
}

}  // namespace

GraphIo read_graph_io(const ModelDef &model, const Dictionary &dictionary, bool is_dynamic,
                      Sentences &sentences) {
  GraphIo io;
  if (model.graphs.empty()) return io;
  std::vector<Input> inputs;
  std::set<int64_t> taken;
  std::vector<AippOperator> operators;
  for_each_op(model.graphs.front(), [&](View message) {
    const Op op = read_op(message);
    if (op.is_input()) {
      const auto running = static_cast<int64_t>(inputs.size());
      inputs.push_back(read_input(op, dictionary, is_dynamic, running, sentences));
      const auto index = inputs.back().index;
      if (index && !taken.insert(*index).second) {
        fail_at(op, "index", "each number once", std::to_string(*index) + " again");
      }
    } else if (op.is("NetOutput")) {
      read_outputs(op, model, dictionary, io);
      for_each_attr(message, kAttr, dictionary, [&](const Attr &attr) {
        if (attr.name != "_dynamic_output_dims") return;
        io.output_shapes = parse_output_shapes(or_empty(attr.as_texts()), sentences);
      });
    } else if (op.is("Aipp")) {
      operators.push_back(read_aipp_operator(message, dictionary));
    } else if (op.is("Case") && io.gears.kind == Dynamic::kNone) {
      io.gears = read_gears(message, dictionary);
    }
  });
  sort_inputs(inputs);
  io.aipp = collect_aipp(inputs);
  for (Aipp &aipp : io.aipp) {
    for (const AippOperator &op : operators) {
      if (op.input != inputs[aipp.input].io.tensor.name) continue;
      aipp.padding_value = op.padding_value.value_or(0);
    }
  }
  for (Input &input : inputs) io.inputs.push_back(std::move(input.io));
  return io;
}

uint64_t check_graphs(const ModelDef &model, const Dictionary &dictionary) {
  uint64_t renamed = 0;
  if (!dictionary.is_used) return renamed;
  for (const View graph : model.graphs) {
    for_each_op(graph, [&](View op) {
      renamed += check_attrs(op, kAttr, dictionary);
      for (const uint32_t field : {kInputDesc, kOutputDesc}) {
        for (const View desc : messages(op, field)) renamed += check_attrs(desc, 5, dictionary);
      }
    });
  }
  return renamed;
}

void count_operators(const ModelDef &model, Details &details) {
  for (const View message : model.graphs) {
    Graph graph;
    ProtoReader reader(message, Cause::kModelDef, kName);
    while (reader.next()) {
      if (reader.is(1, Wire::kBytes)) graph.name = reader.bytes().text();
    }
    for_each_op(message, [&](View op) {
      ++graph.operators;
      ++details.operators[read_op(op).type.text()];
    });
    details.graphs.push_back(std::move(graph));
  }
}

}  // namespace om
