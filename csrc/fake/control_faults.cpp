// SPDX-License-Identifier: Apache-2.0
//
// The exports of aclfake.h that arm faults.
#include "aclrt/aclfake.h"
#include "fake/device.h"
#include "fake/faults.h"
#include "fake/messages.h"

using namespace aclfake;

uint64_t aclfake_fault_arm(const aclfake_fault_t *fault) {
  try {
    std::string problem = "the fault is NULL";
    const uint64_t id = fault != nullptr ? faults::arm(*fault, &problem) : 0;
    if (id == 0) fail(ACL_ERROR_INVALID_PARAM, "%s", problem.c_str());
    return id;
  } catch (...) {
    return 0;
  }
}

size_t aclfake_fault_disarm(uint64_t fault) {
  return faults::disarm(fault);
}

void aclfake_faults_clear(void) {
  faults::clear();
}

int32_t aclfake_lose_device(int32_t device, int32_t code) {
  try {
    if (find_device(device) == nullptr) {
      return fail(ACL_ERROR_RT_INVALID_DEVICEID, "there is no device %d", device);
    }
    faults::lose_device(device, code);
    return ACL_SUCCESS;
  } catch (...) {
    return ACL_ERROR_BAD_ALLOC;
  }
}

void aclfake_set_memory_limit(int32_t device, uint64_t bytes) {
  try {
    faults::set_memory_limit(device, bytes);
  } catch (...) {
    // Out of host memory: the board's own limit stays.
  }
}
