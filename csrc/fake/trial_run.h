// SPDX-License-Identifier: Apache-2.0
//
// The dims of a graph's outputs by running it on made-up inputs: for graphs whose dims inference
// cannot tell.
#ifndef ACLRT_FAKE_TRIAL_RUN_H
#define ACLRT_FAKE_TRIAL_RUN_H

#include <cstdint>
#include <vector>

#include "fake/ort_session.h"

namespace aclfake {

// inputs: all dims known. Throws EngineError if the graph cannot be run, or has outputs whose dims
// depend on the data (as far as zeros, ones and a ramp can tell).
std::vector<std::vector<int64_t>> dims_by_running(const Session &session,
                                                  const std::vector<Port> &inputs,
                                                  const std::vector<Port> &outputs);

}  // namespace aclfake

#endif
