// SPDX-License-Identifier: Apache-2.0
//
// Codes and other failures to aclrt::Error.
#include "core/error.h"

#include <cerrno>
#include <cstring>

#include "acl/status.h"

namespace aclrt {

namespace {

// strerrorname_np is newer than the oldest glibc that the wheels run on.
const char *errno_name(int number) {
  switch (number) {
    case EACCES:
      return "EACCES";
    case EINVAL:
      return "EINVAL";
    case EIO:
      return "EIO";
    case EISDIR:
      return "EISDIR";
    case ELOOP:
      return "ELOOP";
    case EMFILE:
      return "EMFILE";
    case ENAMETOOLONG:
      return "ENAMETOOLONG";
    case ENFILE:
      return "ENFILE";
    case ENODEV:
      return "ENODEV";
    case ENOENT:
      return "ENOENT";
    case ENOMEM:
      return "ENOMEM";
    case ENOTDIR:
      return "ENOTDIR";
    case EPERM:
      return "EPERM";
    default:
      return "";
  }
}

}  // namespace

std::string recent_message() {
  const acl::Table *table = acl::installed();
  if (table == nullptr || table->aclGetRecentErrMsg == nullptr) return "";
  const char *text = table->aclGetRecentErrMsg();
  if (text == nullptr) return "";
  std::string message = text;
  const char *blanks = " \t\r\n";
  message.erase(0, message.find_first_not_of(blanks));
  message.erase(message.find_last_not_of(blanks) + 1);
  return message;
}

void forget_message() noexcept {
  const acl::Table *table = acl::installed();
  if (table != nullptr && table->aclGetRecentErrMsg != nullptr) table->aclGetRecentErrMsg();
}

Error acl_error(aclError code, const char *call, const std::string &message) {
  const acl::CodeInfo *info = acl::find_code(code);
  Error error(info != nullptr ? info->kind : ACLRT_ERROR_ACL, message);
  error.code = code;
  error.call = call;
  error.detail = recent_message();
  if (info != nullptr) {
    error.name = info->name;
    error.hint = info->hint;
    error.message += std::string(": ") + info->meaning;
  } else {
    error.message += ": AscendCL gave a code that this version does not know";
  }
  return error;
}

Error io_error(int error_number, const std::string &message) {
  char text[128] = "";
  Error error(ACLRT_ERROR_IO, message + ": " + strerror_r(error_number, text, sizeof text));
  error.code = error_number;
  error.name = errno_name(error_number);
  return error;
}

Error backend_error(const acl::LoadError &load_error) {
  Error error(ACLRT_ERROR_BACKEND, load_error.what(), load_error.hint());
  error.detail = load_error.detail();
  return error;
}

void fail(aclError code, const char *call, const std::string &message) {
  throw acl_error(code, call, message);
}

void FirstFailure::add(aclError code, const char *call, const char *message) noexcept {
  if (code == ACL_SUCCESS) return;
  try {
    add(acl_error(code, call, message));
  } catch (...) {
    // Out of memory while describing a failure of close(): the rest must still be released.
  }
}

void FirstFailure::add(const Error &error) noexcept {
  try {
    if (!error_) {
      error_ = error;
      return;
    }
    error_->detail += (error_->detail.empty() ? "" : "\n") + std::string("also: ") + error.message;
    if (!error.call.empty()) {
      error_->detail += " (" + error.call + ", " + std::to_string(error.code) + ")";
    }
  } catch (...) {
    // As above.
  }
}

void FirstFailure::throw_if_any() {
  if (error_) throw Error(*error_);
}

}  // namespace aclrt
