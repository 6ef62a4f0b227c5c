// SPDX-License-Identifier: Apache-2.0
//
// Allocates, copies, frees.
#include "core/user_memory.h"

#include <chrono>
#include <cstring>

#include "core/context_guard.h"
#include "core/error.h"
#include "core/overlap.h"

namespace aclrt {

namespace {

constexpr char kCannotCopyIn[] = "cannot copy to memory of the device";
constexpr char kCannotCopyOut[] = "cannot copy from memory of the device";
constexpr size_t kLine = 64;
constexpr int64_t kLongestMs = int64_t{1000} * 3600 * 24 * 365;  // what a clock can hold

[[noreturn]] void refuse(const std::string &message, const char *hint = "") {
  throw Error(ACLRT_ERROR_INPUT, message, hint);
}

// Whole lines, as AscendCL has them, so that a model's slightly larger tensor fits.
size_t lines(size_t nbytes) {
  if (nbytes > SIZE_MAX - kLine) refuse("memory of " + std::to_string(nbytes) + " bytes");
  return nbytes > 0 ? (nbytes + kLine - 1) / kLine * kLine : kLine;
}

class Using {
 public:
  explicit Using(UserMemory &memory) : memory_(memory) { memory_.acquire(); }
  ~Using() { memory_.release(); }
  Using(const Using &) = delete;
  Using &operator=(const Using &) = delete;

 private:
  UserMemory &memory_;
};

}  // namespace

std::shared_ptr<UserMemory> UserMemory::allocate(int32_t device_id, size_t nbytes, int32_t kind) {
  if (kind != ACLRT_MEMORY_DEVICE && kind != ACLRT_MEMORY_HOST) {
    refuse("there is no kind " + std::to_string(kind) + " of memory");
  }
  Runtime::instance().init(nullptr);
  auto memory = std::make_shared<UserMemory>(device_id, nbytes, kind);
  Runtime::instance().add(memory);
  return memory;
}

UserMemory::UserMemory(int32_t device_id, size_t nbytes, int32_t kind)
    : device_id_(device_id),
      nbytes_(nbytes),
      kind_(static_cast<aclrt_memory_kind_t>(kind)),
      device_(device_id),
      is_on_device_(kind == ACLRT_MEMORY_DEVICE || device_->run_mode == ACL_DEVICE),
      room_(lines(nbytes)) {
  const ContextGuard guard(*device_);
  if (is_on_device_) {
    device_memory_ = DeviceBuffer(room_);
    data_ = static_cast<uint8_t *>(device_memory_.data());
  } else {
    host_memory_ = HostBuffer(room_);
    data_ = static_cast<uint8_t *>(host_memory_.data());
  }
}

UserMemory::~UserMemory() {
  if (Runtime::is_forked()) return;
  try {
    close();
  } catch (...) {
    // Nobody to tell.
  }
}

void UserMemory::acquire() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (is_closed_) throw Error(ACLRT_ERROR_CLOSED, "the memory is closed", "Allocate it again.");
  ++users_;
}

void UserMemory::release() noexcept {
  std::lock_guard<std::mutex> lock(mutex_);
  // Under the lock, because the one who waits may destroy this.
  if (--users_ == 0 && (is_closed_ || is_awaited_)) idle_.notify_all();
}

void UserMemory::close() {
  FirstFailure failure;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    is_closed_ = true;
    idle_.wait(lock, [&] { return users_ == 0; });
    if (!device_) return;
    failure.add(device_memory_.release(), "aclrtFree", "cannot free device memory");
    failure.add(host_memory_.release(), "aclrtFreeHost", "cannot free page-locked memory");
    failure.add(device_.release(), "aclrtResetDevice", "cannot reset the device");
  }
  Runtime::instance().remove(this);
  failure.throw_if_any();
}

bool UserMemory::drain(int64_t timeout_ms) {
  std::unique_lock<std::mutex> lock(mutex_);
  const auto is_idle = [&] { return users_ == 0; };
  is_awaited_ = true;
  if (timeout_ms >= 0 && timeout_ms <= kLongestMs) {
    return idle_.wait_for(lock, std::chrono::milliseconds(timeout_ms), is_idle);
  }
  idle_.wait(lock, is_idle);
  return true;
}

aclrt_memory_info_t UserMemory::info() {
  std::lock_guard<std::mutex> lock(mutex_);
  const bool is_shared = device_ && device_->run_mode == ACL_DEVICE;
  return {is_closed_ ? nullptr : data_, nbytes_, device_id_, kind_, is_shared, is_closed_};
}

void UserMemory::check_range(size_t offset, size_t nbytes, const void *data) const {
  if (offset > nbytes_ || nbytes > nbytes_ - offset) {
    refuse("bytes " + std::to_string(offset) + " to " + std::to_string(offset + nbytes) +
           " of memory of " + std::to_string(nbytes_) + " bytes");
  }
  if (data == nullptr && nbytes > 0) refuse("the data to copy is NULL");
}

void UserMemory::copy_in(size_t offset, const void *data, size_t nbytes) {
  check_range(offset, nbytes, data);
  const Using use(*this);
  if (nbytes == 0) return;  // older CANN refuses copies of nothing
  if (is_host_memory()) {
    std::memcpy(data_ + offset, data, nbytes);
    return;
  }
  const ContextGuard guard(*device_);
  check(acl::api().aclrtMemcpy(data_ + offset, room_ - offset, data, nbytes, device_->to_device()),
        "aclrtMemcpy", kCannotCopyIn);
}

void UserMemory::copy_out(size_t offset, void *data, size_t nbytes) {
  check_range(offset, nbytes, data);
  const Using use(*this);
  if (nbytes == 0) return;
  if (is_host_memory()) {
    std::memcpy(data, data_ + offset, nbytes);
    return;
  }
  const ContextGuard guard(*device_);
  check(acl::api().aclrtMemcpy(data, nbytes, data_ + offset, nbytes, device_->to_host()),
        "aclrtMemcpy", kCannotCopyOut);
}

void UserMemory::copy(UserMemory &to, size_t to_offset, UserMemory &from, size_t from_offset,
                      size_t nbytes) {
  to.check_range(to_offset, nbytes, to.data_);
  from.check_range(from_offset, nbytes, from.data_);
  if (to.is_host_memory()) return from.copy_out(from_offset, to.data_ + to_offset, nbytes);
  if (from.is_host_memory()) return to.copy_in(to_offset, from.data_ + from_offset, nbytes);
  if (to.device_id_ != from.device_id_) {
    refuse("memory of device " + std::to_string(from.device_id_) + " cannot be copied to device " +
               std::to_string(to.device_id_),
           "Copy it by way of the host.");
  }
  const Using use_to(to);
  const Using use_from(from);
  uint8_t *target = to.data_ + to_offset;
  const uint8_t *source = from.data_ + from_offset;
  if (nbytes == 0 || target == source) return;
  if (overlap({target, nbytes, nullptr}, {const_cast<uint8_t *>(source), nbytes, nullptr})) {
    refuse("the two ranges of a copy inside one memory overlap");
  }
  const ContextGuard guard(*to.device_);
  check(acl::api().aclrtMemcpy(target, nbytes, source, nbytes, ACL_MEMCPY_DEVICE_TO_DEVICE),
        "aclrtMemcpy", kCannotCopyIn);
}

MemoryUse::MemoryUse(const aclrt_buffer_t *inputs, size_t input_count,
                     const aclrt_buffer_t *outputs, size_t output_count)
    : sides_{{inputs, input_count, 0}, {outputs, output_count, 0}} {
  try {
    for (Side &side : sides_) {
      for (; side.acquired < side.count; ++side.acquired) {
        const aclrt_memory_t *memory = side.buffers[side.acquired].memory;
        if (memory != nullptr) memory->memory->acquire();
      }
    }
  } catch (...) {
    release();
    throw;
  }
}

void MemoryUse::release() noexcept {
  for (Side &side : sides_) {
    while (side.acquired > 0) {
      const aclrt_memory_t *memory = side.buffers[--side.acquired].memory;
      if (memory != nullptr) memory->memory->release();
    }
  }
}

}  // namespace aclrt
