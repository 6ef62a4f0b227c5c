// SPDX-License-Identifier: Apache-2.0
//
// What AscendCL was asked to do while somebody looked: the spans of aclrt.h, collected from the
// observer below the shim. The device's own spans of asynchronous work come from AsyncSpans.
//
// Threads  start(), stop() and spans() are serialised; calls come from any thread meanwhile.
#ifndef ACLRT_CORE_TRACE_H
#define ACLRT_CORE_TRACE_H

#include <atomic>
#include <mutex>
#include <vector>

#include "acl/observe.h"
#include "aclrt/aclrt.h"
#include "core/async_spans.h"

namespace aclrt {

class Trace final : public acl::Observer {
 public:
  explicit Trace(size_t capacity);
  ~Trace() override;
  Trace(const Trace &) = delete;
  Trace &operator=(const Trace &) = delete;

  void start();  // idempotent, as is stop()
  void stop();

  // Of a stopped trace, ordered by begin, the longer of two first; valid until start().
  const std::vector<aclrt_trace_span_t> &spans();
  uint64_t left_out();
  // In the JSON format of Chrome's tracing. Throws Error of kind IO.
  void write(const char *path);

  void before(const acl::Call &call) noexcept override;
  void after(const acl::Call &call) noexcept override;

 private:
  void refuse_if_started() const;
  void forget_times(int64_t now) noexcept;
  void keep(const aclrt_trace_span_t &span);

  const size_t capacity_;
  std::mutex control_;  // start, stop, spans
  bool is_started_ = false;
  std::atomic<int64_t> started_ns_{0};

  std::mutex mutex_;  // of what follows, which calls fill
  std::vector<aclrt_trace_span_t> calls_;
  uint64_t left_out_ = 0;
  AsyncSpans async_;

  std::vector<aclrt_trace_span_t> sorted_;
  bool is_sorted_ = false;
};

}  // namespace aclrt

#endif
