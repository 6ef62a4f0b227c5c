// SPDX-License-Identifier: Apache-2.0
//
// The tasks themselves are the device's business and stay unread.
#include "om/task_info.h"

#include "om/proto.h"

namespace om {

uint64_t read_task_memory(View partition) {
  uint64_t memory_size = 0;
  ProtoReader reader(partition, Cause::kTaskInfo, "TASK_INFO");
  while (reader.next()) {
    if (reader.is(11, Wire::kVarint)) memory_size = reader.value();
  }
  return memory_size;
}

}  // namespace om
