// SPDX-License-Identifier: Apache-2.0
//
// Exported functions: profiling of the process, init to finalize. The states and their codes are
// AscendCL's; nothing is written into the result directory.
#include <cstring>
#include <filesystem>
#include <mutex>
#include <optional>
#include <set>

#include "fake/device.h"
#include "fake/entry.h"
#include "fake/profiling.h"
#include "fake/state.h"

using namespace aclfake;  // the functions themselves are AscendCL's, in the global namespace

namespace {

using Sort = ProfilingObject::Sort;

constexpr size_t kMaxPath = 4096;
constexpr uint64_t kDataTypes = ACL_PROF_ACL_API | ACL_PROF_TASK_TIME | ACL_PROF_AICORE_METRICS |
                                ACL_PROF_AICPU | ACL_PROF_L2CACHE | ACL_PROF_HCCL_TRACE |
                                ACL_PROF_TRAINING_TRACE | ACL_PROF_MSPROFTX | ACL_PROF_RUNTIME_API |
                                ACL_PROF_GE_API_L0 | ACL_PROF_TASK_TIME_L0 | ACL_PROF_TASK_MEMORY |
                                ACL_PROF_TASK_TIME_L2 | ACL_PROF_OP_ATTR | ACL_PROF_TASK_TIME_L3 |
                                ACL_PROF_GE_API_L1 | ACL_PROF_API_STATS | ACL_PROF_AICORE_SHAPE;
constexpr uint64_t kDefaultTypes = ACL_PROF_ACL_API | ACL_PROF_TASK_TIME;  // of a NULL config

// The data types that are being collected, between start and stop.
std::mutex running_mutex;
std::optional<uint64_t> running;

size_t stop_all() {
  std::lock_guard<std::mutex> lock(running_mutex);
  running.reset();
  return 0;
}
const bool registered = at_reset(stop_all);

// text has exactly `length` characters, at least one, fewer than a path may have.
aclError check_text(const char *what, const char *text, size_t length) {
  if (const aclError code = need_pointer(text, what)) return code;
  if (length != 0 && length < kMaxPath && strnlen(text, kMaxPath) == length) return ACL_SUCCESS;
  return fail(ACL_ERROR_INVALID_PARAM, "length %zu is not that of %s, or not in 1 to %zu", length,
              what, kMaxPath - 1);
}

aclError data_types(const aclprofConfig *config, uint64_t *types) {
  *types = kDefaultTypes;
  if (config == nullptr) return ACL_SUCCESS;
  std::shared_ptr<ProfilingObject> object;
  if (const aclError code = need_profiling_object(config, Sort::kConfig, &object)) return code;
  *types = object->data_types;
  if (*types == 0) return fail(ACL_ERROR_INVALID_PARAM, "the config asks for no data");
  if ((*types & ~kDataTypes) == 0) return ACL_SUCCESS;
  return fail(ACL_ERROR_PROF_MODULES_UNSUPPORTED, "unknown data types 0x%llx",
              static_cast<unsigned long long>(*types & ~kDataTypes));
}

bool good_devices(const uint32_t *ids, uint32_t count, uint64_t types) {
  if (count == 0) return (types & ACL_PROF_MSPROFTX) != 0;
  if (ids == nullptr || count > device_list()->devices.size()) return false;
  std::set<uint32_t> seen;
  for (uint32_t i = 0; i < count; ++i) {
    if (find_device(ids[i]) == nullptr || !seen.insert(ids[i]).second) return false;
  }
  return true;
}

}  // namespace

aclError aclprofInit(const char *profilerResultPath, size_t length) {
  return entry(Call::aclprofInit, [&]() -> aclError {
    if (const aclError code = check_text("profilerResultPath", profilerResultPath, length)) {
      return code;
    }
    if (const aclError code = begin_profiling()) return code;
    std::error_code error;
    std::filesystem::create_directories(profilerResultPath, error);
    if (!error) return ACL_SUCCESS;
    end_profiling();
    return fail(ACL_ERROR_INVALID_PARAM, "\"%s\": %s", profilerResultPath, error.message().c_str());
  });
}

aclError aclprofSetConfig(aclprofConfigType configType, const char *config, size_t configLength) {
  return entry(Call::aclprofSetConfig, [&]() -> aclError {
    if (configType <= ACL_PROF_ARGS_MIN || configType >= ACL_PROF_ARGS_MAX) {
      return fail(ACL_ERROR_INVALID_PARAM, "unknown config type %d", configType);
    }
    return check_text("config", config, configLength);
  });
}

aclprofConfig *aclprofCreateConfig(uint32_t *deviceIdList, uint32_t deviceNums,
                                   aclprofAicoreMetrics, const aclprofAicoreEvents *aicoreEvents,
                                   uint64_t dataTypeConfig) {
  return value_entry(
      Call::aclprofCreateConfig, static_cast<aclprofConfig *>(nullptr), [&]() -> aclprofConfig * {
        if (aicoreEvents != nullptr) {
          complain("aicoreEvents must be NULL");
          return nullptr;
        }
        if (!good_devices(deviceIdList, deviceNums, dataTypeConfig)) {
          complain("the list of %u devices is NULL, empty, too long, or names one twice or none",
                   deviceNums);
          return nullptr;
        }
        return static_cast<aclprofConfig *>(make_profiling_object(Sort::kConfig, dataTypeConfig));
      });
}

aclError aclprofDestroyConfig(const aclprofConfig *profilerConfig) {
  return entry(Call::aclprofDestroyConfig,
               [&] { return destroy_profiling_object(profilerConfig, Sort::kConfig); });
}

aclError aclprofStart(const aclprofConfig *profilerConfig) {
  return entry(Call::aclprofStart, [&]() -> aclError {
    uint64_t types = 0;
    if (const aclError code = data_types(profilerConfig, &types)) return code;
    if (!profiling_begun()) {
      if (const aclError code = begin_profiling()) return code;
    }
    std::lock_guard<std::mutex> lock(running_mutex);
    if (running.has_value() && *running != types) {
      return fail(ACL_ERROR_INVALID_PROFILING_CONFIG, "profiling runs with other data types");
    }
    running = types;
    return ACL_SUCCESS;
  });
}

aclError aclprofStop(const aclprofConfig *profilerConfig) {
  return entry(Call::aclprofStop, [&]() -> aclError {
    if (!profiling_begun()) return ACL_SUCCESS;
    uint64_t types = 0;
    if (const aclError code = data_types(profilerConfig, &types)) return code;
    std::lock_guard<std::mutex> lock(running_mutex);
    if (!running.has_value() || *running != types) {
      return fail(ACL_ERROR_INVALID_PROFILING_CONFIG, "%s",
                  running.has_value() ? "profiling runs with other data types"
                                      : "profiling was not started");
    }
    running.reset();
    return ACL_SUCCESS;
  });
}

aclError aclprofFinalize(void) {
  return entry(Call::aclprofFinalize, []() -> aclError {
    stop_all();
    end_profiling();
    return ACL_SUCCESS;
  });
}
