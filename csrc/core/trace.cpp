// SPDX-License-Identifier: Apache-2.0
//
// Collecting. The file is written in trace_file.cpp.
#include "core/trace.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "core/call_shape.h"
#include "core/error.h"

namespace aclrt {

namespace {

constexpr size_t kDefaultCapacity = 1000000;

int32_t this_thread() noexcept {
  static thread_local const auto id = static_cast<int32_t>(syscall(SYS_gettid));
  return id;
}

int32_t current_device() noexcept {
  int32_t device = -1;
  return acl::direct()->aclrtGetDevice(&device) == ACL_SUCCESS ? device : -1;
}

}  // namespace

Trace::Trace(size_t capacity) : capacity_(capacity != 0 ? capacity : kDefaultCapacity) {}

Trace::~Trace() {
  try {
    stop();
  } catch (...) {
    // A destructor has nobody to tell.
  }
}

void Trace::start() {
  std::lock_guard<std::mutex> lock(control_);
  if (is_started_) return;
  call_shape(0);  // reads functions.def now, not in the first call
  is_sorted_ = false;
  started_ns_ = acl::now_ns();
  acl::observe(this);
  is_started_ = true;
}

void Trace::stop() {
  std::lock_guard<std::mutex> lock(control_);
  if (!is_started_) return;
  acl::unobserve(this);
  is_started_ = false;
  std::lock_guard<std::mutex> inner(mutex_);
  if (acl::direct() != nullptr) async_.release();
}

void Trace::before(const acl::Call &call) noexcept {
  const CallShape &shape = call_shape(call.function);
  if (!shape.is_async && !shape.ends) return;
  try {
    std::lock_guard<std::mutex> lock(mutex_);
    if (shape.ends) {
      async_.release();
    } else {
      async_.before(call, this_thread(), shape.stream_of(call));
    }
  } catch (...) {
    // Out of memory: this work is not seen.
  }
}

void Trace::after(const acl::Call &call) noexcept {
  if (call.end_ns < call.begin_ns) forget_times(call.end_ns);
  if (std::min(call.begin_ns, call.end_ns) < started_ns_) return;  // began before the trace
  const CallShape &shape = call_shape(call.function);
  const auto thread = static_cast<int32_t>(this_thread());
  aclrt_trace_span_t span{};
  span.function = static_cast<int32_t>(call.function);
  span.lane = ACLRT_TRACE_HOST;
  span.thread = thread;
  span.device = -1;
  span.begin_ns = std::min(call.begin_ns, call.end_ns);
  span.end_ns = call.end_ns;
  span.result = static_cast<int64_t>(call.result);
  span.stream = shape.stream_of(call);
  span.nbytes = shape.nbytes(call);
  span.model = shape.model_of(call);
  try {
    std::lock_guard<std::mutex> lock(mutex_);
    keep(span);
    if (shape.waits && static_cast<aclError>(call.result) == ACL_SUCCESS) async_.collect();
    const int32_t lane = shape.lane_of(call);
    if (lane == ACLRT_TRACE_HOST) return;
    span.lane = lane;
    span.device = current_device();
    span.result = 0;
    if (shape.is_async) {
      async_.after(call, thread, span);
    } else if (static_cast<aclError>(call.result) == ACL_SUCCESS) {
      keep(span);
    }
  } catch (...) {
    // Out of memory: this call is not seen.
  }
}

// The fake's clock has become virtual, as it does with the first device: what was before took place
// at its beginning.
void Trace::forget_times(int64_t now) noexcept {
  started_ns_ = 0;
  try {
    std::lock_guard<std::mutex> lock(mutex_);
    for (aclrt_trace_span_t &span : calls_) span.begin_ns = span.end_ns = now;
  } catch (...) {
    // A mutex that fails leaves times that make no sense, and nothing else.
  }
}

void Trace::keep(const aclrt_trace_span_t &span) {
  if (calls_.size() < capacity_) {
    calls_.push_back(span);
  } else {
    ++left_out_;
  }
}

void Trace::refuse_if_started() const {
  if (is_started_) {
    throw Error(ACLRT_ERROR_INPUT, "the trace is started", "Stop it first.");
  }
}

const std::vector<aclrt_trace_span_t> &Trace::spans() {
  std::lock_guard<std::mutex> lock(control_);
  refuse_if_started();
  if (!is_sorted_) {
    sorted_ = calls_;
    async_.append_to(sorted_);
    std::stable_sort(sorted_.begin(), sorted_.end(),
                     [](const aclrt_trace_span_t &a, const aclrt_trace_span_t &b) {
                       return a.begin_ns != b.begin_ns ? a.begin_ns < b.begin_ns
                                                       : a.end_ns > b.end_ns;
                     });
    is_sorted_ = true;
  }
  return sorted_;
}

uint64_t Trace::left_out() {
  std::lock_guard<std::mutex> lock(mutex_);
  return left_out_ + async_.left_out();
}

}  // namespace aclrt
