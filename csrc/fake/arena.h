// SPDX-License-Identifier: Apache-2.0
//
// The memory of one device: a memory file mapped twice, and the allocator over it. Offsets go from
// the start of the file; the client's addresses are base() + offset, the fake's alias() + offset.
// Mapped at the first allocation. Thread-safe.
#ifndef ACLRT_FAKE_ARENA_H
#define ACLRT_FAKE_ARENA_H

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <utility>

#include "fake/device.h"
#include "fake/memory.h"
#include "fake/origin.h"

namespace aclfake {

// One allocation. It keeps its device; its space returns to the arena when the last pin is gone.
struct Block {
  Block(std::shared_ptr<Device> device_, uint64_t offset_, uint64_t size_, uint64_t extent_,
        Allocator allocator_)
      : device(std::move(device_)),
        offset(offset_),
        size(size_),
        extent(extent_),
        allocator(allocator_) {}
  ~Block();
  Block(const Block &) = delete;
  Block &operator=(const Block &) = delete;

  const std::shared_ptr<Device> device;
  const uint64_t offset;  // of the first byte that the client may use
  const uint64_t size;    // usable bytes, slack included
  const uint64_t extent;  // with guard zones
  const Allocator allocator;
  const Origin made = here();
};

class Arena {
 public:
  // accessible: the host may use the addresses too, as where host and device memory are one.
  explicit Arena(uint64_t capacity, bool accessible = false)
      : capacity_(capacity), accessible_(accessible) {}
  ~Arena();
  Arena(const Arena &) = delete;
  Arena &operator=(const Arena &) = delete;

  // nullptr: no room (capacity or address space).
  std::shared_ptr<Block> allocate(std::shared_ptr<Device> device, uint64_t size,
                                  Allocator allocator);
  // Takes the block that starts at address out of the live ones; nullptr if there is none.
  std::shared_ptr<Block> take(uintptr_t address, Allocator allocator);
  std::shared_ptr<Block> find(uintptr_t address, uint64_t size);  // wholly inside one live block
  std::map<uint64_t, std::shared_ptr<Block>> take_all();
  std::map<uint64_t, std::shared_ptr<Block>> all();
  bool contains(uintptr_t address) const noexcept;
  uint64_t free_bytes();
  uint8_t *alias() const noexcept { return alias_; }
  uintptr_t base() const noexcept { return base_.load(std::memory_order_acquire); }
  uintptr_t end() const noexcept;  // of its addresses; 0 before the first allocation
  // False if the guard zones of the block were written to.
  bool guards_intact(const Block &block) const noexcept;

 private:
  friend struct Block;
  bool map();
  void release(const Block &block) noexcept;
  void add_free(uint64_t offset, uint64_t size);
  void remove_free(std::map<uint64_t, uint64_t>::iterator entry);

  const uint64_t capacity_;
  const bool accessible_;
  std::mutex mutex_;
  bool map_failed_ = false;
  int file_ = -1;
  uint64_t reserved_ = 0;
  uint8_t *alias_ = nullptr;
  std::atomic<uintptr_t> base_{0};  // set last: whoever sees it sees the rest of the mapping
  uint64_t used_ = 0;
  std::map<uint64_t, uint64_t> free_;                     // offset -> size
  std::set<std::pair<uint64_t, uint64_t>> free_by_size_;  // (size, offset)
  std::map<uint64_t, std::shared_ptr<Block>> live_;       // by offset
};

}  // namespace aclfake

#endif
