// SPDX-License-Identifier: Apache-2.0
#include "core/async_spans.h"

#include <algorithm>
#include <cmath>

namespace aclrt {

namespace {

constexpr size_t kManyPending = 64;  // then it is worth to look, although nobody has waited

aclrtStream as_stream(uint64_t word) noexcept {
  return reinterpret_cast<aclrtStream>(static_cast<uintptr_t>(word));
}

aclrtContext current_context() noexcept {
  aclrtContext context = nullptr;
  return acl::direct()->aclrtGetCurrentContext(&context) == ACL_SUCCESS ? context : nullptr;
}

bool is_over(aclrtEvent event) noexcept {
  const acl::Table &api = *acl::direct();
  if (api.aclrtQueryEventStatus != nullptr) {
    aclrtEventRecordedStatus status = ACL_EVENT_RECORDED_STATUS_NOT_READY;
    return api.aclrtQueryEventStatus(event, &status) == ACL_SUCCESS &&
           status == ACL_EVENT_RECORDED_STATUS_COMPLETE;
  }
  aclrtEventStatus status = ACL_EVENT_STATUS_NOT_READY;
  return api.aclrtQueryEvent != nullptr && api.aclrtQueryEvent(event, &status) == ACL_SUCCESS &&
         status == ACL_EVENT_STATUS_COMPLETE;
}

// -1: cannot be told.
int64_t elapsed_ns(aclrtEvent from, aclrtEvent to) noexcept {
  const acl::Table &api = *acl::direct();
  float ms = 0;
  if (api.aclrtEventElapsedTime == nullptr) return -1;
  if (api.aclrtEventElapsedTime(&ms, from, to) != ACL_SUCCESS || !(ms >= 0)) return -1;
  return static_cast<int64_t>(std::llround(static_cast<double>(ms) * 1e6));
}

}  // namespace

aclrtEvent AsyncSpans::new_event() noexcept {
  const acl::Table &api = *acl::direct();
  aclrtEvent event = nullptr;
  const aclError code = api.aclrtCreateEventWithFlag != nullptr
                            ? api.aclrtCreateEventWithFlag(&event, ACL_EVENT_TIME_LINE)
                            : api.aclrtCreateEvent(&event);
  return code == ACL_SUCCESS ? event : nullptr;
}

void AsyncSpans::destroy(const Pair &pair) noexcept {
  for (const aclrtEvent event : {pair.begin, pair.end}) {
    if (event != nullptr) acl::direct()->aclrtDestroyEvent(event);
  }
}

AsyncSpans::Pair AsyncSpans::take_pair(aclrtContext context) noexcept {
  const auto fits = [context](const Pair &pair) { return pair.context == context; };
  const auto found = std::find_if(free_.rbegin(), free_.rend(), fits);
  if (found != free_.rend()) {
    const Pair pair = *found;
    *found = free_.back();
    free_.pop_back();
    return pair;
  }
  return {new_event(), new_event(), context};
}

bool AsyncSpans::record(const Pair &pair, aclrtStream stream) noexcept {
  const acl::Table &api = *acl::direct();
  if (pair.begin == nullptr || pair.end == nullptr) return false;
  if (api.aclrtEventGetTimestamp == nullptr && bases_.count(stream) == 0) {
    const aclrtEvent base = new_event();
    if (base == nullptr || api.aclrtRecordEvent(base, stream) != ACL_SUCCESS) return false;
    bases_[stream] = base;
  }
  return api.aclrtRecordEvent(pair.begin, stream) == ACL_SUCCESS;
}

void AsyncSpans::before(const acl::Call &, int32_t thread, uint64_t stream) noexcept {
  if (pending_.size() >= kManyPending) collect();
  const aclrtContext context = current_context();
  if (context == nullptr) return;  // the call will fail
  const Pair pair = take_pair(context);
  if (record(pair, as_stream(stream))) {
    open_[thread] = pair;
  } else {
    destroy(pair);
  }
}

void AsyncSpans::after(const acl::Call &call, int32_t thread, const aclrt_trace_span_t &span) {
  const auto found = open_.find(thread);
  if (found == open_.end()) {
    ++left_out_;
    return;
  }
  const Pair pair = found->second;
  open_.erase(found);
  if (static_cast<aclError>(call.result) == ACL_SUCCESS &&
      acl::direct()->aclrtRecordEvent(pair.end, as_stream(span.stream)) == ACL_SUCCESS) {
    pending_.push_back({pair, span});
  } else {
    free_.push_back(pair);
  }
}

bool AsyncSpans::read(const Pending &pending, Done &done) const noexcept {
  const acl::Table &api = *acl::direct();
  if (!is_over(pending.events.end)) return false;
  done.span = pending.span;
  done.duration_ns = -1;
  uint64_t begin_us = 0, end_us = 0;
  if (api.aclrtEventGetTimestamp != nullptr) {
    if (api.aclrtEventGetTimestamp(pending.events.begin, &begin_us) != ACL_SUCCESS ||
        api.aclrtEventGetTimestamp(pending.events.end, &end_us) != ACL_SUCCESS) {
      return true;
    }
    done.clock = static_cast<uint64_t>(pending.span.device);
    done.begin_ns = static_cast<int64_t>(begin_us) * 1000;
    done.duration_ns = elapsed_ns(pending.events.begin, pending.events.end);
    if (done.duration_ns < 0) done.duration_ns = static_cast<int64_t>(end_us - begin_us) * 1000;
    return true;
  }
  const auto base = bases_.find(as_stream(pending.span.stream));
  if (base == bases_.end()) return true;
  done.clock = pending.span.stream;
  done.begin_ns = elapsed_ns(base->second, pending.events.begin);
  if (done.begin_ns >= 0) {
    done.duration_ns = elapsed_ns(pending.events.begin, pending.events.end);
  }
  return true;
}

void AsyncSpans::collect_of(aclrtContext context) noexcept {
  std::deque<Pending> left;
  for (const Pending &pending : pending_) {
    Done done;
    if (pending.events.context != context || !read(pending, done)) {
      left.push_back(pending);
      continue;
    }
    if (done.duration_ns < 0) {
      ++left_out_;
    } else {
      done_.push_back(done);
    }
    free_.push_back(pending.events);
  }
  pending_.swap(left);
}

void AsyncSpans::collect() noexcept {
  const aclrtContext context = current_context();
  if (context != nullptr && !pending_.empty()) collect_of(context);
}

void AsyncSpans::collect_all() noexcept {
  if (pending_.empty()) return;
  const acl::Table &api = *acl::direct();
  const aclrtContext theirs = current_context();
  std::vector<aclrtContext> contexts;
  for (const Pending &pending : pending_) {
    const aclrtContext context = pending.events.context;
    if (std::find(contexts.begin(), contexts.end(), context) == contexts.end()) {
      contexts.push_back(context);
    }
  }
  for (const aclrtContext context : contexts) {
    if (context == theirs || api.aclrtSetCurrentContext(context) == ACL_SUCCESS) {
      collect_of(context);
    }
  }
  if (theirs != nullptr) api.aclrtSetCurrentContext(theirs);
}

void AsyncSpans::release() noexcept {
  collect_all();
  left_out_ += pending_.size();
  for (const Pending &pending : pending_) destroy(pending.events);
  for (const Pair &pair : free_) destroy(pair);
  for (const auto &[stream, event] : bases_) acl::direct()->aclrtDestroyEvent(event);
  pending_.clear();
  free_.clear();
  bases_.clear();
}

void AsyncSpans::append_to(std::vector<aclrt_trace_span_t> &spans) const {
  std::map<uint64_t, int64_t> offsets;
  for (const Done &done : done_) {
    const int64_t offset = done.span.begin_ns - done.begin_ns;
    const auto [entry, is_new] = offsets.emplace(done.clock, offset);
    if (!is_new) entry->second = std::max(entry->second, offset);
  }
  for (const Done &done : done_) {
    aclrt_trace_span_t span = done.span;
    span.begin_ns = done.begin_ns + offsets[done.clock];
    span.end_ns = span.begin_ns + done.duration_ns;
    spans.push_back(span);
  }
}

}  // namespace aclrt
