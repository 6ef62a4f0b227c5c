// SPDX-License-Identifier: Apache-2.0
//
// Default session options, so that results equal those of Python's onnxruntime bit for bit.
#include "fake/ort_session.h"

#include <utility>

#include "acl/abi.h"
#include "fake/engine.h"

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

}  // namespace

const char *side_text(Side side) noexcept {
  return side == Side::kInput ? "input" : "output";
}

int32_t acl_type(int onnx_type) noexcept {
  for (const TypePair &pair : kTypes) {
    if (pair.onnx == onnx_type) return pair.acl;
  }
  return ACL_DT_UNDEFINED;
}

Session::Session(om::Bytes onnx, Weights weights, const Overrides &overrides)
    : api_(ort::library()), weights_(std::move(weights)) {
  SplitBody split;
  if (weights_.bytes.size > 0) {
    split = split_weights(onnx, weights_.bytes.size);
    onnx = {reinterpret_cast<const uint8_t *>(split.onnx.data()), split.onnx.size()};
    make_constants(split.tensors);
  }
  open(overrides, [&](ort::SessionOptions *options, ort::Session **out) {
    return api_.CreateSessionFromArray(api_.env, onnx.data, onnx.size, options, out);
  });
}

Session::Session(const std::string &path, const Overrides &overrides) : api_(ort::library()) {
  open(overrides, [&](ort::SessionOptions *options, ort::Session **out) {
    return api_.CreateSession(api_.env, path.c_str(), options, out);
  });
}

std::vector<Port> Session::ports(Side side) const {
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
    if (input && is_constant(port.name)) continue;
    ort::TypeInfo *raw = nullptr;
    api_.check(
        (input ? api_.SessionGetInputTypeInfo : api_.SessionGetOutputTypeInfo)(get(), i, &raw));
    const ort::Owned<ort::TypeInfo> info(raw);
    describe(side, info.get(), &port);
    result.push_back(std::move(port));
  }
  return result;
}

template <class Create>
void Session::open(const Overrides &overrides, Create create) {
  ort::SessionOptions *raw = nullptr;
  api_.check(api_.CreateSessionOptions(&raw));
  const ort::Owned<ort::SessionOptions> options(raw);
  api_.check(api_.SetSessionLogSeverityLevel(options.get(), ort::kSeverityFatal));
  for (const auto &[symbol, number] : overrides) {
    api_.check(api_.AddFreeDimensionOverrideByName(options.get(), symbol.c_str(), number));
  }
  ort::Session *session = nullptr;
  api_.check(create(options.get(), &session));
  handle_.reset(session);
}

void Session::make_constants(const std::vector<ExternalTensor> &tensors) {
  for (const ExternalTensor &tensor : tensors) {
    // ONNX Runtime takes void *, but only reads inputs.
    uint8_t *data = const_cast<uint8_t *>(weights_.bytes.data) + tensor.offset;
    ort::Value *raw = nullptr;
    api_.check(api_.CreateTensorWithDataAsOrtValue(
        api_.memory, data, static_cast<size_t>(tensor.size), tensor.dims.data(), tensor.dims.size(),
        tensor.onnx_type, &raw));
    constants_.push_back({tensor.name, ort::Owned<ort::Value>(raw)});
  }
}

bool Session::is_constant(const std::string &name) const {
  for (const Constant &constant : constants_) {
    if (constant.name == name) return true;
  }
  return false;
}

void Session::describe(Side side, const ort::TypeInfo *info, Port *port) const {
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
  std::vector<const char *> symbols(rank, "");
  api_.check(api_.GetSymbolicDimensions(tensor, symbols.data(), rank));
  port->symbols.assign(symbols.begin(), symbols.end());
}

}  // namespace aclfake
