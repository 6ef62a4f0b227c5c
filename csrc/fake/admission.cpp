// SPDX-License-Identifier: Apache-2.0
#include "fake/admission.h"

#include <pthread.h>

#include <atomic>

#include "fake/checks.h"
#include "fake/quick.h"

namespace aclfake {
namespace {

std::atomic<bool> used{false};
std::atomic<bool> child{false};
thread_local int callbacks = 0;

const bool registered = pthread_atfork(nullptr, nullptr, [] {
                          if (used.load()) child.store(true);
                          quick::changed();
                          callbacks = 0;
                        }) == 0;

bool reads_messages(Call call) {
  return call == Call::aclGetRecentErrMsg || call == Call::aclrtGetLastError ||
         call == Call::aclrtPeekAtLastError;
}

bool synchronises(Call call) {
  switch (call) {
    case Call::aclrtSynchronizeStream:
    case Call::aclrtSynchronizeStreamWithTimeout:
    case Call::aclrtSynchronizeDevice:
    case Call::aclrtSynchronizeDeviceWithTimeout:
    case Call::aclrtSynchronizeEvent:
    case Call::aclrtSynchronizeEventWithTimeout:
    case Call::aclrtFreeWithDevSync:
    case Call::aclrtFreeHostWithDevSync:
      return true;
    default:
      return false;
  }
}

// Queues work, or makes or frees resources of the device.
bool queues_or_allocates(Call call) {
  switch (call) {
    case Call::aclrtSetDevice:
    case Call::aclrtResetDevice:
    case Call::aclrtResetDeviceForce:
    case Call::aclrtCreateContext:
    case Call::aclrtDestroyContext:
    case Call::aclrtCreateStream:
    case Call::aclrtCreateStreamWithConfig:
    case Call::aclrtDestroyStream:
    case Call::aclrtDestroyStreamForce:
    case Call::aclrtCreateEvent:
    case Call::aclrtCreateEventWithFlag:
    case Call::aclrtCreateEventExWithFlag:
    case Call::aclrtDestroyEvent:
    case Call::aclrtRecordEvent:
    case Call::aclrtResetEvent:
    case Call::aclrtStreamWaitEvent:
    case Call::aclrtLaunchCallback:
    case Call::aclrtLaunchHostFunc:
    case Call::aclrtMalloc:
    case Call::aclrtMallocAlign32:
    case Call::aclrtMallocCached:
    case Call::aclrtMallocWithCfg:
    case Call::aclrtMallocHost:
    case Call::acldvppMalloc:
    case Call::aclrtFree:
    case Call::aclrtFreeHost:
    case Call::acldvppFree:
    case Call::aclrtMemcpy:
    case Call::aclrtMemcpyAsync:
    case Call::aclrtMemcpyAsyncWithCondition:
    case Call::aclrtMemcpy2d:
    case Call::aclrtMemcpy2dAsync:
    case Call::aclrtMemset:
    case Call::aclrtMemsetAsync:
    case Call::aclmdlLoadFromFile:
    case Call::aclmdlLoadFromMem:
    case Call::aclmdlUnload:
    case Call::aclmdlExecute:
    case Call::aclmdlExecuteV2:
    case Call::aclmdlExecuteAsync:
      return true;
    default:
      return false;
  }
}

}  // namespace

aclError admit(Call call) noexcept {
  if (child.load(std::memory_order_relaxed) && !reads_messages(call)) {
    return violation(Check::PRC_01, ACL_ERROR_INTERNAL_ERROR,
                     "this process was made by fork() after its parent had used the device; "
                     "AscendCL does not work in it");
  }
  if (callbacks == 0) return ACL_SUCCESS;
  if (synchronises(call)) {
    return violation(Check::CBK_06, ACL_ERROR_RT_PARAM_INVALID,
                     "a callback waits for the device, which waits for the callback");
  }
  if (queues_or_allocates(call)) {
    notice(Check::CBK_07, "a callback calls %s, which the runtime does not allow", call_name(call));
  }
  return ACL_SUCCESS;
}

void mark_used(bool value) noexcept {
  used.store(value);
}

bool forked_child() noexcept {
  return child.load(std::memory_order_relaxed);
}

CallbackScope::CallbackScope() noexcept {
  ++callbacks;
  quick::in_callback(1);
}

CallbackScope::~CallbackScope() {
  --callbacks;
  quick::in_callback(-1);
}

}  // namespace aclfake
