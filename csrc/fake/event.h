// SPDX-License-Identifier: Apache-2.0
//
// Events. Each record makes a new Capture, which completes when the stream reaches it; waits hold
// the capture that they were queued for, so that a later record does not disturb them. Thread-safe.
#ifndef ACLRT_FAKE_EVENT_H
#define ACLRT_FAKE_EVENT_H

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

#include "acl/abi.h"
#include "fake/stream.h"

namespace aclfake {

// How it was created; the contract differs between the three.
enum class EventFamily { kPlain, kWithFlag, kEx };

struct Capture {
  bool done = false;
  Clock::time_point time;  // the device's
  int32_t stream = -1;     // id of the one it was recorded in
};

class Event : public std::enable_shared_from_this<Event> {
 public:
  static constexpr Kind kKind = Kind::kEvent;
  Event(std::shared_ptr<Device> device, EventFamily family, uint32_t flags);
  ~Event();

  aclError record(const std::shared_ptr<Stream> &stream);
  aclError reset(const std::shared_ptr<Stream> &stream);
  aclError queue_wait(const std::shared_ptr<Stream> &stream);
  aclError synchronize(int64_t timeout_ms);

  bool recorded();        // ever, and not reset since
  bool complete();        // the last record is; false if there is none
  int32_t last_stream();  // of the last record; -1 if there is none
  bool waits_passed();    // all waits queued for it
  // 507000 never recorded, 107006 not finished or made without timestamps.
  aclError timestamp(uint64_t *time_us);

  const std::shared_ptr<Device> &device() const noexcept { return device_; }
  const EventFamily family;
  const uint32_t flags;
  bool can_wait() const noexcept;  // aclrtCreateEvent, or ACL_EVENT_SYNC
  bool timed() const noexcept;
  bool external() const noexcept { return (flags & ACL_EVENT_EXTERNAL) != 0; }
  bool ipc() const noexcept { return (flags & ACL_EVENT_IPC) != 0; }

 private:
  friend class CaptureGuard;
  friend class WaitGuard;

  const std::shared_ptr<Device> device_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<Capture> last_;
  uint64_t waits_ = 0;
};

aclError create_event(EventFamily family, uint32_t flags, aclrtEvent *event);
aclError find_event(aclrtEvent handle, std::shared_ptr<Event> *event);  // 107017

}  // namespace aclfake

#endif
