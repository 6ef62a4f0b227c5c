// SPDX-License-Identifier: Apache-2.0
//
// Memory that the caller holds.
#include "capi/guard.h"
#include "core/user_memory.h"

extern "C" {

aclrt_status_t *aclrt_memory_alloc(int32_t device_id, size_t nbytes, int32_t kind,
                                   aclrt_memory_t **memory) {
  return aclrt::capi::guard_session([&] {
    aclrt::capi::require_pointer(memory, "memory");
    *memory = new aclrt_memory{aclrt::UserMemory::allocate(device_id, nbytes, kind)};
  });
}

aclrt_status_t *aclrt_memory_info(aclrt_memory_t *memory, aclrt_memory_info_t *info) {
  return aclrt::capi::guard_object([&] {
    aclrt::capi::require_pointer(memory, "memory");
    aclrt::capi::require_pointer(info, "info");
    *info = memory->memory->info();
  });
}

aclrt_status_t *aclrt_memory_copy_in(aclrt_memory_t *memory, size_t offset, const void *data,
                                     size_t nbytes) {
  return aclrt::capi::guard_object([&] {
    aclrt::capi::require_pointer(memory, "memory");
    memory->memory->copy_in(offset, data, nbytes);
  });
}

aclrt_status_t *aclrt_memory_copy_out(aclrt_memory_t *memory, size_t offset, void *data,
                                      size_t nbytes) {
  return aclrt::capi::guard_object([&] {
    aclrt::capi::require_pointer(memory, "memory");
    memory->memory->copy_out(offset, data, nbytes);
  });
}

aclrt_status_t *aclrt_memory_copy(aclrt_memory_t *to, size_t to_offset, aclrt_memory_t *from,
                                  size_t from_offset, size_t nbytes) {
  return aclrt::capi::guard_object([&] {
    aclrt::capi::require_pointer(to, "to");
    aclrt::capi::require_pointer(from, "from");
    aclrt::UserMemory::copy(*to->memory, to_offset, *from->memory, from_offset, nbytes);
  });
}

aclrt_status_t *aclrt_memory_drain(aclrt_memory_t *memory, int64_t timeout_ms, int32_t *is_idle) {
  return aclrt::capi::guard_object([&] {
    aclrt::capi::require_pointer(memory, "memory");
    aclrt::capi::require_pointer(is_idle, "is_idle");
    *is_idle = memory->memory->drain(timeout_ms);
  });
}

aclrt_status_t *aclrt_memory_close(aclrt_memory_t *memory) {
  return aclrt::capi::guard_object([&] {
    aclrt::capi::require_pointer(memory, "memory");
    memory->memory->close();
  });
}

void aclrt_memory_release(aclrt_memory_t *memory) {
  if (!aclrt::Runtime::is_forked()) delete memory;
}

}  // extern "C"
