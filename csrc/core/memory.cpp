// SPDX-License-Identifier: Apache-2.0
//
// The ACL calls behind memory.h.
#include "core/memory.h"

#include "core/error.h"
#include "core/runtime.h"

namespace aclrt::memory {

void *alloc_device(size_t nbytes) {
  void *data = nullptr;
  const aclError code = acl::api().aclrtMalloc(&data, nbytes, ACL_MEM_MALLOC_HUGE_FIRST);
  if (code != ACL_SUCCESS) {
    fail(code, "aclrtMalloc", "cannot allocate " + std::to_string(nbytes) + " bytes on the device");
  }
  return data;
}

void *alloc_host(size_t nbytes) {
  void *data = nullptr;
  const aclError code = acl::api().aclrtMallocHost(&data, nbytes);
  if (code != ACL_SUCCESS) {
    fail(code, "aclrtMallocHost",
         "cannot allocate " + std::to_string(nbytes) + " bytes of page-locked memory");
  }
  return data;
}

aclError free_device(void *data) noexcept {
  return Runtime::is_forked() ? ACL_SUCCESS : acl::api().aclrtFree(data);
}

aclError free_host(void *data) noexcept {
  return Runtime::is_forked() ? ACL_SUCCESS : acl::api().aclrtFreeHost(data);
}

}  // namespace aclrt::memory
