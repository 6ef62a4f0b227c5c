// SPDX-License-Identifier: Apache-2.0
//
// Gears: the sets of dims that a dynamic model was compiled for. Which one an execution takes is
// told by the values in the memory of one more input, ascend_mbatch_shape_data: as many as a gear
// has, of 8 bytes each where the data buffer has room for that, else of 4. Immutable.
#ifndef ACLRT_FAKE_GEARS_H
#define ACLRT_FAKE_GEARS_H

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "om/om.h"

namespace aclfake {

class Gears {
 public:
  using Values = std::vector<int64_t>;
  using Dims = std::vector<int64_t>;

  explicit Gears(const om::Model &model);

  const om::Dynamic kind;           // kBatch, kImage, kDims; else there are none
  const std::vector<Values> gears;  // empty: no gears
  const size_t value_count;         // of one gear
  const size_t input;               // index of the gear input; the number of inputs: none

  bool any() const noexcept { return !gears.empty(); }
  std::optional<size_t> find(const Values &values) const;
  std::string text() const;  // "1, 4, 8" or "224,224; 320,640", for messages

  // Dims under a gear. Open dims of an input that no gear fills (dynamic AIPP) stay negative.
  const Dims &input_dims(size_t gear, size_t input) const { return input_dims_[gear][input]; }
  // nullptr: the model does not tell.
  const Dims *output_dims(size_t gear, size_t output) const;
  // The same for other dims of an input, of which the open ones are where the model's are.
  Dims filled(size_t gear, size_t input, Dims dims) const;

  // Dims of all inputs one after the other, in the order of --input_shape, as
  // aclmdlGetInputDynamicDims lists them: with the open ones, and under a gear.
  const Dims &all_dims() const noexcept { return all_dims_; }
  Dims all_dims(size_t gear) const;

  // The buffer of the gear input.
  size_t value_bytes(size_t buffer_size) const noexcept;  // 8, 4, or 0: too small
  static std::vector<uint8_t> encode(const Values &values, size_t value_bytes);
  Values decode(const uint8_t *data, size_t value_bytes) const;

 private:
  std::vector<size_t> first_value_;  // by input: where its values begin in a gear
  std::vector<std::vector<Dims>> input_dims_;
  std::vector<std::vector<std::optional<Dims>>> output_dims_;
  Dims all_dims_;
};

}  // namespace aclfake

#endif
