// SPDX-License-Identifier: Apache-2.0
//
// aclSysParamOpt values of a context or of the process. Thread-safe.
#ifndef ACLRT_FAKE_SYSTEM_OPTIONS_H
#define ACLRT_FAKE_SYSTEM_OPTIONS_H

#include <array>
#include <cstdint>
#include <mutex>

#include "acl/abi.h"

namespace aclfake {

class SystemOptions {
 public:
  void set(aclSysParamOpt option, int64_t value);
  aclError get(aclSysParamOpt option, int64_t *value);  // 107021: never set
  void clear();

 private:
  struct Option {
    bool set = false;
    int64_t value = 0;
  };
  std::mutex mutex_;
  std::array<Option, ACL_OPT_ENABLE_KERNEL_EARLY_START + 1> options_;
};

SystemOptions &process_options();

}  // namespace aclfake

#endif
