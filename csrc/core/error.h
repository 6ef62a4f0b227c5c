// SPDX-License-Identifier: Apache-2.0
//
// The one exception of the core, and the one place where an AscendCL code becomes it. The fields
// are those of aclrt_error_t; capi hands them out as they are.
#ifndef ACLRT_CORE_ERROR_H
#define ACLRT_CORE_ERROR_H

#include <cstdint>
#include <exception>
#include <optional>
#include <string>

#include "acl/abi.h"
#include "acl/loader.h"
#include "aclrt/aclrt.h"

namespace aclrt {

class Error : public std::exception {
 public:
  Error(aclrt_error_kind_t kind_, std::string message_, std::string hint_ = "")
      : kind(kind_), message(std::move(message_)), hint(std::move(hint_)) {}
  const char *what() const noexcept override { return message.c_str(); }

  aclrt_error_kind_t kind;
  int32_t code = 0;
  std::string name;
  std::string call;
  std::string message;
  std::string detail;
  std::string hint;
};

// The error for a failed call: kind, name and hint from the table, detail from AscendCL, asked
// once.
Error acl_error(aclError code, const char *call, const std::string &message);

// The error for a failed system call; code is the errno.
Error io_error(int error_number, const std::string &message);

// The loader's words as ACLRT_ERROR_BACKEND.
Error backend_error(const acl::LoadError &error);

[[noreturn]] void fail(aclError code, const char *call, const std::string &message);

// message: what this library was about to do, "cannot allocate device memory". Costs one comparison
// where nothing failed.
inline void check(aclError code, const char *call, const char *message) {
  if (code != ACL_SUCCESS) fail(code, call, message);
}

// The most recent message of AscendCL in this thread, without newlines at its ends; "" if none.
std::string recent_message();
// Drops it.
void forget_message() noexcept;

// For close(): runs on after failures, keeps the first and adds the others to its detail.
class FirstFailure {
 public:
  void add(aclError code, const char *call, const char *message) noexcept;
  void add(const Error &error) noexcept;
  void throw_if_any();
  bool any() const noexcept { return error_.has_value(); }

 private:
  std::optional<Error> error_;
};

}  // namespace aclrt

#endif
