// SPDX-License-Identifier: Apache-2.0
//
// A run's tensors on their way between the caller's buffers and a dataset. What lies in memory of
// the device is used where it is, or copied within the device.
#ifndef ACLRT_CORE_TRANSFER_H
#define ACLRT_CORE_TRANSFER_H

#include "aclrt/aclrt.h"
#include "core/dataset.h"
#include "core/description.h"
#include "core/device.h"

namespace aclrt {

class Transfer {
 public:
  // description must outlive this.
  Transfer(const Description &description, aclrt_dynamic_t kind) noexcept
      : description_(description), kind_(kind) {}

  // One buffer for each of the model's tensors, checked; the device's context in this thread.
  void copy_in(const Device &device, const aclrt_buffer_t *inputs, Dataset &to) const;
  void point_outputs(const aclrt_buffer_t *outputs, Dataset &to) const;
  void copy_out(const Device &device, const aclrt_buffer_t *outputs, const Dataset &from) const;

 private:
  bool is_in_place(const aclrt_buffer_t &buffer, const DeviceBuffer &own) const noexcept;

  const Description &description_;
  const aclrt_dynamic_t kind_;
};

}  // namespace aclrt

#endif
