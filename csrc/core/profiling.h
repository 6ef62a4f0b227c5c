// SPDX-License-Identifier: Apache-2.0
//
// CANN's own profiler, on between start and stop: what it writes is for msprof. One at a time in a
// process, as AscendCL has it. Older libraries lack it: a backend error names the function.
#ifndef ACLRT_CORE_PROFILING_H
#define ACLRT_CORE_PROFILING_H

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "acl/loader.h"

namespace aclrt {

class Profiling {
 public:
  // Initialises AscendCL if needed. metrics: aclprofAicoreMetrics; data_types: AscendCL's bits.
  Profiling(const std::string &directory, std::vector<uint32_t> devices, int32_t metrics,
            uint64_t data_types);
  ~Profiling();
  Profiling(const Profiling &) = delete;
  Profiling &operator=(const Profiling &) = delete;

  void stop();  // idempotent; writes what is left

 private:
  std::mutex mutex_;
  aclprofConfig *config_ = nullptr;
  bool is_running_ = false;
};

}  // namespace aclrt

#endif
