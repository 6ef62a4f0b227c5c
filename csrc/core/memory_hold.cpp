// SPDX-License-Identifier: Apache-2.0
//
// Counts a run among a memory's users.
#include "core/memory_hold.h"

#include <algorithm>

namespace aclrt {

namespace {

bool names_memory(const aclrt_buffer_t *buffers, size_t count) noexcept {
  return std::any_of(buffers, buffers + count,
                     [](const aclrt_buffer_t &buffer) { return buffer.memory != nullptr; });
}

}  // namespace

std::unique_ptr<MemoryHold> MemoryHold::of(const aclrt_buffer_t *inputs, size_t input_count,
                                           const aclrt_buffer_t *outputs, size_t output_count) {
  if (!names_memory(inputs, input_count) && !names_memory(outputs, output_count)) return nullptr;
  auto hold = std::make_unique<MemoryHold>();
  hold->memories_.reserve(input_count + output_count);
  const auto take = [&](const aclrt_buffer_t &buffer) {
    if (buffer.memory != nullptr) buffer.memory->memory->acquire();
    hold->memories_.push_back(buffer.memory != nullptr ? *buffer.memory : aclrt_memory{});
  };
  std::for_each(inputs, inputs + input_count, take);
  std::for_each(outputs, outputs + output_count, take);
  return hold;
}

MemoryHold::~MemoryHold() {
  for (const aclrt_memory &held : memories_) {
    if (held.memory != nullptr) held.memory->release();
  }
}

void MemoryHold::rename(std::vector<aclrt_buffer_t> &inputs,
                        std::vector<aclrt_buffer_t> &outputs) noexcept {
  size_t place = 0;
  for (std::vector<aclrt_buffer_t> *side : {&inputs, &outputs}) {
    for (aclrt_buffer_t &buffer : *side) {
      aclrt_memory &held = memories_[place++];
      if (buffer.memory != nullptr) buffer.memory = &held;
    }
  }
}

}  // namespace aclrt
