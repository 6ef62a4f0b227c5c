// SPDX-License-Identifier: Apache-2.0
//
// For the shim's tests: each case runs in a child process of its own, because a process has one
// runtime; the toy library's controls; a small well-formed .om,
// loaded and run.
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
#include "om/crc32.h"

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

// Second generation: header, a narrow table, a MODEL_DEF that holds the name "m", and for a
// simulated file the body under the private number, as head and content.
inline std::string om_bytes(bool simulated, const std::string &body) {
  const std::string definition("\x0A\x01m", 3);
  const size_t count = body.empty() ? 1 : 2, table = 4 + 12 * count;
  std::string bytes(256 + table, '\0');
  const auto entry = [&](size_t index, uint32_t type, size_t offset, size_t size) {
    put(bytes, 260 + 12 * index, type);
    put(bytes, 264 + 12 * index, static_cast<uint32_t>(offset));
    put(bytes, 268 + 12 * index, static_cast<uint32_t>(size));
  };
  put(bytes, 0x00, 0x444F4D49);
  put(bytes, 0x04, 256);
  put(bytes, 0x08, 0x20000000);
  put(bytes, 0x4C, static_cast<uint32_t>(table + definition.size() + body.size()));
  put(bytes, 0x9C, 1);
  if (simulated) bytes.replace(0x78, 11, "aclrt-sim/1");
  put(bytes, 256, static_cast<uint32_t>(count));
  entry(0, 0, 0, definition.size());
  if (count == 2) entry(1, 0x4E4F4158, definition.size(), body.size());
  return bytes + definition + body;
}

inline std::string onnx_body(const std::string &onnx) {
  std::string body = "ACLRTSIM" + std::string(16, '\0') + onnx;
  put(body, 8, 1);
  put(body, 12, om::crc32(reinterpret_cast<const uint8_t *>(onnx.data()), onnx.size()));
  put(body, 16, static_cast<uint32_t>(onnx.size()));
  return body;
}

inline std::string om_bytes(bool simulated) {
  return om_bytes(simulated, simulated ? onnx_body("any bytes") : "");
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

inline const std::string kSimulated = om_bytes(true);

// The toy's controls.
struct Toy {
  explicit Toy(const std::string &kind)
      : fail(toy<void(const char *, int, int)>(kind, "toy_fail")),
        calls(toy<int(const char *)>(kind, "toy_calls")),
        forget_calls(toy<void()>(kind, "toy_forget_calls")),
        live(toy<int()>(kind, "toy_live")),
        inits(toy<int()>(kind, "toy_inits")),
        device_users(toy<int()>(kind, "toy_device_users")),
        execute_ms(toy<void(int)>(kind, "toy_execute_ms")),
        hold(toy<void(int)>(kind, "toy_hold")),
        overlapped(toy<int()>(kind, "toy_overlapped")),
        onnx(toy<const char *()>(kind, "toy_onnx")),
        kind_(kind) {}
  template <class Function>
  Function *symbol(const char *name) const {
    return toy<Function>(kind_, name);
  }
  bool is_clean() const { return live() == 0 && device_users() == 0; }

  void (*fail)(const char *, int, int);
  int (*calls)(const char *);
  void (*forget_calls)();
  int (*live)();
  int (*inits)();
  int (*device_users)();
  void (*execute_ms)(int);
  void (*hold)(int);
  int (*overlapped)();
  const char *(*onnx)();

 private:
  std::string kind_;
};

inline aclrt_model_options_t options_for(const std::string &bytes) {
  aclrt_model_options_t options{};
  options.struct_size = sizeof options;
  options.data = bytes.data();
  options.data_size = bytes.size();
  return options;
}

inline aclrt_status_t *load(aclrt_model_t **model, const std::string &bytes = kSimulated) {
  const aclrt_model_options_t options = options_for(bytes);
  return aclrt_model_load(&options, model);
}

inline aclrt_model_t *open_model() {
  aclrt_model_t *model = nullptr;
  CHECK_OK(load(&model));
  return model;
}

struct Feed {
  float x[4] = {1, 2, 3, 4};
  float y[4] = {};
  aclrt_buffer_t in[1] = {{x, sizeof x, nullptr}};
  aclrt_buffer_t out[2] = {{y, sizeof y, nullptr}, {nullptr, 0, nullptr}};
  aclrt_status_t *run(aclrt_model_t *model, aclrt_shape_t *shapes = nullptr) {
    return aclrt_model_run(model, in, 1, out, 2, shapes);
  }
};

template <class Body>
void run_on_toy(const char *name, const char *kind, Body &&body) {
  run_case(name, [&] {
    setenv("ACLRT_LIBASCENDCL", toy_path(kind).c_str(), 1);
    body();
  });
}

}  // namespace shim

// A test function of that name as a case on the toy that is a fake device.
#define RUN_ON_TOY(test, ...) shim::run_on_toy(#test, "fake", [] { test(__VA_ARGS__); })

#endif
