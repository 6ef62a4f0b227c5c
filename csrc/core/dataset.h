// SPDX-License-Identifier: Apache-2.0
//
// One side of a model: a device buffer per tensor, an aclDataBuffer for each, and the aclmdlDataset
// that holds them. Prepared at load and used unchanged by every run.
#ifndef ACLRT_CORE_DATASET_H
#define ACLRT_CORE_DATASET_H

#include <vector>

#include "core/description.h"
#include "core/error.h"
#include "core/memory.h"

namespace aclrt {

class Dataset {
 public:
  // Needs the device's context in this thread.
  explicit Dataset(const std::vector<Tensor> &tensors);
  ~Dataset();
  Dataset(const Dataset &) = delete;
  Dataset &operator=(const Dataset &) = delete;

  aclmdlDataset *handle() const noexcept { return dataset_; }
  const DeviceBuffer &buffer(size_t index) const noexcept { return slots_[index].memory; }

  // Idempotent; a step that fails does not stop the rest.
  void release(FirstFailure &failure) noexcept;

 private:
  struct Slot {
    DeviceBuffer memory;
    aclDataBuffer *record = nullptr;
  };

  aclmdlDataset *dataset_ = nullptr;
  std::vector<Slot> slots_;
};

}  // namespace aclrt

#endif
