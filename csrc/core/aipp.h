// SPDX-License-Identifier: Apache-2.0
//
// Parameters of dynamic AIPP: checked, handed to AscendCL, which writes them into device memory,
// and remembered, so that a run with images of another size is refused before it starts.
#ifndef ACLRT_CORE_AIPP_H
#define ACLRT_CORE_AIPP_H

#include <cstddef>
#include <cstdint>
#include <map>

#include "aclrt/aclrt.h"
#include "core/dataset.h"
#include "core/description.h"

namespace aclrt {

class AippParameters {
 public:
  // For the runs that follow. input: among the model's inputs. Needs the device's context in this
  // thread. Throws INPUT with the limit that was broken; then what was set before is kept.
  void set(uint32_t model_id, const Description &description, Dataset &inputs, size_t input,
           const aclrt_aipp_t &given);
  // As if nothing had been set.
  void forget(size_t input) noexcept { image_bytes_.erase(input); }
  // Throws INPUT where an image input has no parameters yet, or is fed images of another size.
  void check_images(const Description &description, const aclrt_buffer_t *inputs,
                    const aclrt_dims_t *shapes) const;

 private:
  std::map<size_t, size_t> image_bytes_;  // of one image, by input
};

}  // namespace aclrt

#endif
