// SPDX-License-Identifier: Apache-2.0
//
// Contract 7: contexts, and options of contexts and of the process.
#include <mutex>

#include "acl/abi.h"
#include "fake/context.h"
#include "fake/device.h"
#include "fake/entry.h"
#include "fake/handle_check.h"
#include "fake/quick.h"
#include "fake/state.h"
#include "fake/system_options.h"

using namespace aclfake;

namespace {

// ENABLE_KERNEL_EARLY_START exists for the process alone.
constexpr int32_t kContextOptions = ACL_OPT_STRONG_CONSISTENCY + 1;
constexpr int32_t kProcessOptions = ACL_OPT_ENABLE_KERNEL_EARLY_START + 1;

aclError check_option(aclSysParamOpt option, int32_t count) {
  if (option >= 0 && option < count) return ACL_SUCCESS;
  return fail(ACL_ERROR_INVALID_PARAM, "unknown option %d", static_cast<int>(option));
}

}  // namespace

aclError aclrtCreateContext(aclrtContext *context, int32_t deviceId) {
  return entry(Call::aclrtCreateContext, [&]() -> aclError {
    if (context == nullptr) return fail(ACL_ERROR_INVALID_PARAM, "context is NULL");
    const std::shared_ptr<Device> device = find_device(deviceId);
    if (device == nullptr) return no_such_device(deviceId, ACL_ERROR_RT_INVALID_DEVICEID);
    warn_unless_initialised();
    const std::shared_ptr<Context> made = Context::create(device, false);
    choose_context(made);
    *context = made->handle();
    return ACL_SUCCESS;
  });
}

aclError aclrtDestroyContext(aclrtContext context) {
  return entry(Call::aclrtDestroyContext, [&]() -> aclError {
    if (context == nullptr) return fail(ACL_ERROR_INVALID_PARAM, "context is NULL");
    Miss miss;
    const std::shared_ptr<Context> found = handles<Context>().find(context, &miss);
    if (found == nullptr) {
      return bad_handle<Context>(ACL_ERROR_RT_CONTEXT_NULL, context, miss, Want::kDestroy);
    }
    if (found->primary) {
      return violation(Check::CTX_05, ACL_ERROR_RT_CONTEXT_NULL,
                       "the context %p is the primary one of device %d", context,
                       found->device->id);
    }
    if (found->destroy(true)) return ACL_SUCCESS;
    return fail(ACL_ERROR_RT_CONTEXT_RELEASE_ERROR, "another thread is destroying the context");
  });
}

aclError aclrtSetCurrentContext(aclrtContext context) {
  if (quick::set_context(context)) return ACL_SUCCESS;
  return entry(Call::aclrtSetCurrentContext, [&]() -> aclError {
    if (context == nullptr) return fail(ACL_ERROR_INVALID_PARAM, "context is NULL");
    Miss miss;
    const uint64_t epoch = quick::epoch();
    std::shared_ptr<Context> found = handles<Context>().find(context, &miss);
    if (found == nullptr) {
      return bad_handle<Context>(ACL_ERROR_RT_PARAM_INVALID, context, miss);
    }
    quick::remember_context(epoch, found);
    choose_context(std::move(found));
    return ACL_SUCCESS;
  });
}

aclError aclrtGetCurrentContext(aclrtContext *context) {
  if (quick::current_context(context)) return ACL_SUCCESS;
  return entry(Call::aclrtGetCurrentContext, [&]() -> aclError {
    if (context == nullptr) return fail(ACL_ERROR_INVALID_PARAM, "context is NULL");
    quick::epoch();
    const std::shared_ptr<Context> &current = chosen_context();
    if (current == nullptr) {  // to ask is no misuse
      return fail(ACL_ERROR_RT_CONTEXT_NULL, "this thread has no current context");
    }
    *context = current->handle();
    return ACL_SUCCESS;
  });
}

aclError aclrtCtxGetCurrentDefaultStream(aclrtStream *stream) {
  return entry(Call::aclrtCtxGetCurrentDefaultStream, [&]() -> aclError {
    if (stream == nullptr) return fail(ACL_ERROR_INVALID_PARAM, "stream is NULL");
    std::shared_ptr<Context> context;
    if (const aclError code = need_context(&context)) return code;
    *stream = context->default_stream_handle();
    return ACL_SUCCESS;
  });
}

aclError aclrtGetPrimaryCtxState(int32_t deviceId, uint32_t *flags, int32_t *active) {
  return entry(Call::aclrtGetPrimaryCtxState, [&]() -> aclError {
    if (active == nullptr || flags != nullptr) {
      return fail(ACL_ERROR_INVALID_PARAM, "active has to be given, flags has to be NULL");
    }
    const std::shared_ptr<Device> device = find_device(deviceId);
    if (device == nullptr) return no_such_device(deviceId, ACL_ERROR_RT_INVALID_DEVICEID);
    std::lock_guard<std::mutex> lock(device->mutex);
    *active = device->primary != nullptr ? 1 : 0;
    return ACL_SUCCESS;
  });
}

aclError aclrtCtxSetSysParamOpt(aclSysParamOpt opt, int64_t value) {
  return entry(Call::aclrtCtxSetSysParamOpt, [&]() -> aclError {
    if (const aclError code = check_option(opt, kContextOptions)) return code;
    std::shared_ptr<Context> context;
    if (const aclError code = need_context(&context)) return code;
    context->options.set(opt, value);
    return ACL_SUCCESS;
  });
}

aclError aclrtCtxGetSysParamOpt(aclSysParamOpt opt, int64_t *value) {
  return entry(Call::aclrtCtxGetSysParamOpt, [&]() -> aclError {
    if (value == nullptr) return fail(ACL_ERROR_INVALID_PARAM, "value is NULL");
    if (const aclError code = check_option(opt, kContextOptions)) return code;
    std::shared_ptr<Context> context;
    if (const aclError code = need_context(&context)) return code;
    return context->options.get(opt, value);
  });
}

aclError aclrtSetSysParamOpt(aclSysParamOpt opt, int64_t value) {
  return entry(Call::aclrtSetSysParamOpt, [&]() -> aclError {
    if (const aclError code = check_option(opt, kProcessOptions)) return code;
    process_options().set(opt, value);
    return ACL_SUCCESS;
  });
}

aclError aclrtGetSysParamOpt(aclSysParamOpt opt, int64_t *value) {
  return entry(Call::aclrtGetSysParamOpt, [&]() -> aclError {
    if (value == nullptr) return fail(ACL_ERROR_INVALID_PARAM, "value is NULL");
    if (const aclError code = check_option(opt, kProcessOptions)) return code;
    return process_options().get(opt, value);
  });
}
