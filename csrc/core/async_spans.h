// SPDX-License-Identifier: Apache-2.0
//
// When the device did what was queued: an event before the work and one after it, in its stream,
// whose timestamps are read once the work is over. The device's clock is another than the host's;
// it is laid so that no work begins before the call that queued it, and some work does at once.
//
// Not thread-safe; its owner locks. Calls AscendCL by the direct table, so nothing observes it. A
// device without events (or out of them) gives no spans: they are counted as left out.
#ifndef ACLRT_CORE_ASYNC_SPANS_H
#define ACLRT_CORE_ASYNC_SPANS_H

#include <deque>
#include <map>
#include <utility>
#include <vector>

#include "acl/observe.h"
#include "aclrt/aclrt.h"

namespace aclrt {

class AsyncSpans {
 public:
  // Around a call that queues work on a stream, on its thread.
  void before(const acl::Call &call, int32_t thread, uint64_t stream) noexcept;
  void after(const acl::Call &call, int32_t thread, const aclrt_trace_span_t &span);
  // Reads what is over, of the thread's context.
  void collect() noexcept;
  // Of all contexts; the thread's stays as it was.
  void collect_all() noexcept;
  // Before contexts go: reads what is over, then gives all events back.
  void release() noexcept;
  // By the host's clock.
  void append_to(std::vector<aclrt_trace_span_t> &spans) const;

  uint64_t left_out() const noexcept { return left_out_; }
  bool empty() const noexcept { return done_.empty() && pending_.empty(); }

 private:
  struct Pair {
    aclrtEvent begin = nullptr;
    aclrtEvent end = nullptr;
    aclrtContext context = nullptr;
  };
  struct Pending {
    Pair events;
    aclrt_trace_span_t span;  // begin_ns: when it was queued
  };
  struct Done {
    aclrt_trace_span_t span;
    uint64_t clock = 0;    // works with the same one have comparable times
    int64_t begin_ns = 0;  // by that clock
    int64_t duration_ns = 0;
  };

  Pair take_pair(aclrtContext context) noexcept;
  bool record(const Pair &pair, aclrtStream stream) noexcept;
  // Whether it is over; done has no duration (-1) if its times cannot be told.
  bool read(const Pending &pending, Done &done) const noexcept;
  void collect_of(aclrtContext context) noexcept;
  static aclrtEvent new_event() noexcept;
  static void destroy(const Pair &pair) noexcept;

  std::map<int32_t, Pair> open_;  // by thread: between before() and after()
  std::deque<Pending> pending_;
  std::vector<Pair> free_;
  // Where timestamps cannot be read (before ACL 1.11): the event of each stream that times count
  // from.
  std::map<aclrtStream, aclrtEvent> bases_;
  std::vector<Done> done_;
  uint64_t left_out_ = 0;
};

}  // namespace aclrt

#endif
