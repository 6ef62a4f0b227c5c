// SPDX-License-Identifier: Apache-2.0
//
// Dims and types of outputs are ONNX Runtime's own: a session says them once the inputs' dims are
// numbers.
#include "fake/convert.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "fake/engine.h"
#include "fake/onnx_graph.h"
#include "fake/ort_session.h"
#include "fake/trial_run.h"
#include "om/writer.h"

namespace aclfake {
namespace {

constexpr const char *kInternal[] = {"ascend_mbatch_shape_data", "ascend_dynamic_aipp_data"};

std::string trimmed(const std::string &text) {
  const size_t begin = text.find_first_not_of(" \t\n");
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\n") - begin + 1);
}

std::vector<std::string> parts(const std::string &text, char separator) {
  std::vector<std::string> found;
  size_t begin = 0;
  for (size_t end; (end = text.find(separator, begin)) != std::string::npos; begin = end + 1) {
    found.push_back(trimmed(text.substr(begin, end - begin)));
  }
  found.push_back(trimmed(text.substr(begin)));
  return found;
}

int64_t dim_of(const std::string &word, const std::string &entry) {
  const bool good = !word.empty() && word.size() <= 18 &&
                    word.find_first_not_of("0123456789") == std::string::npos;
  if (good) return std::stoll(word);
  throw EngineError("input_shape: expected dims of 0 or more with ',' between them, given \"" +
                    entry + "\"; write it as name:1,3,224,224;other:1,10");
}

// A name alone is a scalar: ONNX Runtime's provider writes them so.
bool is_scalar(const OnnxGraph &graph, const std::string &entry) {
  const OnnxInput *input = graph.input(entry);
  return input != nullptr && input->dims.empty();
}

// Names may have ':' themselves.
InputDims parse_shapes(const OnnxGraph &graph, const std::string &text) {
  InputDims shapes;
  for (const std::string &entry : parts(text, ';')) {
    if (entry.empty()) continue;
    if (is_scalar(graph, entry)) {
      shapes[entry] = {};
      continue;
    }
    const size_t colon = entry.rfind(':');
    if (colon == std::string::npos || colon == 0) {
      throw EngineError("input_shape: expected \"name:dims\", given \"" + entry + "\"");
    }
    const std::string name = trimmed(entry.substr(0, colon));
    const std::string numbers = trimmed(entry.substr(colon + 1));
    std::vector<int64_t> dims;
    if (!numbers.empty()) {
      for (const std::string &word : parts(numbers, ',')) dims.push_back(dim_of(word, entry));
    }
    if (!shapes.emplace(name, std::move(dims)).second) {
      throw EngineError("input_shape: the input \"" + name + "\" is given twice");
    }
  }
  return shapes;
}

std::string dims_text(const std::vector<int64_t> &dims) {
  std::string text;
  for (const int64_t dim : dims) text += (text.empty() ? "" : ",") + std::to_string(dim);
  return "(" + text + ")";
}

std::string dims_text(const std::vector<OnnxDim> &dims) {
  std::string text;
  for (const OnnxDim &dim : dims) {
    if (!text.empty()) text += ",";
    text += dim.value >= 0 ? std::to_string(dim.value) : dim.symbol.empty() ? "?" : dim.symbol;
  }
  return "(" + text + ")";
}

[[noreturn]] void refuse_shape(const OnnxInput &input, const std::vector<int64_t> &given) {
  throw EngineError("input_shape of \"" + input.name + "\": expected " + dims_text(input.dims) +
                    ", given " + dims_text(given));
}

// The numbers that the stated shapes give to symbols.
std::map<std::string, int64_t> symbols_of(const OnnxGraph &graph, const InputDims &stated) {
  std::map<std::string, int64_t> symbols;
  for (const auto &[name, dims] : stated) {
    const OnnxInput *input = graph.input(name);
    if (input == nullptr) {
      std::string known;
      for (const OnnxInput &other : graph.inputs) {
        known += (known.empty() ? "\"" : ", \"") + other.name + "\"";
      }
      throw EngineError("input_shape: the model has no input \"" + name + "\"; it has " +
                        (known.empty() ? "none" : known));
    }
    if (!input->has_shape) continue;
    if (input->dims.size() != dims.size()) refuse_shape(*input, dims);
    for (size_t i = 0; i < dims.size(); ++i) {
      const OnnxDim &declared = input->dims[i];
      if (declared.value >= 0 && declared.value != dims[i]) refuse_shape(*input, dims);
      if (declared.value >= 0 || declared.symbol.empty()) continue;
      if (symbols.emplace(declared.symbol, dims[i]).first->second != dims[i]) {
        refuse_shape(*input, dims);
      }
    }
  }
  return symbols;
}

// A number for every dim of every input.
InputDims bind(const OnnxGraph &graph, InputDims stated) {
  const std::map<std::string, int64_t> symbols = symbols_of(graph, stated);
  for (const OnnxInput &input : graph.inputs) {
    if (stated.count(input.name) != 0) continue;
    std::vector<int64_t> dims;
    bool known = input.has_shape;
    for (const OnnxDim &dim : input.dims) {
      const auto found = symbols.find(dim.symbol);
      const bool numbered = dim.value < 0 && !dim.symbol.empty() && found != symbols.end();
      dims.push_back(numbered ? found->second : dim.value);
      known = known && dims.back() >= 0;
    }
    if (!known) {
      throw EngineError("input_shape: the shape of input \"" + input.name + "\" " +
                        (input.has_shape ? dims_text(input.dims) : "is not in the model") +
                        "; state it as " + input.name + ":1,3,224,224");
    }
    stated.emplace(input.name, std::move(dims));
  }
  return stated;
}

om::WrittenTensor tensor_of(Side side, const Port &port, const std::vector<int64_t> &dims) {
  om::WrittenTensor tensor;
  const int32_t type = acl_type(port.onnx_type);
  tensor.name = port.name;
  tensor.dtype = om::find_dtype(type);
  tensor.dims = dims;
  size_t bytes = 0;
  if (tensor.dtype == nullptr || !tensor_bytes(type, dims, &bytes) || bytes > INT64_MAX) {
    throw EngineError(std::string(side_text(side)) + " \"" + port.name + "\" has elements of ONNX" +
                      " type " + std::to_string(port.onnx_type) + " and dims " + dims_text(dims) +
                      ", which an .om file cannot have");
  }
  return tensor;
}

void check_names(Side side, const std::vector<Port> &ports) {
  std::set<std::string> names;
  for (const Port &port : ports) {
    if (!names.insert(port.name).second) {
      throw EngineError(std::string("the ONNX model lists the ") + side_text(side) + " \"" +
                        port.name + "\" twice");
    }
    for (const char *internal : kInternal) {
      if (side == Side::kInput && port.name.rfind(internal, 0) == 0) {
        throw EngineError("\"" + port.name +
                          "\" is a name of AscendCL's own inputs; the ONNX model cannot have it");
      }
    }
  }
}

std::vector<om::WrittenTensor> written_inputs(const std::vector<Port> &ports) {
  std::vector<om::WrittenTensor> tensors;
  for (const Port &port : ports) tensors.push_back(tensor_of(Side::kInput, port, port.dims));
  return tensors;
}

std::vector<om::WrittenTensor> written_outputs(const OnnxGraph &graph, const Session &session,
                                               const std::vector<Port> &inputs) {
  std::vector<Port> ports = session.ports(Side::kOutput);
  if (ports.empty()) throw EngineError("the ONNX model has no outputs");
  check_names(Side::kOutput, ports);
  // Without dims it is a scalar or of unknown rank: this API cannot tell.
  const auto is_open = [](const Port &port) {
    return port.dims.empty() || *std::min_element(port.dims.begin(), port.dims.end()) < 0;
  };
  if (std::any_of(ports.begin(), ports.end(), is_open)) {
    const auto measured = dims_by_running(session, inputs, ports);
    for (size_t i = 0; i < ports.size(); ++i) {
      if (is_open(ports[i])) ports[i].dims = measured[i];
    }
  }
  std::vector<om::WrittenTensor> tensors;
  for (const Port &port : ports) {
    om::WrittenTensor tensor = tensor_of(Side::kOutput, port, port.dims);
    // An input or a constant that is an output as well has no node: it is its own source.
    const auto source = graph.sources.find(port.name);
    tensor.node = source != graph.sources.end() ? source->second.first : port.name;
    tensor.index = source != graph.sources.end() ? source->second.second : 0;
    std::replace(tensor.node.begin(), tensor.node.end(), ':', '_');  // readers split at ':'
    tensor.name = tensor.node + ":" + std::to_string(tensor.index) + ":" + port.name;
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

}  // namespace

std::string convert_onnx(om::Bytes onnx, const std::string &name, const std::string &input_shape) {
  const ort::RequiredUse use;
  const OnnxGraph graph = read_onnx(onnx);
  om::Contents contents;
  contents.onnx = with_input_dims(onnx, bind(graph, parse_shapes(graph, input_shape)));
  contents.name = name;
  contents.tool_version = "aclrt " ACLRT_VERSION;
  contents.command_line = "aclrt simulated --framework=5 --output=" + name;
  if (!input_shape.empty()) contents.command_line += " --input_shape=" + input_shape;
  const Session session(
      om::Bytes{reinterpret_cast<const uint8_t *>(contents.onnx.data()), contents.onnx.size()});
  const std::vector<Port> inputs = session.ports(Side::kInput);
  check_names(Side::kInput, inputs);
  contents.inputs = written_inputs(inputs);
  contents.outputs = written_outputs(graph, session, inputs);
  return om::write(contents);
}

}  // namespace aclfake
