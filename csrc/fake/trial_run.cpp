// SPDX-License-Identifier: Apache-2.0
//
// Elements that are no numbers here (float8, int4) take small bit patterns: valid, and cheap.
#include "fake/trial_run.h"

#include <cstring>
#include <string>

#include "acl/abi.h"
#include "fake/engine.h"
#include "fake/tensor_desc.h"

namespace aclfake {
namespace {

using Dims = std::vector<std::vector<int64_t>>;

enum class Fill { kZeros, kOnes, kRamp };

template <class Number>
void store(uint8_t *to, Number number) {
  std::memcpy(to, &number, sizeof number);
}

// value: 0 to 127, so that it fits every type.
void put_element(int32_t dtype, size_t bytes, uint8_t value, uint8_t *to) {
  const auto real = static_cast<float>(value);
  uint32_t bits = 0;
  switch (dtype) {
    case ACL_FLOAT:
      return store(to, real);
    case ACL_DOUBLE:
      return store(to, static_cast<double>(value));
    case ACL_FLOAT16:
      return store(to, float_to_float16(real));
    case ACL_BF16:
      std::memcpy(&bits, &real, sizeof bits);
      return store(to, static_cast<uint16_t>(bits >> 16));
    case ACL_BOOL:
      return store(to, static_cast<uint8_t>(value % 2));
    default:
      std::memset(to, 0, bytes);
      *to = value;
  }
}

std::vector<uint8_t> filled(int32_t dtype, size_t size, Fill fill) {
  std::vector<uint8_t> data(size > 0 ? size : 1);
  const om::Dtype *type = om::find_dtype(dtype);
  const size_t bytes = type->bits > 8 ? static_cast<size_t>(type->bits) / 8 : 1;
  if (fill == Fill::kZeros) return data;
  for (size_t i = 0; (i + 1) * bytes <= size; ++i) {
    put_element(dtype, bytes, fill == Fill::kOnes ? 1 : static_cast<uint8_t>(i % 128),
                &data[i * bytes]);
  }
  return data;
}

std::vector<int64_t> dims_of(const ort::Library &api, const ort::Value *value) {
  ort::TensorInfo *raw = nullptr;
  api.check(api.GetTensorTypeAndShape(value, &raw));
  const ort::Owned<ort::TensorInfo> info(raw);
  size_t rank = 0;
  api.check(api.GetDimensionsCount(raw, &rank));
  std::vector<int64_t> dims(rank);
  api.check(api.GetDimensions(raw, dims.data(), rank));
  return dims;
}

Dims run(const Session &session, const std::vector<Port> &inputs, const std::vector<Port> &outputs,
         Fill fill) {
  const ort::Library &api = ort::library();
  std::vector<std::vector<uint8_t>> buffers;
  std::vector<ort::Owned<ort::Value>> owned;
  std::vector<const ort::Value *> values;
  std::vector<const char *> input_names;
  std::vector<const char *> output_names;
  for (const Port &port : inputs) {
    const int32_t dtype = acl_type(port.onnx_type);
    size_t size = 0;
    if (!tensor_bytes(dtype, port.dims, &size)) {
      throw EngineError("input \"" + port.name + "\": " + tensor_text(dtype, port.dims) +
                        " has no fixed size");
    }
    buffers.push_back(filled(dtype, size, fill));
    ort::Value *value = nullptr;
    api.check(api.CreateTensorWithDataAsOrtValue(api.memory, buffers.back().data(), size,
                                                 port.dims.data(), port.dims.size(), port.onnx_type,
                                                 &value));
    owned.emplace_back(value);
    values.push_back(value);
    input_names.push_back(port.name.c_str());
  }
  for (const Port &port : outputs) output_names.push_back(port.name.c_str());
  std::vector<ort::Value *> results(outputs.size(), nullptr);
  api.check(api.Run(session.get(), nullptr, input_names.data(), values.data(), values.size(),
                    output_names.data(), output_names.size(), results.data()));
  for (ort::Value *result : results) owned.emplace_back(result);
  Dims dims;
  for (const ort::Value *result : results) dims.push_back(dims_of(api, result));
  return dims;
}

}  // namespace

Dims dims_by_running(const Session &session, const std::vector<Port> &inputs,
                     const std::vector<Port> &outputs) {
  const Dims zeros = run(session, inputs, outputs, Fill::kZeros);
  for (const Fill fill : {Fill::kOnes, Fill::kRamp}) {
    Dims others;
    try {
      others = run(session, inputs, outputs, fill);
    } catch (const EngineError &) {
      continue;  // an index out of range, say: the other runs have to do
    }
    for (size_t i = 0; i < zeros.size(); ++i) {
      if (zeros[i] == others[i]) continue;
      throw EngineError("output \"" + outputs[i].name +
                        "\" has dims that depend on the data; such models are not supported");
    }
  }
  return zeros;
}

}  // namespace aclfake
