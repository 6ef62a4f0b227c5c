// SPDX-License-Identifier: Apache-2.0
//
// An ONNX graph opened in ONNX Runtime, with default options, and what it says about the graph's
// inputs and outputs. Errors are EngineErrors. Callers hold an ort::Use.
#ifndef ACLRT_FAKE_ORT_SESSION_H
#define ACLRT_FAKE_ORT_SESSION_H

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "fake/ort_api.h"
#include "fake/weights.h"
#include "om/om.h"

namespace aclfake {

enum class Side { kInput, kOutput };
const char *side_text(Side side) noexcept;  // "input", "output"

// aclDataType of ONNX Runtime's number of an element type; ACL_DT_UNDEFINED if it has none.
int32_t acl_type(int onnx_type) noexcept;

// One input or output of the graph.
struct Port {
  std::string name;
  int onnx_type = 0;
  std::vector<int64_t> dims;         // negative: unknown; none: a scalar, or of unknown rank
  std::vector<std::string> symbols;  // of dims that are unknown; "" without one
};

// Symbols of a graph with the numbers that take their place.
using Overrides = std::map<std::string, int64_t>;

class Session {
 public:
  // An input of the graph that is the same in every run: a tensor of the weights.
  struct Constant {
    std::string name;
    ort::Owned<ort::Value> value;
  };

  // onnx is not needed afterwards.
  explicit Session(om::Bytes onnx, Weights weights = {}, const Overrides &overrides = {});
  explicit Session(const std::string &path, const Overrides &overrides = {});

  ort::Session *get() const { return handle_.get(); }
  const std::vector<Constant> &constants() const { return constants_; }

  std::vector<Port> ports(Side side) const;  // without the constants

 private:
  template <class Create>
  void open(const Overrides &overrides, Create create);
  void make_constants(const std::vector<ExternalTensor> &tensors);
  bool is_constant(const std::string &name) const;
  void describe(Side side, const ort::TypeInfo *info, Port *port) const;

  const ort::Library &api_;
  Weights weights_;
  std::vector<Constant> constants_;
  ort::Owned<ort::Session> handle_;
};

}  // namespace aclfake

#endif
