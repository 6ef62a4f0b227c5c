// SPDX-License-Identifier: Apache-2.0
#include "fake/exception_info.h"

#include <atomic>
#include <memory>

namespace aclfake {
namespace {

std::atomic<aclrtExceptionInfoCallback> current_callback{nullptr};

}  // namespace

void set_exception_callback(aclrtExceptionInfoCallback callback) noexcept {
  current_callback.store(callback, std::memory_order_release);
}

void report_exception(const ExceptionInfo &info) {
  const aclrtExceptionInfoCallback callback = current_callback.load(std::memory_order_acquire);
  if (callback == nullptr) return;
  void *handle = handles<ExceptionInfo>().insert(std::make_shared<ExceptionInfo>(info), false);
  callback(static_cast<aclrtExceptionInfo *>(handle));
  handles<ExceptionInfo>().remove(handle);
}

}  // namespace aclfake
