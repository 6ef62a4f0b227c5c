// SPDX-License-Identifier: Apache-2.0
//
// The text form of faults, in $ACLRT_FAKE_FAULTS (docs/fake.md):
//   "function=aclrtMalloc,nth=3,code=207001,mode=transient,when=before; group=load,action=hang,..."
#ifndef ACLRT_FAKE_FAULT_SPEC_H
#define ACLRT_FAKE_FAULT_SPEC_H

#include <string>
#include <vector>

#include "aclrt/aclfake.h"

namespace aclfake {

// One fault of the text; the strings that `fault` points to.
struct FaultSpec {
  std::string function;
  std::string group;
  aclfake_fault_t fault{};

  aclfake_fault_t resolved() const {
    aclfake_fault_t result = fault;
    result.struct_size = sizeof result;
    result.function = function.empty() ? nullptr : function.c_str();
    result.group = group.empty() ? nullptr : group.c_str();
    return result;
  }
};

// "" or what is wrong with the text.
std::string parse_faults(const std::string &text, std::vector<FaultSpec> *faults);
// "" or what is wrong; digits alone are a number.
std::string parse_number(const std::string &text, uint64_t *number);

}  // namespace aclfake

#endif
