// SPDX-License-Identifier: Apache-2.0
#include "fake/arena.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "fake/quick.h"

namespace aclfake {
namespace {

constexpr uint64_t kAlign = 64;
constexpr uint64_t kGuard = 64;
constexpr uint64_t kPage = 4096;
constexpr uint8_t kGuardByte = 0xFB;
constexpr uint8_t kFreshByte = 0xA5;
constexpr uint8_t kFreedByte = 0xDD;
// Poison covers the head and the tail of large blocks only, so that they cost no resident memory.
constexpr uint64_t kPoisonHead = 64 * 1024;
constexpr uint64_t kPoisonTail = 4 * 1024;
// Freed blocks of at least this size give their pages back.
constexpr uint64_t kReturnFrom = 256 * 1024;
// Address space beyond the capacity, for guard zones and fragmentation.
constexpr uint64_t kExtra = uint64_t{256} << 20;

uint64_t round_up(uint64_t value, uint64_t unit) {
  return (value + unit - 1) / unit * unit;
}

void poison(uint8_t *data, uint64_t size, uint8_t byte) {
  if (size <= kPoisonHead + kPoisonTail) {
    std::memset(data, byte, size);
    return;
  }
  std::memset(data, byte, kPoisonHead);
  std::memset(data + size - kPoisonTail, byte, kPoisonTail);
}

bool filled(const uint8_t *data, uint64_t size) {
  return std::all_of(data, data + size, [](uint8_t byte) { return byte == kGuardByte; });
}

}  // namespace

Block::~Block() {
  quick::wait_until_left(device->arena->base() + offset, size);
  device->arena->release(*this);
}

Arena::~Arena() {
  if (alias_ != nullptr) {
    munmap(alias_, reserved_);
    munmap(reinterpret_cast<void *>(base()), reserved_);
  }
  if (file_ >= 0) close(file_);
}

bool Arena::map() {
  if (alias_ != nullptr) return true;
  if (map_failed_) return false;
  map_failed_ = true;
  const uint64_t size = round_up(capacity_, kPage) + kExtra;
  file_ = memfd_create("aclrt-fake-device-memory", MFD_CLOEXEC);
  if (file_ < 0 || ftruncate(file_, static_cast<off_t>(size)) != 0) return false;
  const int access = accessible_ ? PROT_READ | PROT_WRITE : PROT_NONE;
  void *base = mmap(nullptr, size, access, MAP_SHARED | MAP_NORESERVE, file_, 0);
  if (base == MAP_FAILED) return false;
  void *alias = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file_, 0);
  if (alias == MAP_FAILED) {
    munmap(base, size);
    return false;
  }
  madvise(alias, size, MADV_DONTDUMP);
  reserved_ = size;
  alias_ = static_cast<uint8_t *>(alias);
  add_free(0, size);
  map_failed_ = false;
  base_.store(reinterpret_cast<uintptr_t>(base), std::memory_order_release);
  quick::changed();
  return true;
}

void Arena::add_free(uint64_t offset, uint64_t size) {
  auto next = free_.lower_bound(offset);
  if (next != free_.end() && offset + size == next->first) {
    size += next->second;
    const auto merged = next++;
    remove_free(merged);
  }
  if (next != free_.begin()) {
    const auto before = std::prev(next);
    if (before->first + before->second == offset) {
      offset = before->first;
      size += before->second;
      remove_free(before);
    }
  }
  free_.emplace(offset, size);
  free_by_size_.emplace(size, offset);
}

void Arena::remove_free(std::map<uint64_t, uint64_t>::iterator entry) {
  free_by_size_.erase({entry->second, entry->first});
  free_.erase(entry);
}

std::shared_ptr<Block> Arena::allocate(std::shared_ptr<Device> device, uint64_t size,
                                       Allocator allocator) {
  // Declared before the lock: should anything below throw, its destructor needs the mutex.
  std::shared_ptr<Block> block;
  std::unique_lock<std::mutex> lock(mutex_);
  if (size > capacity_ - used_ || !map()) return nullptr;
  const uint64_t extent = kGuard + round_up(size, kAlign) + kGuard;
  const auto found = free_by_size_.lower_bound({extent, 0});
  if (found == free_by_size_.end()) return nullptr;
  const auto [free_size, start] = *found;
  const uint64_t offset = start + kGuard;
  block = std::make_shared<Block>(std::move(device), offset, size, extent, allocator);
  remove_free(free_.find(start));
  used_ += size;
  if (free_size > extent) add_free(start + extent, free_size - extent);
  lock.unlock();
  uint8_t *data = alias_ + offset;
  std::memset(data - kGuard, kGuardByte, kGuard);
  std::memset(data + size, kGuardByte, extent - kGuard - size);
  poison(data, size, kFreshByte);
  lock.lock();
  live_.emplace(offset, block);
  lock.unlock();
  return block;
}

void Arena::release(const Block &block) noexcept {
  uint8_t *data = alias_ + block.offset;
  poison(data, block.size, kFreedByte);
  if (block.size >= kReturnFrom) {
    const uint64_t begin = round_up(block.offset + kPage, kPage);
    const uint64_t end = (block.offset + block.size) / kPage * kPage;
    if (end > begin) {
      fallocate(file_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(begin),
                static_cast<off_t>(end - begin));
    }
  }
  std::lock_guard<std::mutex> lock(mutex_);
  used_ -= block.size;
  add_free(block.offset - kGuard, block.extent);
}

std::shared_ptr<Block> Arena::take(uintptr_t address, Allocator allocator) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!contains(address)) return nullptr;
  const auto found = live_.find(address - base());
  if (found == live_.end() || found->second->allocator != allocator) return nullptr;
  std::shared_ptr<Block> block = std::move(found->second);
  live_.erase(found);
  quick::changed();
  return block;
}

std::shared_ptr<Block> Arena::find(uintptr_t address, uint64_t size) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!contains(address)) return nullptr;
  const uint64_t offset = address - base();
  auto found = live_.upper_bound(offset);
  if (found == live_.begin()) return nullptr;
  const std::shared_ptr<Block> &block = std::prev(found)->second;
  const uint64_t inside = offset - block->offset;
  if (inside > block->size || size > block->size - inside) return nullptr;
  return block;
}

std::map<uint64_t, std::shared_ptr<Block>> Arena::take_all() {
  std::lock_guard<std::mutex> lock(mutex_);
  auto blocks = std::exchange(live_, {});
  quick::changed();
  return blocks;
}

std::map<uint64_t, std::shared_ptr<Block>> Arena::all() {
  std::lock_guard<std::mutex> lock(mutex_);
  return live_;
}

bool Arena::contains(uintptr_t address) const noexcept {
  const uintptr_t start = base();
  return start != 0 && address >= start && address - start < reserved_;
}

uintptr_t Arena::end() const noexcept {
  const uintptr_t start = base();
  return start != 0 ? start + reserved_ : 0;
}

uint64_t Arena::free_bytes() {
  std::lock_guard<std::mutex> lock(mutex_);
  return capacity_ - used_;
}

bool Arena::guards_intact(const Block &block) const noexcept {
  const uint8_t *data = alias_ + block.offset;
  return filled(data - kGuard, kGuard) &&
         filled(data + block.size, block.extent - kGuard - block.size);
}

}  // namespace aclfake
