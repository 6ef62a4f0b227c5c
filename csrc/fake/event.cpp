// SPDX-License-Identifier: Apache-2.0
#include "fake/event.h"

#include <utility>

#include "fake/clock.h"
#include "fake/faults.h"
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
    {
      std::lock_guard<std::mutex> lock(event_->mutex_);
      capture_->time = reached_ ? time_ : device_now();
      capture_->done = true;
      event_->changed_.notify_all();
    }
    notify_device();
  }
  void reach(Clock::time_point time) {
    time_ = time;
    reached_ = true;
  }
  CaptureGuard(const CaptureGuard &) = delete;
  CaptureGuard &operator=(const CaptureGuard &) = delete;

 private:
  const std::shared_ptr<Event> event_;
  const std::shared_ptr<Capture> capture_;
  Clock::time_point time_;
  bool reached_ = false;
};

class WaitGuard {
 public:
  explicit WaitGuard(std::shared_ptr<Event> event) : event_(std::move(event)) {}
  ~WaitGuard() {
    {
      std::lock_guard<std::mutex> lock(event_->mutex_);
      --event_->waits_;
      event_->changed_.notify_all();
    }
    notify_device();
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
  capture->stream = stream->id;
  auto guard = std::make_shared<CaptureGuard>(shared_from_this(), capture);
  {
    std::lock_guard<std::mutex> lock(mutex_);
    last_ = std::move(capture);
    changed_.notify_all();
  }
  return stream->push({"event record", [guard = std::move(guard)](Stream &own) -> aclError {
                         guard->reach(own.time());
                         return ACL_SUCCESS;
                       }});
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
    if (capture == nullptr && family == EventFamily::kEx) {
      notice(Check::EVT_06, "the event was never recorded");
      return ACL_SUCCESS;
    }
    if (capture == nullptr && family == EventFamily::kPlain) {
      return violation(Check::EVT_05, ACL_ERROR_RT_PARAM_INVALID, "the event was never recorded");
    }
    ++waits_;
  }
  auto guard = std::make_shared<WaitGuard>(shared_from_this());
  const uint32_t timeout_s = state().op_wait_timeout_s.load(std::memory_order_relaxed);
  // Recorded at last: from then on it is that capture which is waited for.
  const auto awaited = std::make_shared<std::shared_ptr<Capture>>(std::move(capture));
  const auto done = [this, awaited] {
    if (*awaited == nullptr) *awaited = last_;
    return *awaited != nullptr && (*awaited)->done;
  };
  Task task{
      "event wait", [self = shared_from_this(), guard, awaited, done, timeout_s](Stream &own) {
        std::unique_lock<std::mutex> lock(self->mutex_);
        const Clock::time_point deadline = timeout_s == 0
                                               ? Clock::time_point::max()
                                               : Clock::now() + std::chrono::seconds(timeout_s);
        if (own.wait(lock, self->changed_, done, deadline)) {
          own.advance((*awaited)->time);
          return aclError{ACL_SUCCESS};
        }
        lock.unlock();
        if (own.interrupted()) return aclError{ACL_SUCCESS};
        return fail(ACL_ERROR_RT_WAIT_TIMEOUT, "an event did not come within %u s", timeout_s);
      }};
  task.ready = [self = shared_from_this(), done] {
    std::lock_guard<std::mutex> lock(self->mutex_);
    return done();
  };
  if (timeout_s != 0) task.timeout_ms = int64_t{timeout_s} * 1000;
  return stream->push(std::move(task));
}

aclError Event::synchronize(int64_t timeout_ms) {
  if (!faults::wait_out(faults::take_hang(), deadline_after(timeout_ms))) {
    return fail(ACL_ERROR_RT_EVENT_SYNC_TIMEOUT, "the event does not answer");
  }
  std::unique_lock<std::mutex> lock(mutex_);
  const std::shared_ptr<Capture> capture = last_;
  if (capture == nullptr) {
    notice(Check::EVT_06, "the event was never recorded");
    return ACL_SUCCESS;
  }
  const auto done = [&] { return capture->done; };
  if (!wait_for_device(lock, changed_, done, deadline_after(timeout_ms))) {
    return fail(ACL_ERROR_RT_EVENT_SYNC_TIMEOUT, "the event did not come within the timeout");
  }
  return ACL_SUCCESS;
}

bool Event::recorded() {
  std::lock_guard<std::mutex> lock(mutex_);
  return last_ != nullptr;
}

bool Event::complete() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (last_ == nullptr || last_->done) return last_ != nullptr;
  }
  poll_device();
  return false;
}

int32_t Event::last_stream() {
  std::lock_guard<std::mutex> lock(mutex_);
  return last_ != nullptr ? last_->stream : -1;
}

bool Event::waits_passed() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (waits_ == 0) return true;
  }
  poll_device();
  return false;
}

aclError Event::timestamp(uint64_t *time_us) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (last_ == nullptr) {
    return violation(Check::EVT_07, ACL_ERROR_RT_INTERNAL_ERROR, "the event was never recorded");
  }
  if (!timed()) {
    return violation(Check::EVT_10, ACL_ERROR_RT_EVENT_TIMESTAMP_INVALID,
                     "the event was made without ACL_EVENT_TIME_LINE");
  }
  if (!last_->done) {
    return violation(Check::EVT_09, ACL_ERROR_RT_EVENT_TIMESTAMP_INVALID,
                     "the event is recorded but not finished");
  }
  using std::chrono::duration_cast;
  *time_us = static_cast<uint64_t>(
      duration_cast<std::chrono::microseconds>(last_->time.time_since_epoch()).count());
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
  return bad_handle<Event>(ACL_ERROR_RT_INVALID_HANDLE, handle, miss);
}

}  // namespace aclfake
