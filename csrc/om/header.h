// SPDX-License-Identifier: Apache-2.0
//
// The first 256 bytes of the file. Three generations share the front and differ at the end.
#ifndef ACLRT_OM_HEADER_H
#define ACLRT_OM_HEADER_H

#include <cstdint>
#include <string>

#include "om/om.h"
#include "om/view.h"

namespace om {

inline constexpr size_t kHeaderSize = 256;

struct Header {
  int generation = 0;
  uint8_t model_type = 0;
  std::string name;
  std::string platform_version;
  uint32_t om_ir_version = 0;
  uint32_t model_num = 1;
  bool is_unknown_shape = false;
  bool needs_host_check = false;
  bool simulated = false;
  bool wide_table = false;
};

// Checks family, marker and length against the file's size.
Header read_header(View file);

}  // namespace om

#endif
