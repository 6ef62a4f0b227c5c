// SPDX-License-Identifier: Apache-2.0
//
// What a loaded model takes and gives, asked from AscendCL once. The aclmdlDesc is kept, because
// the real output shapes are asked through it. The inputs that AscendCL adds for itself, which
// carry a gear or AIPP parameters instead of data, are kept apart.
#ifndef ACLRT_CORE_DESCRIPTION_H
#define ACLRT_CORE_DESCRIPTION_H

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "acl/abi.h"

namespace aclrt {

using Dims = std::vector<int64_t>;

struct Tensor {
  std::string name;      // the framework's; unique on its side
  std::string acl_name;  // AscendCL's
  aclDataType dtype = ACL_DT_UNDEFINED;
  aclFormat format = ACL_FORMAT_UNDEFINED;
  size_t nbytes = 0;         // to be fed or fetched, of the largest shape; 0 where it has no limit
  size_t device_nbytes = 0;  // of the device's buffer, which may be padded
  Dims dims;                 // -1 where dynamic
  // Least and greatest of each dim, -1 for no limit; empty where AscendCL cannot tell.
  std::vector<std::pair<int64_t, int64_t>> range;
  size_t index = 0;                  // among AscendCL's
  bool takes_aipp_image = false;     // an image of any size, with dynamic AIPP behind it
  size_t aipp_parameters_index = 0;  // then: AscendCL's input for the parameters

  bool is_dynamic() const noexcept;
};

struct InternalInput {
  std::string acl_name;
  size_t index = 0;
  size_t nbytes = 0;
};

class Description {
 public:
  explicit Description(uint32_t model_id);
  ~Description() { release(); }
  Description(const Description &) = delete;
  Description &operator=(const Description &) = delete;

  const aclmdlDesc *handle() const noexcept { return desc_; }
  const std::vector<Tensor> &inputs() const noexcept { return inputs_; }
  const std::vector<Tensor> &outputs() const noexcept { return outputs_; }
  std::vector<Tensor> &inputs() noexcept { return inputs_; }
  std::vector<Tensor> &outputs() noexcept { return outputs_; }
  // The input that carries the gear; nullptr if there is none.
  const InternalInput *gear_input() const noexcept;
  const std::vector<InternalInput> &internal_inputs() const noexcept { return internal_; }
  size_t acl_input_count() const noexcept { return inputs_.size() + internal_.size(); }

  // The dims of the last run's output, or of the gear that was set last.
  void current_output_dims(size_t index, aclmdlIODims *dims) const;

  // Idempotent; the tensors stay readable.
  aclError release() noexcept;

 private:
  void read(uint32_t model_id);
  void read_inputs();
  void read_outputs();
  void read_image_inputs(uint32_t model_id);

  aclmdlDesc *desc_;
  std::vector<Tensor> inputs_;
  std::vector<Tensor> outputs_;
  std::vector<InternalInput> internal_;
};

// "probs" of "Softmax_3:0:probs"; the name itself where it has another form.
std::string framework_name(const std::string &acl_name);

// Bytes of a tensor of these dims, none negative; SIZE_MAX where that is more than there are. An
// element type without a size: 0.
size_t nbytes_of(aclDataType dtype, const int64_t *dims, size_t rank) noexcept;

// "(1, 3, 224)", as Python writes it.
std::string to_text(const int64_t *dims, size_t rank);
inline std::string to_text(const Dims &dims) {
  return to_text(dims.data(), dims.size());
}

}  // namespace aclrt

#endif
