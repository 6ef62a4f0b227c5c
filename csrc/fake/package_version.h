// SPDX-License-Identifier: Apache-2.0
//
// Versions of installed CANN packages, from $ASCEND_HOME_PATH/share/info/<package>/version.info, as
// the real library reads them; the fake has no package of its own there.
#ifndef ACLRT_FAKE_PACKAGE_VERSION_H
#define ACLRT_FAKE_PACKAGE_VERSION_H

#include <cstdint>

#include "acl/abi.h"

namespace aclfake {

aclError package_version(aclCANNPackageName name, aclCANNPackageVersion *version);
aclError package_version_text(const char *package, char *text);
// major*10^7 + minor*10^5 + patch*10^3; alpha, beta and rc come below the release.
aclError package_version_number(const char *package, int32_t *number);

}  // namespace aclfake

#endif
