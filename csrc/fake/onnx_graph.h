// SPDX-License-Identifier: Apache-2.0
//
// The few things in an ONNX model that the converter looks at or changes itself: the shapes stated
// for inputs, and which node makes a tensor. What the model computes is ONNX Runtime's to tell.
// Throws EngineError where the bytes are no ONNX model.
#ifndef ACLRT_FAKE_ONNX_GRAPH_H
#define ACLRT_FAKE_ONNX_GRAPH_H

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "om/om.h"

namespace aclfake {

struct OnnxDim {
  int64_t value = -1;  // -1: open
  std::string symbol;  // of an open one, may be empty
};

struct OnnxInput {
  std::string name;
  bool has_shape = false;
  std::vector<OnnxDim> dims;
};

struct OnnxGraph {
  std::vector<OnnxInput> inputs;     // what a caller feeds: without initializers
  std::vector<std::string> outputs;  // names
  std::map<std::string, std::pair<std::string, uint64_t>> sources;  // tensor: node, which result

  const OnnxInput *input(const std::string &name) const;  // nullptr if there is none
};

OnnxGraph read_onnx(om::Bytes model);

// The model with these dims for its inputs of these names.
using InputDims = std::map<std::string, std::vector<int64_t>>;
std::string with_input_dims(om::Bytes model, const InputDims &dims);

}  // namespace aclfake

#endif
