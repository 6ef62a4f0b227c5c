// SPDX-License-Identifier: Apache-2.0
//
// Builds and releases a Dataset.
#include "core/dataset.h"

#include "core/runtime.h"

namespace aclrt {

Dataset::Dataset(const std::vector<Tensor> &tensors) {
  const acl::Table &api = acl::api();
  try {
    slots_.reserve(tensors.size());
    dataset_ = api.aclmdlCreateDataset();
    if (dataset_ == nullptr) {
      fail(ACL_ERROR_BAD_ALLOC, "aclmdlCreateDataset", "cannot create a dataset");
    }
    for (const Tensor &tensor : tensors) {
      slots_.push_back({DeviceBuffer(tensor.nbytes), nullptr});
      Slot &slot = slots_.back();
      slot.record = api.aclCreateDataBuffer(slot.memory.data(), slot.memory.size());
      if (slot.record == nullptr) {
        fail(ACL_ERROR_BAD_ALLOC, "aclCreateDataBuffer", "cannot create a data buffer");
      }
      check(api.aclmdlAddDatasetBuffer(dataset_, slot.record), "aclmdlAddDatasetBuffer",
            "cannot add a buffer to a dataset");
    }
  } catch (...) {
    FirstFailure ignored;
    release(ignored);
    throw;
  }
}

Dataset::~Dataset() {
  FirstFailure ignored;
  release(ignored);
}

void Dataset::release(FirstFailure &failure) noexcept {
  if (Runtime::is_forked()) return;
  const acl::Table &api = acl::api();
  if (dataset_ != nullptr) {
    failure.add(api.aclmdlDestroyDataset(dataset_), "aclmdlDestroyDataset",
                "cannot destroy a dataset");
    dataset_ = nullptr;
  }
  for (Slot &slot : slots_) {
    if (slot.record != nullptr) {
      failure.add(api.aclDestroyDataBuffer(slot.record), "aclDestroyDataBuffer",
                  "cannot destroy a data buffer");
      slot.record = nullptr;
    }
    failure.add(slot.memory.release(), "aclrtFree", "cannot free device memory");
  }
  // The slots stay, so that buffer() remains valid; they own nothing any more.
}

}  // namespace aclrt
