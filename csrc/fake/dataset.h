// SPDX-License-Identifier: Apache-2.0
//
// aclmdlDataset: a list of data buffers, which it does not own, each with an optional tensor desc,
// which it does. Not locked: as in AscendCL one dataset belongs to one thread at a time.
#ifndef ACLRT_FAKE_DATASET_H
#define ACLRT_FAKE_DATASET_H

#include <cstddef>
#include <memory>
#include <vector>

#include "acl/abi.h"
#include "fake/data_buffer.h"
#include "fake/handles.h"
#include "fake/tensor_desc.h"

namespace aclfake {

class Dataset {
 public:
  static constexpr Kind kKind = Kind::kDataset;

  Dataset() = default;
  ~Dataset();
  Dataset(const Dataset &) = delete;
  Dataset &operator=(const Dataset &) = delete;

  size_t size() const noexcept { return slots_.size(); }
  void add(aclDataBuffer *buffer);
  // index < size() for all that follows
  aclDataBuffer *buffer(size_t index) const { return slots_[index].buffer; }
  aclTensorDesc *desc(size_t index) const { return slots_[index].desc; }
  void set_desc(size_t index, const TensorDesc *desc);  // copied; nullptr clears the slot
  bool has_desc() const noexcept;

  // A gear was set on it: AscendCL does not test the sizes of its buffers any more.
  bool has_gear() const noexcept { return has_gear_; }
  void mark_gear() noexcept;

  // The live buffer of a slot, or nullptr and the reason.
  std::shared_ptr<DataBuffer> find_buffer(size_t index, Miss *miss = nullptr) const;

 private:
  struct Slot {
    aclDataBuffer *buffer;
    aclTensorDesc *desc;
  };
  std::vector<Slot> slots_;
  bool has_gear_ = false;
};

}  // namespace aclfake

#endif
