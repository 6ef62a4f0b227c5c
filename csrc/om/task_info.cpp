// SPDX-License-Identifier: Apache-2.0
//
// The tasks themselves are the device's business and stay unread.
#include "om/task_info.h"

#include "om/proto.h"

namespace om {

TaskInfo read_task_info(View partition) {
  TaskInfo info;
  ProtoReader reader(partition, Cause::kTaskInfo, "TASK_INFO");
  while (reader.next()) {
    if (reader.is(11, Wire::kVarint)) info.memory_size = reader.value();
    if (reader.is(10, Wire::kBytes)) ++info.tasks;
  }
  return info;
}

}  // namespace om
