// SPDX-License-Identifier: Apache-2.0
//
// A model loaded n times on one device: weights once, workspace and datasets each. A run takes a
// free instance, or waits for one. With one instance everything goes straight to it.
//
// Threads  Which instances are free is a word of bits, so that a run that finds one takes no lock.
//          Settings and close() go to each instance in turn, which waits for its run in progress.
#ifndef ACLRT_CORE_INSTANCES_H
#define ACLRT_CORE_INSTANCES_H

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "core/memory_meter.h"
#include "core/model.h"

namespace aclrt {

class Instances {
 public:
  static constexpr size_t kMost = 64;

  // Throws INPUT unless 1 <= count <= kMost.
  static std::shared_ptr<Instances> load(const ModelSource &source, int32_t device_id,
                                         size_t count);

  size_t count() const noexcept { return models_.size(); }
  // All describe themselves alike.
  Model &first() const noexcept { return *models_.front(); }
  const std::vector<std::shared_ptr<Model>> &all() const noexcept { return models_; }
  const std::shared_ptr<Model> &at(size_t index) const noexcept { return models_[index]; }

  // An instance that nobody else has, for as long as this lives.
  class Turn {
   public:
    explicit Turn(Instances &all) : all_(all), index_(all.count() == 1 ? 0 : all.take()) {}
    ~Turn() {
      if (all_.count() > 1) all_.give_back(index_);
    }
    Turn(const Turn &) = delete;
    Turn &operator=(const Turn &) = delete;

    size_t index() const noexcept { return index_; }
    Model &model() const noexcept { return *all_.models_[index_]; }

   private:
    Instances &all_;
    const size_t index_;
  };

  void set_aipp(size_t input, const aclrt_aipp_t &aipp);
  void close();

  bool weights_are_shared() const noexcept { return are_shared_; }
  aclrt_memory_stats_t memory() const noexcept { return meter_->read(); }

  // For load() alone.
  Instances() = default;

 private:
  size_t take();  // throws CLOSED
  void give_back(size_t index) noexcept;

  std::shared_ptr<MemoryMeter> meter_ = std::make_shared<MemoryMeter>();
  std::vector<std::shared_ptr<Model>> models_;
  bool are_shared_ = false;

  std::atomic<bool> is_closing_{false};
  std::atomic<uint64_t> free_{0};  // a bit for each instance
  std::atomic<uint32_t> waiting_{0};
  std::mutex mutex_;
  std::condition_variable freed_;
};

}  // namespace aclrt

#endif
