// SPDX-License-Identifier: Apache-2.0
//
// What computes a model: bytes in, bytes out, in the order of the description that it was made for.
// An instance belongs to one loaded model and runs once at a time (its owner sees to that); errors
// are EngineErrors, at making (the body cannot be used) and at running.
#ifndef ACLRT_FAKE_ENGINE_H
#define ACLRT_FAKE_ENGINE_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "fake/weights.h"
#include "om/om.h"

namespace aclfake {

class EngineError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The .om's own description and an ONNX graph contradict each other.
class BodyMismatch : public EngineError {
 public:
  using EngineError::EngineError;
};

class ModelEngine {
 public:
  using Shapes = std::vector<std::vector<int64_t>>;

  // Buffers may be longer than the tensor, and shorter by AscendCL's 64 bytes of tolerance: of an
  // input the rest counts as zero, of an output it is dropped.
  struct Input {
    const uint8_t *data = nullptr;
    size_t size = 0;
    const std::vector<int64_t> *dims = nullptr;
  };
  struct Output {
    uint8_t *data = nullptr;
    size_t size = 0;
    const std::vector<int64_t> *dims = nullptr;  // nullptr: unknown, so that data is left alone
  };
  // An output of unknown dims; until the next run.
  struct Result {
    std::vector<int64_t> dims;
    const uint8_t *data = nullptr;
    size_t size = 0;
  };

  virtual ~ModelEngine() = default;
  virtual void run(const std::vector<Input> &inputs, const std::vector<Output> &outputs) = 0;
  virtual const Result &result(size_t output) const = 0;
  // Dims of all outputs for dims of all inputs, if they don't depend on the data. Thread-safe.
  virtual std::optional<Shapes> infer(const Shapes &) { return std::nullopt; }
};

// The ONNX graph from memory (referred to afterwards only if it has an owner, which infer() needs;
// its weights always are) or from a file, which may have external data beside it. Throws
// BodyMismatch if it does not fit the model, EngineError if it is unusable.
std::unique_ptr<ModelEngine> make_ort_engine(const om::Model &model, Weights onnx, Weights weights);
std::unique_ptr<ModelEngine> make_ort_engine(const om::Model &model, const std::string &onnx_path);

// Made-up outputs, a function of the model's name, the output's index and all input bytes. Floating
// point elements lie in [1, 2), bools are 0 or 1, everything else takes all its bit patterns.
std::unique_ptr<ModelEngine> make_synthetic_engine(const om::Model &model);

// Bytes of a tensor of this type and these dims (none negative); false on overflow or unknown type.
bool tensor_bytes(int32_t dtype, const std::vector<int64_t> &dims, size_t *bytes) noexcept;

// "float32 [1,3,224,224]"
std::string tensor_text(int32_t dtype, const std::vector<int64_t> &dims);

}  // namespace aclfake

#endif
