// SPDX-License-Identifier: Apache-2.0
//
// A device that the caller keeps open (warm) by itself, beside the models on it.
#ifndef ACLRT_CORE_OPEN_DEVICE_H
#define ACLRT_CORE_OPEN_DEVICE_H

#include <memory>
#include <mutex>

#include "core/runtime.h"

namespace aclrt {

class OpenDevice final : public Closeable {
 public:
  static std::shared_ptr<OpenDevice> open(int32_t device_id);
  ~OpenDevice() override;

  // Throws CLOSED after close().
  DeviceMemory memory(aclrtRunMode *run_mode);
  void close() override;
  int32_t id() const noexcept { return id_; }

  // For open() alone.
  explicit OpenDevice(int32_t device_id) : id_(device_id), device_(device_id) {}

 private:
  const int32_t id_;
  std::mutex mutex_;
  DeviceRef device_;
};

}  // namespace aclrt

#endif
