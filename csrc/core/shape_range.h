// SPDX-License-Identifier: Apache-2.0
//
// Runs of a shape-range model, which has no gears: the shapes of a run are told beforehand and the
// outputs' are read afterwards. Memory grows with what is fed; an output whose size nobody can tell
// is allocated by the first execution, and again by one that finds it too small.
#ifndef ACLRT_CORE_SHAPE_RANGE_H
#define ACLRT_CORE_SHAPE_RANGE_H

#include <vector>

#include "aclrt/aclrt.h"
#include "core/dataset.h"
#include "core/description.h"

namespace aclrt {

class ShapeRange {
 public:
  // Throws INPUT where a shape lies outside the ranges.
  static void check(const aclrt_dims_t *shapes, const Description &description);

  // Tells AscendCL the shapes that are not those of the last run.
  void bind(const aclrt_dims_t *shapes, const Description &description, Dataset &inputs);
  // The next run tells all shapes anew.
  void forget() noexcept { bound_.clear(); }

  // aclmdlExecute, a second time with fresh memory where an output may not have fitted.
  static aclError execute(uint32_t model_id, const Description &description, Dataset &inputs,
                          Dataset &outputs);
  static void read_shapes(const Description &description, const Dataset &outputs,
                          aclrt_shape_t *shapes);

  // Sizes for Dataset: that of the model, or kLater.
  static size_t initial_size(const Tensor &tensor, bool is_input) noexcept;

 private:
  std::vector<Dims> bound_;  // by input; empty: none
};

}  // namespace aclrt

#endif
