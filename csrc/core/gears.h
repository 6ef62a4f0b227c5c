// SPDX-License-Identifier: Apache-2.0
//
// The gears of a model: the shapes that it was compiled for. They are asked from AscendCL, and so
// is what each gives, once at load; a run selects one by the shapes that are fed. The setter is
// called when the gear changes, not before every run.
#ifndef ACLRT_CORE_GEARS_H
#define ACLRT_CORE_GEARS_H

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "aclrt/aclrt.h"
#include "core/dataset.h"
#include "core/description.h"

namespace aclrt {

struct Gear {
  Dims values;                // {batch}, {height, width}, or one for each dynamic dim
  std::vector<Dims> inputs;   // dims of each input; -1 where an image of any size is taken
  std::vector<Dims> outputs;  // dims of each output
};

class Gears {
 public:
  static constexpr size_t kNone = static_cast<size_t>(-1);

  // file_order: the inputs in the order of ATC's --input_shape, as the file tells it; may be empty.
  // It decides only where AscendCL's own answers leave a choice.
  Gears(Description &description, const std::vector<std::string> &file_order);

  aclrt_dynamic_t kind() const noexcept { return kind_; }
  bool empty() const noexcept { return gears_.empty(); }
  const std::vector<Gear> &all() const noexcept { return gears_; }

  // Sets each once to ask for its outputs' dims, and completes the description with them. Needs
  // the device's context in this thread.
  void learn_outputs(uint32_t model_id, Dataset &inputs, Description &description);

  // The gear that takes these shapes. Throws INPUT with a list of the gears.
  size_t find(const aclrt_dims_t *shapes, const Description &description) const;
  // For the runs that follow; true if it was not selected already. A setter that fails leaves none
  // selected. A model without gears has one, which is never set.
  bool select(size_t gear, uint32_t model_id, Dataset &inputs);
  // The same for a dataset of somebody else's; selected: what the last call for it left.
  void select(size_t gear, uint32_t model_id, Dataset &inputs, size_t &selected) const;
  // Before something that may leave another gear than the one selected, or none.
  void forget() noexcept { current_ = kNone; }

 private:
  void read_batches(const Description &description);
  void read_images(const Description &description);
  void read_dims(const Description &description, const std::vector<std::string> &file_order);
  aclError set(size_t gear, uint32_t model_id, Dataset &inputs) const noexcept;

  aclrt_dynamic_t kind_ = ACLRT_DYNAMIC_NONE;
  size_t gear_index_ = 0;  // AscendCL's input that carries the gear
  std::vector<Gear> gears_;
  std::unique_ptr<aclmdlIODims[]> concatenated_;  // ACLRT_DYNAMIC_DIMS: what the setter takes
  std::atomic<size_t> current_{kNone};            // find() is asked while a run is in progress
};

// Whether a shape is one of dims, where -1 stands for any.
bool fits(const aclrt_dims_t &shape, const Dims &dims) noexcept;

}  // namespace aclrt

#endif
