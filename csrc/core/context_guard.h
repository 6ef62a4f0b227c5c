// SPDX-License-Identifier: Apache-2.0
//
// Makes a device's context the calling thread's, and afterwards the thread's own again. One ACL
// call where the thread already has it. A thread that had none keeps ours: AscendCL cannot unset.
#ifndef ACLRT_CORE_CONTEXT_GUARD_H
#define ACLRT_CORE_CONTEXT_GUARD_H

#include "core/device.h"
#include "core/error.h"

namespace aclrt {

class ContextGuard {
 public:
  explicit ContextGuard(const Device &device) {
    const aclError code = enter(device);
    check(code, call_, kMessage);
  }
  // For close(): goes on without a context where there is none to be had.
  ContextGuard(const Device &device, FirstFailure &failure) noexcept {
    const aclError code = enter(device);
    failure.add(code, call_, kMessage);
  }
  ~ContextGuard() {
    // Theirs may have been destroyed meanwhile; that is theirs to find out.
    if (theirs_ != nullptr) acl::api().aclrtSetCurrentContext(theirs_);
  }
  ContextGuard(const ContextGuard &) = delete;
  ContextGuard &operator=(const ContextGuard &) = delete;

 private:
  static constexpr char kMessage[] = "cannot use the device from this thread";

  aclError enter(const Device &device) noexcept {
    const acl::Table &api = acl::api();
    aclrtContext current = nullptr;
    call_ = "aclrtGetCurrentContext";
    const aclError code = api.aclrtGetCurrentContext(&current);
    if (code != ACL_SUCCESS && code != ACL_ERROR_RT_CONTEXT_NULL) return code;
    if (code == ACL_SUCCESS && current == device.context) return ACL_SUCCESS;
    // AscendCL notes the missing context as an error; it must not be the detail of a later one.
    if (code != ACL_SUCCESS) forget_message();
    call_ = "aclrtSetCurrentContext";
    const aclError set = api.aclrtSetCurrentContext(device.context);
    if (set == ACL_SUCCESS && code == ACL_SUCCESS) theirs_ = current;
    return set;
  }

  const char *call_ = "";
  aclrtContext theirs_ = nullptr;
};

}  // namespace aclrt

#endif
