// SPDX-License-Identifier: Apache-2.0
//
// The name of a file that several processes may be told to write: %p is the process's id.
#ifndef ACLRT_CORE_PID_PATH_H
#define ACLRT_CORE_PID_PATH_H

#include <unistd.h>

#include <string>

namespace aclrt {

inline std::string with_pid(std::string path) {
  const std::string pid = std::to_string(getpid());
  for (size_t at = path.find("%p"); at != std::string::npos; at = path.find("%p", at)) {
    path.replace(at, 2, pid);
    at += pid.size();
  }
  return path;
}

}  // namespace aclrt

#endif
