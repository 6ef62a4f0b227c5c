// SPDX-License-Identifier: Apache-2.0
//
// MODEL_INOUT_INFO: records of type, length and value that list inputs, outputs and gears.
#ifndef ACLRT_OM_TLV_H
#define ACLRT_OM_TLV_H

#include <vector>

#include "om/gears.h"
#include "om/om.h"
#include "om/sentences.h"
#include "om/view.h"

namespace om {

struct InoutInfo {
  std::vector<Tensor> inputs;
  std::vector<Tensor> outputs;
  Gears gears;
  std::vector<OutputShape> output_shapes;

  bool is_empty() const { return inputs.empty() && outputs.empty(); }
};

// Throws FormatError (Cause::kInoutInfo).
InoutInfo read_inout_info(View partition, Sentences &sentences);

}  // namespace om

#endif
