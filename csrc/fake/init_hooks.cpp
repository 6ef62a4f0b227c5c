// SPDX-License-Identifier: Apache-2.0
#include "fake/init_hooks.h"

#include <algorithm>
#include <vector>

#include "fake/messages.h"
#include "fake/state.h"

namespace aclfake {
namespace {

template <class Function>
struct Hook {
  aclRegisterCallbackType type;
  Function function;
  void *data;
};

template <class Function>
std::vector<Hook<Function>> &hooks() {
  static auto *const list = new std::vector<Hook<Function>>;
  return *list;
}

aclError check(aclRegisterCallbackType type, bool function) {
  const bool known = (type >= ACL_REG_TYPE_ACL_MODEL && type <= ACL_REG_TYPE_ACL_RETR) ||
                     type == ACL_REG_TYPE_OTHER;
  if (known && function) return ACL_SUCCESS;
  return fail(ACL_ERROR_INVALID_PARAM, "%s", known ? "the function is NULL" : "unknown type");
}

template <class Function>
aclError add(aclRegisterCallbackType type, Function function, void *data) {
  if (const aclError code = check(type, function != nullptr)) return code;
  std::lock_guard<std::recursive_mutex> lock(state().init_mutex);
  hooks<Function>().push_back({type, function, data});
  return ACL_SUCCESS;
}

template <class Function>
aclError remove(aclRegisterCallbackType type, Function function) {
  if (const aclError code = check(type, function != nullptr)) return code;
  std::lock_guard<std::recursive_mutex> lock(state().init_mutex);
  auto &list = hooks<Function>();
  const auto found = std::find_if(list.begin(), list.end(), [&](const Hook<Function> &hook) {
    return hook.type == type && hook.function == function;
  });
  if (found == list.end()) {
    return fail(ACL_ERROR_INVALID_PARAM, "the function is not registered for type %d",
                static_cast<int>(type));
  }
  list.erase(found);
  return ACL_SUCCESS;
}

}  // namespace

aclError register_init_hook(aclRegisterCallbackType type, aclInitCallbackFunc function,
                            void *data) {
  return add(type, function, data);
}

aclError unregister_init_hook(aclRegisterCallbackType type, aclInitCallbackFunc function) {
  return remove(type, function);
}

aclError register_finalize_hook(aclRegisterCallbackType type, aclFinalizeCallbackFunc function,
                                void *data) {
  return add(type, function, data);
}

aclError unregister_finalize_hook(aclRegisterCallbackType type, aclFinalizeCallbackFunc function) {
  return remove(type, function);
}

aclError run_init_hooks(const std::string &config) {
  const auto list = hooks<aclInitCallbackFunc>();
  for (const auto &hook : list) {
    if (const aclError code = hook.function(config.c_str(), config.size(), hook.data)) {
      return fail(code, "a registered init function failed");
    }
  }
  return ACL_SUCCESS;
}

aclError run_finalize_hooks() {
  const auto list = hooks<aclFinalizeCallbackFunc>();
  aclError first = ACL_SUCCESS;
  for (const auto &hook : list) {
    const aclError code = hook.function(hook.data);
    if (code != ACL_SUCCESS && first == ACL_SUCCESS) {
      first = fail(code, "a registered finalize function failed");
    }
  }
  return first;
}

void forget_hooks() {
  std::lock_guard<std::recursive_mutex> lock(state().init_mutex);
  hooks<aclInitCallbackFunc>().clear();
  hooks<aclFinalizeCallbackFunc>().clear();
}

}  // namespace aclfake
