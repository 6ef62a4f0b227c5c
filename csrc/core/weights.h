// SPDX-License-Identifier: Apache-2.0
//
// One block of device memory for the weights of several loads of a model. Each load writes the same
// weights into it again, so all of them must come before the first run.
#ifndef ACLRT_CORE_WEIGHTS_H
#define ACLRT_CORE_WEIGHTS_H

#include <atomic>
#include <cstdint>
#include <memory>

#include "core/error.h"
#include "core/loaded_model.h"
#include "core/memory.h"
#include "core/memory_meter.h"

namespace aclrt {

class Weights {
 public:
  // Needs the device's context in this thread.
  Weights(size_t nbytes, std::shared_ptr<MemoryMeter> meter);

  void *data() const noexcept { return memory_.data(); }
  size_t size() const noexcept { return memory_.size(); }

 private:
  friend class WeightsUser;
  DeviceBuffer memory_;
  const std::shared_ptr<MemoryMeter> meter_;
  Metered metered_;
  std::atomic<uint32_t> users_{0};
};

// One load's share. The last that goes frees the block.
class WeightsUser {
 public:
  // weights may be nullptr: then AscendCL manages the load's own.
  explicit WeightsUser(std::shared_ptr<Weights> weights);
  ~WeightsUser();
  WeightsUser(const WeightsUser &) = delete;
  WeightsUser &operator=(const WeightsUser &) = delete;

  const Weights *get() const noexcept { return weights_.get(); }
  // Idempotent; after the load's model was unloaded.
  void release(FirstFailure &failure) noexcept;

 private:
  std::shared_ptr<Weights> weights_;
};

// How many bytes of weights the loads of a model can share; 0: AscendCL has to manage each load's
// own. That is so for models with shapes only known at run time, whose sizes it does not tell, for
// those of a generation that the reader leaves to AscendCL, and where it cannot load with given
// memory.
size_t shareable_weights(const ModelSource &source, const ModelFacts &facts);

// Whether a load failed because AscendCL does not take memory for weights.
bool refuses_weights(const Error &error) noexcept;

}  // namespace aclrt

#endif
