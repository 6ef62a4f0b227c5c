// SPDX-License-Identifier: Apache-2.0
//
// The partition types by name, and their names.
#ifndef ACLRT_OM_NUMBERS_H
#define ACLRT_OM_NUMBERS_H

#include <cstdint>

namespace om {

namespace partition {
#define OM_PARTITION(value, constant, name) inline constexpr uint32_t constant = value;
#include "om/partitions.def"
}  // namespace partition

const char *partition_name(uint32_t type) noexcept;  // "" if unknown

}  // namespace om

#endif
