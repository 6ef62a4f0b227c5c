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
#include "fake/faults.h"
#include "fake/messages.h"
#include "fake/state.h"
#include "fake/thread.h"

namespace aclfake {
namespace {

std::atomic<int32_t> next_stream_id{0};

// How long a dropped stream's thread gets to leave a task before it is let go.
constexpr std::chrono::milliseconds kDropPatience(100);

size_t forget_stream_ids() {
  next_stream_id.store(0);
  return 0;
}
const bool registered = at_reset(forget_stream_ids);

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
  Scheduler *deterministic = scheduler();
  bool announce = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (ending_) {
      return fail(ACL_ERROR_RT_INVALID_HANDLE, "the stream is being destroyed by another thread");
    }
    task.queued = device_now();
    task.hang = faults::take_hang();
    if (deterministic != nullptr) {
      task.cost.lead_us += static_cast<double>(task.hang.ms) * 1000;
      task.cost.total_us += static_cast<double>(task.hang.ms) * 1000;
    }
    queue_.push_back(std::move(task));
    ++pushed_;
    if (deterministic != nullptr) {
      announce = !std::exchange(scheduled_, true);
    } else if (!worker_running_) {
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
  }
  if (announce) deterministic->add(shared_from_this());
  notify_device();
  return ACL_SUCCESS;
}

Clock::time_point Stream::time() const noexcept {
  return scheduler() != nullptr ? device_now() : time_;
}

bool Stream::peek(Cost *cost) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (queue_.empty()) return false;
  *cost = queue_.front().cost;
  return true;
}

bool Stream::has_external() {
  std::lock_guard<std::mutex> lock(mutex_);
  return std::any_of(queue_.begin(), queue_.end(), [](const Task &task) { return task.external; });
}

bool Stream::take(Task *task, uint64_t *number, bool *skip) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (queue_.empty()) return false;
  *task = std::move(queue_.front());
  queue_.pop_front();
  *number = done_;
  *skip = dropped() || (stop_on_failure_ && error_ != ACL_SUCCESS);
  running_ = true;
  return true;
}

aclError Stream::call(const std::function<aclError(Stream &)> &function, const char *what,
                      std::string *text) noexcept {
  try {
    ThreadState &thread = this_thread();
    thread.diverted = text;
    thread.task = what;
    aclError code;
    try {
      code = faults::lost_code(device->id);
      if (code == ACL_SUCCESS) code = function(*this);
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

void Stream::complete(Task task, uint64_t number, aclError code, std::string text) {
  task = Task{};  // what it holds goes before the wait for it ends
  if (code != ACL_SUCCESS) {
    ExceptionInfo info;
    info.task_id = static_cast<uint32_t>(number);
    info.stream_id = static_cast<uint32_t>(id);
    info.thread_id = static_cast<uint32_t>(syscall(SYS_gettid));
    info.device_id = static_cast<uint32_t>(device->id);
    info.error_code = static_cast<uint32_t>(code);
    report_exception(info);
  }
  std::lock_guard<std::mutex> lock(mutex_);
  if (code != ACL_SUCCESS && error_ == ACL_SUCCESS) {
    error_ = code;
    error_text_ = std::move(text);
  }
  ++done_;
  running_ = false;
  changed_.notify_all();
}

void Stream::work() {
  while (true) {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      changed_.wait(lock, [&] { return ending_ || !queue_.empty(); });
    }
    Task task;
    uint64_t number = 0;
    bool skip = false;
    if (!take(&task, &number, &skip)) break;
    aclError code = ACL_SUCCESS;
    std::string text;
    if (!skip) {
      advance(task.queued);
      if (task.hang.ms > 0) {
        faults::wait_out(task.hang, *this);
        advance(Clock::now());
      }
      if (task.start) code = call(task.start, task.what, &text);
      if (code == ACL_SUCCESS) code = run_in_real_time(task, &text);
    }
    complete(std::move(task), number, code, std::move(text));
  }
  std::lock_guard<std::mutex> lock(mutex_);
  worker_running_ = false;
  changed_.notify_all();
}

aclError Stream::run_in_real_time(Task &task, std::string *text) {
  const auto run = [&] { return call(task.run, task.what, text); };
  if (task.cost.engine != nullptr) return task.cost.engine->run(task.cost, &time_, run);
  const aclError code = run();
  if (task.external) advance(Clock::now());
  return code;
}

aclError Stream::synchronize(int64_t timeout_ms) {
  return synchronize_until(deadline_after(timeout_ms));
}

aclError Stream::synchronize_until(Clock::time_point deadline) {
  if (!faults::wait_out(faults::take_hang(), deadline)) {
    return fail(ACL_ERROR_RT_STREAM_SYNC_TIMEOUT, "stream %d does not answer", id);
  }
  std::unique_lock<std::mutex> lock(mutex_);
  const uint64_t target = pushed_;
  const auto reached = [&] { return done_ >= target || dropped(); };
  if (!wait_for_device(lock, changed_, reached, deadline)) {
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

void Stream::finish() {
  std::unique_lock<std::mutex> lock(mutex_);
  const uint64_t target = pushed_;
  const auto reached = [&] { return done_ >= target || dropped(); };
  wait_for_device(lock, changed_, reached, Clock::time_point::max());
}

bool Stream::idle() {
  std::lock_guard<std::mutex> lock(mutex_);
  return done_ >= pushed_ || dropped();
}

void Stream::shutdown(bool drain) {
  std::deque<Task> discarded;
  std::thread worker;
  bool finished;
  Scheduler *const deterministic = scheduler();
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
    if (drain && deterministic != nullptr) {
      wait_for_device(
          lock, changed_, [&] { return done_ >= pushed_ || dropped(); }, Clock::time_point::max());
    }
  }
  if (worker.joinable()) {
    if (finished && worker.get_id() != std::this_thread::get_id()) {
      worker.join();
    } else {
      worker.detach();
    }
  }
  if (deterministic != nullptr) deterministic->remove(*this);
  forget_reports(*this);
}

void Stream::abort() {
  std::deque<Task> discarded;
  std::unique_lock<std::mutex> lock(mutex_);
  discarded.swap(queue_);
  const uint64_t target = done_ + (running_ ? 1 : 0);
  aborting_.store(true, std::memory_order_release);
  wait_for_device(
      lock, changed_, [&] { return done_ >= target || dropped(); }, Clock::time_point::max());
  aborting_.store(false, std::memory_order_release);
  done_ += discarded.size();
  changed_.notify_all();
  lock.unlock();
  notify_device();
}

bool Stream::set_failure_mode(bool stop) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (stop_on_failure_ && !stop) return false;
  stop_on_failure_ = stop;
  return true;
}

aclError find_stream(aclrtStream handle, std::shared_ptr<Stream> *stream, Want want) {
  stream->reset();
  if (handle == nullptr) return ACL_SUCCESS;
  Miss miss;
  *stream = handles<Stream>().find(handle, &miss);
  if (*stream != nullptr) return ACL_SUCCESS;
  return bad_handle<Stream>(ACL_ERROR_RT_INVALID_HANDLE, handle, miss, want);
}

aclError enter_stream(std::shared_ptr<Stream> *stream) {
  std::shared_ptr<Context> context;
  if (const aclError code = need_context(&context)) return code;
  if (*stream == nullptr) {
    *stream = context->default_stream();
  } else if ((*stream)->context.lock() != context) {
    const Stream &other = **stream;
    const bool elsewhere = other.device != context->device;
    return violation(elsewhere ? Check::STR_06 : Check::STR_05, ACL_ERROR_RT_STREAM_CONTEXT,
                     "stream %d, made by %s, belongs to another context (device %d) than this "
                     "thread's current one (device %d)",
                     other.id, origin_text(handles<Stream>().trace(other.handle).made).c_str(),
                     other.device->id, context->device->id);
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
  if (context->stop_on_failure.load()) stream->set_failure_mode(true);
  *handle = stream->handle;
  return ACL_SUCCESS;
}

aclError destroy_stream(aclrtStream handle, bool drain) {
  std::shared_ptr<Stream> stream;
  if (const aclError code = find_stream(handle, &stream, Want::kDestroy)) return code;
  if (const aclError code = enter_stream(&stream)) return code;
  const std::shared_ptr<Context> context = stream->context.lock();
  if (stream == context->default_stream()) {
    return violation(Check::STR_07, ACL_ERROR_RT_PARAM_INVALID,
                     "a context's default stream cannot be destroyed");
  }
  {
    std::lock_guard<std::mutex> lock(stream->binding_mutex);
    if (stream->binding == Stream::Binding::kReport) {
      notice(Check::CBK_08, "stream %d is subscribed by thread %llu", stream->id,
             static_cast<unsigned long long>(stream->report_thread));
    }
  }
  Miss miss;
  if (handles<Stream>().remove(handle, &miss) == nullptr) {
    return bad_handle<Stream>(ACL_ERROR_RT_INVALID_HANDLE, handle, miss, Want::kDestroy);
  }
  context->drop(stream.get());
  stream->shutdown(drain);
  return ACL_SUCCESS;
}

}  // namespace aclfake
