// SPDX-License-Identifier: Apache-2.0
#include "fake/event.h"

#include <utility>

#include "fake/clock.h"
#include "fake/messages.h"
#include "fake/state.h"

namespace aclfake {
namespace {

constexpr uint32_t kMaxSyncEvents = 1023;  // per device, 310P

}  // namespace

// Completes a capture when its task is over, run or not: a stream that is dropped must not leave
// anybody waiting.
class CaptureGuard {
 public:
  CaptureGuard(std::shared_ptr<Event> event, std::shared_ptr<Capture> capture)
      : event_(std::move(event)), capture_(std::move(capture)) {}
  ~CaptureGuard() {
    std::lock_guard<std::mutex> lock(event_->mutex_);
    capture_->time_us = device_time_us();
    capture_->done = true;
    event_->changed_.notify_all();
  }
  CaptureGuard(const CaptureGuard &) = delete;
  CaptureGuard &operator=(const CaptureGuard &) = delete;

 private:
  const std::shared_ptr<Event> event_;
  const std::shared_ptr<Capture> capture_;
};

class WaitGuard {
 public:
  explicit WaitGuard(std::shared_ptr<Event> event) : event_(std::move(event)) {}
  ~WaitGuard() {
    std::lock_guard<std::mutex> lock(event_->mutex_);
    --event_->waits_;
    event_->changed_.notify_all();
  }
  WaitGuard(const WaitGuard &) = delete;
  WaitGuard &operator=(const WaitGuard &) = delete;

 private:
  const std::shared_ptr<Event> event_;
};

Event::Event(std::shared_ptr<Device> device, EventFamily family_, uint32_t flags_)
    : family(family_), flags(flags_), device_(std::move(device)) {
  if ((flags & ACL_EVENT_SYNC) != 0) device_->events.fetch_add(1);
}

Event::~Event() {
  if ((flags & ACL_EVENT_SYNC) != 0) device_->events.fetch_sub(1);
}

bool Event::can_wait() const noexcept {
  return family == EventFamily::kPlain || (flags & ACL_EVENT_SYNC) != 0;
}

bool Event::timed() const noexcept {
  return (flags & ACL_EVENT_TIME_LINE) != 0;
}

aclError Event::record(const std::shared_ptr<Stream> &stream) {
  auto capture = std::make_shared<Capture>();
  auto guard = std::make_shared<CaptureGuard>(shared_from_this(), capture);
  {
    std::lock_guard<std::mutex> lock(mutex_);
    last_ = std::move(capture);
    changed_.notify_all();
  }
  return stream->push(
      {"event record", [guard = std::move(guard)](Stream &) -> aclError { return ACL_SUCCESS; }});
}

aclError Event::reset(const std::shared_ptr<Stream> &stream) {
  std::shared_ptr<Capture> old;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    old = last_;
  }
  return stream->push({"event reset", [self = shared_from_this(), old](Stream &) -> aclError {
                         std::lock_guard<std::mutex> lock(self->mutex_);
                         if (self->last_ == old) self->last_ = nullptr;
                         return ACL_SUCCESS;
                       }});
}

aclError Event::queue_wait(const std::shared_ptr<Stream> &stream) {
  std::shared_ptr<Capture> capture;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    capture = last_;
    if (capture == nullptr && family == EventFamily::kEx) return ACL_SUCCESS;
    if (capture == nullptr && family == EventFamily::kPlain) {
      return fail(ACL_ERROR_RT_PARAM_INVALID, "the event was never recorded");
    }
    ++waits_;
  }
  auto guard = std::make_shared<WaitGuard>(shared_from_this());
  const uint32_t timeout_s = state().op_wait_timeout_s.load(std::memory_order_relaxed);
  return stream->push(
      {"event wait",
       [self = shared_from_this(), guard = std::move(guard), capture, timeout_s](Stream &own) {
         const Clock::time_point deadline =
             deadline_after(timeout_s == 0 ? -1 : int64_t{timeout_s} * 1000);
         std::shared_ptr<Capture> awaited = capture;
         std::unique_lock<std::mutex> lock(self->mutex_);
         const bool passed = own.wait(
             lock, self->changed_,
             [&] {
               if (awaited == nullptr) awaited = self->last_;  // recorded at last
               return awaited != nullptr && awaited->done;
             },
             deadline);
         lock.unlock();
         if (passed || own.dropped()) return aclError{ACL_SUCCESS};
         return fail(ACL_ERROR_RT_WAIT_TIMEOUT, "an event did not come within %u s", timeout_s);
       }});
}

aclError Event::synchronize(int64_t timeout_ms) {
  std::unique_lock<std::mutex> lock(mutex_);
  const std::shared_ptr<Capture> capture = last_;
  if (capture == nullptr) return ACL_SUCCESS;
  const auto done = [&] { return capture->done; };
  if (timeout_ms < 0) {
    changed_.wait(lock, done);
  } else if (!changed_.wait_until(lock, deadline_after(timeout_ms), done)) {
    return fail(ACL_ERROR_RT_EVENT_SYNC_TIMEOUT, "the event did not come within the timeout");
  }
  return ACL_SUCCESS;
}

bool Event::recorded() {
  std::lock_guard<std::mutex> lock(mutex_);
  return last_ != nullptr;
}

bool Event::complete() {
  std::lock_guard<std::mutex> lock(mutex_);
  return last_ != nullptr && last_->done;
}

bool Event::waits_passed() {
  std::lock_guard<std::mutex> lock(mutex_);
  return waits_ == 0;
}

aclError Event::timestamp(uint64_t *time_us) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (last_ == nullptr) {
    return fail(ACL_ERROR_RT_INTERNAL_ERROR, "the event was never recorded");
  }
  if (!timed()) {
    return fail(ACL_ERROR_RT_EVENT_TIMESTAMP_INVALID,
                "the event was made without ACL_EVENT_TIME_LINE");
  }
  if (!last_->done) {
    return fail(ACL_ERROR_RT_EVENT_TIMESTAMP_INVALID, "the event is recorded but not finished");
  }
  *time_us = last_->time_us;
  return ACL_SUCCESS;
}

aclError create_event(EventFamily family, uint32_t flags, aclrtEvent *event) {
  std::shared_ptr<Context> context;
  if (const aclError code = need_context(&context)) return code;
  if ((flags & ACL_EVENT_SYNC) != 0 && context->device->events.load() >= kMaxSyncEvents) {
    return fail(ACL_ERROR_RT_NO_EVENT_RESOURCE, "device %d has its %u events already",
                context->device->id, kMaxSyncEvents);
  }
  *event = handles<Event>().insert(std::make_shared<Event>(context->device, family, flags));
  return ACL_SUCCESS;
}

aclError find_event(aclrtEvent handle, std::shared_ptr<Event> *event) {
  Miss miss;
  *event = handles<Event>().find(handle, &miss);
  if (*event != nullptr) return ACL_SUCCESS;
  return fail(ACL_ERROR_RT_INVALID_HANDLE, "the event %p %s", handle, miss_text(miss));
}

}  // namespace aclfake
