// SPDX-License-Identifier: Apache-2.0
//
// Groups of functions, for arming faults: the kinds of functions.def and areas found from the
// functions' names. The rules in groups.cpp are the only place that sorts functions.
#ifndef ACLRT_FAKE_GROUPS_H
#define ACLRT_FAKE_GROUPS_H

#include <cstdint>
#include <string>
#include <string_view>

#include "fake/ledger.h"

namespace aclfake {

using Groups = uint32_t;  // a bit each

Groups groups_of(Call call) noexcept;
Groups find_group(std::string_view name) noexcept;  // 0: there is no such group
std::string group_names();                          // "aipp, buffer, callback, ..."

bool is_device_call(Call call) noexcept;   // a lost device cannot do it
bool is_release_call(Call call) noexcept;  // gives something back

}  // namespace aclfake

#endif
