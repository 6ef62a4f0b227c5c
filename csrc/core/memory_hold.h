// SPDX-License-Identifier: Apache-2.0
//
// Memory of the caller's (aclrt_memory_t) that a run in flight uses: from before it is queued until
// the device has let go of it, whatever becomes of the caller's handles meanwhile.
#ifndef ACLRT_CORE_MEMORY_HOLD_H
#define ACLRT_CORE_MEMORY_HOLD_H

#include <memory>
#include <utility>
#include <vector>

#include "aclrt/aclrt.h"
#include "core/user_memory.h"

namespace aclrt {

class MemoryHold {
 public:
  // nullptr where no buffer names memory. Throws CLOSED.
  static std::unique_ptr<MemoryHold> of(const aclrt_buffer_t *inputs, size_t input_count,
                                        const aclrt_buffer_t *outputs, size_t output_count);
  MemoryHold() = default;
  // May free memory, which calls AscendCL.
  ~MemoryHold();
  MemoryHold(const MemoryHold &) = delete;
  MemoryHold &operator=(const MemoryHold &) = delete;

  // Destroys a list of them.
  static void drop(std::unique_ptr<MemoryHold> first) noexcept {
    while (first != nullptr) first = std::move(first->next);
  }
  std::unique_ptr<MemoryHold> next;  // in such a list

  // Copies of the buffers name what is held here in place of the caller's handles.
  void rename(std::vector<aclrt_buffer_t> &inputs, std::vector<aclrt_buffer_t> &outputs) noexcept;

 private:
  std::vector<aclrt_memory> memories_;  // of the inputs, then the outputs; empty where none
};

}  // namespace aclrt

#endif
