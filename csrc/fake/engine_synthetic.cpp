// SPDX-License-Identifier: Apache-2.0
//
// Outputs for models without a body: deterministic numbers of the right shape, for tests of
// plumbing and for measuring overhead. The rule, which docs/fake.md states for users: a 64-bit hash
// of the model's name, of each input's length and bytes and of the output's index seeds SplitMix64,
// and each element takes one step of it.
#include <cstring>

#include "acl/abi.h"
#include "fake/engine.h"

namespace aclfake {
namespace {

uint64_t mix(uint64_t value) {
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9u;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBu;
  return value ^ (value >> 31);
}

// The last word of a text that is no multiple of 8 bytes long is filled up with zeros.
uint64_t hash(uint64_t seed, const void *data, size_t size) {
  const uint8_t *bytes = static_cast<const uint8_t *>(data);
  uint64_t state = mix(seed ^ size);
  for (size_t done = 0; done < size; done += 8) {
    uint64_t word = 0;
    std::memcpy(&word, bytes + done, size - done < 8 ? size - done : 8);
    state = (state ^ word) * 0x9E3779B97F4A7C15u;
    state ^= state >> 32;
  }
  return mix(state);
}

class Numbers {
 public:
  explicit Numbers(uint64_t seed) : state_(seed) {}
  uint64_t next() { return mix(state_ += 0x9E3779B97F4A7C15u); }

 private:
  uint64_t state_;
};

// The bits of one element. A floating point number is the exponent of [1, 2) and a random fraction.
uint64_t element(int32_t dtype, uint64_t random) {
  switch (dtype) {
    case ACL_FLOAT:
      return 0x3F800000u | (random >> 41);
    case ACL_FLOAT16:
      return 0x3C00u | (random >> 54);
    case ACL_BF16:
      return 0x3F80u | (random >> 57);
    case ACL_DOUBLE:
      return 0x3FF0000000000000u | (random >> 12);
    case ACL_FLOAT8_E5M2:
      return 0x3Cu | (random >> 62);
    case ACL_FLOAT8_E4M3FN:
      return 0x38u | (random >> 61);
    case ACL_BOOL:
      return random >> 63;
    default:
      return random;
  }
}

// Complex numbers are filled as pairs of their parts, sub-byte types as whole bytes.
void element_layout(int32_t *dtype, size_t *size) {
  if (*dtype == ACL_COMPLEX64) *dtype = ACL_FLOAT;
  if (*dtype == ACL_COMPLEX128) *dtype = ACL_DOUBLE;
  if (*dtype == ACL_COMPLEX32) *dtype = ACL_FLOAT16;
  const om::Dtype *type = om::find_dtype(*dtype);
  const int32_t bits = type != nullptr ? type->bits : 8;
  *size = bits % 8 != 0 || bits > 64 ? 1 : static_cast<size_t>(bits) / 8;
}

class SyntheticEngine : public ModelEngine {
 public:
  explicit SyntheticEngine(const om::Model &model)
      : seed_(hash(0, model.name.data(), model.name.size())), outputs_(model.outputs) {}

  void run(const std::vector<Input> &inputs, const std::vector<Output> &outputs) override {
    uint64_t seed = seed_;
    for (const Input &input : inputs) seed = hash(seed, input.data, input.size);
    for (size_t i = 0; i < outputs.size(); ++i) {
      fill(outputs_[i].dtype, hash(seed, &i, sizeof i), outputs[i]);
    }
  }

  // Its models tell the dims of all outputs.
  const Result &result(size_t) const override {
    throw EngineError("made-up outputs have known dims");
  }

 private:
  static void fill(int32_t dtype, uint64_t seed, const Output &output) {
    size_t size = 1;
    element_layout(&dtype, &size);
    Numbers numbers(seed);
    for (size_t done = 0; done < output.size; done += size) {
      const uint64_t bits = element(dtype, numbers.next());
      const size_t left = output.size - done;
      std::memcpy(output.data + done, &bits, left < size ? left : size);
    }
  }

  const uint64_t seed_;
  const std::vector<om::Tensor> outputs_;
};

}  // namespace

std::unique_ptr<ModelEngine> make_synthetic_engine(const om::Model &model) {
  return std::make_unique<SyntheticEngine>(model);
}

}  // namespace aclfake
