// SPDX-License-Identifier: Apache-2.0
//
// acl.json: read, checked as JSON (with AscendCL's limit of nesting), and the two keys that the
// fake honours taken out. Everything else in it is ignored.
#ifndef ACLRT_FAKE_CONFIG_H
#define ACLRT_FAKE_CONFIG_H

#include <cstdint>
#include <string>

#include "acl/abi.h"

namespace aclfake {

struct Config {
  std::string text;             // the whole file
  int32_t default_device = -1;  // -1: not given
  bool process_messages = false;
};

// path NULL or "": no config. 100003 unreadable, 100006 bad JSON or too deep, 100000 bad
// err_msg_mode, 500001 bad defaultDevice.
aclError read_config(const char *path, Config *config);

}  // namespace aclfake

#endif
