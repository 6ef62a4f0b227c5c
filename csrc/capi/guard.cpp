// SPDX-License-Identifier: Apache-2.0
//
// Exceptions to statuses; the status object itself.
#include "capi/guard.h"

#include <cstdlib>
#include <cstring>
#include <new>

#include "om/om.h"

struct aclrt_status {
  aclrt::Error error;
};

namespace aclrt::capi {

namespace {

// Never dereferenced: its address is the status of bad_alloc, for which nothing may be allocated.
char g_no_memory;

aclrt_status_t *no_memory() noexcept {
  return reinterpret_cast<aclrt_status_t *>(&g_no_memory);
}

aclrt_error_t no_memory_error() noexcept {
  return {ACLRT_ERROR_HOST_MEMORY,
          0,
          "",
          "",
          "out of host memory",
          "",
          "Free memory, or raise the limit of the process or container."};
}

}  // namespace

aclrt_status_t *current_exception_status() noexcept {
  try {
    try {
      throw;
    } catch (const Error &error) {
      return new aclrt_status{error};
    } catch (const acl::LoadError &error) {
      return new aclrt_status{backend_error(error)};
    } catch (const om::FormatError &error) {
      return new aclrt_status{Error(ACLRT_ERROR_MODEL_FORMAT, error.what())};
    } catch (const std::bad_alloc &) {
      return no_memory();
    } catch (const std::exception &error) {
      return new aclrt_status{Error(ACLRT_ERROR_INTERNAL, error.what(), "Please report this.")};
    } catch (...) {
      return new aclrt_status{
          Error(ACLRT_ERROR_INTERNAL, "an unknown exception", "Please report this.")};
    }
  } catch (...) {
    return no_memory();
  }
}

void refuse_null(const char *name) {
  throw Error(ACLRT_ERROR_INPUT, std::string(name) + " is NULL");
}

char *new_string(const std::string &text) {
  char *copy = static_cast<char *>(malloc(text.size() + 1));
  if (copy == nullptr) throw std::bad_alloc();
  std::memcpy(copy, text.c_str(), text.size() + 1);
  return copy;
}

}  // namespace aclrt::capi

extern "C" {

aclrt_error_t aclrt_status_error(const aclrt_status_t *status) {
  if (status == nullptr) return {ACLRT_ERROR_NONE, 0, "", "", "", "", ""};
  if (status == aclrt::capi::no_memory()) return aclrt::capi::no_memory_error();
  const aclrt::Error &error = status->error;
  return {error.kind,
          error.code,
          error.name.c_str(),
          error.call.c_str(),
          error.message.c_str(),
          error.detail.c_str(),
          error.hint.c_str()};
}

void aclrt_status_release(aclrt_status_t *status) {
  if (status != aclrt::capi::no_memory()) delete status;
}

void aclrt_string_release(char *text) {
  free(text);
}

}  // extern "C"
