// SPDX-License-Identifier: Apache-2.0
//
// Models by ONNX Runtime. Tensors are read and written in place: values are made around the
// client's buffers and kept while the same buffers come again.
#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <utility>

#include "acl/abi.h"
#include "fake/engine.h"
#include "fake/ort_api.h"
#include "fake/ort_session.h"

namespace aclfake {
namespace {

// AscendCL's name of an output is "<node>:<index>:<name in the ONNX graph>", of old compilers
// "<name>:<index>".
bool names_match(Side side, const std::string &acl_name, const std::string &name) {
  if (acl_name == name) return true;
  if (side == Side::kInput || acl_name.size() <= name.size()) return false;
  const size_t tail = acl_name.size() - name.size();
  if (acl_name[tail - 1] == ':' && acl_name.compare(tail, name.size(), name) == 0) return true;
  return acl_name[name.size()] == ':' && acl_name.compare(0, name.size(), name) == 0 &&
         acl_name.find_first_not_of("0123456789", name.size() + 1) == std::string::npos;
}

// Whether the compiler wrote the graph's own name; if not, the only output is paired without one.
bool tells_name(const std::string &acl_name) {
  return acl_name.find(':', acl_name.find(':') + 1) != std::string::npos;
}

std::string names_of(const std::vector<Port> &ports) {
  std::string text;
  for (const Port &port : ports) text += (text.empty() ? "\"" : ", \"") + port.name + "\"";
  return text.empty() ? "none" : text;
}

// The graph's port for each tensor of the description: the one at the same place if the name fits
// (simulated files keep the order), else the longest name that fits (ATC may reorder outputs).
std::vector<Port> pair_up(Side side, const std::vector<const om::Tensor *> &tensors,
                          const std::vector<Port> &ports) {
  if (tensors.size() != ports.size()) {
    throw BodyMismatch("the .om has " + std::to_string(tensors.size()) + " " + side_text(side) +
                       "s, the ONNX graph has " + std::to_string(ports.size()) + ": " +
                       names_of(ports));
  }
  std::vector<bool> used(ports.size(), false);
  std::vector<Port> result;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const std::string &name = tensors[i]->name;
    size_t best = ports.size();
    if (!used[i] && names_match(side, name, ports[i].name)) best = i;
    for (size_t j = 0; best != i && j < ports.size(); ++j) {
      if (used[j] || !names_match(side, name, ports[j].name)) continue;
      if (best == ports.size() || ports[j].name.size() > ports[best].name.size()) best = j;
    }
    if (side == Side::kOutput && ports.size() == 1 && !tells_name(name)) best = 0;
    if (best == ports.size()) {
      throw BodyMismatch(std::string("the ONNX graph has no ") + side_text(side) + " named \"" +
                         name + "\" as the .om has; it has " + names_of(ports));
    }
    used[best] = true;
    result.push_back(ports[best]);
  }
  return result;
}

// An output without dims may be a scalar or of unknown rank: this API cannot tell, so the run does.
// Where the .om has an open dim the graph's must be open too, but for outputs, which may be told
// better than the compiler knew; of -2 the .om knows not even the rank.
void compare(Side side, const om::Tensor &tensor, const Port &port) {
  const int32_t type = acl_type(port.onnx_type);
  bool same = type == tensor.dtype && type != ACL_DT_UNDEFINED;
  const bool has_rank = tensor.dims.empty() || tensor.dims[0] != -2;
  if (has_rank && (side == Side::kInput || !port.dims.empty())) {
    same = same && port.dims.size() == tensor.dims.size();
    for (size_t i = 0; same && i < port.dims.size(); ++i) {
      const bool open = side == Side::kOutput && tensor.dims[i] < 0;
      same = open || port.dims[i] < 0 || port.dims[i] == tensor.dims[i];
    }
  }
  if (same) return;
  const std::string onnx_text = type != ACL_DT_UNDEFINED
                                    ? tensor_text(type, port.dims)
                                    : "ONNX element type " + std::to_string(port.onnx_type);
  throw BodyMismatch(std::string(side_text(side)) + " \"" + tensor.name + "\" is " +
                     tensor_text(tensor.dtype, tensor.dims) + " in the .om, but " + onnx_text +
                     " in the ONNX graph");
}

// A port with its buffer: the client's memory where it is long enough and aligned, else a copy.
class Binding {
 public:
  Binding(Side side, const om::Tensor &tensor, Port port)
      : side_(side),
        name_(port.name),
        onnx_type_(port.onnx_type),
        dtype_(tensor.dtype),
        symbols_(port.symbols) {
    compare(side, tensor, port);
    const om::Dtype *type = om::find_dtype(tensor.dtype);
    if (type == nullptr) {
      throw BodyMismatch(std::string(side_text(side)) + " \"" + name_ +
                         "\": " + tensor_text(tensor.dtype, tensor.dims) + " has no fixed size");
    }
    alignment_ = type->bits > 8 ? static_cast<size_t>(type->bits) / 8 : 1;
  }

  const char *name() const { return name_.c_str(); }
  const std::vector<std::string> &symbols() const { return symbols_; }

  ort::Value *bind_input(const ModelEngine::Input &input) {
    set_dims(*input.dims);
    // ONNX Runtime takes inputs as void *, but only reads them.
    uint8_t *data = const_cast<uint8_t *>(input.data);
    if (!usable(data, input.size)) {
      uint8_t *copy = scratch();
      const size_t given = input.size < bytes_ ? input.size : bytes_;
      if (given > 0) std::memcpy(copy, input.data, given);
      std::memset(copy + given, 0, bytes_ - given);
      data = copy;
    }
    return value_at(data);
  }

  // nullptr: ONNX Runtime makes the tensor, and take() gets it.
  ort::Value *bind_output(const ModelEngine::Output &output) {
    if (output.dims == nullptr) {
      value_.reset();
      bound_ = nullptr;
      return nullptr;
    }
    set_dims(*output.dims);
    return value_at(usable(output.data, output.size) ? output.data : scratch());
  }

  void take(ort::Value *value, ModelEngine::Result *result) {
    value_.reset(value);
    const ort::Library &api = ort::library();
    ort::TensorInfo *raw = nullptr;
    api.check(api.GetTensorTypeAndShape(value, &raw));
    const ort::Owned<ort::TensorInfo> info(raw);
    size_t rank = 0;
    api.check(api.GetDimensionsCount(raw, &rank));
    result->dims.resize(rank);
    api.check(api.GetDimensions(raw, result->dims.data(), rank));
    if (!tensor_bytes(dtype_, result->dims, &result->size)) {
      throw EngineError("output \"" + name_ + "\" has no size");
    }
    void *data = nullptr;
    api.check(api.GetTensorMutableData(value, &data));
    result->data = static_cast<const uint8_t *>(data);
  }

  // from: where the result stands, if not where it was asked for.
  void fetch(const ModelEngine::Output &output, const void *from = nullptr) const {
    if (from == nullptr) from = bound_;
    if (from == output.data || output.size == 0 || bytes_ == 0) return;
    std::memmove(output.data, from, output.size < bytes_ ? output.size : bytes_);
  }

 private:
  void set_dims(const std::vector<int64_t> &dims) {
    if (has_dims_ && dims == dims_) return;
    if (!tensor_bytes(dtype_, dims, &bytes_)) {
      throw EngineError(std::string(side_text(side_)) + " \"" + name_ +
                        "\": " + tensor_text(dtype_, dims) + " has no fixed size");
    }
    dims_ = dims;
    has_dims_ = true;
    value_.reset();
    bound_ = nullptr;
  }

  bool usable(const uint8_t *data, size_t size) const {
    return data != nullptr && size >= bytes_ && reinterpret_cast<uintptr_t>(data) % alignment_ == 0;
  }

  uint8_t *scratch() {
    if (scratch_.size() < bytes_ || scratch_.empty()) scratch_.resize(bytes_ > 0 ? bytes_ : 1);
    return scratch_.data();
  }

  ort::Value *value_at(uint8_t *data) {
    if (value_ != nullptr && bound_ == data) return value_.get();
    const ort::Library &api = ort::library();
    ort::Value *raw = nullptr;
    api.check(api.CreateTensorWithDataAsOrtValue(api.memory, data, bytes_, dims_.data(),
                                                 dims_.size(), onnx_type_, &raw));
    value_.reset(raw);
    bound_ = data;
    return raw;
  }

  const Side side_;
  const std::string name_;
  const int onnx_type_;
  const int32_t dtype_;
  const std::vector<std::string> symbols_;
  std::vector<int64_t> dims_;
  bool has_dims_ = false;
  size_t bytes_ = 0;
  size_t alignment_ = 1;
  std::vector<uint8_t> scratch_;
  ort::Owned<ort::Value> value_;
  const uint8_t *bound_ = nullptr;
};

// Inputs that AscendCL fills itself, the gear and parameters of AIPP, are not the graph's.
std::vector<size_t> fed(const std::vector<om::Tensor> &tensors) {
  std::vector<size_t> indices;
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (!tensors[i].is_internal) indices.push_back(i);
  }
  return indices;
}

class OrtEngine : public ModelEngine {
 public:
  using Again = std::function<Session(const Overrides &)>;

  // again: opens the same graph once more; empty where nobody asks infer().
  OrtEngine(const om::Model &model, Session session, Again again)
      : session_(std::move(session)),
        again_(std::move(again)),
        fed_(fed(model.inputs)),
        results_(model.outputs.size()) {
    add(Side::kInput, model.inputs, fed_, &inputs_, &input_names_);
    add(Side::kOutput, model.outputs, fed(model.outputs), &outputs_, &output_names_);
    input_values_.resize(inputs_.size());
    for (const Session::Constant &constant : session_.constants()) {
      input_names_.push_back(constant.name.c_str());
      input_values_.push_back(constant.value.get());
    }
    output_values_.resize(outputs_.size());
    for (const char *output : output_names_) passed_through_.push_back(input_named(output));
  }

  void run(const std::vector<Input> &inputs, const std::vector<Output> &outputs) override {
    const ort::RequiredUse use;
    for (size_t i = 0; i < inputs_.size(); ++i) {
      input_values_[i] = inputs_[i].bind_input(inputs[fed_[i]]);
    }
    for (size_t i = 0; i < outputs_.size(); ++i) {
      output_values_[i] = outputs_[i].bind_output(outputs[i]);
    }
    const ort::Library &api = ort::library();
    api.check(api.Run(session_.get(), nullptr, input_names_.data(), input_values_.data(),
                      input_values_.size(), output_names_.data(), output_values_.size(),
                      output_values_.data()));
    for (size_t i = 0; i < outputs_.size(); ++i) {
      if (outputs[i].dims == nullptr) {
        outputs_[i].take(output_values_[i], &results_[i]);
        continue;
      }
      const size_t source = passed_through_[i];
      void *data = nullptr;
      if (source < input_values_.size()) {
        api.check(api.GetTensorMutableData(const_cast<ort::Value *>(input_values_[source]), &data));
      }
      outputs_[i].fetch(outputs[i], data);
    }
  }

  const Result &result(size_t output) const override { return results_[output]; }

  // ONNX Runtime's own inference: a session whose symbols have become numbers.
  std::optional<Shapes> infer(const Shapes &inputs) override {
    const std::lock_guard<std::mutex> lock(inferred_mutex_);
    const auto known = inferred_.find(inputs);
    if (known != inferred_.end()) return known->second;
    std::optional<Shapes> shapes;
    Overrides overrides;
    if (again_ && number_symbols(inputs, &overrides)) {
      try {
        const ort::RequiredUse use;
        shapes = shapes_in(again_(overrides));
      } catch (const EngineError &) {
        shapes.reset();  // the run will say why
      }
    }
    constexpr size_t kKept = 256;
    if (inferred_.size() >= kKept) inferred_.clear();
    inferred_.emplace(inputs, shapes);
    return shapes;
  }

 private:
  void add(Side side, const std::vector<om::Tensor> &all, const std::vector<size_t> &indices,
           std::vector<Binding> *bindings, std::vector<const char *> *names) {
    std::vector<const om::Tensor *> tensors;
    for (const size_t i : indices) tensors.push_back(&all[i]);
    std::vector<Port> ports = pair_up(side, tensors, session_.ports(side));
    bindings->reserve(ports.size());
    for (size_t i = 0; i < ports.size(); ++i) {
      bindings->emplace_back(side, *tensors[i], std::move(ports[i]));
    }
    for (const Binding &binding : *bindings) names->push_back(binding.name());
  }

  // False: one symbol would be two numbers.
  bool number_symbols(const Shapes &inputs, Overrides *overrides) const {
    for (size_t i = 0; i < inputs_.size(); ++i) {
      const std::vector<std::string> &symbols = inputs_[i].symbols();
      const std::vector<int64_t> &dims = inputs[fed_[i]];
      for (size_t j = 0; j < symbols.size() && j < dims.size(); ++j) {
        if (symbols[j].empty()) continue;
        if (overrides->emplace(symbols[j], dims[j]).first->second != dims[j]) return false;
      }
    }
    return true;
  }

  // No dims at all: a scalar or of unknown rank, this API cannot tell.
  std::optional<Shapes> shapes_in(const Session &session) const {
    Shapes shapes(outputs_.size());
    for (const Port &port : session.ports(Side::kOutput)) {
      for (size_t i = 0; i < outputs_.size(); ++i) {
        if (port.name == outputs_[i].name()) shapes[i] = port.dims;
      }
    }
    for (const std::vector<int64_t> &dims : shapes) {
      if (dims.empty()) return std::nullopt;
      if (std::any_of(dims.begin(), dims.end(), [](int64_t dim) { return dim < 0; })) {
        return std::nullopt;
      }
    }
    return shapes;
  }

  // A graph output that is a graph input itself: ONNX Runtime then leaves the buffer alone.
  size_t input_named(const char *name) const {
    size_t i = 0;
    while (i < input_names_.size() && std::strcmp(input_names_[i], name) != 0) ++i;
    return i;
  }

  Session session_;
  const Again again_;
  std::mutex inferred_mutex_;
  std::map<Shapes, std::optional<Shapes>> inferred_;
  const std::vector<size_t> fed_;  // inputs_ by their index in the .om
  std::vector<Binding> inputs_;
  std::vector<Binding> outputs_;
  std::vector<const char *> input_names_;
  std::vector<const char *> output_names_;
  std::vector<size_t> passed_through_;
  std::vector<const ort::Value *> input_values_;
  std::vector<ort::Value *> output_values_;
  std::vector<Result> results_;
};

}  // namespace

std::unique_ptr<ModelEngine> make_ort_engine(const om::Model &model, Weights onnx,
                                             Weights weights) {
  const ort::RequiredUse use;
  Session session(onnx.bytes, weights);
  OrtEngine::Again again;
  if (onnx.owner != nullptr) {
    again = [onnx = std::move(onnx), weights = std::move(weights)](const Overrides &overrides) {
      return Session(onnx.bytes, weights, overrides);
    };
  }
  return std::make_unique<OrtEngine>(model, std::move(session), std::move(again));
}

std::unique_ptr<ModelEngine> make_ort_engine(const om::Model &model, const std::string &onnx_path) {
  const ort::RequiredUse use;
  return std::make_unique<OrtEngine>(
      model, Session(onnx_path),
      [onnx_path](const Overrides &overrides) { return Session(onnx_path, overrides); });
}

}  // namespace aclfake
