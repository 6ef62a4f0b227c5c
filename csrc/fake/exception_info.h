// SPDX-License-Identifier: Apache-2.0
//
// What aclrtSetExceptionInfoCallback's function gets when a task fails on the device.
#ifndef ACLRT_FAKE_EXCEPTION_INFO_H
#define ACLRT_FAKE_EXCEPTION_INFO_H

#include <cstdint>

#include "acl/abi.h"
#include "fake/handles.h"

namespace aclfake {

struct ExceptionInfo {
  static constexpr Kind kKind = Kind::kExceptionInfo;
  uint32_t task_id = 0;
  uint32_t stream_id = 0;
  uint32_t thread_id = 0;
  uint32_t device_id = 0;
  uint32_t error_code = 0;
};

void set_exception_callback(aclrtExceptionInfoCallback callback) noexcept;
// Calls the client's function, if there is one, on this thread. Hold no lock.
void report_exception(const ExceptionInfo &info);

}  // namespace aclfake

#endif
