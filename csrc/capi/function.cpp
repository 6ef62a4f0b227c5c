// SPDX-License-Identifier: Apache-2.0
//
// AscendCL's functions as declared, and their addresses in the library in use. No session is held:
// a program written for AscendCL may still destroy its objects after this library's shutdown.
#include <map>
#include <string>

#include "capi/guard.h"

namespace {

// The words for each release, once: the pointers given out live for ever.
const std::string &release_of(const char *since) {
  static const std::map<std::string, std::string> *const releases = [] {
    auto *made = new std::map<std::string, std::string>;
    for (size_t i = 0; i < aclrt::acl::function_count(); ++i) {
      const std::string key = aclrt::acl::function_info(i).since;
      made->emplace(key, aclrt::acl::release_name(key));
    }
    return made;
  }();
  return releases->at(since);
}

}  // namespace

extern "C" {

size_t aclrt_function_count(void) {
  return aclrt::acl::function_count();
}

aclrt_function_info_t aclrt_function_at(size_t index) {
  if (index >= aclrt::acl::function_count()) return {"", "", "", ""};
  const aclrt::acl::FunctionInfo &info = aclrt::acl::function_info(index);
  aclrt_function_info_t row{info.name, info.result, info.parameters, ""};
  aclrt_status_release(aclrt::capi::guard([&] { row.release = release_of(info.since).c_str(); }));
  return row;
}

aclrt_status_t *aclrt_function_address(const char *name, void **address) {
  return aclrt::capi::guard_object([&] {
    aclrt::capi::require_pointer(name, "name");
    aclrt::capi::require_pointer(address, "address");
    if (aclrt::acl::installed() == nullptr) aclrt::Runtime::instance().load(nullptr);
    try {
      *address = aclrt::acl::api().find(name);
    } catch (const aclrt::acl::LoadError &failure) {
      throw aclrt::backend_error(failure);
    }
    if (*address != nullptr) return;
    throw aclrt::Error(ACLRT_ERROR_INPUT, std::string("AscendCL has no function ") + name,
                       "aclrt_function_at lists them.");
  });
}

}  // extern "C"
