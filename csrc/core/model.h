// SPDX-License-Identifier: Apache-2.0
//
// A model on a device, ready to run: everything that a run needs is made at load, so that a run
// allocates, creates and destroys nothing.
//
// States   OPEN -> (device lost) BROKEN, any -> close -> CLOSED. A BROKEN model refuses runs
// without
//          calling AscendCL; its close() tries to free and never fails.
// Threads  One lock: runs are serialised, close() waits for the run in progress.
#ifndef ACLRT_CORE_MODEL_H
#define ACLRT_CORE_MODEL_H

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "aclrt/aclrt.h"
#include "core/dataset.h"
#include "core/description.h"
#include "core/device.h"
#include "core/loaded_model.h"
#include "core/runtime.h"

namespace aclrt {

class Model final : public Closeable {
 public:
  static std::shared_ptr<Model> load(const ModelSource &source, int32_t device_id);
  ~Model() override;

  // Positional host buffers. shapes may be nullptr, else one per output.
  void run(const aclrt_buffer_t *inputs, size_t input_count, const aclrt_buffer_t *outputs,
           size_t output_count, aclrt_shape_t *shapes);
  void close() override;

  const Description &description() const noexcept { return description_; }
  const ModelFacts &facts() const noexcept { return facts_; }
  int32_t device_id() const noexcept { return device_id_; }

  // For load() alone; needs the device's context in this thread.
  Model(DeviceRef device, const ModelSource &source, const ModelFacts &facts);

 private:
  enum class State { kOpen, kBroken, kClosed };

  void refuse_unless_open() const;
  void check_buffers(const aclrt_buffer_t *inputs, size_t input_count,
                     const aclrt_buffer_t *outputs, size_t output_count) const;
  void run_on_device(const aclrt_buffer_t *inputs, const aclrt_buffer_t *outputs,
                     aclrt_shape_t *shapes);

  std::mutex mutex_;
  State state_ = State::kOpen;
  std::optional<Error> lost_;  // why it is BROKEN

  // In this order: a load that fails half way gives back what it has from the bottom up.
  const int32_t device_id_;
  DeviceRef device_;
  ModelFacts facts_;
  LoadedModel loaded_;
  Description description_;
  Dataset inputs_;
  Dataset outputs_;
};

}  // namespace aclrt

#endif
