// SPDX-License-Identifier: Apache-2.0
//
// TASK_INFO (domi.ModelTaskDef): only the memory that the model works in.
#ifndef ACLRT_OM_TASK_INFO_H
#define ACLRT_OM_TASK_INFO_H

#include <cstdint>

#include "om/view.h"

namespace om {

// memory_size in bytes, 0 where the file does not say. Throws FormatError (Cause::kTaskInfo).
uint64_t read_task_memory(View partition);

}  // namespace om

#endif
