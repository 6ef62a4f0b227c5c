// SPDX-License-Identifier: Apache-2.0
//
// Arguments that are handles: tested the same way everywhere, each failure with its own message.
#ifndef ACLRT_FAKE_ARGUMENTS_H
#define ACLRT_FAKE_ARGUMENTS_H

#include <memory>

#include "acl/abi.h"
#include "fake/handle_check.h"
#include "fake/handles.h"
#include "fake/messages.h"

namespace aclfake {

// 0, or 100000 if the handle is NULL, was destroyed, or names something else. what: "dataset", ...
template <class T>
aclError need_handle(const void *handle, const char *what, std::shared_ptr<T> *object) {
  Miss miss = Miss::kNone;
  *object = handles<T>().find(handle, &miss);
  if (*object != nullptr) return ACL_SUCCESS;
  if (miss == Miss::kNull) return fail(ACL_ERROR_INVALID_PARAM, "%s is NULL", what);
  return bad_handle<T>(ACL_ERROR_INVALID_PARAM, handle, miss);
}

// The same for getters, which have no status: nullptr and a message.
template <class T>
std::shared_ptr<T> find_or_complain(const void *handle, const char *what) {
  std::shared_ptr<T> object;
  need_handle<T>(handle, what, &object);
  return object;
}

// For aclXxxDestroyYyy.
template <class T>
aclError destroy_handle(const void *handle, const char *what) {
  Miss miss = Miss::kNone;
  if (handles<T>().remove(handle, &miss) != nullptr) return ACL_SUCCESS;
  if (miss == Miss::kNull) return fail(ACL_ERROR_INVALID_PARAM, "%s is NULL", what);
  return bad_handle<T>(ACL_ERROR_INVALID_PARAM, handle, miss, Want::kDestroy);
}

// A required pointer of any other kind.
inline aclError need_pointer(const void *pointer, const char *what) {
  if (pointer != nullptr) return ACL_SUCCESS;
  return fail(ACL_ERROR_INVALID_PARAM, "%s is NULL", what);
}

}  // namespace aclfake

#endif
