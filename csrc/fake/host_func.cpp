// SPDX-License-Identifier: Apache-2.0
#include "fake/host_func.h"

#include "fake/messages.h"

namespace aclfake {

std::shared_ptr<HostFuncThread> HostFuncThread::start() {
  auto self = std::make_shared<HostFuncThread>();
  self->thread_ = std::thread([self] { self->work(); });
  return self;
}

void HostFuncThread::run(aclrtHostFunc function, void *data, Stream &stream) {
  auto job = std::make_shared<Job>(Job{function, data});
  std::unique_lock<std::mutex> lock(mutex_);
  jobs_.push_back(job);
  changed_.notify_all();
  stream.wait(lock, changed_, [&] { return job->done || ending_; });
}

void HostFuncThread::stop() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    ending_ = true;
    changed_.notify_all();
  }
  if (thread_.get_id() == std::this_thread::get_id()) {
    thread_.detach();
  } else {
    thread_.join();
  }
}

void HostFuncThread::work() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return ending_ || !jobs_.empty(); });
    if (ending_) return;
    const std::shared_ptr<Job> job = jobs_.front();
    jobs_.pop_front();
    lock.unlock();
    job->function(job->data);
    lock.lock();
    job->done = true;
    changed_.notify_all();
  }
}

aclError launch_host_func(aclrtHostFunc function, void *data,
                          const std::shared_ptr<Stream> &stream) {
  {
    std::lock_guard<std::mutex> lock(stream->binding_mutex);
    if (stream->binding == Stream::Binding::kReport) {
      return fail(
          ACL_ERROR_RT_STREAM_SUBSCRIBE,
          "stream %d is subscribed with aclrtSubscribeReport, which excludes host functions",
          stream->id);
    }
    stream->binding = Stream::Binding::kHostFunc;
  }
  const std::shared_ptr<Context> context = stream->context.lock();
  if (context == nullptr) return fail(ACL_ERROR_RT_CONTEXT_NULL, "the context was destroyed");
  const std::shared_ptr<HostFuncThread> thread = context->host_func_thread();
  return stream->push({"host function", [thread, function, data](Stream &self) -> aclError {
                         thread->run(function, data, self);
                         return ACL_SUCCESS;
                       }});
}

}  // namespace aclfake
