// SPDX-License-Identifier: Apache-2.0
//
// Runs in flight.
#include "core/queue.h"

#include "capi/guard.h"
#include "capi/model.h"

struct aclrt_queue {
  std::shared_ptr<aclrt::Queue> queue;
};

namespace {

constexpr size_t kDefaultDepth = 8;
constexpr size_t kLargestDepth = 4096;

size_t read_depth(const aclrt_queue_options_t *options) {
  if (options == nullptr) return kDefaultDepth;
  if (options->struct_size != sizeof *options) {
    throw aclrt::Error(ACLRT_ERROR_INPUT, "aclrt_queue_options_t has the wrong struct_size",
                       "Set struct_size to sizeof(aclrt_queue_options_t).");
  }
  if (options->depth > kLargestDepth) {
    throw aclrt::Error(ACLRT_ERROR_INPUT, "a queue has at most " + std::to_string(kLargestDepth) +
                                              " runs in flight, not " +
                                              std::to_string(options->depth));
  }
  return options->depth > 0 ? options->depth : kDefaultDepth;
}

aclrt_status_t *status_of(const aclrt::Completion &completion) noexcept {
  if (completion.outcome == ACLRT_OUTCOME_TIMED_OUT) {
    return aclrt::capi::guard([&] {
      throw aclrt::Error(ACLRT_ERROR_TIMEOUT,
                         completion.is_final ? "the run did not finish in time"
                                             : "the run did not finish in time, and the device is "
                                               "still working on it",
                         "Wait longer, or see what the device is doing.");
    });
  }
  if (completion.error == nullptr) return nullptr;
  return aclrt::capi::guard([&] { throw aclrt::Error(*completion.error); });
}

void submit(aclrt_queue_t *queue, const aclrt_submission_t *submissions, size_t count,
            size_t *accepted) {
  aclrt::capi::require_pointer(queue, "queue");
  aclrt::capi::require_pointer(accepted, "accepted");
  if (count > 0) aclrt::capi::require_pointer(submissions, "submissions");
  for (*accepted = 0; *accepted < count; ++*accepted) {
    if (!queue->queue->submit(submissions[*accepted])) return;
  }
}

void take(aclrt_queue_t *queue, aclrt_completion_t *completions, size_t max, int64_t timeout_ms,
          size_t *count) {
  aclrt::capi::require_pointer(queue, "queue");
  aclrt::capi::require_pointer(count, "count");
  if (max > 0) aclrt::capi::require_pointer(completions, "completions");
  *count = 0;
  queue->queue->take(max, timeout_ms, [&](const aclrt::Completion &completion) {
    completions[(*count)++] = {completion.tag, completion.outcome, completion.is_final,
                               status_of(completion)};
  });
}

}  // namespace

extern "C" {

aclrt_status_t *aclrt_queue_create(aclrt_model_t *model, const aclrt_queue_options_t *options,
                                   aclrt_queue_t **queue) {
  return aclrt::capi::guard_session([&] {
    aclrt::capi::require_pointer(model, "model");
    aclrt::capi::require_pointer(queue, "queue");
    *queue = new aclrt_queue{
        aclrt::Queue::create(aclrt::capi::instances_of(*model), read_depth(options))};
  });
}

aclrt_status_t *aclrt_queue_submit(aclrt_queue_t *queue, const aclrt_submission_t *submissions,
                                   size_t count, size_t *accepted) {
  return aclrt::capi::guard_object([&] { submit(queue, submissions, count, accepted); });
}

aclrt_status_t *aclrt_queue_take(aclrt_queue_t *queue, aclrt_completion_t *completions, size_t max,
                                 int64_t timeout_ms, size_t *count) {
  return aclrt::capi::guard_object([&] { take(queue, completions, max, timeout_ms, count); });
}

aclrt_status_t *aclrt_queue_exchange(aclrt_queue_t *queue, const aclrt_submission_t *submissions,
                                     size_t submission_count, size_t *accepted,
                                     aclrt_completion_t *completions, size_t max,
                                     int64_t timeout_ms, size_t *count) {
  return aclrt::capi::guard_object([&] {
    submit(queue, submissions, submission_count, accepted);
    take(queue, completions, max, timeout_ms, count);
  });
}

aclrt_status_t *aclrt_queue_cancel(aclrt_queue_t *queue, uint64_t tag, int32_t *found) {
  return aclrt::capi::guard_object([&] {
    aclrt::capi::require_pointer(queue, "queue");
    const bool is_found = queue->queue->cancel(tag);
    if (found != nullptr) *found = is_found;
  });
}

aclrt_status_t *aclrt_queue_drain(aclrt_queue_t *queue, int64_t timeout_ms, int32_t *is_idle) {
  return aclrt::capi::guard_object([&] {
    aclrt::capi::require_pointer(queue, "queue");
    aclrt::capi::require_pointer(is_idle, "is_idle");
    *is_idle = queue->queue->drain(timeout_ms);
  });
}

aclrt_status_t *aclrt_queue_info(aclrt_queue_t *queue, aclrt_queue_info_t *info) {
  return aclrt::capi::guard_object([&] {
    aclrt::capi::require_pointer(queue, "queue");
    aclrt::capi::require_pointer(info, "info");
    const aclrt::QueueInfo now = queue->queue->info();
    *info = {now.depth, now.waiting, now.running, now.finished};
  });
}

aclrt_status_t *aclrt_queue_close(aclrt_queue_t *queue) {
  return aclrt::capi::guard_object([&] {
    aclrt::capi::require_pointer(queue, "queue");
    queue->queue->close();
  });
}

void aclrt_queue_release(aclrt_queue_t *queue) {
  // A forked child has none of the threads that its destructor would wait for.
  if (!aclrt::Runtime::is_forked()) delete queue;
}

}  // extern "C"
