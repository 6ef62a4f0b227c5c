// SPDX-License-Identifier: Apache-2.0
//
// One copy for each tensor that is not used where it is.
#include "core/transfer.h"

#include "core/error.h"
#include "core/user_memory.h"

namespace aclrt {

namespace {

bool is_on_device(const aclrt_buffer_t &buffer) noexcept {
  return buffer.memory != nullptr && buffer.memory->memory->is_on_device();
}

}  // namespace

// With gears or ranges the device may take more of a tensor's memory than a run's share of it.
bool Transfer::is_in_place(const aclrt_buffer_t &buffer, const DeviceBuffer &own) const noexcept {
  constexpr uintptr_t kAlignment = 64;  // what aclrtMalloc gives
  if (kind_ == ACLRT_DYNAMIC_RANGE || buffer.nbytes == 0 || !is_on_device(buffer)) return false;
  const UserMemory &memory = *buffer.memory->memory;
  const uint8_t *data = static_cast<uint8_t *>(buffer.data);
  const size_t room = kind_ == ACLRT_DYNAMIC_NONE
                          ? memory.room() - static_cast<size_t>(data - memory.data())
                          : buffer.nbytes;
  return reinterpret_cast<uintptr_t>(data) % kAlignment == 0 && room >= own.size();
}

void Transfer::copy_in(const Device &device, const aclrt_buffer_t *inputs, Dataset &to) const {
  for (size_t i = 0; i < description_.inputs().size(); ++i) {
    if (inputs[i].nbytes == 0) continue;  // older CANN refuses copies of nothing
    const size_t index = description_.inputs()[i].index;
    const DeviceBuffer &own = to.buffer(index);
    const bool in_place = is_in_place(inputs[i], own);
    to.point(index, in_place ? inputs[i].data : nullptr);
    if (in_place) continue;
    check(acl::api().aclrtMemcpy(
              own.data(), own.size(), inputs[i].data, inputs[i].nbytes,
              is_on_device(inputs[i]) ? ACL_MEMCPY_DEVICE_TO_DEVICE : device.to_device()),
          "aclrtMemcpy", "cannot copy an input to the device");
  }
}

void Transfer::point_outputs(const aclrt_buffer_t *outputs, Dataset &to) const {
  for (size_t i = 0; i < description_.outputs().size(); ++i) {
    to.point(i, is_in_place(outputs[i], to.buffer(i)) ? outputs[i].data : nullptr);
  }
}

void Transfer::copy_out(const Device &device, const aclrt_buffer_t *outputs,
                        const Dataset &from) const {
  for (size_t i = 0; i < description_.outputs().size(); ++i) {
    const DeviceBuffer &own = from.buffer(i);
    if (outputs[i].nbytes == 0 || is_in_place(outputs[i], own)) continue;
    check(acl::api().aclrtMemcpy(
              outputs[i].data, outputs[i].nbytes, own.data(), outputs[i].nbytes,
              is_on_device(outputs[i]) ? ACL_MEMCPY_DEVICE_TO_DEVICE : device.to_host()),
          "aclrtMemcpy", "the model ran, but an output cannot be copied to the host");
  }
}

}  // namespace aclrt
