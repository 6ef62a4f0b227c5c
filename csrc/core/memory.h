// SPDX-License-Identifier: Apache-2.0
//
// Device memory and page-locked host memory, each owned by one object. Allocation needs the
// device's context in this thread (ContextGuard); release does not.
#ifndef ACLRT_CORE_MEMORY_H
#define ACLRT_CORE_MEMORY_H

#include <cstddef>
#include <utility>

#include "acl/abi.h"

namespace aclrt {

namespace memory {
void *alloc_device(size_t nbytes);
void *alloc_host(size_t nbytes);
aclError free_device(void *data) noexcept;
aclError free_host(void *data) noexcept;
// What aclrtMalloc takes from the device for so many bytes.
constexpr size_t device_footprint(size_t nbytes) noexcept {
  return nbytes > 0 ? (nbytes + 31) / 32 * 32 + 32 : 0;
}
}  // namespace memory

template <void *(*Alloc)(size_t), aclError (*Free)(void *) noexcept>
class Buffer {
 public:
  Buffer() = default;
  // At least one byte, so that data() is never null: AscendCL refuses size 0 and null inputs.
  explicit Buffer(size_t nbytes) : size_(nbytes > 0 ? nbytes : 1), data_(Alloc(size_)) {}
  // Takes over what AscendCL allocated.
  Buffer(void *data, size_t nbytes) noexcept : size_(nbytes), data_(data) {}
  ~Buffer() { release(); }
  Buffer(Buffer &&other) noexcept : size_(other.size_), data_(other.data_) {
    other.data_ = nullptr;
    other.size_ = 0;
  }
  // What it held must have been released.
  Buffer &operator=(Buffer &&other) noexcept {
    size_ = std::exchange(other.size_, 0);
    data_ = std::exchange(other.data_, nullptr);
    return *this;
  }
  Buffer(const Buffer &) = delete;
  Buffer &operator=(const Buffer &) = delete;

  void *data() const noexcept { return data_; }
  size_t size() const noexcept { return size_; }

  // Idempotent.
  aclError release() noexcept {
    void *data = data_;
    data_ = nullptr;
    size_ = 0;
    return data != nullptr ? Free(data) : ACL_SUCCESS;
  }

 private:
  size_t size_ = 0;
  void *data_ = nullptr;
};

using DeviceBuffer = Buffer<memory::alloc_device, memory::free_device>;
using HostBuffer = Buffer<memory::alloc_host, memory::free_host>;

}  // namespace aclrt

#endif
