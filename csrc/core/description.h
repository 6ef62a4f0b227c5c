// SPDX-License-Identifier: Apache-2.0
//
// What a loaded model takes and gives, asked from AscendCL once. The aclmdlDesc is kept, because
// the real output shapes are asked through it.
#ifndef ACLRT_CORE_DESCRIPTION_H
#define ACLRT_CORE_DESCRIPTION_H

#include <cstdint>
#include <string>
#include <vector>

#include "acl/abi.h"

namespace aclrt {

struct Tensor {
  std::string name;      // the framework's; unique on its side
  std::string acl_name;  // AscendCL's
  aclDataType dtype = ACL_DT_UNDEFINED;
  aclFormat format = ACL_FORMAT_UNDEFINED;
  size_t nbytes = 0;
  std::vector<int64_t> dims;
};

class Description {
 public:
  // Throws MODEL_LOAD for dynamic shapes: this version runs static ones.
  explicit Description(uint32_t model_id);
  ~Description() { release(); }
  Description(const Description &) = delete;
  Description &operator=(const Description &) = delete;

  const std::vector<Tensor> &inputs() const noexcept { return inputs_; }
  const std::vector<Tensor> &outputs() const noexcept { return outputs_; }
  // The dims of the last run's output.
  void current_output_dims(size_t index, aclmdlIODims *dims) const;

  // Idempotent; the tensors stay readable.
  aclError release() noexcept;

 private:
  void read();

  aclmdlDesc *desc_;
  std::vector<Tensor> inputs_;
  std::vector<Tensor> outputs_;
};

// "probs" of "Softmax_3:0:probs"; the name itself where it has another form.
std::string framework_name(const std::string &acl_name);

}  // namespace aclrt

#endif
