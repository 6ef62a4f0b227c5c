// SPDX-License-Identifier: Apache-2.0
//
// TASK_INFO (domi.ModelTaskDef): the memory that the model works in, and the number of tasks.
#ifndef ACLRT_OM_TASK_INFO_H
#define ACLRT_OM_TASK_INFO_H

#include <cstdint>

#include "om/view.h"

namespace om {

struct TaskInfo {
  uint64_t memory_size = 0;  // bytes; 0 where the file does not say
  uint64_t tasks = 0;
};

// Throws FormatError (Cause::kTaskInfo).
TaskInfo read_task_info(View partition);

}  // namespace om

#endif
