// SPDX-License-Identifier: Apache-2.0
#include "fake/memory.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "fake/arena.h"
#include "fake/checks.h"
#include "fake/faults.h"
#include "fake/freed.h"
#include "fake/in_flight.h"
#include "fake/ledger.h"
#include "fake/messages.h"
#include "fake/quick.h"

namespace aclfake {
namespace {

constexpr size_t kUnit = 32;
constexpr size_t kPadding = 32;
constexpr size_t kHostAlign = 64;
constexpr size_t kHostPoison = 64 * 1024;

struct HostBlock {
  std::shared_ptr<void> memory;  // null if it is the client's
  size_t size;
  bool registered;  // aclrtHostRegister: the client's own memory
  Origin made;
};

struct HostMemory {
  std::mutex mutex;
  std::map<uintptr_t, HostBlock> blocks;
};

HostMemory &host_memory() {
  static HostMemory *const instance = new HostMemory;
  return *instance;
}

uintptr_t number(const void *ptr) {
  return reinterpret_cast<uintptr_t>(ptr);
}

std::shared_ptr<Device> device_of(uintptr_t address) {
  const auto list = device_list_if_known();
  if (list == nullptr) return nullptr;
  for (const auto &device : list->devices) {
    if (device->arena->contains(address)) return device;
  }
  return nullptr;
}

// Takes an allocation out of the books.
void retire(const std::shared_ptr<Block> &block, bool in_use) {
  if (!block->device->arena->guards_intact(*block)) {
    ledger::guard_damaged();
    notice(Check::MEM_11, "beside the %" PRIu64 " bytes of device memory at %p, made by %s",
           block->size, reinterpret_cast<void *>(block->device->arena->base() + block->offset),
           origin_text(block->made).c_str());
  }
  if (block->allocator == Allocator::kInternal) return;
  ledger::destroyed(Kind::kDeviceMemory, block->size);
  const uintptr_t start = block->device->arena->base() + block->offset;
  remember_freed({start, block->size, Kind::kDeviceMemory, block->made, here(), in_use});
}

// Whether queued or running work uses an allocation that is being freed; reported if so.
bool freed_in_use(const std::shared_ptr<Block> &block) {
  const auto *start = reinterpret_cast<void *>(block->device->arena->base() + block->offset);
  Origin by;
  if (in_flight(start, block->size, &by)) {
    notice(Check::MEM_01, "%p, made by %s, is used by work of %s", start,
           origin_text(block->made).c_str(), origin_text(by).c_str());
  } else if (quick::touching(number(start), block->size) || block.use_count() > 1) {
    notice(Check::MEM_01, "%p, made by %s, is used by another thread", start,
           origin_text(block->made).c_str());
  } else {
    return false;
  }
  return true;
}

// A stale pointer may point into what a model has taken since: that is not the client's to touch.
bool is_internal(const Block &block) {
  return block.allocator == Allocator::kInternal;
}

aclError bad_free(Check check, const void *ptr) {
  return violation(check, ACL_ERROR_RT_PARAM_INVALID, "%s", memory_text(ptr).c_str());
}

// The entry that holds address, or end().
std::map<uintptr_t, HostBlock>::iterator holder(HostMemory &host, uintptr_t address) {
  auto found = host.blocks.upper_bound(address);
  if (found == host.blocks.begin()) return host.blocks.end();
  --found;
  return address - found->first < found->second.size ? found : host.blocks.end();
}

}  // namespace

Device &DevicePin::device() const noexcept {
  return *block_->device;
}

namespace {

DevicePin pin_block(const void *ptr, size_t size, bool internal) {
  const std::shared_ptr<Device> device = device_of(number(ptr));
  if (device == nullptr) return DevicePin();
  std::shared_ptr<Block> block = device->arena->find(number(ptr), size);
  if (block == nullptr || is_internal(*block) != internal) return DevicePin();
  return DevicePin(std::move(block),
                   device->arena->alias() + (number(ptr) - device->arena->base()));
}

}  // namespace

DevicePin pin_device(const void *ptr, size_t size) {
  return pin_block(ptr, size, false);
}

DevicePin pin_internal(const void *ptr, size_t size) {
  return pin_block(ptr, size, true);
}

Location locate(const void *ptr) {
  if (std::shared_ptr<Device> device = device_of(number(ptr))) {
    const std::shared_ptr<Block> block = device->arena->find(number(ptr), 1);
    if (block == nullptr || is_internal(*block)) return {Place::kDead, std::move(device), 0};
    const uint64_t inside = number(ptr) - device->arena->base() - block->offset;
    return {Place::kDevice, std::move(device), block->size - inside};
  }
  HostMemory &host = host_memory();
  std::lock_guard<std::mutex> lock(host.mutex);
  const auto found = holder(host, number(ptr));
  if (found == host.blocks.end()) return {};
  // A registered range says nothing about the client's memory behind it.
  const uint64_t inside = number(ptr) - found->first;
  return {Place::kHost, nullptr,
          found->second.registered ? UINT64_MAX : found->second.size - inside};
}

HostSpan host_span(const void *ptr) {
  const uintptr_t address = number(ptr);
  HostSpan span;
  if (const auto list = device_list_if_known()) {
    for (const auto &device : list->devices) {
      const uintptr_t end = device->arena->end();
      if (end == 0) continue;
      if (end <= address) span.start = std::max(span.start, end);
      if (end > address) span.end = std::min(span.end, device->arena->base());
    }
  }
  HostMemory &host = host_memory();
  std::lock_guard<std::mutex> lock(host.mutex);
  const auto next = host.blocks.upper_bound(address);
  if (next != host.blocks.end()) span.end = std::min(span.end, next->first);
  if (next == host.blocks.begin()) return span;
  const auto before = std::prev(next);
  const uintptr_t end = before->first + before->second.size;
  if (end > address) return {before->first, end, false};
  span.start = std::max(span.start, end);
  return span;
}

std::string memory_text(const void *ptr) {
  char text[160];
  if (const std::shared_ptr<Device> device = device_of(number(ptr))) {
    if (const std::shared_ptr<Block> block = device->arena->find(number(ptr), 1)) {
      std::snprintf(text, sizeof text,
                    "%p is %" PRIu64 " bytes into %" PRIu64 " bytes of device %d, made by ", ptr,
                    number(ptr) - device->arena->base() - block->offset, block->size, device->id);
      return text + origin_text(block->made);
    }
  } else {
    HostMemory &host = host_memory();
    std::lock_guard<std::mutex> lock(host.mutex);
    const auto found = holder(host, number(ptr));
    if (found != host.blocks.end()) {
      std::snprintf(text, sizeof text, "%p is %" PRIu64 " bytes into %zu bytes of host memory, ",
                    ptr, static_cast<uint64_t>(number(ptr) - found->first), found->second.size);
      return text + ("made by " + origin_text(found->second.made));
    }
  }
  Freed freed;
  if (find_freed(ptr, &freed)) {
    std::snprintf(text, sizeof text, "%p was %s memory of ", ptr,
                  freed.kind == Kind::kHostMemory ? "host" : "device");
    return text + origin_text(freed.made) + " and freed by " + origin_text(freed.ended);
  }
  std::snprintf(text, sizeof text, "%p is %s", ptr,
                device_of(number(ptr)) != nullptr
                    ? "a device address that is not allocated"
                    : "not device memory, nor AscendCL's on the host");
  return text;
}

std::shared_ptr<void> hold_host(const void *ptr) {
  HostMemory &host = host_memory();
  std::lock_guard<std::mutex> lock(host.mutex);
  const auto found = holder(host, number(ptr));
  return found == host.blocks.end() ? nullptr : found->second.memory;
}

aclError allocate_device(Device &device, size_t size, bool padded, Allocator allocator,
                         void **out) {
  const size_t extra = kUnit - 1 + (padded ? kPadding : 0);
  if (size == 0 || size > SIZE_MAX - extra) {
    return fail(ACL_ERROR_INVALID_PARAM, "size %zu is not allowed", size);
  }
  const size_t real = (size + kUnit - 1) / kUnit * kUnit + (padded ? kPadding : 0);
  const std::shared_ptr<Device> owner = find_device(device.id);
  std::shared_ptr<Block> block;
  if (real <= free_bytes(*owner)) block = owner->arena->allocate(owner, real, allocator);
  if (block == nullptr) {
    return fail(ACL_ERROR_RT_MEMORY_ALLOCATION,
                "device %d has no room for %zu bytes: %" PRIu64 " of %" PRIu64 " are free",
                device.id, real, free_bytes(*owner), total_bytes(*owner));
  }
  *out = reinterpret_cast<void *>(owner->arena->base() + block->offset);
  forget_freed(number(*out), real);
  if (allocator != Allocator::kInternal) ledger::created(Kind::kDeviceMemory, real);
  return ACL_SUCCESS;
}

aclError free_device(void *ptr, Allocator allocator) {
  const std::shared_ptr<Device> device = device_of(number(ptr));
  if (device == nullptr) {
    const bool host = locate(ptr).place == Place::kHost;
    return bad_free(host ? Check::MEM_06 : Check::MEM_10, ptr);
  }
  const std::shared_ptr<Block> block = device->arena->take(number(ptr), allocator);
  if (block != nullptr) {
    retire(block, allocator != Allocator::kInternal && freed_in_use(block));
    return ACL_SUCCESS;
  }
  if (allocator == Allocator::kInternal) {
    return fail(ACL_ERROR_RT_PARAM_INVALID, "%p is the device's own no more", ptr);
  }
  const std::shared_ptr<Block> live = device->arena->find(number(ptr), 1);
  Freed freed;
  if (live == nullptr) {
    const bool twice = find_freed(ptr, &freed) && freed.start == number(ptr);
    return bad_free(twice ? Check::MEM_03 : Check::MEM_10, ptr);
  }
  if (device->arena->base() + live->offset != number(ptr)) return bad_free(Check::MEM_05, ptr);
  return bad_free(live->allocator == Allocator::kDvpp ? Check::MEM_08 : Check::MEM_09, ptr);
}

uint64_t total_bytes(const Device &device) {
  const uint64_t limit = faults::memory_limit(device.id);
  return limit != 0 ? std::min(limit, device.profile.memory_bytes) : device.profile.memory_bytes;
}

uint64_t free_bytes(Device &device) {
  const uint64_t used = device.profile.memory_bytes - device.arena->free_bytes();
  const uint64_t total = total_bytes(device);
  return total > used ? total - used : 0;
}

void free_all(Device &device) {
  for (const auto &entry : device.arena->take_all()) retire(entry.second, false);
}

aclError allocate_host(size_t size, void **out) {
  if (size == 0 || size > SIZE_MAX - kUnit) {
    return fail(ACL_ERROR_INVALID_PARAM, "size %zu is not allowed", size);
  }
  const size_t real = (size + kUnit - 1) / kUnit * kUnit;
  void *memory = nullptr;
  if (posix_memalign(&memory, kHostAlign, real) != 0) {
    return fail(ACL_ERROR_RT_MEMORY_ALLOCATION, "the host has no room for %zu bytes", real);
  }
  std::memset(memory, 0xA5, std::min(real, kHostPoison));
  HostMemory &host = host_memory();
  const std::shared_ptr<void> owned(memory, std::free);
  {
    std::lock_guard<std::mutex> lock(host.mutex);
    host.blocks.emplace(number(memory), HostBlock{owned, real, false, here()});
    quick::changed();
  }
  forget_freed(number(memory), real);
  ledger::created(Kind::kHostMemory, real);
  *out = memory;
  return ACL_SUCCESS;
}

aclError free_host(void *ptr) {
  HostMemory &host = host_memory();
  HostBlock block{};
  Check wrong = Check::MEM_10;
  {
    std::lock_guard<std::mutex> lock(host.mutex);
    const auto found = holder(host, number(ptr));
    if (found != host.blocks.end() && !found->second.registered) {
      wrong = Check::MEM_05;
      if (found->first == number(ptr)) {
        block = found->second;
        host.blocks.erase(found);
        quick::changed();
      }
    }
  }
  if (block.memory == nullptr) {
    Freed freed;
    if (device_of(number(ptr)) != nullptr) {
      wrong = Check::MEM_07;
    } else if (wrong == Check::MEM_10 && find_freed(ptr, &freed) && freed.start == number(ptr)) {
      wrong = Check::MEM_04;
    }
    return bad_free(wrong, ptr);
  }
  Origin by;
  const bool in_use = in_flight(ptr, block.size, &by);
  if (in_use) {
    notice(Check::MEM_02, "%p, made by %s, is used by work of %s", ptr,
           origin_text(block.made).c_str(), origin_text(by).c_str());
  }
  remember_freed({number(ptr), block.size, Kind::kHostMemory, block.made, here(), in_use});
  ledger::destroyed(Kind::kHostMemory, block.size);
  return ACL_SUCCESS;
}

aclError register_host(void *ptr, uint64_t size) {
  HostMemory &host = host_memory();
  std::lock_guard<std::mutex> lock(host.mutex);
  const auto next = host.blocks.lower_bound(number(ptr));
  const bool overlaps = holder(host, number(ptr)) != host.blocks.end() ||
                        (next != host.blocks.end() && next->first - number(ptr) < size);
  if (overlaps) {
    return violation(Check::MEM_12, ACL_ERROR_HOST_MEMORY_ALREADY_REGISTERED,
                     "%p is in a range that is registered or page-locked already", ptr);
  }
  host.blocks.emplace(number(ptr), HostBlock{nullptr, size, true, here()});
  quick::changed();
  return ACL_SUCCESS;
}

aclError unregister_host(void *ptr) {
  HostMemory &host = host_memory();
  std::lock_guard<std::mutex> lock(host.mutex);
  const auto found = host.blocks.find(number(ptr));
  if (found == host.blocks.end() || !found->second.registered) {
    return violation(Check::MEM_13, ACL_ERROR_HOST_MEMORY_NOT_REGISTERED, "%p is not registered",
                     ptr);
  }
  host.blocks.erase(found);
  quick::changed();
  return ACL_SUCCESS;
}

std::vector<LiveMemory> live_memory() {
  std::vector<LiveMemory> result;
  if (const auto list = device_list_if_known()) {
    for (const auto &device : list->devices) {
      for (const auto &entry : device->arena->all()) {
        const Block &block = *entry.second;
        if (block.allocator == Allocator::kInternal) continue;
        const auto *address = reinterpret_cast<void *>(device->arena->base() + block.offset);
        result.push_back({Kind::kDeviceMemory, address, block.size, block.made});
      }
    }
  }
  HostMemory &host = host_memory();
  std::lock_guard<std::mutex> lock(host.mutex);
  for (const auto &entry : host.blocks) {
    if (entry.second.registered) continue;
    const auto *address = reinterpret_cast<void *>(entry.first);
    result.push_back({Kind::kHostMemory, address, entry.second.size, entry.second.made});
  }
  return result;
}

void forget_host_memory() {
  HostMemory &host = host_memory();
  std::lock_guard<std::mutex> lock(host.mutex);
  for (const auto &entry : host.blocks) {
    if (!entry.second.registered) ledger::destroyed(Kind::kHostMemory, entry.second.size);
  }
  host.blocks.clear();
  quick::changed();
  forget_all_freed();
}

}  // namespace aclfake
