// SPDX-License-Identifier: Apache-2.0
//
// The partition tables behind the header: where each part of the file lies.
#ifndef ACLRT_OM_TABLE_H
#define ACLRT_OM_TABLE_H

#include <cstdint>
#include <vector>

#include "om/header.h"
#include "om/om.h"
#include "om/view.h"

namespace om {

struct Tables {
  std::vector<std::vector<Partition>> models;  // each in its table's order; the first is the root
  uint64_t weight_size = 0;                    // WEIGHTS_DATA of all models together
};

// Walks every table; a file with several models must end where the last partition does.
Tables read_tables(View file, const Header &header);

// Bytes of a table with count entries.
constexpr uint64_t table_size(bool wide, uint64_t count) {
  return wide ? 8 + 24 * count : 4 + 12 * count;
}

}  // namespace om

#endif
