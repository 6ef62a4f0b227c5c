// SPDX-License-Identifier: Apache-2.0
#include "fake/state.h"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "fake/admission.h"
#include "fake/checks.h"
#include "fake/config.h"
#include "fake/device.h"
#include "fake/faults.h"
#include "fake/init_hooks.h"
#include "fake/leftovers.h"
#include "fake/messages.h"

namespace aclfake {
namespace {

constexpr const char *kOwnName = "libascendcl.so";

struct Search {
  uintptr_t own_address;
  std::vector<std::string> others;
};

// Another copy of the fake is no mixture: it has its own devices, and handles of its own.
bool is_fake(const char *path) {
  void *library = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
  if (library == nullptr) return false;
  const bool fake = dlsym(library, "aclfake_version") != nullptr;
  dlclose(library);
  return fake;
}

// Looks at one mapped object: is it a libascendcl that is not this one?
int look_at_object(dl_phdr_info *info, size_t, void *context) {
  auto *search = static_cast<Search *>(context);
  const char *slash = std::strrchr(info->dlpi_name, '/');
  const char *name = slash != nullptr ? slash + 1 : info->dlpi_name;
  if (std::strncmp(name, kOwnName, std::strlen(kOwnName)) != 0) return 0;
  for (int index = 0; index < info->dlpi_phnum; ++index) {
    const ElfW(Phdr) &segment = info->dlpi_phdr[index];
    const uintptr_t start = info->dlpi_addr + segment.p_vaddr;
    if (segment.p_type == PT_LOAD && search->own_address - start < segment.p_memsz) return 0;
  }
  search->others.push_back(info->dlpi_name);
  return 0;
}

// Path of another AscendCL in this process; "" if there is none.
std::string other_library() {
  Search search{reinterpret_cast<uintptr_t>(&state), {}};
  dl_iterate_phdr(look_at_object, &search);
  for (const std::string &path : search.others) {
    if (!is_fake(path.c_str())) return path;
  }
  return "";
}

std::vector<ResetHook> &reset_hooks() {
  static auto *const hooks = new std::vector<ResetHook>;
  return *hooks;
}

aclError start(const char *config_path) {
  if (const aclError code = faults::check_environment()) return code;
  State &process = state();
  const std::string other = other_library();
  if (!other.empty()) {
    return fail(ACL_ERROR_INTERNAL_ERROR,
                "another AscendCL is loaded in this process (%s); the fake device and a real one "
                "cannot be mixed",
                other.c_str());
  }
  Config config;
  if (const aclError code = read_config(config_path, &config)) return code;
  if (process.config_known && process.config != config.text) {
    return violation(Check::INIT_03, ACL_ERROR_INVALID_PARAM,
                     "the configuration differs from the one that this process was initialised "
                     "with first");
  }
  if (config.default_device >= 0 && find_device(config.default_device) == nullptr) {
    return fail(ACL_ERROR_RT_INVALID_DEVICEID, "default_device %d is no device",
                config.default_device);
  }
  if (device_list()->profile.device_count == 0) {
    return fail(ACL_ERROR_INTERNAL_ERROR, "the SoC name is not available: there is no device");
  }
  if (const aclError code = run_init_hooks(config.text)) return code;
  messages::set_process_wide(config.process_messages);
  process.default_device.store(config.default_device);
  process.config = std::move(config.text);
  process.config_known = true;
  return ACL_SUCCESS;
}

}  // namespace

State &state() {
  static State *const instance = new State;
  return *instance;
}

aclError need_initialised() {
  if (initialised()) return ACL_SUCCESS;
  std::lock_guard<std::recursive_mutex> lock(state().init_mutex);
  return violation(state().finalized ? Check::FIN_01 : Check::INIT_01, ACL_ERROR_GE_EXEC_NOT_INIT,
                   state().finalized ? "aclFinalize was called before" : "aclInit was not called");
}

void warn_unless_initialised() {
  if (initialised()) return;
  std::lock_guard<std::recursive_mutex> lock(state().init_mutex);
  notice(state().finalized ? Check::FIN_03 : Check::INIT_02, "%s",
         state().finalized ? "aclFinalize was called before" : "aclInit was not called");
}

aclError initialise(const char *config_path) {
  State &process = state();
  std::lock_guard<std::recursive_mutex> lock(process.init_mutex);
  if (process.init_count > 0) {
    ++process.init_count;
    return fail(ACL_ERROR_REPEAT_INITIALIZE, "AscendCL is initialised already (%llu times now)",
                static_cast<unsigned long long>(process.init_count));
  }
  if (const aclError code = start(config_path)) return code;
  mark_used(true);
  process.init_count = 1;
  process.finalized = false;
  process.initialised.store(true, std::memory_order_release);
  return ACL_SUCCESS;
}

aclError finalise() {
  State &process = state();
  std::lock_guard<std::recursive_mutex> lock(process.init_mutex);
  if (process.finalized) {
    return violation(Check::FIN_02, ACL_ERROR_REPEAT_FINALIZE, "AscendCL is finalised already");
  }
  const bool was_initialised = process.init_count > 0;
  process.init_count = 0;
  process.finalized = true;
  process.initialised.store(false, std::memory_order_release);
  process.default_device.store(-1);
  if (!was_initialised) return ACL_SUCCESS;
  const aclError code = run_finalize_hooks();
  report_left_at_finalize();
  return code;
}

aclError finalise_reference(uint64_t *count) {
  State &process = state();
  std::lock_guard<std::recursive_mutex> lock(process.init_mutex);
  aclError code = ACL_SUCCESS;
  if (process.init_count == 0) {
    code = violation(Check::FIN_02, ACL_ERROR_REPEAT_FINALIZE, "AscendCL is not initialised");
  } else if (process.init_count > 1) {
    --process.init_count;
  } else {
    code = finalise();
  }
  if (count != nullptr) *count = process.init_count;
  return code;
}

bool at_reset(ResetHook hook) {
  reset_hooks().push_back(hook);
  return true;
}

size_t run_reset_hooks() {
  size_t count = 0;
  for (const ResetHook hook : reset_hooks()) count += hook();
  return count;
}

}  // namespace aclfake
