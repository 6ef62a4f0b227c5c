// SPDX-License-Identifier: Apache-2.0
//
// One execution of a model as the client asks for it: datasets are checked and read here, at the
// call; device memory is resolved when the execution runs (Model::run).
#ifndef ACLRT_FAKE_EXECUTION_H
#define ACLRT_FAKE_EXECUTION_H

#include <cstdint>
#include <memory>

#include "acl/abi.h"

namespace aclfake {

// aclmdlExecute: on the calling thread.
aclError execute_now(uint32_t id, const aclmdlDataset *input, aclmdlDataset *output);

// aclmdlExecuteV2 with a stream: on that stream, which is then synchronised.
aclError execute_on_stream(uint32_t id, const aclmdlDataset *input, aclmdlDataset *output,
                           aclrtStream stream, int64_t timeout_ms);

// aclmdlExecuteAsync: queued.
aclError execute_later(uint32_t id, const aclmdlDataset *input, aclmdlDataset *output,
                       aclrtStream stream);

}  // namespace aclfake

#endif
