// SPDX-License-Identifier: Apache-2.0
//
// How many bytes a model holds, by kind. Atomics alone: asking never waits for a run. What is
// counted at one instance is counted in the total of all too.
#ifndef ACLRT_CORE_MEMORY_METER_H
#define ACLRT_CORE_MEMORY_METER_H

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "aclrt/aclrt.h"

namespace aclrt {

class MemoryMeter {
 public:
  enum Kind { kWeights, kWork, kBuffers, kPinned, kHost };

  explicit MemoryMeter(std::shared_ptr<MemoryMeter> total = nullptr) : total_(std::move(total)) {}

  void add(Kind kind, size_t nbytes) noexcept {
    bytes_[kind].fetch_add(nbytes, std::memory_order_relaxed);
    if (kind <= kBuffers) {
      const uint64_t now = device_.fetch_add(nbytes, std::memory_order_relaxed) + nbytes;
      uint64_t peak = peak_.load(std::memory_order_relaxed);
      while (now > peak && !peak_.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
      }
    }
    if (total_ != nullptr) total_->add(kind, nbytes);
  }
  void subtract(Kind kind, size_t nbytes) noexcept {
    bytes_[kind].fetch_sub(nbytes, std::memory_order_relaxed);
    if (kind <= kBuffers) device_.fetch_sub(nbytes, std::memory_order_relaxed);
    if (total_ != nullptr) total_->subtract(kind, nbytes);
  }

  aclrt_memory_stats_t read() const noexcept {
    const auto get = [this](Kind kind) { return bytes_[kind].load(std::memory_order_relaxed); };
    return {get(kWeights), get(kWork), get(kBuffers),
            get(kPinned),  get(kHost), peak_.load(std::memory_order_relaxed)};
  }

 private:
  std::atomic<uint64_t> bytes_[kHost + 1] = {};
  std::atomic<uint64_t> device_{0};
  std::atomic<uint64_t> peak_{0};
  const std::shared_ptr<MemoryMeter> total_;
};

// Bytes counted for as long as it lives.
class Metered {
 public:
  Metered(MemoryMeter &meter, MemoryMeter::Kind kind, size_t nbytes) noexcept
      : meter_(meter), kind_(kind), nbytes_(nbytes) {
    meter_.add(kind_, nbytes_);
  }
  ~Metered() { release(); }
  Metered(const Metered &) = delete;
  Metered &operator=(const Metered &) = delete;

  void set(size_t nbytes) noexcept {
    release();
    meter_.add(kind_, nbytes_ = nbytes);
  }
  void release() noexcept { meter_.subtract(kind_, std::exchange(nbytes_, 0)); }

 private:
  MemoryMeter &meter_;
  const MemoryMeter::Kind kind_;
  size_t nbytes_;
};

}  // namespace aclrt

#endif
