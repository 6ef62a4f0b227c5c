// SPDX-License-Identifier: Apache-2.0
//
// Memory that a caller holds (aclrt_memory_t): on a device, or page-locked on the host. It keeps
// its device open, and close() waits for whatever uses it.
//
// Where host and device have one memory, both kinds are device memory: AscendCL runs models on no
// other, and there the host may touch it.
#ifndef ACLRT_CORE_USER_MEMORY_H
#define ACLRT_CORE_USER_MEMORY_H

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include "aclrt/aclrt.h"
#include "core/device.h"
#include "core/memory.h"
#include "core/runtime.h"

namespace aclrt {

class UserMemory final : public Closeable {
 public:
  static std::shared_ptr<UserMemory> allocate(int32_t device_id, size_t nbytes, int32_t kind);
  ~UserMemory() override;

  void copy_in(size_t offset, const void *data, size_t nbytes);
  void copy_out(size_t offset, void *data, size_t nbytes);
  static void copy(UserMemory &to, size_t to_offset, UserMemory &from, size_t from_offset,
                   size_t nbytes);
  void close() override;
  // Waits until nothing uses it; false if that takes longer. timeout_ms: negative for no limit.
  bool drain(int64_t timeout_ms);
  bool outlives_shutdown() const noexcept override { return kind_ == ACLRT_MEMORY_HOST; }

  // Between them it stays. acquire throws CLOSED after close().
  void acquire();
  void release() noexcept;

  aclrt_memory_info_t info();
  int32_t device_id() const noexcept { return device_id_; }
  size_t nbytes() const noexcept { return nbytes_; }
  // Whether a model on its device can use it as it is.
  bool is_on_device() const noexcept { return is_on_device_; }
  // For whoever has acquired it. room: bytes from the beginning that may be used.
  uint8_t *data() const noexcept { return data_; }
  size_t room() const noexcept { return room_; }

  // For allocate() alone.
  UserMemory(int32_t device_id, size_t nbytes, int32_t kind);

 private:
  void check_range(size_t offset, size_t nbytes, const void *data) const;
  bool is_host_memory() const noexcept { return kind_ == ACLRT_MEMORY_HOST; }

  const int32_t device_id_;
  const size_t nbytes_;
  const aclrt_memory_kind_t kind_;
  std::mutex mutex_;
  std::condition_variable idle_;
  uint32_t users_ = 0;
  bool is_closed_ = false;
  bool is_awaited_ = false;  // by drain(), once at least
  DeviceRef device_;
  bool is_on_device_;
  size_t room_;
  DeviceBuffer device_memory_;
  HostBuffer host_memory_;
  uint8_t *data_;
};

// The memories of one run's buffers, acquired. Allocates nothing.
class MemoryUse {
 public:
  MemoryUse(const aclrt_buffer_t *inputs, size_t input_count, const aclrt_buffer_t *outputs,
            size_t output_count);
  ~MemoryUse() { release(); }
  MemoryUse(const MemoryUse &) = delete;
  MemoryUse &operator=(const MemoryUse &) = delete;

 private:
  struct Side {
    const aclrt_buffer_t *buffers;
    size_t count;
    size_t acquired;
  };
  void release() noexcept;
  Side sides_[2];
};

}  // namespace aclrt

// What the handle is.
struct aclrt_memory {
  std::shared_ptr<aclrt::UserMemory> memory;
};

#endif
