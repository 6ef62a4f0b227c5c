// SPDX-License-Identifier: Apache-2.0
//
// Traces. No session is held: a trace may be written after shutdown.
#include "core/trace.h"

#include "capi/guard.h"

struct aclrt_trace {
  explicit aclrt_trace(size_t capacity) : trace(capacity) {}
  aclrt::Trace trace;
};

extern "C" {

aclrt_status_t *aclrt_trace_create(size_t capacity, aclrt_trace_t **trace) {
  return aclrt::capi::guard([&] {
    aclrt::capi::require_pointer(trace, "trace");
    *trace = new aclrt_trace(capacity);
  });
}

aclrt_status_t *aclrt_trace_start(aclrt_trace_t *trace) {
  return aclrt::capi::guard_object([&] {
    aclrt::capi::require_pointer(trace, "trace");
    trace->trace.start();
  });
}

aclrt_status_t *aclrt_trace_stop(aclrt_trace_t *trace) {
  return aclrt::capi::guard_object([&] {
    aclrt::capi::require_pointer(trace, "trace");
    trace->trace.stop();
  });
}

aclrt_status_t *aclrt_trace_spans(aclrt_trace_t *trace, const aclrt_trace_span_t **spans,
                                  size_t *count, uint64_t *left_out) {
  return aclrt::capi::guard([&] {
    aclrt::capi::require_pointer(trace, "trace");
    aclrt::capi::require_pointer(spans, "spans");
    aclrt::capi::require_pointer(count, "count");
    const std::vector<aclrt_trace_span_t> &all = trace->trace.spans();
    *spans = all.data();
    *count = all.size();
    if (left_out != nullptr) *left_out = trace->trace.left_out();
  });
}

aclrt_status_t *aclrt_trace_write(aclrt_trace_t *trace, const char *path) {
  return aclrt::capi::guard([&] {
    aclrt::capi::require_pointer(trace, "trace");
    aclrt::capi::require_pointer(path, "path");
    trace->trace.write(path);
  });
}

void aclrt_trace_release(aclrt_trace_t *trace) {
  // In a child of fork the parent's device objects are not this process's to destroy.
  if (!aclrt::Runtime::is_forked()) delete trace;
}

int64_t aclrt_trace_clock(int32_t *is_virtual) {
  bool other = false;
  const int64_t now = aclrt::acl::now_ns(&other);
  if (is_virtual != nullptr) *is_virtual = other;
  return now;
}

}  // extern "C"
