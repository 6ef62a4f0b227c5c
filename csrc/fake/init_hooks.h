// SPDX-License-Identifier: Apache-2.0
//
// Functions that modules of the client hang on aclInit and aclFinalize (contract 5.5). Guarded by
// the init mutex of the process (recursive: a hook may call aclInit again).
#ifndef ACLRT_FAKE_INIT_HOOKS_H
#define ACLRT_FAKE_INIT_HOOKS_H

#include <string>

#include "acl/abi.h"

namespace aclfake {

aclError register_init_hook(aclRegisterCallbackType type, aclInitCallbackFunc function, void *data);
aclError unregister_init_hook(aclRegisterCallbackType type, aclInitCallbackFunc function);
aclError register_finalize_hook(aclRegisterCallbackType type, aclFinalizeCallbackFunc function,
                                void *data);
aclError unregister_finalize_hook(aclRegisterCallbackType type, aclFinalizeCallbackFunc function);

aclError run_init_hooks(const std::string &config);  // stops at the first failure
aclError run_finalize_hooks();                       // runs all, gives the first failure
void forget_hooks();

}  // namespace aclfake

#endif
