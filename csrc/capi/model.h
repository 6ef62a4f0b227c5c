// SPDX-License-Identifier: Apache-2.0
//
// What other handles take from a model's.
#ifndef ACLRT_CAPI_MODEL_H
#define ACLRT_CAPI_MODEL_H

#include <memory>
#include <vector>

#include "aclrt/aclrt.h"
#include "core/model.h"

namespace aclrt::capi {

// All instances of a model.
std::vector<std::shared_ptr<Model>> instances_of(const aclrt_model_t &model);

}  // namespace aclrt::capi

#endif
