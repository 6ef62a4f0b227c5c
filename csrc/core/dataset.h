// SPDX-License-Identifier: Apache-2.0
//
// One side of a model: a device buffer per tensor, an aclDataBuffer for each, and the aclmdlDataset
// that holds them. Prepared at load and used unchanged by every run, except for tensors without a
// fixed size: their memory grows, and their shape is told before a run.
#ifndef ACLRT_CORE_DATASET_H
#define ACLRT_CORE_DATASET_H

#include <vector>

#include "core/description.h"
#include "core/error.h"
#include "core/memory.h"
#include "core/memory_meter.h"

namespace aclrt {

class Dataset {
 public:
  // In place of a size: no memory before it is needed.
  static constexpr size_t kLater = static_cast<size_t>(-1);

  // One buffer for each size. Needs the device's context in this thread, as does every function
  // that allocates.
  // meter: told of the memory; must outlive this.
  Dataset(const std::vector<size_t> &sizes, MemoryMeter &meter);
  ~Dataset();
  Dataset(const Dataset &) = delete;
  Dataset &operator=(const Dataset &) = delete;

  aclmdlDataset *handle() const noexcept { return dataset_; }
  const DeviceBuffer &buffer(size_t index) const noexcept { return slots_[index].memory; }

  // Room for capacity bytes, of which nbytes are the tensor. Keeps memory that is large enough. On
  // failure the buffer is empty.
  void fit(size_t index, size_t nbytes, size_t capacity);
  // Frees a buffer: the next execution allocates what it needs, and adopt() takes that over.
  void empty(size_t index);
  void adopt(size_t index) noexcept;
  // Where the next executions find a tensor: in memory of the caller's, at least as large as its
  // own, or in its own again (nullptr). One call of AscendCL where that is new.
  void point(size_t index, void *data);
  // The dims of the next runs, until others are told.
  void set_shape(size_t index, aclDataType dtype, const int64_t *dims, size_t rank);

  // Idempotent; a step that fails does not stop the rest.
  void release(FirstFailure &failure) noexcept;

 private:
  struct Slot {
    DeviceBuffer memory;
    aclDataBuffer *record = nullptr;
    void *borrowed = nullptr;  // what it points to in place of its own memory
    size_t counted = 0;        // by the meter
  };
  void count(Slot &slot) noexcept;

  MemoryMeter &meter_;
  aclmdlDataset *dataset_ = nullptr;
  std::vector<Slot> slots_;
};

}  // namespace aclrt

#endif
