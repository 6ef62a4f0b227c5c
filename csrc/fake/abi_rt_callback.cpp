// SPDX-License-Identifier: Apache-2.0
//
// Contract 10: callbacks on a stream.
#include "acl/abi.h"
#include "fake/callback.h"
#include "fake/entry.h"
#include "fake/host_func.h"
#include "fake/stream.h"

using namespace aclfake;

aclError aclrtSubscribeReport(uint64_t threadId, aclrtStream stream) {
  return entry(Call::aclrtSubscribeReport, [&]() -> aclError {
    std::shared_ptr<Stream> found;
    if (const aclError code = need_any_stream(stream, &found)) return code;
    return subscribe_report(threadId, found);
  });
}

aclError aclrtUnSubscribeReport(uint64_t threadId, aclrtStream stream) {
  return entry(Call::aclrtUnSubscribeReport, [&]() -> aclError {
    std::shared_ptr<Stream> found;
    if (const aclError code = find_stream(stream, &found)) return code;
    if (found == nullptr) {
      std::shared_ptr<Context> context;
      if (const aclError code = need_context(&context)) return code;
      found = context->default_stream();
    }
    return unsubscribe_report(threadId, found);
  });
}

aclError aclrtLaunchCallback(aclrtCallback fn, void *userData, aclrtCallbackBlockType blockType,
                             aclrtStream stream) {
  return entry(Call::aclrtLaunchCallback, [&]() -> aclError {
    if (blockType != ACL_CALLBACK_NO_BLOCK && blockType != ACL_CALLBACK_BLOCK) {
      return fail(ACL_ERROR_INVALID_PARAM, "unknown blockType %d", static_cast<int>(blockType));
    }
    std::shared_ptr<Stream> found;
    if (const aclError code = find_stream(stream, &found)) return code;
    if (fn == nullptr) return fail(ACL_ERROR_RT_PARAM_INVALID, "fn is NULL");
    if (found != nullptr) {
      std::lock_guard<std::mutex> lock(found->binding_mutex);
      if (found->binding == Stream::Binding::kHostFunc) {
        return violation(Check::CBK_10, ACL_ERROR_RT_STREAM_SUBSCRIBE,
                         "stream %d is used with aclrtLaunchHostFunc", found->id);
      }
    }
    if (const aclError code = enter_stream(&found)) return code;
    return launch_callback(fn, userData, blockType == ACL_CALLBACK_BLOCK, found);
  });
}

aclError aclrtProcessReport(int32_t timeout) {
  return entry(Call::aclrtProcessReport, [&]() -> aclError {
    if (timeout == 0 || timeout < -1) {
      return fail(ACL_ERROR_INVALID_PARAM, "timeout %d: -1 or more than 0 ms", timeout);
    }
    return process_report(timeout);
  });
}

aclError aclrtLaunchHostFunc(aclrtStream stream, aclrtHostFunc fn, void *args) {
  return entry(Call::aclrtLaunchHostFunc, [&]() -> aclError {
    std::shared_ptr<Stream> found;
    if (const aclError code = find_stream(stream, &found)) return code;
    if (fn == nullptr) return fail(ACL_ERROR_RT_PARAM_INVALID, "fn is NULL");
    if (const aclError code = enter_stream(&found)) return code;
    return launch_host_func(fn, args, found);
  });
}
