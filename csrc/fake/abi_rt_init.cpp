// SPDX-License-Identifier: Apache-2.0
//
// Contract 5: initialisation and versions.
#include "acl/abi.h"
#include "fake/entry.h"
#include "fake/init_hooks.h"
#include "fake/package_version.h"
#include "fake/state.h"

using namespace aclfake;

namespace {

// The ACL API version that the contract describes.
constexpr int32_t kMajor = 1;
constexpr int32_t kMinor = 17;
constexpr int32_t kPatch = 0;

}  // namespace

aclError aclInit(const char *configPath) {
  return entry(Call::aclInit, [&] { return initialise(configPath); });
}

aclError aclFinalize(void) {
  return entry(Call::aclFinalize, [] { return finalise(); });
}

aclError aclFinalizeReference(uint64_t *refCount) {
  return entry(Call::aclFinalizeReference, [&] { return finalise_reference(refCount); });
}

aclError aclInitCallbackRegister(aclRegisterCallbackType type, aclInitCallbackFunc cbFunc,
                                 void *userData) {
  return entry(Call::aclInitCallbackRegister,
               [&] { return register_init_hook(type, cbFunc, userData); });
}

aclError aclInitCallbackUnRegister(aclRegisterCallbackType type, aclInitCallbackFunc cbFunc) {
  return entry(Call::aclInitCallbackUnRegister, [&] { return unregister_init_hook(type, cbFunc); });
}

aclError aclFinalizeCallbackRegister(aclRegisterCallbackType type, aclFinalizeCallbackFunc cbFunc,
                                     void *userData) {
  return entry(Call::aclFinalizeCallbackRegister,
               [&] { return register_finalize_hook(type, cbFunc, userData); });
}

aclError aclFinalizeCallbackUnRegister(aclRegisterCallbackType type,
                                       aclFinalizeCallbackFunc cbFunc) {
  return entry(Call::aclFinalizeCallbackUnRegister,
               [&] { return unregister_finalize_hook(type, cbFunc); });
}

aclError aclrtGetVersion(int32_t *majorVersion, int32_t *minorVersion, int32_t *patchVersion) {
  return entry(Call::aclrtGetVersion, [&]() -> aclError {
    if (majorVersion == nullptr || minorVersion == nullptr || patchVersion == nullptr) {
      return fail(ACL_ERROR_INVALID_PARAM, "an output pointer is NULL");
    }
    *majorVersion = kMajor;
    *minorVersion = kMinor;
    *patchVersion = kPatch;
    return ACL_SUCCESS;
  });
}

aclError aclsysGetCANNVersion(aclCANNPackageName name, aclCANNPackageVersion *version) {
  return entry(Call::aclsysGetCANNVersion, [&] { return package_version(name, version); });
}

aclError aclsysGetVersionStr(char *pkgName, char *versionStr) {
  return entry(Call::aclsysGetVersionStr,
               [&] { return package_version_text(pkgName, versionStr); });
}

aclError aclsysGetVersionNum(char *pkgName, int32_t *versionNum) {
  return entry(Call::aclsysGetVersionNum,
               [&] { return package_version_number(pkgName, versionNum); });
}
