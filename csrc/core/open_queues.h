// SPDX-License-Identifier: Apache-2.0
//
// The queues over a model: asked, before a run waits for the model, whether one of their runs has
// its memory. A device that hangs would keep such a caller waiting for ever.
#ifndef ACLRT_CORE_OPEN_QUEUES_H
#define ACLRT_CORE_OPEN_QUEUES_H

#include <algorithm>
#include <atomic>
#include <mutex>
#include <vector>

#include "aclrt/aclrt.h"
#include "core/description.h"

namespace aclrt {

// Checked buffers of a run.
struct RunBuffers {
  const aclrt_buffer_t *inputs;
  size_t input_count;
  const aclrt_buffer_t *outputs;
  size_t output_count;
};

class RunsInFlight {
 public:
  virtual ~RunsInFlight() = default;
  // Throws INPUT where a run in flight uses an output, or writes an input.
  virtual void refuse_in_use(const Description &description, const RunBuffers &run) = 0;
};

class OpenQueues {
 public:
  void add(RunsInFlight &queue) {
    const std::lock_guard<std::mutex> lock(mutex_);
    all_.push_back(&queue);
    count_ = all_.size();
  }
  // Idempotent; waits for a question in progress.
  void remove(RunsInFlight &queue) noexcept {
    const std::lock_guard<std::mutex> lock(mutex_);
    all_.erase(std::remove(all_.begin(), all_.end(), &queue), all_.end());
    count_ = all_.size();
  }
  void refuse_in_use(const Description &description, const RunBuffers &run) {
    if (count_.load(std::memory_order_relaxed) == 0) return;
    const std::lock_guard<std::mutex> lock(mutex_);
    for (RunsInFlight *queue : all_) queue->refuse_in_use(description, run);
  }

 private:
  std::mutex mutex_;  // before a queue's
  std::vector<RunsInFlight *> all_;
  std::atomic<size_t> count_{0};
};

}  // namespace aclrt

#endif
