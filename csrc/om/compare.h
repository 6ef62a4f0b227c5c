// SPDX-License-Identifier: Apache-2.0
//
// The two places that tell inputs and outputs, held against each other.
#ifndef ACLRT_OM_COMPARE_H
#define ACLRT_OM_COMPARE_H

#include "om/graph.h"
#include "om/sentences.h"
#include "om/tlv.h"

namespace om {

// One sentence for every difference. What the two write differently by their rules is none: sizes
// of dynamic models, and the turned dims' layout of FRACTAL_Z outputs.
void compare(const InoutInfo &listed, const GraphIo &graph, Sentences &sentences);

}  // namespace om

#endif
