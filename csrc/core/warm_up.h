// SPDX-License-Identifier: Apache-2.0
//
// A run with zeros in the largest shapes that a model takes, so that what happens at a first run
// (memory that grows, code that is loaded) does not wait for the first caller.
#ifndef ACLRT_CORE_WARM_UP_H
#define ACLRT_CORE_WARM_UP_H

namespace aclrt {

class Model;

// Throws INPUT where the largest shape has no limit, or an input takes images that nobody has
// described.
void warm_up(Model &model);

}  // namespace aclrt

#endif
