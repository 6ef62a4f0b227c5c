// SPDX-License-Identifier: Apache-2.0
#include "fake/system_options.h"

#include "fake/messages.h"

namespace aclfake {

void SystemOptions::set(aclSysParamOpt option, int64_t value) {
  std::lock_guard<std::mutex> lock(mutex_);
  options_[static_cast<size_t>(option)] = {true, value};
}

aclError SystemOptions::get(aclSysParamOpt option, int64_t *value) {
  std::lock_guard<std::mutex> lock(mutex_);
  const Option &entry = options_[static_cast<size_t>(option)];
  if (!entry.set) {
    return fail(ACL_ERROR_RT_SYSPARAMOPT_NOT_SET, "option %d was never set",
                static_cast<int>(option));
  }
  *value = entry.value;
  return ACL_SUCCESS;
}

void SystemOptions::clear() {
  std::lock_guard<std::mutex> lock(mutex_);
  options_.fill({});
}

SystemOptions &process_options() {
  static SystemOptions *const options = new SystemOptions;
  return *options;
}

}  // namespace aclfake
