// SPDX-License-Identifier: Apache-2.0
//
// aclTensorDesc: type, format, dims and what single operators add. Always an array behind one
// handle (of one element mostly); the handle's element bits choose, so that aclGetTensorDescByIndex
// works. Not locked: as in AscendCL one desc belongs to one thread at a time.
#ifndef ACLRT_FAKE_TENSOR_DESC_H
#define ACLRT_FAKE_TENSOR_DESC_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "acl/abi.h"
#include "fake/handles.h"

namespace aclfake {

struct TensorDesc {
  aclDataType type = ACL_DT_UNDEFINED;
  aclFormat format = ACL_FORMAT_UNDEFINED;
  std::vector<int64_t> dims;
  aclFormat storage_format = ACL_FORMAT_UNDEFINED;
  std::vector<int64_t> storage_dims;
  std::vector<std::pair<int64_t, int64_t>> range;
  std::vector<std::pair<int64_t, int64_t>> value_range;
  std::string name;
  std::string dynamic_input;
  std::vector<uint8_t> constant;
  aclMemType placement = ACL_MEMTYPE_DEVICE;

  size_t element_count() const noexcept;  // 0: unknown dim or overflow
  size_t byte_size() const noexcept;
};

struct TensorDescArray {
  static constexpr Kind kKind = Kind::kTensorDesc;
  std::vector<TensorDesc> items;
  bool borrowed = false;  // owned by a dataset: aclDestroyTensorDesc refuses it
};

// The handle of new descs; borrowed ones are not counted as the client's.
aclTensorDesc *publish_tensor_descs(std::vector<TensorDesc> items, bool borrowed);
// The desc that a handle names, kept alive; nullptr if none (NULL handle included).
std::shared_ptr<TensorDesc> find_tensor_desc(const aclTensorDesc *desc, Miss *miss = nullptr);
// For the owner of borrowed ones.
void withdraw_tensor_descs(aclTensorDesc *desc);

size_t data_type_size(aclDataType type) noexcept;  // aclDataTypeSize
aclFloat16 float_to_float16(float value) noexcept;
float float16_to_float(aclFloat16 value) noexcept;

}  // namespace aclfake

#endif
