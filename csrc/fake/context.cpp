// SPDX-License-Identifier: Apache-2.0
#include "fake/context.h"

#include <algorithm>
#include <utility>

#include "fake/admission.h"
#include "fake/checks.h"
#include "fake/host_func.h"
#include "fake/messages.h"
#include "fake/quick.h"
#include "fake/state.h"
#include "fake/stream.h"
#include "fake/thread.h"

namespace aclfake {
namespace {

const std::shared_ptr<Context> &no_context() {
  static const auto *const none = new std::shared_ptr<Context>;
  return *none;
}

}  // namespace

Context::Context(std::shared_ptr<Device> device_, bool primary_)
    : device(std::move(device_)), primary(primary_) {}

Context::~Context() = default;

std::shared_ptr<Context> Context::create(std::shared_ptr<Device> device, bool primary) {
  mark_used(true);
  auto context = std::make_shared<Context>(device, primary);
  auto stream = std::make_shared<Stream>(device, context, 0, 0);
  context->default_stream_ = stream;
  context->streams_.push_back(stream);
  context->handle_ = handles<Context>().insert(context, !primary);
  context->default_stream_handle_ = handles<Stream>().insert(stream, false);
  stream->handle = context->default_stream_handle_;
  if (!primary) device->contexts.fetch_add(1);
  return context;
}

bool Context::destroy(bool drain) {
  if (!alive_.exchange(false, std::memory_order_acq_rel)) return false;
  handles<Context>().remove(handle_);
  quick::changed();
  std::vector<std::shared_ptr<Stream>> streams;
  std::shared_ptr<HostFuncThread> thread;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    streams.swap(streams_);
    thread.swap(host_func_thread_);
  }
  for (const auto &stream : streams) handles<Stream>().remove(stream->handle);
  for (const auto &stream : streams) stream->shutdown(drain);
  if (thread != nullptr) thread->stop();
  if (!primary) device->contexts.fetch_sub(1);
  return true;
}

void Context::add(std::shared_ptr<Stream> stream) {
  std::lock_guard<std::mutex> lock(mutex_);
  streams_.push_back(std::move(stream));
}

void Context::drop(const Stream *stream) {
  std::lock_guard<std::mutex> lock(mutex_);
  const auto found = std::find_if(streams_.begin(), streams_.end(),
                                  [&](const auto &entry) { return entry.get() == stream; });
  if (found != streams_.end()) streams_.erase(found);
}

std::vector<std::shared_ptr<Stream>> Context::streams() {
  std::lock_guard<std::mutex> lock(mutex_);
  return streams_;
}

aclError Context::synchronize(int64_t timeout_ms) {
  const Clock::time_point deadline = deadline_after(timeout_ms);
  aclError first = ACL_SUCCESS;
  for (const auto &stream : streams()) {
    if (stream->never_waits()) continue;
    const aclError code = stream->synchronize_until(deadline);
    if (first == ACL_SUCCESS) first = code;
  }
  return first;
}

std::shared_ptr<HostFuncThread> Context::host_func_thread() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (host_func_thread_ == nullptr) host_func_thread_ = HostFuncThread::start();
  return host_func_thread_;
}

const std::shared_ptr<Context> &chosen_context() {
  const std::shared_ptr<Context> &context = this_thread().context;
  return context != nullptr && context->alive() ? context : no_context();
}

const std::shared_ptr<Context> &current_context() {
  ThreadState &thread = this_thread();
  if (!thread.chose) {
    const int32_t device = state().default_device.load(std::memory_order_relaxed);
    if (device >= 0) set_device(device);
  }
  return chosen_context();
}

void choose_context(std::shared_ptr<Context> context) {
  ThreadState &thread = this_thread();
  thread.context = std::move(context);
  thread.chose = true;
  quick::chose(thread.context.get());
}

aclError need_context(std::shared_ptr<Context> *context) {
  *context = current_context();
  return *context != nullptr ? ACL_SUCCESS : no_context_here();
}

aclError no_context_here() {
  const std::shared_ptr<Context> &ended = this_thread().context;
  if (ended == nullptr) {
    return violation(Check::CTX_01, ACL_ERROR_RT_CONTEXT_NULL,
                     "this thread has no current context");
  }
  const Trace trace = handles<Context>().trace(ended->handle());
  return violation(Check::CTX_02, ACL_ERROR_RT_CONTEXT_NULL,
                   "this thread's current context (device %d) was made by %s and ended by %s",
                   ended->device->id, origin_text(trace.made).c_str(),
                   origin_text(trace.ended).c_str());
}

}  // namespace aclfake
