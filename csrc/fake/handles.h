// SPDX-License-Identifier: Apache-2.0
//
// Handles: every object that a client holds is named by a value {kind, generation, index}, never by
// an address, so that a stale, foreign or invented handle is recognised instead of dereferenced.
// The values are outside the address range of user programs: reading through one faults.
// A table per type owns the objects (shared); find() pins one with a reference of its own.
// Thread-safe; find() takes one lock per slot, never a global one.
#ifndef ACLRT_FAKE_HANDLES_H
#define ACLRT_FAKE_HANDLES_H

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "fake/ledger.h"
#include "fake/live_objects.h"
#include "fake/origin.h"
#include "fake/quick.h"

namespace aclfake {

// Why find() gave nothing.
enum class Miss { kNone, kNull, kUnknown, kWrongKind, kStale };
const char *miss_text(Miss miss) noexcept;  // "was destroyed already", ...

// bits: 0-11 element of an array, 12-33 index, 34-47 and 56-62 generation, 48-55 0x80 | kind.
struct HandleParts {
  Kind kind = Kind::kNone;
  uint32_t generation = 0;
  uint32_t index = 0;
  uint32_t element = 0;
};

// What is known of an object that a handle names or named.
struct Trace {
  Origin made;
  Origin ended;  // if it was
};

template <class T>
struct LiveObject {
  void *handle;
  std::shared_ptr<T> object;
  Origin made;
  bool counted;
};

constexpr uint32_t kElementBits = 12;
constexpr uint32_t kIndexBits = 22;
constexpr uint32_t kMaxElements = 1u << kElementBits;
constexpr uint32_t kMaxHandles = 1u << kIndexBits;
constexpr uint32_t kGenerations = 1u << 21;

inline uintptr_t encode_handle(const HandleParts &parts) noexcept {
  const uint64_t low = parts.generation & 0x3fffu;
  const uint64_t high = parts.generation >> 14;
  return (high << 56) | (uint64_t{0x80u | static_cast<uint8_t>(parts.kind)} << 48) | (low << 34) |
         (uint64_t{parts.index} << kElementBits) | parts.element;
}

// False if the value was not made by encode_handle.
inline bool decode_handle(const void *handle, HandleParts *parts) noexcept {
  const uint64_t value = reinterpret_cast<uintptr_t>(handle);
  const uint32_t tag = static_cast<uint32_t>(value >> 48) & 0xffu;
  if ((value >> 63) != 0 || (tag & 0x80u) == 0 || (tag & 0x7fu) >= kKindCount) return false;
  parts->kind = static_cast<Kind>(tag & 0x7fu);
  parts->generation = static_cast<uint32_t>(((value >> 34) & 0x3fffu) | ((value >> 56) << 14));
  parts->index = static_cast<uint32_t>(value >> kElementBits) & (kMaxHandles - 1);
  parts->element = static_cast<uint32_t>(value) & (kMaxElements - 1);
  return true;
}

// T has `static constexpr Kind kKind`.
template <class T>
class HandleTable {
 public:
  // Takes the object and gives its handle. counted: whether the ledger sees it as the client's.
  // Throws std::length_error when the table is full.
  void *insert(std::shared_ptr<T> object, bool counted = true) {
    const uint32_t index = take_index();
    Slot &slot = *slot_at(index);
    uint32_t generation;
    {
      SlotLock lock(slot);
      slot.object = std::move(object);
      slot.counted = counted;
      generation = slot.generation;
      slot.trace = {here(), {}};
    }
    if (counted) ledger::created(T::kKind);
    return reinterpret_cast<void *>(encode_handle({T::kKind, generation, index, 0}));
  }

  // The object, or nullptr and the reason. element: of an array handle, may be nullptr.
  std::shared_ptr<T> find(const void *handle, Miss *miss = nullptr, uint32_t *element = nullptr) {
    HandleParts parts{};
    Slot *slot = locate(handle, &parts, miss);
    if (slot == nullptr) return nullptr;
    SlotLock lock(*slot);
    if (!current(*slot, parts, miss)) return nullptr;
    if (element != nullptr) *element = parts.element;
    return slot->object;
  }

  // Takes the object out; of several concurrent calls one gets it.
  std::shared_ptr<T> remove(const void *handle, Miss *miss = nullptr) {
    HandleParts parts{};
    Slot *slot = locate(handle, &parts, miss);
    if (slot == nullptr) return nullptr;
    std::shared_ptr<T> object;
    bool counted;
    {
      SlotLock lock(*slot);
      if (!current(*slot, parts, miss)) return nullptr;
      object = std::move(slot->object);
      slot->object = nullptr;
      counted = slot->counted;
      slot->generation = (slot->generation + 1) % kGenerations;
      slot->trace.ended = here();
    }
    give_index(parts.index);
    if (T::kKind == Kind::kDataset || T::kKind == Kind::kDataBuffer) quick::changed();
    if (counted) ledger::destroyed(T::kKind);
    return object;
  }

  // Where the object of a handle, live or ended, was made and ended. Empty if nothing is known of
  // it any more (its slot serves another object now).
  Trace trace(const void *handle) {
    HandleParts parts{};
    Slot *slot = locate(handle, &parts, nullptr);
    if (slot == nullptr) return {};
    SlotLock lock(*slot);
    const uint32_t last = slot->object != nullptr
                              ? slot->generation
                              : (slot->generation + kGenerations - 1) % kGenerations;
    return parts.generation == last ? slot->trace : Trace{};
  }

  // All live objects, as of some moment during the call.
  std::vector<LiveObject<T>> live() {
    std::vector<LiveObject<T>> result;
    uint32_t used;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      used = used_;
    }
    for (uint32_t index = 0; index < used; ++index) {
      Slot &slot = *slot_at(index);
      SlotLock lock(slot);
      if (slot.object == nullptr) continue;
      const HandleParts parts{T::kKind, slot.generation, index, 0};
      result.push_back({reinterpret_cast<void *>(encode_handle(parts)), slot.object,
                        slot.trace.made, slot.counted});
    }
    return result;
  }

  // The same without the rest: handles and objects.
  std::vector<std::pair<void *, std::shared_ptr<T>>> all() {
    std::vector<std::pair<void *, std::shared_ptr<T>>> result;
    for (auto &entry : live()) result.emplace_back(entry.handle, std::move(entry.object));
    return result;
  }

  // Removes everything; returns how many of the client's objects there were.
  size_t clear() {
    size_t count = 0;
    for (auto &entry : all()) {
      HandleParts parts{};
      decode_handle(entry.first, &parts);
      bool counted = false;
      {
        Slot &slot = *slot_at(parts.index);
        SlotLock lock(slot);
        counted = slot.counted;
      }
      if (remove(entry.first) != nullptr && counted) ++count;
    }
    return count;
  }

 private:
  struct Slot {
    std::atomic<bool> busy{false};
    bool counted = false;
    uint32_t generation = 1;
    std::shared_ptr<T> object;
    Trace trace;  // of object, or of the last one
  };

  class SlotLock {
   public:
    explicit SlotLock(Slot &slot) : slot_(slot) {
      while (slot_.busy.exchange(true, std::memory_order_acquire)) std::this_thread::yield();
    }
    ~SlotLock() { slot_.busy.store(false, std::memory_order_release); }
    SlotLock(const SlotLock &) = delete;
    SlotLock &operator=(const SlotLock &) = delete;

   private:
    Slot &slot_;
  };

  static constexpr uint32_t kChunk = 1024;
  // A freed slot rests until this many are free, so that stale handles stay recognisable longer.
  static constexpr size_t kResting = 64;
  using Chunk = std::array<Slot, kChunk>;

  Slot *slot_at(uint32_t index) {
    return &(*chunks_[index / kChunk].load(std::memory_order_acquire))[index % kChunk];
  }

  static void set(Miss *miss, Miss value) {
    if (miss != nullptr) *miss = value;
  }

  Slot *locate(const void *handle, HandleParts *parts, Miss *miss) {
    if (handle == nullptr) return set(miss, Miss::kNull), nullptr;
    if (!decode_handle(handle, parts)) return set(miss, Miss::kUnknown), nullptr;
    if (parts->kind != T::kKind) return set(miss, Miss::kWrongKind), nullptr;
    Chunk *chunk = chunks_[parts->index / kChunk].load(std::memory_order_acquire);
    if (chunk == nullptr) return set(miss, Miss::kUnknown), nullptr;
    return &(*chunk)[parts->index % kChunk];
  }

  static bool current(const Slot &slot, const HandleParts &parts, Miss *miss) {
    if (slot.object != nullptr && slot.generation == parts.generation) {
      set(miss, Miss::kNone);
      return true;
    }
    set(miss, Miss::kStale);
    return false;
  }

  uint32_t take_index() {
    std::lock_guard<std::mutex> lock(mutex_);
    if (free_.size() > kResting || used_ == kMaxHandles) {
      if (free_.empty()) throw std::length_error("no handle left");
      const uint32_t index = free_.front();
      free_.pop_front();
      return index;
    }
    std::atomic<Chunk *> &chunk = chunks_[used_ / kChunk];
    if (chunk.load(std::memory_order_relaxed) == nullptr) {
      chunk.store(new Chunk, std::memory_order_release);
    }
    return used_++;
  }

  void give_index(uint32_t index) {
    std::lock_guard<std::mutex> lock(mutex_);
    free_.push_back(index);
  }

  std::mutex mutex_;
  std::deque<uint32_t> free_;
  uint32_t used_ = 0;
  std::array<std::atomic<Chunk *>, kMaxHandles / kChunk> chunks_{};
};

// The table of a type; never destroyed.
template <class T>
HandleTable<T> &handles() {
  static HandleTable<T> *const table = [] {
    add_lister([](std::vector<LiveEntry> &entries) {
      for (const auto &entry : handles<T>().live()) {
        if (entry.counted) entries.push_back({T::kKind, entry.made, 0});
      }
    });
    return new HandleTable<T>;
  }();
  return *table;
}

}  // namespace aclfake

#endif
