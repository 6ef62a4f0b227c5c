// SPDX-License-Identifier: Apache-2.0
#include "fake/stream.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <exception>
#include <new>
#include <system_error>
#include <utility>

#include "fake/callback.h"
#include "fake/exception_info.h"
#include "fake/messages.h"
#include "fake/thread.h"

namespace aclfake {
namespace {

std::atomic<int32_t> next_stream_id{0};

// How long a dropped stream's thread gets to leave a task before it is let go.
constexpr std::chrono::milliseconds kDropPatience(100);

// Runs one task with its messages gathered in *text.
aclError run_task(Task &task, Stream &stream, std::string *text) noexcept {
  try {
    ThreadState &thread = this_thread();
    thread.diverted = text;
    thread.task = task.what;
    aclError code;
    try {
      code = task.run(stream);
    } catch (const std::bad_alloc &) {
      code = fail(ACL_ERROR_BAD_ALLOC, "the host is out of memory");
    } catch (const std::exception &error) {
      code = fail(ACL_ERROR_RT_INTERNAL_ERROR, "%s", error.what());
    } catch (...) {
      code = fail(ACL_ERROR_RT_INTERNAL_ERROR, "unknown exception in a task");
    }
    if (code != ACL_SUCCESS && text->empty()) fail(code, "%s", messages::code_meaning(code));
    thread.diverted = nullptr;
    thread.task = nullptr;
    return code;
  } catch (...) {
    return ACL_ERROR_BAD_ALLOC;
  }
}

}  // namespace

Stream::Stream(std::shared_ptr<Device> device_, std::weak_ptr<Context> context_, uint32_t priority_,
               uint32_t flags_)
    : device(std::move(device_)),
      context(std::move(context_)),
      priority(priority_),
      flags(flags_),
      id(next_stream_id.fetch_add(1)) {
  device->streams.fetch_add(1);
}

Stream::~Stream() {
  if (worker_.joinable()) worker_.detach();
  device->streams.fetch_sub(1);
}

bool Stream::never_waits() const noexcept {
  return (flags & (ACL_STREAM_PERSISTENT | ACL_STREAM_CPU_SCHEDULE | ACL_STREAM_DEVICE_USE_ONLY)) !=
         0;
}

aclError Stream::push(Task task) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (ending_) {
    return fail(ACL_ERROR_RT_INVALID_HANDLE, "the stream is being destroyed by another thread");
  }
  queue_.push_back(std::move(task));
  ++pushed_;
  if (!worker_running_) {
    try {
      worker_ = std::thread([self = shared_from_this()] { self->work(); });
      worker_running_ = true;
    } catch (const std::system_error &error) {
      queue_.pop_back();
      --pushed_;
      return fail(ACL_ERROR_RT_RESOURCE_ALLOC_FAIL, "no thread for the stream: %s", error.what());
    }
  }
  changed_.notify_all();
  return ACL_SUCCESS;
}

void Stream::work() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return ending_ || !queue_.empty(); });
    if (queue_.empty()) break;
    Task task = std::move(queue_.front());
    queue_.pop_front();
    const bool skip = dropped() || (stop_on_failure_ && error_ != ACL_SUCCESS);
    const uint32_t task_id = static_cast<uint32_t>(done_);
    running_ = true;
    lock.unlock();
    aclError code = ACL_SUCCESS;
    std::string text;
    if (!skip) code = run_task(task, *this, &text);
    task = Task{};  // what it holds goes before the wait for it ends
    if (code != ACL_SUCCESS) {
      ExceptionInfo info;
      info.task_id = task_id;
      info.stream_id = static_cast<uint32_t>(id);
      info.thread_id = static_cast<uint32_t>(syscall(SYS_gettid));
      info.device_id = static_cast<uint32_t>(device->id);
      info.error_code = static_cast<uint32_t>(code);
      report_exception(info);
    }
    lock.lock();
    if (code != ACL_SUCCESS && error_ == ACL_SUCCESS) {
      error_ = code;
      error_text_ = std::move(text);
    }
    ++done_;
    running_ = false;
    changed_.notify_all();
  }
  worker_running_ = false;
  changed_.notify_all();
}

aclError Stream::synchronize(int64_t timeout_ms) {
  return synchronize_until(deadline_after(timeout_ms));
}

aclError Stream::synchronize_until(Clock::time_point deadline) {
  std::unique_lock<std::mutex> lock(mutex_);
  const uint64_t target = pushed_;
  const auto reached = [&] { return done_ >= target || dropped(); };
  if (deadline == Clock::time_point::max()) {
    changed_.wait(lock, reached);
  } else if (!changed_.wait_until(lock, deadline, reached)) {
    return fail(ACL_ERROR_RT_STREAM_SYNC_TIMEOUT,
                "stream %d still has %llu unfinished tasks at the end of the timeout", id,
                static_cast<unsigned long long>(target - done_));
  }
  if (error_ == ACL_SUCCESS) return ACL_SUCCESS;
  const aclError code = error_;
  messages::add_text(code, error_text_);
  if (!stop_on_failure_) {
    error_ = ACL_SUCCESS;
    error_text_.clear();
  }
  return code;
}

bool Stream::idle() {
  std::lock_guard<std::mutex> lock(mutex_);
  return done_ >= pushed_ || dropped();
}

void Stream::shutdown(bool drain) {
  std::deque<Task> discarded;
  std::thread worker;
  bool finished;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    ending_ = true;
    if (!drain) {
      dropped_.store(true, std::memory_order_release);
      discarded.swap(queue_);
      done_ += discarded.size();
    }
    changed_.notify_all();
    worker.swap(worker_);
    finished = true;
    if (!drain && worker.joinable()) {
      finished = changed_.wait_for(lock, kDropPatience, [&] { return !worker_running_; });
    }
  }
  if (worker.joinable()) {
    if (finished && worker.get_id() != std::this_thread::get_id()) {
      worker.join();
    } else {
      worker.detach();
    }
  }
  forget_reports(*this);
}

void Stream::abort() {
  std::deque<Task> discarded;
  std::unique_lock<std::mutex> lock(mutex_);
  discarded.swap(queue_);
  const uint64_t running = running_ ? 1 : 0;
  const uint64_t target = done_ + running;
  changed_.wait(lock, [&] { return done_ >= target || dropped(); });
  done_ += discarded.size();
  changed_.notify_all();
  lock.unlock();
}

bool Stream::set_failure_mode(bool stop) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (stop_on_failure_ && !stop) return false;
  stop_on_failure_ = stop;
  return true;
}

aclError find_stream(aclrtStream handle, std::shared_ptr<Stream> *stream) {
  stream->reset();
  if (handle == nullptr) return ACL_SUCCESS;
  Miss miss;
  *stream = handles<Stream>().find(handle, &miss);
  if (*stream != nullptr) return ACL_SUCCESS;
  return fail(ACL_ERROR_RT_INVALID_HANDLE, "the stream %p %s", handle, miss_text(miss));
}

aclError enter_stream(std::shared_ptr<Stream> *stream) {
  std::shared_ptr<Context> context;
  if (const aclError code = need_context(&context)) return code;
  if (*stream == nullptr) {
    *stream = context->default_stream();
  } else if ((*stream)->context.lock() != context) {
    return fail(ACL_ERROR_RT_STREAM_CONTEXT,
                "stream %d belongs to another context than this thread's current one",
                (*stream)->id);
  }
  return ACL_SUCCESS;
}

aclError need_stream(aclrtStream handle, std::shared_ptr<Stream> *stream) {
  if (const aclError code = find_stream(handle, stream)) return code;
  return enter_stream(stream);
}

aclError need_any_stream(aclrtStream handle, std::shared_ptr<Stream> *stream) {
  if (const aclError code = find_stream(handle, stream)) return code;
  std::shared_ptr<Context> context;
  if (const aclError code = need_context(&context)) return code;
  if (*stream == nullptr) *stream = context->default_stream();
  return ACL_SUCCESS;
}

aclError create_stream(uint32_t priority, uint32_t flags, aclrtStream *handle) {
  std::shared_ptr<Context> context;
  if (const aclError code = need_context(&context)) return code;
  if (context->device->streams.load() >= context->device->profile.max_streams) {
    return fail(ACL_ERROR_RT_NO_STREAM_RESOURCE, "device %d has its %u streams already",
                context->device->id, context->device->profile.max_streams);
  }
  auto stream = std::make_shared<Stream>(context->device, context, priority, flags);
  stream->handle = handles<Stream>().insert(stream);
  context->add(stream);
  *handle = stream->handle;
  return ACL_SUCCESS;
}

aclError destroy_stream(aclrtStream handle, bool drain) {
  std::shared_ptr<Stream> stream;
  if (const aclError code = need_stream(handle, &stream)) return code;
  const std::shared_ptr<Context> context = stream->context.lock();
  if (stream == context->default_stream()) {
    return fail(ACL_ERROR_RT_PARAM_INVALID, "a context's default stream cannot be destroyed");
  }
  Miss miss;
  if (handles<Stream>().remove(handle, &miss) == nullptr) {
    return fail(ACL_ERROR_RT_INVALID_HANDLE, "the stream %p %s", handle, miss_text(miss));
  }
  context->drop(stream.get());
  stream->shutdown(drain);
  return ACL_SUCCESS;
}

}  // namespace aclfake
