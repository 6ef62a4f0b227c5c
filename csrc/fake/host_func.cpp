// SPDX-License-Identifier: Apache-2.0
#include "fake/host_func.h"

#include "fake/admission.h"
#include "fake/checks.h"

namespace aclfake {

std::shared_ptr<HostFuncThread> HostFuncThread::start() {
  auto self = std::make_shared<HostFuncThread>();
  self->thread_ = std::thread([self] { self->work(); });
  return self;
}

Task HostFuncThread::task(aclrtHostFunc function, void *data) {
  auto job = std::make_shared<Job>(Job{function, data});
  const auto over = [this, job] { return job->done || ending_; };
  Task task{"host function", [self = shared_from_this(), over](Stream &stream) -> aclError {
              std::unique_lock<std::mutex> lock(self->mutex_);
              stream.wait(lock, self->changed_, over);
              return ACL_SUCCESS;
            }};
  task.start = [self = shared_from_this(), job](Stream &) -> aclError {
    std::lock_guard<std::mutex> lock(self->mutex_);
    self->jobs_.push_back(job);
    self->changed_.notify_all();
    return ACL_SUCCESS;
  };
  task.ready = [self = shared_from_this(), over] {
    std::lock_guard<std::mutex> lock(self->mutex_);
    return over();
  };
  task.external = true;
  return task;
}

void HostFuncThread::stop() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    ending_ = true;
    changed_.notify_all();
  }
  notify_device();
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
    {
      const CallbackScope scope;
      job->function(job->data);
    }
    lock.lock();
    job->done = true;
    changed_.notify_all();
    lock.unlock();
    notify_device();
    lock.lock();
  }
}

aclError launch_host_func(aclrtHostFunc function, void *data,
                          const std::shared_ptr<Stream> &stream) {
  {
    std::lock_guard<std::mutex> lock(stream->binding_mutex);
    if (stream->binding == Stream::Binding::kReport) {
      return violation(Check::CBK_10, ACL_ERROR_RT_STREAM_SUBSCRIBE,
                       "stream %d is subscribed with aclrtSubscribeReport", stream->id);
    }
    stream->binding = Stream::Binding::kHostFunc;
  }
  const std::shared_ptr<Context> context = stream->context.lock();
  if (context == nullptr) return no_context_here();
  return stream->push(context->host_func_thread()->task(function, data));
}

}  // namespace aclfake
