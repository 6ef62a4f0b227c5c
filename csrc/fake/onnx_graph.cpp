// SPDX-License-Identifier: Apache-2.0
//
// Field numbers are those of onnx.proto.
#include "fake/onnx_graph.h"

#include <algorithm>
#include <set>

#include "fake/engine.h"
#include "om/proto.h"
#include "om/proto_writer.h"

namespace aclfake {
namespace {

constexpr uint32_t kModelGraph = 7;
constexpr uint32_t kGraphNode = 1;
constexpr uint32_t kGraphInitializer = 5;
constexpr uint32_t kGraphInput = 11;
constexpr uint32_t kGraphOutput = 12;
constexpr uint32_t kGraphSparse = 15;
constexpr uint32_t kNodeOutput = 2;
constexpr uint32_t kNodeName = 3;
constexpr uint32_t kNodeType = 4;
constexpr uint32_t kTensorName = 8;
constexpr uint32_t kSparseValues = 1;
constexpr uint32_t kInfoName = 1;
constexpr uint32_t kInfoType = 2;
constexpr uint32_t kTypeTensor = 1;
constexpr uint32_t kTypeShape = 2;
constexpr uint32_t kShapeDim = 1;
constexpr uint32_t kDimValue = 1;
constexpr uint32_t kDimParam = 2;

using om::View;
using om::Wire;

om::ProtoReader reader_of(const View &message) {
  return {message, om::Cause::kBody, "ONNX model"};
}

// The last field of that number, as protobuf has it for fields that are not repeated.
View field_of(const View &message, uint32_t number) {
  View found;
  om::ProtoReader fields = reader_of(message);
  while (fields.next()) {
    if (fields.is(number, Wire::kBytes)) found = fields.bytes();
  }
  return found;
}

OnnxDim read_dim(const View &message) {
  OnnxDim dim;
  om::ProtoReader fields = reader_of(message);
  while (fields.next()) {
    if (fields.is(kDimValue, Wire::kVarint)) {
      dim.value = std::max<int64_t>(static_cast<int64_t>(fields.value()), -1);
    } else if (fields.is(kDimParam, Wire::kBytes)) {
      dim.symbol = fields.bytes().text();
    }
  }
  return dim;
}

OnnxInput read_input(const View &info) {
  OnnxInput input;
  input.name = field_of(info, kInfoName).text();
  om::ProtoReader tensor = reader_of(field_of(field_of(info, kInfoType), kTypeTensor));
  while (tensor.next()) {
    if (!tensor.is(kTypeShape, Wire::kBytes)) continue;
    input.has_shape = true;
    om::ProtoReader shape = reader_of(tensor.bytes());
    while (shape.next()) {
      if (shape.is(kShapeDim, Wire::kBytes)) input.dims.push_back(read_dim(shape.bytes()));
    }
  }
  return input;
}

void read_node(const View &node, OnnxGraph *graph) {
  std::string name = field_of(node, kNodeName).text();
  if (name.empty()) name = field_of(node, kNodeType).text();
  uint64_t index = 0;
  om::ProtoReader fields = reader_of(node);
  while (fields.next()) {
    if (!fields.is(kNodeOutput, Wire::kBytes)) continue;
    graph->sources[fields.bytes().text()] = {name, index++};
  }
}

OnnxGraph read_graph(const View &message) {
  OnnxGraph graph;
  std::vector<OnnxInput> inputs;
  std::set<std::string> constants;  // before IR version 4 they are listed as inputs too
  om::ProtoReader fields = reader_of(message);
  while (fields.next()) {
    if (fields.wire() != Wire::kBytes) continue;
    const View &content = fields.bytes();
    switch (fields.number()) {
      case kGraphNode:
        read_node(content, &graph);
        break;
      case kGraphInput:
        inputs.push_back(read_input(content));
        break;
      case kGraphOutput:
        graph.outputs.push_back(field_of(content, kInfoName).text());
        break;
      case kGraphInitializer:
        constants.insert(field_of(content, kTensorName).text());
        break;
      case kGraphSparse:
        constants.insert(field_of(field_of(content, kSparseValues), kTensorName).text());
        break;
      default:
        break;
    }
  }
  for (OnnxInput &input : inputs) {
    if (constants.count(input.name) == 0) graph.inputs.push_back(std::move(input));
  }
  return graph;
}

// The message with the field of that number changed: change(old content) gives the new one.
template <class Change>
std::string replaced(const View &message, uint32_t number, Change change) {
  std::string out;
  om::ProtoReader fields = reader_of(message);
  while (fields.next()) {
    if (fields.is(number, Wire::kBytes)) {
      om::put_bytes(out, number, change(fields.bytes()));
    } else {
      om::put_view(out, fields.field());
    }
  }
  return out;
}

std::string shape_of(const std::vector<int64_t> &dims) {
  std::string shape;
  for (const int64_t value : dims) {
    std::string dim;
    om::put_number(dim, kDimValue, static_cast<uint64_t>(value));
    om::put_bytes(shape, kShapeDim, dim);
  }
  return shape;
}

std::string tensor_type(const View &type, const std::vector<int64_t> &dims) {
  std::string out;
  om::ProtoReader fields = reader_of(type);
  while (fields.next()) {
    if (!fields.is(kTypeShape, Wire::kBytes)) om::put_view(out, fields.field());
  }
  om::put_bytes(out, kTypeShape, shape_of(dims));
  return out;
}

std::string input_info(const View &info, const InputDims &dims) {
  const auto found = dims.find(field_of(info, kInfoName).text());
  if (found == dims.end()) return info.text();
  return replaced(info, kInfoType, [&](const View &type) {
    return replaced(type, kTypeTensor,
                    [&](const View &tensor) { return tensor_type(tensor, found->second); });
  });
}

}  // namespace

const OnnxInput *OnnxGraph::input(const std::string &name) const {
  for (const OnnxInput &input : inputs) {
    if (input.name == name) return &input;
  }
  return nullptr;
}

OnnxGraph read_onnx(om::Bytes model) try {
  bool has_graph = false;
  OnnxGraph graph;
  om::ProtoReader fields = reader_of({model.data, model.size, 0});
  while (fields.next()) {
    if (!fields.is(kModelGraph, Wire::kBytes)) continue;
    graph = read_graph(fields.bytes());
    has_graph = true;
  }
  if (!has_graph) throw EngineError("expected an ONNX model, given bytes without a graph");
  return graph;
} catch (const om::FormatError &error) {
  throw EngineError(std::string("expected an ONNX model, given other bytes: ") + error.what());
}

std::string with_input_dims(om::Bytes model, const InputDims &dims) try {
  return replaced({model.data, model.size, 0}, kModelGraph, [&](const View &graph) {
    return replaced(graph, kGraphInput, [&](const View &info) { return input_info(info, dims); });
  });
} catch (const om::FormatError &error) {
  throw EngineError(error.what());
}

}  // namespace aclfake
