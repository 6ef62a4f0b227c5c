// SPDX-License-Identifier: Apache-2.0
//
// A model's run on buffers that stay the same: checked once, then executed as often as asked.
//
// Threads  The model's lock is the binding's too: runs take turns, close() waits for the one in
//          progress.
#ifndef ACLRT_CORE_BINDING_H
#define ACLRT_CORE_BINDING_H

#include <atomic>
#include <deque>
#include <memory>
#include <vector>

#include "core/model.h"
#include "core/user_memory.h"

namespace aclrt {

class Binding {
 public:
  // input_shapes may be nullptr where they are fixed. All checks of a run.
  Binding(std::shared_ptr<Model> model, const aclrt_buffer_t *inputs,
          const aclrt_dims_t *input_shapes, size_t input_count, const aclrt_buffer_t *outputs,
          size_t output_count);
  // Refused, without waiting for the model, where a run in flight uses an output or writes an
  // input.
  void run();
  // Idempotent.
  void close() noexcept;

 private:
  void refuse_if_closed() const;
  void copy_shapes(const aclrt_dims_t *shapes, size_t count);
  std::vector<aclrt_buffer_t> hold(const aclrt_buffer_t *buffers, size_t count);

  const std::shared_ptr<Model> model_;
  std::deque<aclrt_memory> memories_;  // those that the buffers name
  std::vector<aclrt_buffer_t> inputs_;
  std::vector<aclrt_buffer_t> outputs_;
  std::vector<Dims> dims_;
  std::vector<aclrt_dims_t> shapes_;
  std::atomic<bool> is_closed_{false};  // written under the model's lock
};

}  // namespace aclrt

#endif
