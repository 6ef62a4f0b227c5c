// SPDX-License-Identifier: Apache-2.0
//
// Datasets: the descs in them are handles that only the dataset withdraws.
#include "fake/dataset.h"

#include <algorithm>

#include "fake/quick.h"

namespace aclfake {

Dataset::~Dataset() {
  for (const Slot &slot : slots_) {
    if (slot.desc != nullptr) withdraw_tensor_descs(slot.desc);
  }
}

void Dataset::add(aclDataBuffer *buffer) {
  slots_.push_back({buffer, nullptr});
  quick::changed();
}

void Dataset::mark_gear() noexcept {
  has_gear_ = true;
  quick::changed();
}

void Dataset::set_desc(size_t index, const TensorDesc *desc) {
  aclTensorDesc *made = desc != nullptr ? publish_tensor_descs({*desc}, true) : nullptr;
  Slot &slot = slots_[index];
  if (slot.desc != nullptr) withdraw_tensor_descs(slot.desc);
  slot.desc = made;
  quick::changed();
}

bool Dataset::has_desc() const noexcept {
  return std::any_of(slots_.begin(), slots_.end(),
                     [](const Slot &slot) { return slot.desc != nullptr; });
}

std::shared_ptr<DataBuffer> Dataset::find_buffer(size_t index, Miss *miss) const {
  return handles<DataBuffer>().find(slots_[index].buffer, miss);
}

}  // namespace aclfake
