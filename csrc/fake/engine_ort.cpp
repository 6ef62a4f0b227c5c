// SPDX-License-Identifier: Apache-2.0
//
// Models by ONNX Runtime, with default session options so that results equal those of Python's
// onnxruntime bit for bit. Tensors are read and written in place: values are made around the
// client's buffers and kept while the same buffers come again.
#include <cstring>
#include <utility>

#include "acl/abi.h"
#include "fake/engine.h"
#include "fake/ort_api.h"

namespace aclfake {
namespace {

struct TypePair {
  int onnx;  // ONNX Runtime's number, which is TensorProto's up to 23 only
  int32_t acl;
};

constexpr TypePair kTypes[] = {
    {1, ACL_FLOAT},        {2, ACL_UINT8},       {3, ACL_INT8},         {4, ACL_UINT16},
    {5, ACL_INT16},        {6, ACL_INT32},       {7, ACL_INT64},        {9, ACL_BOOL},
    {10, ACL_FLOAT16},     {11, ACL_DOUBLE},     {12, ACL_UINT32},      {13, ACL_UINT64},
    {14, ACL_COMPLEX64},   {15, ACL_COMPLEX128}, {16, ACL_BF16},        {17, ACL_FLOAT8_E4M3FN},
    {19, ACL_FLOAT8_E5M2}, {22, ACL_INT4},       {23, ACL_FLOAT4_E2M1}, {26, ACL_FLOAT8_E8M0},
};

int32_t acl_type(int onnx) {
  for (const TypePair &pair : kTypes) {
    if (pair.onnx == onnx) return pair.acl;
  }
  return ACL_DT_UNDEFINED;
}

// One input or output of the graph.
struct Port {
  std::string name;
  int onnx_type = 0;
  std::vector<int64_t> dims;  // negative: unknown
};

enum class Side { kInput, kOutput };
const char *side_text(Side side) {
  return side == Side::kInput ? "input" : "output";
}

class Session {
 public:
  using Handle = ort::Owned<ort::Session>;

  explicit Session(om::Bytes onnx) : api_(ort::library()) {
    open([&](ort::SessionOptions *options, ort::Session **out) {
      return api_.CreateSessionFromArray(api_.env, onnx.data, onnx.size, options, out);
    });
  }

  explicit Session(const std::string &path) : api_(ort::library()) {
    open([&](ort::SessionOptions *options, ort::Session **out) {
      return api_.CreateSession(api_.env, path.c_str(), options, out);
    });
  }

  ort::Session *get() const { return handle_.get(); }

  std::vector<Port> ports(Side side) const {
    const bool input = side == Side::kInput;
    size_t count = 0;
    api_.check((input ? api_.SessionGetInputCount : api_.SessionGetOutputCount)(get(), &count));
    std::vector<Port> result;
    for (size_t i = 0; i < count; ++i) {
      Port port;
      char *name = nullptr;
      api_.check((input ? api_.SessionGetInputName : api_.SessionGetOutputName)(
          get(), i, api_.allocator, &name));
      port.name = name;
      api_.check(api_.AllocatorFree(api_.allocator, name));
      ort::TypeInfo *raw = nullptr;
      api_.check(
          (input ? api_.SessionGetInputTypeInfo : api_.SessionGetOutputTypeInfo)(get(), i, &raw));
      const ort::Owned<ort::TypeInfo> info(raw);
      describe(side, info.get(), &port);
      result.push_back(std::move(port));
    }
    return result;
  }

 private:
  template <class Create>
  void open(Create create) {
    ort::SessionOptions *raw = nullptr;
    api_.check(api_.CreateSessionOptions(&raw));
    const ort::Owned<ort::SessionOptions> options(raw);
    api_.check(api_.SetSessionLogSeverityLevel(options.get(), ort::kSeverityFatal));
    ort::Session *session = nullptr;
    api_.check(create(options.get(), &session));
    handle_.reset(session);
  }

  void describe(Side side, const ort::TypeInfo *info, Port *port) const {
    int kind = 0;
    api_.check(api_.GetOnnxTypeFromTypeInfo(info, &kind));
    if (kind != ort::kTypeTensor) {
      throw BodyMismatch(std::string("the ONNX ") + side_text(side) + " \"" + port->name +
                         "\" is not a tensor; an offline model has tensors only");
    }
    const ort::TensorInfo *tensor = nullptr;
    api_.check(api_.CastTypeInfoToTensorInfo(info, &tensor));
    api_.check(api_.GetTensorElementType(tensor, &port->onnx_type));
    size_t rank = 0;
    api_.check(api_.GetDimensionsCount(tensor, &rank));
    port->dims.resize(rank);
    api_.check(api_.GetDimensions(tensor, port->dims.data(), rank));
  }

  const ort::Library &api_;
  Handle handle_;
};

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
std::vector<Port> pair_up(Side side, const std::vector<om::Tensor> &tensors,
                          const std::vector<Port> &ports) {
  if (tensors.size() != ports.size()) {
    throw BodyMismatch("the .om has " + std::to_string(tensors.size()) + " " + side_text(side) +
                       "s, the ONNX graph has " + std::to_string(ports.size()) + ": " +
                       names_of(ports));
  }
  std::vector<bool> used(ports.size(), false);
  std::vector<Port> result;
  for (size_t i = 0; i < tensors.size(); ++i) {
    size_t best = ports.size();
    if (!used[i] && names_match(side, tensors[i].name, ports[i].name)) best = i;
    for (size_t j = 0; best != i && j < ports.size(); ++j) {
      if (used[j] || !names_match(side, tensors[i].name, ports[j].name)) continue;
      if (best == ports.size() || ports[j].name.size() > ports[best].name.size()) best = j;
    }
    if (side == Side::kOutput && ports.size() == 1 && !tells_name(tensors[i].name)) best = 0;
    if (best == ports.size()) {
      throw BodyMismatch(std::string("the ONNX graph has no ") + side_text(side) + " named \"" +
                         tensors[i].name + "\" as the .om has; it has " + names_of(ports));
    }
    used[best] = true;
    result.push_back(ports[best]);
  }
  return result;
}

// An output without dims may be a scalar or of unknown rank: this API cannot tell, so the run does.
void compare(Side side, const om::Tensor &tensor, const Port &port) {
  const int32_t type = acl_type(port.onnx_type);
  bool same = type == tensor.dtype && type != ACL_DT_UNDEFINED;
  if (side == Side::kInput || !port.dims.empty()) {
    same = same && port.dims.size() == tensor.dims.size();
    for (size_t i = 0; same && i < port.dims.size(); ++i) {
      same = port.dims[i] < 0 || port.dims[i] == tensor.dims[i];
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
      : name_(std::move(port.name)), onnx_type_(port.onnx_type), dims_(tensor.dims) {
    compare(side, tensor, port);
    if (!tensor_bytes(tensor.dtype, dims_, &bytes_)) {
      throw BodyMismatch(std::string(side_text(side)) + " \"" + name_ +
                         "\": " + tensor_text(tensor.dtype, dims_) + " has no fixed size");
    }
    const om::Dtype *type = om::find_dtype(tensor.dtype);
    alignment_ = type->bits > 8 ? static_cast<size_t>(type->bits) / 8 : 1;
  }

  const char *name() const { return name_.c_str(); }

  ort::Value *bind_input(const ModelEngine::Input &input) {
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

  ort::Value *bind_output(const ModelEngine::Output &output) {
    return value_at(usable(output.data, output.size) ? output.data : scratch());
  }

  // from: where the result stands, if not where it was asked for.
  void fetch(const ModelEngine::Output &output, const void *from = nullptr) const {
    if (from == nullptr) from = bound_;
    if (from == output.data || output.size == 0 || bytes_ == 0) return;
    std::memmove(output.data, from, output.size < bytes_ ? output.size : bytes_);
  }

 private:
  bool usable(const uint8_t *data, size_t size) const {
    return data != nullptr && size >= bytes_ && reinterpret_cast<uintptr_t>(data) % alignment_ == 0;
  }

  uint8_t *scratch() {
    if (scratch_.empty()) scratch_.resize(bytes_ > 0 ? bytes_ : 1);
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

  const std::string name_;
  const int onnx_type_;
  const std::vector<int64_t> dims_;
  size_t bytes_ = 0;
  size_t alignment_ = 1;
  std::vector<uint8_t> scratch_;
  ort::Owned<ort::Value> value_;
  const uint8_t *bound_ = nullptr;
};

class OrtEngine : public ModelEngine {
 public:
  OrtEngine(const om::Model &model, Session session) : session_(std::move(session)) {
    add(Side::kInput, model.inputs, &inputs_, &input_names_);
    add(Side::kOutput, model.outputs, &outputs_, &output_names_);
    input_values_.resize(inputs_.size());
    output_values_.resize(outputs_.size());
    for (const char *output : output_names_) passed_through_.push_back(input_named(output));
  }

  void run(const std::vector<Input> &inputs, const std::vector<Output> &outputs) override {
    const ort::RequiredUse use;
    for (size_t i = 0; i < inputs_.size(); ++i) {
      input_values_[i] = inputs_[i].bind_input(inputs[i]);
    }
    for (size_t i = 0; i < outputs_.size(); ++i) {
      output_values_[i] = outputs_[i].bind_output(outputs[i]);
    }
    const ort::Library &api = ort::library();
    api.check(api.Run(session_.get(), nullptr, input_names_.data(), input_values_.data(),
                      input_values_.size(), output_names_.data(), output_values_.size(),
                      output_values_.data()));
    for (size_t i = 0; i < outputs_.size(); ++i) {
      const size_t source = passed_through_[i];
      void *data = nullptr;
      if (source < inputs_.size()) {
        api.check(api.GetTensorMutableData(const_cast<ort::Value *>(input_values_[source]), &data));
      }
      outputs_[i].fetch(outputs[i], data);
    }
  }

 private:
  void add(Side side, const std::vector<om::Tensor> &tensors, std::vector<Binding> *bindings,
           std::vector<const char *> *names) {
    std::vector<Port> ports = pair_up(side, tensors, session_.ports(side));
    bindings->reserve(ports.size());
    for (size_t i = 0; i < ports.size(); ++i) {
      bindings->emplace_back(side, tensors[i], std::move(ports[i]));
    }
    for (const Binding &binding : *bindings) names->push_back(binding.name());
  }

  // A graph output that is a graph input itself: ONNX Runtime then leaves the buffer alone.
  size_t input_named(const char *name) const {
    size_t i = 0;
    while (i < input_names_.size() && std::strcmp(input_names_[i], name) != 0) ++i;
    return i;
  }

  Session session_;
  std::vector<Binding> inputs_;
  std::vector<Binding> outputs_;
  std::vector<const char *> input_names_;
  std::vector<const char *> output_names_;
  std::vector<size_t> passed_through_;
  std::vector<const ort::Value *> input_values_;
  std::vector<ort::Value *> output_values_;
};

}  // namespace

std::unique_ptr<ModelEngine> make_ort_engine(const om::Model &model, om::Bytes onnx) {
  const ort::RequiredUse use;
  return std::make_unique<OrtEngine>(model, Session(onnx));
}

std::unique_ptr<ModelEngine> make_ort_engine(const om::Model &model, const std::string &onnx_path) {
  const ort::RequiredUse use;
  return std::make_unique<OrtEngine>(model, Session(onnx_path));
}

}  // namespace aclfake
