// SPDX-License-Identifier: Apache-2.0
//
// The last tests of aclmdlSetInputAIPP, in AscendCL's order (contract 19.2).
#ifndef ACLRT_FAKE_AIPP_CHECK_H
#define ACLRT_FAKE_AIPP_CHECK_H

#include "fake/aipp.h"
#include "fake/description.h"

namespace aclfake {

// 0 or 100000.
aclError check_aipp(const Description &description, const AippInput &input, const Aipp &given);

}  // namespace aclfake

#endif
