// SPDX-License-Identifier: Apache-2.0
//
// Field numbers are those of onnx.proto.
#include "fake/weights.h"

#include <set>
#include <utility>

#include "fake/engine.h"
#include "om/proto.h"
#include "om/proto_writer.h"

namespace aclfake {
namespace {

constexpr uint32_t kModelGraph = 7;
constexpr uint32_t kGraphInitializer = 5;
constexpr uint32_t kGraphInput = 11;
constexpr uint32_t kTensorDims = 1;
constexpr uint32_t kTensorType = 2;
constexpr uint32_t kTensorName = 8;
constexpr uint32_t kTensorExternal = 13;
constexpr uint32_t kTensorLocation = 14;
constexpr uint64_t kExternal = 1;
constexpr uint32_t kEntryKey = 1;
constexpr uint32_t kEntryValue = 2;
constexpr uint32_t kInfoName = 1;
constexpr uint32_t kInfoType = 2;
constexpr uint32_t kTypeTensor = 1;
constexpr uint32_t kTypeElement = 1;
constexpr uint32_t kTypeShape = 2;
constexpr uint32_t kShapeDim = 1;
constexpr uint32_t kDimValue = 1;

om::ProtoReader reader_of(const om::View &message) {
  return {message, om::Cause::kBody, "ONNX body"};
}

uint64_t number(const ExternalTensor &tensor, const std::string &text) {
  uint64_t value = 0;
  bool good = !text.empty() && text.size() <= 19;
  for (const char digit : text) {
    good = good && digit >= '0' && digit <= '9';
    value = value * 10 + static_cast<uint64_t>(digit - '0');
  }
  if (good) return value;
  throw EngineError("the ONNX body's tensor \"" + tensor.name + "\" states its place as \"" + text +
                    "\"");
}

// false: the tensor has its data in the graph.
bool read(const om::View &message, ExternalTensor *tensor) {
  bool external = false;
  std::vector<std::pair<std::string, std::string>> entries;
  om::ProtoReader fields = reader_of(message);
  while (fields.next()) {
    if (fields.is(kTensorDims, om::Wire::kVarint)) {
      tensor->dims.push_back(static_cast<int64_t>(fields.value()));
    } else if (fields.is(kTensorDims, om::Wire::kBytes)) {
      om::PackedReader dims(fields.bytes(), om::Cause::kBody, "ONNX body");
      while (dims.next()) tensor->dims.push_back(static_cast<int64_t>(dims.value()));
    } else if (fields.is(kTensorType, om::Wire::kVarint)) {
      tensor->onnx_type = static_cast<int>(fields.value());
    } else if (fields.is(kTensorName, om::Wire::kBytes)) {
      tensor->name = fields.bytes().text();
    } else if (fields.is(kTensorLocation, om::Wire::kVarint)) {
      external = fields.value() == kExternal;
    } else if (fields.is(kTensorExternal, om::Wire::kBytes)) {
      entries.emplace_back();
      om::ProtoReader entry = reader_of(fields.bytes());
      while (entry.next()) {
        if (entry.is(kEntryKey, om::Wire::kBytes)) entries.back().first = entry.bytes().text();
        if (entry.is(kEntryValue, om::Wire::kBytes)) entries.back().second = entry.bytes().text();
      }
    }
  }
  for (const auto &[key, value] : entries) {
    if (key == "offset") tensor->offset = number(*tensor, value);
    if (key == "length") tensor->size = number(*tensor, value);
  }
  return external;
}

std::string value_info(const ExternalTensor &tensor) {
  std::string shape;
  for (const int64_t dim : tensor.dims) {
    std::string text;
    om::put_number(text, kDimValue, static_cast<uint64_t>(dim));
    om::put_bytes(shape, kShapeDim, text);
  }
  std::string type;
  om::put_number(type, kTypeElement, static_cast<uint64_t>(tensor.onnx_type));
  om::put_bytes(type, kTypeShape, shape);
  std::string outer;
  om::put_bytes(outer, kTypeTensor, type);
  std::string info;
  om::put_bytes(info, kInfoName, tensor.name);
  om::put_bytes(info, kInfoType, outer);
  return info;
}

std::string name_of(const om::View &info) {
  om::ProtoReader fields = reader_of(info);
  while (fields.next()) {
    if (fields.is(kInfoName, om::Wire::kBytes)) return fields.bytes().text();
  }
  return {};
}

void check_place(const ExternalTensor &tensor, uint64_t weights_size) {
  if (tensor.offset <= weights_size && tensor.size <= weights_size - tensor.offset) return;
  throw EngineError("the ONNX body's tensor \"" + tensor.name + "\" should be " +
                    std::to_string(tensor.size) + " bytes at " + std::to_string(tensor.offset) +
                    " of the weights, which have " + std::to_string(weights_size));
}

std::string split_graph(const om::View &graph, uint64_t weights_size,
                        std::vector<ExternalTensor> *tensors) {
  std::string out;
  std::set<std::string> inputs;  // before IR version 4, initializers were listed there too
  om::ProtoReader fields = reader_of(graph);
  while (fields.next()) {
    ExternalTensor tensor;
    if (fields.is(kGraphInitializer, om::Wire::kBytes) && read(fields.bytes(), &tensor)) {
      check_place(tensor, weights_size);
      tensors->push_back(std::move(tensor));
      continue;
    }
    if (fields.is(kGraphInput, om::Wire::kBytes)) inputs.insert(name_of(fields.bytes()));
    om::put_view(out, fields.field());
  }
  for (const ExternalTensor &tensor : *tensors) {
    if (inputs.count(tensor.name) == 0) om::put_bytes(out, kGraphInput, value_info(tensor));
  }
  return out;
}

}  // namespace

SplitBody split_weights(om::Bytes onnx, uint64_t weights_size) try {
  SplitBody result;
  om::ProtoReader model = reader_of({onnx.data, onnx.size, 0});
  while (model.next()) {
    if (model.is(kModelGraph, om::Wire::kBytes)) {
      om::put_bytes(result.onnx, kModelGraph,
                    split_graph(model.bytes(), weights_size, &result.tensors));
    } else {
      om::put_view(result.onnx, model.field());
    }
  }
  return result;
} catch (const om::FormatError &error) {
  throw EngineError(error.what());
}

}  // namespace aclfake
