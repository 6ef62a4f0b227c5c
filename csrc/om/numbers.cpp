// SPDX-License-Identifier: Apache-2.0
//
// The tables of element types, layouts and partition types, made from the .def files.
#include "om/numbers.h"

#include "om/om.h"

namespace om {

const Dtype kDtypes[] = {
#define OM_DTYPE(value, proto, bits, name) {value, proto, bits, name},
#include "om/dtypes.def"
};
const size_t kDtypeCount = sizeof kDtypes / sizeof kDtypes[0];

const Dtype *find_dtype(int32_t value) noexcept {
  for (const Dtype &dtype : kDtypes) {
    if (dtype.value == value) return &dtype;
  }
  return nullptr;
}

const Dtype *find_dtype_by_proto(int32_t proto) noexcept {
  for (const Dtype &dtype : kDtypes) {
    if (dtype.proto == proto) return &dtype;
  }
  return nullptr;
}

const char *format_name(int32_t format) noexcept {
  switch (format) {
#define OM_FORMAT(value, name) \
  case value:                  \
    return name;
#include "om/formats.def"
    default:
      return "";
  }
}

int32_t find_format(const std::string &name) noexcept {
#define OM_FORMAT(value, text) \
  if (name == text) return value;
#include "om/formats.def"
  return -1;
}

const char *partition_name(uint32_t type) noexcept {
  switch (type) {
#define OM_PARTITION(value, constant, name) \
  case value:                               \
    return name;
#include "om/partitions.def"
    default:
      return "";
  }
}

}  // namespace om
