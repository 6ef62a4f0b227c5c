// SPDX-License-Identifier: Apache-2.0
#include "fake/memory.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "fake/arena.h"
#include "fake/ledger.h"
#include "fake/messages.h"

namespace aclfake {
namespace {

constexpr size_t kUnit = 32;
constexpr size_t kPadding = 32;
constexpr size_t kHostAlign = 64;
constexpr size_t kHostPoison = 64 * 1024;

struct HostBlock {
  size_t size;
  bool registered;  // aclrtHostRegister: the client's own memory
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
void retire(const std::shared_ptr<Block> &block) {
  if (!block->device->arena->guards_intact(*block)) {
    ledger::guard_damaged();
    std::fprintf(stderr,
                 "aclrt fake device: device memory at %p (%" PRIu64
                 " bytes) was written to outside of its bounds; seen when it was freed\n",
                 reinterpret_cast<void *>(block->device->arena->base() + block->offset),
                 block->size);
  }
  if (block->allocator != Allocator::kInternal) {
    ledger::destroyed(Kind::kDeviceMemory, block->size);
  }
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

DevicePin pin_device(const void *ptr, size_t size) {
  const std::shared_ptr<Device> device = device_of(number(ptr));
  if (device == nullptr) return DevicePin();
  std::shared_ptr<Block> block = device->arena->find(number(ptr), size);
  if (block == nullptr) return DevicePin();
  return DevicePin(std::move(block),
                   device->arena->alias() + (number(ptr) - device->arena->base()));
}

Location locate(const void *ptr) {
  if (std::shared_ptr<Device> device = device_of(number(ptr))) {
    const bool live = device->arena->find(number(ptr), 1) != nullptr;
    return {live ? Place::kDevice : Place::kDead, std::move(device)};
  }
  HostMemory &host = host_memory();
  std::lock_guard<std::mutex> lock(host.mutex);
  const bool known = holder(host, number(ptr)) != host.blocks.end();
  return {known ? Place::kHost : Place::kForeign, nullptr};
}

aclError allocate_device(Device &device, size_t size, bool padded, Allocator allocator,
                         void **out) {
  const size_t extra = kUnit - 1 + (padded ? kPadding : 0);
  if (size == 0 || size > SIZE_MAX - extra) {
    return fail(ACL_ERROR_INVALID_PARAM, "size %zu is not allowed", size);
  }
  const size_t real = (size + kUnit - 1) / kUnit * kUnit + (padded ? kPadding : 0);
  const std::shared_ptr<Device> owner = find_device(device.id);
  std::shared_ptr<Block> block = owner->arena->allocate(owner, real, allocator);
  if (block == nullptr) {
    return fail(ACL_ERROR_RT_MEMORY_ALLOCATION,
                "device %d has no room for %zu bytes: %" PRIu64 " of %" PRIu64 " are free",
                device.id, real, owner->arena->free_bytes(), owner->profile.memory_bytes);
  }
  *out = reinterpret_cast<void *>(owner->arena->base() + block->offset);
  if (allocator != Allocator::kInternal) ledger::created(Kind::kDeviceMemory, real);
  return ACL_SUCCESS;
}

aclError free_device(void *ptr, Allocator allocator) {
  const std::shared_ptr<Device> device = device_of(number(ptr));
  if (device == nullptr) {
    return fail(ACL_ERROR_RT_PARAM_INVALID, "%p is not device memory", ptr);
  }
  const std::shared_ptr<Block> block = device->arena->take(number(ptr), allocator);
  if (block == nullptr) {
    const char *why = "was freed already or is not the start of an allocation";
    if (device->arena->find(number(ptr), 1) != nullptr) {
      why = "is not the start of an allocation of this allocator";
    }
    return fail(ACL_ERROR_RT_PARAM_INVALID, "%p %s", ptr, why);
  }
  retire(block);
  return ACL_SUCCESS;
}

uint64_t free_bytes(Device &device) {
  return device.arena->free_bytes();
}

void free_all(Device &device) {
  for (const auto &entry : device.arena->take_all()) retire(entry.second);
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
  try {
    std::lock_guard<std::mutex> lock(host.mutex);
    host.blocks.emplace(number(memory), HostBlock{real, false});
  } catch (...) {
    std::free(memory);
    throw;
  }
  ledger::created(Kind::kHostMemory, real);
  *out = memory;
  return ACL_SUCCESS;
}

aclError free_host(void *ptr) {
  HostMemory &host = host_memory();
  size_t size;
  {
    std::lock_guard<std::mutex> lock(host.mutex);
    const auto found = host.blocks.find(number(ptr));
    if (found == host.blocks.end() || found->second.registered) {
      return fail(ACL_ERROR_RT_PARAM_INVALID,
                  "%p does not come from aclrtMallocHost or was freed already", ptr);
    }
    size = found->second.size;
    host.blocks.erase(found);
  }
  std::free(ptr);
  ledger::destroyed(Kind::kHostMemory, size);
  return ACL_SUCCESS;
}

aclError register_host(void *ptr, uint64_t size) {
  HostMemory &host = host_memory();
  std::lock_guard<std::mutex> lock(host.mutex);
  const auto next = host.blocks.lower_bound(number(ptr));
  const bool overlaps = holder(host, number(ptr)) != host.blocks.end() ||
                        (next != host.blocks.end() && next->first - number(ptr) < size);
  if (overlaps) {
    return fail(ACL_ERROR_HOST_MEMORY_ALREADY_REGISTERED,
                "%p is in a range that is registered or page-locked already", ptr);
  }
  host.blocks.emplace(number(ptr), HostBlock{size, true});
  return ACL_SUCCESS;
}

aclError unregister_host(void *ptr) {
  HostMemory &host = host_memory();
  std::lock_guard<std::mutex> lock(host.mutex);
  const auto found = host.blocks.find(number(ptr));
  if (found == host.blocks.end() || !found->second.registered) {
    return fail(ACL_ERROR_HOST_MEMORY_NOT_REGISTERED, "%p is not registered", ptr);
  }
  host.blocks.erase(found);
  return ACL_SUCCESS;
}

void forget_host_memory() {
  HostMemory &host = host_memory();
  std::lock_guard<std::mutex> lock(host.mutex);
  for (const auto &entry : host.blocks) {
    if (!entry.second.registered) {
      std::free(reinterpret_cast<void *>(entry.first));
      ledger::destroyed(Kind::kHostMemory, entry.second.size);
    }
  }
  host.blocks.clear();
}

}  // namespace aclfake
