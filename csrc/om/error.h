// SPDX-License-Identifier: Apache-2.0
//
// One way to refuse a file: what was expected of a field and what is there.
#ifndef ACLRT_OM_ERROR_H
#define ACLRT_OM_ERROR_H

#include <cstdint>
#include <string>
#include <string_view>

#include "om/om.h"

namespace om {

// Throws FormatError: "<field> at offset <offset>: expected <expected>, given <given>".
[[noreturn]] void fail(Cause cause, uint64_t offset, std::string_view field,
                       std::string_view expected, std::string_view given);
[[noreturn]] void fail(Cause cause, uint64_t offset, std::string_view field,
                       std::string_view expected, uint64_t given);

}  // namespace om

#endif
