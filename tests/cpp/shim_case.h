// SPDX-License-Identifier: Apache-2.0
//
// For the shim's tests: each case runs in a child process of its own, because a process has one
// runtime; the toy library's controls; a small well-formed .om.
#ifndef ACLRT_TESTS_CPP_SHIM_CASE_H
#define ACLRT_TESTS_CPP_SHIM_CASE_H

#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "aclrt/aclrt.h"
#include "check.h"

namespace shim {

inline std::string toy_path(const std::string &kind) {
  return std::string(TOY_FOLDER) + "/" + kind + "/libascendcl.so";
}

// Of the running case; removed after it.
inline std::string &temporary_folder() {
  static std::string folder;
  return folder;
}

// Runs body in a child; its failed checks, and any death, fail here.
template <class Body>
void run_case(const char *name, Body &&body) {
  std::cout << name << std::endl;
  std::string folder = (std::filesystem::temp_directory_path() / "aclrt-shim-XXXXXX").string();
  temporary_folder() = mkdtemp(folder.data());
  const pid_t child = fork();
  if (child == 0) {
    for (const char *variable :
         {"ACLRT_BACKEND", "ACLRT_LIBASCENDCL", "LD_LIBRARY_PATH", "ASCEND_HOME_PATH",
          "ASCEND_TOOLKIT_HOME", "ASCEND_INSTALL_PATH", "CONDA_PREFIX"}) {
      unsetenv(variable);
    }
    check::failures = 0;
    body();
    // Not _exit: the library's own exit handler is part of what is tested.
    exit(check::failures == 0 ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  std::filesystem::remove_all(folder);
  CHECK_EQ(0, status);
}

// A control of the toy that the runtime has loaded, or loads by this.
template <class Function>
Function *toy(const std::string &kind, const char *name) {
  void *handle = dlopen(toy_path(kind).c_str(), RTLD_NOW | RTLD_LOCAL);
  return reinterpret_cast<Function *>(dlsym(handle, name));
}

inline void put(std::string &bytes, size_t at, uint32_t value) {
  std::memcpy(&bytes[at], &value, sizeof value);
}

// Second generation: header, one narrow entry, a MODEL_DEF that holds the name "m".
inline std::string om_bytes(bool simulated) {
  const std::string definition("\x0A\x01m", 3);
  std::string bytes(256 + 4 + 12, '\0');
  put(bytes, 0x00, 0x444F4D49);
  put(bytes, 0x04, 256);
  put(bytes, 0x08, 0x20000000);
  put(bytes, 0x4C, static_cast<uint32_t>(16 + definition.size()));
  put(bytes, 0x9C, 1);
  if (simulated) bytes.replace(0x78, 11, "aclrt-sim/1");
  put(bytes, 256, 1);
  put(bytes, 256 + 12, static_cast<uint32_t>(definition.size()));
  return bytes + definition;
}

inline bool contains(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

// A status, taken over.
class Status {
 public:
  Status(aclrt_status_t *status) : status_(status), error(aclrt_status_error(status)) {}
  ~Status() { aclrt_status_release(status_); }
  Status(const Status &) = delete;
  Status &operator=(const Status &) = delete;

 private:
  aclrt_status_t *status_;

 public:
  const aclrt_error_t error;
};

#define CHECK_OK(call)                                                                  \
  do {                                                                                  \
    const shim::Status status_(call);                                                   \
    CHECK_EQ(std::string(), std::string(status_.error.message) + status_.error.detail); \
    CHECK(status_.error.kind == ACLRT_ERROR_NONE);                                      \
  } while (false)

// The call fails with this kind, and the part stands in its message.
#define CHECK_FAILS(expected, call, part)                                   \
  do {                                                                      \
    const shim::Status status_(call);                                       \
    CHECK_EQ(int{expected}, int{status_.error.kind});                       \
    CHECK_EQ(std::string(part), shim::contains(status_.error.message, part) \
                                    ? std::string(part)                     \
                                    : status_.error.message);               \
  } while (false)

}  // namespace shim

#endif
