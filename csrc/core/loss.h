// SPDX-License-Identifier: Apache-2.0
//
// Why the device of a model is lost, if it is. Shared by the instances of a model: the loss that
// one of them meets is the end of all, at once and without waiting for their runs.
#ifndef ACLRT_CORE_LOSS_H
#define ACLRT_CORE_LOSS_H

#include <atomic>
#include <mutex>
#include <optional>

#include "core/error.h"

namespace aclrt {

class Loss {
 public:
  bool happened() const noexcept { return happened_.load(std::memory_order_acquire); }
  // The first stays.
  void set(const Error &error) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (error_) return;
    error_ = error;
    happened_.store(true, std::memory_order_release);
  }
  [[noreturn]] void refuse() const {
    Error error = *error_;
    error.message = "the device was lost in an earlier run: " + error.message;
    throw error;
  }

 private:
  std::mutex mutex_;
  std::atomic<bool> happened_{false};
  std::optional<Error> error_;  // never changes once happened() is true
};

}  // namespace aclrt

#endif
