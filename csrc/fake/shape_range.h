// SPDX-License-Identifier: Apache-2.0
//
// What AscendCL's engine for ranges of dims tests before an execution, and finds out: the real dims
// of each input come from its tensor desc in the dataset.
#ifndef ACLRT_FAKE_SHAPE_RANGE_H
#define ACLRT_FAKE_SHAPE_RANGE_H

#include "acl/abi.h"
#include "fake/dataset.h"
#include "fake/model.h"

namespace aclfake {

// Fills ranges->input_dims and cuts ranges to the model's inputs and the inputs' bytes.
// may_allocate: an output of (nullptr, 0) will get memory. 100000 or 500002.
aclError check_shape_range(const Description &description, const Dataset &input, bool may_allocate,
                           Ranges *ranges);

// The real dims of all outputs, known before the run: fills ranges->output_dims. 500002 if one does
// not fit its buffer.
aclError take_output_dims(const Description &description, const ModelEngine::Shapes &shapes,
                          Ranges *ranges);

}  // namespace aclfake

#endif
