// SPDX-License-Identifier: Apache-2.0
#include "fake/callback.h"

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "fake/admission.h"
#include "fake/checks.h"
#include "fake/clock.h"
#include "fake/messages.h"

namespace aclfake {
namespace {

constexpr size_t kMaxThreads = 1024;

struct Thread;

// One callback between its turn on the stream and its return.
struct Report {
  aclrtCallback function;
  void *data;
  bool block;
  const Stream *stream;
  std::shared_ptr<Thread> thread{};  // once it is due; null: nobody is there for it
  bool done = false;                 // guarded by the thread's mutex
};

// A bound thread. Shared, so that one that is being unbound can still be waited on.
struct Thread {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::shared_ptr<Report>> pending;
  std::vector<std::shared_ptr<Report>> running;
  size_t streams = 0;  // 0: unbound
  std::shared_ptr<Device> device;
};

struct Registry {
  std::mutex mutex;
  std::map<uint64_t, std::shared_ptr<Thread>> threads;
};

Registry &registry() {
  static Registry *const instance = new Registry;
  return *instance;
}

std::shared_ptr<Thread> find_thread(uint64_t id) {
  Registry &all = registry();
  std::lock_guard<std::mutex> lock(all.mutex);
  const auto found = all.threads.find(id);
  return found == all.threads.end() ? nullptr : found->second;
}

uint64_t own_id() {
  return static_cast<uint64_t>(pthread_self());
}

void drop_pending(Thread &thread, const Stream *stream) {
  for (auto &report : thread.pending) {
    if (report->stream == stream) report->done = true;
  }
  thread.pending.erase(std::remove_if(thread.pending.begin(), thread.pending.end(),
                                      [&](const auto &entry) { return entry->stream == stream; }),
                       thread.pending.end());
}

size_t count_pending(Thread &thread, const Stream *stream) {
  std::lock_guard<std::mutex> lock(thread.mutex);
  return static_cast<size_t>(
      std::count_if(thread.pending.begin(), thread.pending.end(),
                    [&](const auto &report) { return report->stream == stream; }));
}

// One stream less; the last one unbinds the thread.
void release(uint64_t id, const std::shared_ptr<Thread> &thread, const Stream *stream) {
  Registry &all = registry();
  {
    std::lock_guard<std::mutex> all_lock(all.mutex);
    std::lock_guard<std::mutex> lock(thread->mutex);
    drop_pending(*thread, stream);
    if (--thread->streams == 0) all.threads.erase(id);
    thread->changed.notify_all();
  }
  notify_device();
}

// Hands a callback to its thread; a thread that is unsubscribed meanwhile does not get it.
void post_report(uint64_t id, const std::shared_ptr<Report> &report) {
  const std::shared_ptr<Thread> thread = find_thread(id);
  if (thread != nullptr) {
    std::lock_guard<std::mutex> lock(thread->mutex);
    if (thread->streams != 0) {
      report->thread = thread;
      thread->pending.push_back(report);
      thread->changed.notify_all();
      return;
    }
  }
  report->done = true;
}

bool report_done(const Report &report) {
  if (report.thread == nullptr) return true;
  std::lock_guard<std::mutex> lock(report.thread->mutex);
  return report.done;
}

Task report_task(uint64_t id, const std::shared_ptr<Report> &report) {
  Task task{"callback", [report](Stream &stream) -> aclError {
              if (!report->block || report->thread == nullptr) return ACL_SUCCESS;
              std::unique_lock<std::mutex> lock(report->thread->mutex);
              stream.wait(lock, report->thread->changed, [&] { return report->done; });
              return ACL_SUCCESS;
            }};
  task.start = [id, report](Stream &) -> aclError {
    post_report(id, report);
    return ACL_SUCCESS;
  };
  if (report->block) {
    task.ready = [report] { return report_done(*report); };
    task.external = true;
  }
  return task;
}

}  // namespace

aclError subscribe_report(uint64_t id, const std::shared_ptr<Stream> &stream) {
  std::lock_guard<std::mutex> binding_lock(stream->binding_mutex);
  if (stream->binding != Stream::Binding::kNone) {
    if (stream->binding == Stream::Binding::kReport) {
      return violation(Check::CBK_02, ACL_ERROR_RT_STREAM_SUBSCRIBE,
                       "stream %d is subscribed by thread %llu already", stream->id,
                       static_cast<unsigned long long>(stream->report_thread));
    }
    return violation(Check::CBK_10, ACL_ERROR_RT_STREAM_SUBSCRIBE,
                     "stream %d is used with aclrtLaunchHostFunc", stream->id);
  }
  Registry &all = registry();
  std::lock_guard<std::mutex> lock(all.mutex);
  const auto found = all.threads.find(id);
  std::shared_ptr<Thread> thread;
  if (found != all.threads.end()) {
    thread = found->second;
    if (thread->device != stream->device) {
      return violation(Check::CBK_11, ACL_ERROR_RT_THREAD_SUBSCRIBE,
                       "thread %llu serves device %d, the stream is on %d",
                       static_cast<unsigned long long>(id), thread->device->id, stream->device->id);
    }
  } else {
    if (all.threads.size() >= kMaxThreads) {
      return fail(ACL_ERROR_RT_INTERNAL_ERROR, "%zu threads are subscribed already", kMaxThreads);
    }
    thread = std::make_shared<Thread>();
    thread->device = stream->device;
    all.threads.emplace(id, thread);
  }
  {
    std::lock_guard<std::mutex> thread_lock(thread->mutex);
    ++thread->streams;
  }
  stream->binding = Stream::Binding::kReport;
  stream->report_thread = id;
  return ACL_SUCCESS;
}

aclError unsubscribe_report(uint64_t id, const std::shared_ptr<Stream> &stream) {
  {
    std::lock_guard<std::mutex> lock(stream->binding_mutex);
    if (stream->binding != Stream::Binding::kReport) {
      return violation(Check::CBK_03, ACL_ERROR_RT_STREAM_SUBSCRIBE, "stream %d is not subscribed",
                       stream->id);
    }
    if (stream->report_thread != id) {
      return violation(Check::CBK_04, ACL_ERROR_RT_THREAD_SUBSCRIBE,
                       "stream %d is subscribed by thread %llu, not %llu", stream->id,
                       static_cast<unsigned long long>(stream->report_thread),
                       static_cast<unsigned long long>(id));
    }
    stream->binding = Stream::Binding::kNone;
  }
  const std::shared_ptr<Thread> thread = find_thread(id);
  if (thread == nullptr) return ACL_SUCCESS;
  if (const size_t pending = count_pending(*thread, stream.get()); pending > 0) {
    notice(Check::CBK_09, "%zu callbacks of stream %d are pending", pending, stream->id);
  }
  if (id != own_id()) {
    // A blocking callback that is due is waited for; its thread has to keep processing.
    const auto due = [&](const std::shared_ptr<Report> &report) {
      return report->block && report->stream == stream.get();
    };
    std::unique_lock<std::mutex> lock(thread->mutex);
    const auto over = [&] {
      return stream->dropped() ||
             (std::none_of(thread->pending.begin(), thread->pending.end(), due) &&
              std::none_of(thread->running.begin(), thread->running.end(), due));
    };
    wait_for_device(lock, thread->changed, over, Clock::time_point::max());
  }
  release(id, thread, stream.get());
  return ACL_SUCCESS;
}

aclError launch_callback(aclrtCallback function, void *data, bool block,
                         const std::shared_ptr<Stream> &stream) {
  uint64_t id;
  {
    std::lock_guard<std::mutex> lock(stream->binding_mutex);
    if (stream->binding != Stream::Binding::kReport) {
      return violation(Check::CBK_01, ACL_ERROR_RT_STREAM_NO_CB_REG,
                       "stream %d has no thread for callbacks", stream->id);
    }
    id = stream->report_thread;
  }
  return stream->push(
      report_task(id, std::make_shared<Report>(Report{function, data, block, stream.get()})));
}

aclError process_report(int32_t timeout_ms) {
  const std::shared_ptr<Thread> thread = find_thread(own_id());
  if (thread == nullptr) {
    return violation(Check::CBK_05, ACL_ERROR_RT_THREAD_SUBSCRIBE,
                     "this thread is subscribed to no stream");
  }
  bool primary;
  {
    std::lock_guard<std::mutex> lock(thread->device->mutex);
    primary = thread->device->primary != nullptr;
  }
  if (!primary) {
    std::shared_ptr<Context> context;
    if (const aclError code = need_context(&context)) return code;
  }
  std::unique_lock<std::mutex> lock(thread->mutex);
  const auto ready = [&] { return !thread->pending.empty() || thread->streams == 0; };
  if (!wait_for_device(lock, thread->changed, ready, deadline_after(timeout_ms))) {
    return fail(ACL_ERROR_RT_REPORT_TIMEOUT, "no callback became due within %d ms", timeout_ms);
  }
  if (thread->pending.empty()) {
    return fail(ACL_ERROR_RT_THREAD_SUBSCRIBE, "this thread is subscribed to no stream any more");
  }
  std::deque<std::shared_ptr<Report>> round;
  round.swap(thread->pending);
  thread->running.assign(round.begin(), round.end());
  for (const auto &report : round) {
    lock.unlock();
    {
      const CallbackScope scope;
      report->function(report->data);
    }
    lock.lock();
    report->done = true;
    thread->running.erase(std::find(thread->running.begin(), thread->running.end(), report));
    thread->changed.notify_all();
    lock.unlock();
    notify_device();
    lock.lock();
  }
  return ACL_SUCCESS;
}

void forget_reports(Stream &stream) {
  uint64_t id;
  {
    std::lock_guard<std::mutex> lock(stream.binding_mutex);
    if (stream.binding != Stream::Binding::kReport) return;
    stream.binding = Stream::Binding::kNone;
    id = stream.report_thread;
  }
  if (const std::shared_ptr<Thread> thread = find_thread(id)) release(id, thread, &stream);
}

}  // namespace aclfake
