// SPDX-License-Identifier: Apache-2.0
//
// The exceptions of aclrt.hpp: aclrt::Error, and under it one class for each aclrt_error_kind_t.
// They copy the fields of a status, so they outlive it.
#ifndef ACLRT_ERROR_HPP
#define ACLRT_ERROR_HPP

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

#include "aclrt/aclrt.h"

namespace aclrt {

class Error : public std::runtime_error {
 public:
  explicit Error(const aclrt_error_t &error)
      : std::runtime_error(describe(error)),
        kind_(error.kind),
        code_(error.code),
        name_(error.name),
        call_(error.call),
        message_(error.message),
        detail_(error.detail),
        hint_(error.hint) {}

  aclrt_error_kind_t kind() const noexcept { return kind_; }
  int32_t code() const noexcept { return code_; }  // AscendCL's, or errno; 0 if none
  const std::string &name() const noexcept { return name_; }
  const std::string &call() const noexcept { return call_; }
  const std::string &message() const noexcept { return message_; }
  const std::string &detail() const noexcept { return detail_; }
  const std::string &hint() const noexcept { return hint_; }

 private:
  static std::string describe(const aclrt_error_t &error) {
    std::string text = error.message;
    if (*error.call) text += std::string(" [") + error.call + "]";
    if (error.code != 0) {
      text += std::string(" (") + error.name + (*error.name ? ", " : "") +
              std::to_string(error.code) + ")";
    }
    if (*error.detail) text += std::string("\n  detail: ") + error.detail;
    if (*error.hint) text += std::string("\n  hint: ") + error.hint;
    return text;
  }

  aclrt_error_kind_t kind_;
  int32_t code_;
  std::string name_, call_, message_, detail_, hint_;
};

template <aclrt_error_kind_t Kind>
class ErrorOf : public Error {
  using Error::Error;
};
using AclError = ErrorOf<ACLRT_ERROR_ACL>;
using DeviceError = ErrorOf<ACLRT_ERROR_DEVICE>;
using DeviceLostError = ErrorOf<ACLRT_ERROR_DEVICE_LOST>;
using DeviceOutOfMemoryError = ErrorOf<ACLRT_ERROR_DEVICE_MEMORY>;
using DeviceTimeoutError = ErrorOf<ACLRT_ERROR_TIMEOUT>;
using ModelFormatError = ErrorOf<ACLRT_ERROR_MODEL_FORMAT>;
using ModelLoadError = ErrorOf<ACLRT_ERROR_MODEL_LOAD>;
using InputError = ErrorOf<ACLRT_ERROR_INPUT>;
using ClosedError = ErrorOf<ACLRT_ERROR_CLOSED>;
using ForkedProcessError = ErrorOf<ACLRT_ERROR_FORKED>;
using NeedsNpuError = ErrorOf<ACLRT_ERROR_NEEDS_NPU>;
using BackendError = ErrorOf<ACLRT_ERROR_BACKEND>;
using IoError = ErrorOf<ACLRT_ERROR_IO>;
using HostOutOfMemoryError = ErrorOf<ACLRT_ERROR_HOST_MEMORY>;

namespace detail {
template <aclrt_error_kind_t... Kinds>
[[noreturn]] void throw_as(const aclrt_error_t &error) {
  ((error.kind == Kinds ? throw ErrorOf<Kinds>(error) : void()), ...);
  throw Error(error);
}
}  // namespace detail

[[noreturn]] inline void throw_error(const aclrt_error_t &error) {
  detail::throw_as<ACLRT_ERROR_ACL, ACLRT_ERROR_DEVICE, ACLRT_ERROR_DEVICE_LOST,
                   ACLRT_ERROR_DEVICE_MEMORY, ACLRT_ERROR_TIMEOUT, ACLRT_ERROR_MODEL_FORMAT,
                   ACLRT_ERROR_MODEL_LOAD, ACLRT_ERROR_INPUT, ACLRT_ERROR_CLOSED,
                   ACLRT_ERROR_FORKED, ACLRT_ERROR_NEEDS_NPU, ACLRT_ERROR_BACKEND, ACLRT_ERROR_IO,
                   ACLRT_ERROR_HOST_MEMORY>(error);
}

[[noreturn]] inline void throw_error(aclrt_error_kind_t kind, const std::string &message,
                                     const std::string &hint = {}) {
  throw_error(aclrt_error_t{kind, 0, "", "", message.c_str(), "", hint.c_str()});
}

// The one place where a status becomes an exception.
inline void check(aclrt_status_t *status) {
  if (status == nullptr) return;
  const std::unique_ptr<aclrt_status_t, decltype(&aclrt_status_release)> owned(
      status, &aclrt_status_release);
  throw_error(aclrt_status_error(status));
}

}  // namespace aclrt

#endif
