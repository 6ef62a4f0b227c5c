// SPDX-License-Identifier: Apache-2.0
//
// Exported functions: dumping. Configurations are checked, nothing is ever dumped.
#include <atomic>
#include <string>

#include "fake/arguments.h"
#include "fake/config.h"
#include "fake/entry.h"
#include "fake/state.h"

using namespace aclfake;  // the functions themselves are AscendCL's, in the global namespace

namespace {

std::atomic<bool> dump_is_on{false};

size_t end_dump() {
  dump_is_on.store(false);
  return 0;
}
const bool registered = at_reset(end_dump);

}  // namespace

aclError aclmdlInitDump(void) {
  return entry(Call::aclmdlInitDump, []() -> aclError {
    if (!initialised()) return fail(ACL_ERROR_UNINITIALIZE, "aclInit was not called");
    if (!dump_is_on.exchange(true)) return ACL_SUCCESS;
    return fail(ACL_ERROR_REPEAT_INITIALIZE, "dumping is initialised already");
  });
}

aclError aclmdlSetDump(const char *dumpCfgPath) {
  return entry(Call::aclmdlSetDump, [&]() -> aclError {
    if (const aclError code = need_pointer(dumpCfgPath, "dumpCfgPath")) return code;
    if (!dump_is_on.load()) return fail(ACL_ERROR_DUMP_NOT_RUN, "aclmdlInitDump was not called");
    if (*dumpCfgPath == '\0') return fail(ACL_ERROR_INVALID_FILE, "the path is empty");
    Config config;
    if (const aclError code = read_config(dumpCfgPath, &config)) return code;
    if (config.text.find("\"dump\"") != std::string::npos) return ACL_SUCCESS;
    return fail(ACL_ERROR_INVALID_DUMP_CONFIG, "\"%s\" has no section \"dump\"", dumpCfgPath);
  });
}

aclError aclmdlFinalizeDump(void) {
  return entry(Call::aclmdlFinalizeDump, []() -> aclError {
    if (dump_is_on.exchange(false)) return ACL_SUCCESS;
    return fail(ACL_ERROR_DUMP_NOT_RUN, "aclmdlInitDump was not called");
  });
}
