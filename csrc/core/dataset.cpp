// SPDX-License-Identifier: Apache-2.0
//
// Builds and releases a Dataset.
#include "core/dataset.h"

#include "core/runtime.h"

namespace aclrt {

Dataset::Dataset(const std::vector<size_t> &sizes, MemoryMeter &meter) : meter_(meter) {
  const acl::Table &api = acl::api();
  try {
    slots_.reserve(sizes.size());
    dataset_ = api.aclmdlCreateDataset();
    if (dataset_ == nullptr) {
      fail(ACL_ERROR_BAD_ALLOC, "aclmdlCreateDataset", "cannot create a dataset");
    }
    for (const size_t nbytes : sizes) {
      slots_.push_back({nbytes == kLater ? DeviceBuffer() : DeviceBuffer(nbytes)});
      Slot &slot = slots_.back();
      count(slot);
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

void Dataset::point(size_t index, void *data) {
  Slot &slot = slots_[index];
  if (slot.borrowed == data) return;
  void *target = data != nullptr ? data : slot.memory.data();
  check(acl::api().aclUpdateDataBuffer(slot.record, target, slot.memory.size()),
        "aclUpdateDataBuffer", "cannot change a data buffer");
  slot.borrowed = data;
}

void Dataset::count(Slot &slot) noexcept {
  meter_.subtract(MemoryMeter::kBuffers, slot.counted);
  slot.counted = memory::device_footprint(slot.memory.size());
  meter_.add(MemoryMeter::kBuffers, slot.counted);
}

void Dataset::fit(size_t index, size_t nbytes, size_t capacity) {
  Slot &slot = slots_[index];
  if (slot.memory.size() < nbytes || slot.memory.data() == nullptr) {
    empty(index);
    slot.memory = DeviceBuffer(capacity);
    count(slot);
  }
  check(acl::api().aclUpdateDataBuffer(slot.record, slot.memory.data(), nbytes > 0 ? nbytes : 1),
        "aclUpdateDataBuffer", "cannot change a data buffer");
}

void Dataset::empty(size_t index) {
  Slot &slot = slots_[index];
  check(acl::api().aclUpdateDataBuffer(slot.record, nullptr, 0), "aclUpdateDataBuffer",
        "cannot change a data buffer");
  const aclError code = slot.memory.release();
  count(slot);
  check(code, "aclrtFree", "cannot free device memory");
}

void Dataset::adopt(size_t index) noexcept {
  Slot &slot = slots_[index];
  if (slot.memory.data() != nullptr) return;
  const acl::Table &api = acl::api();
  // Without a status a failure looks like an empty buffer: asked twice, because the memory would be
  // lost.
  void *data = api.aclGetDataBufferAddr(slot.record);
  if (data == nullptr) data = api.aclGetDataBufferAddr(slot.record);
  if (data == nullptr) return;
  size_t nbytes = api.aclGetDataBufferSizeV2(slot.record);
  if (nbytes == 0) nbytes = api.aclGetDataBufferSizeV2(slot.record);
  slot.memory = DeviceBuffer(data, nbytes);
  count(slot);
}

void Dataset::set_shape(size_t index, aclDataType dtype, const int64_t *dims, size_t rank) {
  const acl::Table &api = acl::api();
  aclTensorDesc *desc = api.aclCreateTensorDesc(dtype, static_cast<int>(rank), dims, ACL_FORMAT_ND);
  if (desc == nullptr) {
    fail(ACL_ERROR_BAD_ALLOC, "aclCreateTensorDesc", "cannot describe the shape of an input");
  }
  const aclError code = api.aclmdlSetDatasetTensorDesc(dataset_, desc, index);
  api.aclDestroyTensorDesc(desc);
  check(code, "aclmdlSetDatasetTensorDesc", "cannot tell the shape of an input");
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
    count(slot);
  }
  // The slots stay, so that buffer() remains valid; they own nothing any more.
}

}  // namespace aclrt
