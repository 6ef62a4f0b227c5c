// SPDX-License-Identifier: Apache-2.0
//
// A model on a device, ready to run: everything that a run needs is made at load, so that a run
// allocates, creates and destroys nothing. The exception are shape ranges (shape_range.h), whose
// memory follows what is fed.
//
// States   OPEN -> (device lost) BROKEN, any -> close -> CLOSED. BROKEN refuses runs and does not
//          call AscendCL for them; its close() tries to free and never fails.
// Threads  One lock: runs are serialised, close() waits for the run in progress.
#ifndef ACLRT_CORE_MODEL_H
#define ACLRT_CORE_MODEL_H

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "aclrt/aclrt.h"
#include "core/aipp.h"
#include "core/dataset.h"
#include "core/description.h"
#include "core/device.h"
#include "core/gears.h"
#include "core/loaded_model.h"
#include "core/loss.h"
#include "core/memory_meter.h"
#include "core/open_queues.h"
#include "core/runtime.h"
#include "core/shape_range.h"
#include "core/transfer.h"
#include "core/weights.h"

namespace aclrt {

class Model final : public Closeable {
 public:
  // What the instances of one model have in common.
  struct Kin {
    std::shared_ptr<MemoryMeter> meter;
    std::shared_ptr<Loss> loss;
    std::shared_ptr<Weights> weights;  // nullptr: AscendCL manages each instance's own
  };
  // For Instances; needs the device's context in this thread.
  Model(DeviceRef device, const ModelSource &source, const ModelFacts &facts, const Kin &kin);
  ~Model() override;

  // Positional buffers. shapes may be nullptr, else one per output.
  void run(const aclrt_buffer_t *inputs, size_t input_count, const aclrt_buffer_t *outputs,
           size_t output_count, aclrt_shape_t *shapes);
  // Any model, by the shapes of its inputs. Outputs without memory get their own, from malloc.
  void run_shaped(const aclrt_buffer_t *inputs, const aclrt_dims_t *input_shapes,
                  size_t input_count, aclrt_buffer_t *outputs, size_t output_count,
                  aclrt_shape_t *shapes);
  // Where each input begins, then each output, all of just the tensors' sizes.
  void run_pointers(void *const *pointers, size_t count);
  // For the runs that follow.
  void set_aipp(size_t input, const aclrt_aipp_t &aipp);
  // Runs are refused until it is set again.
  void forget_aipp(size_t input);
  void close() override;

  // ---- for a binding, whose buffers are checked beforehand ----
  void check_bound(const aclrt_buffer_t *inputs, const aclrt_dims_t *input_shapes,
                   size_t input_count, const aclrt_buffer_t *outputs, size_t output_count) const;
  std::unique_lock<std::mutex> lock() { return std::unique_lock<std::mutex>(mutex_); }
  // Under the lock.
  void run_bound(const aclrt_buffer_t *inputs, size_t input_count, const aclrt_buffer_t *outputs,
                 size_t output_count);
  void run_shaped_locked(const aclrt_buffer_t *inputs, const aclrt_dims_t *input_shapes,
                         size_t input_count, aclrt_buffer_t *outputs, size_t output_count,
                         aclrt_shape_t *shapes);
  bool has_fixed_shapes() const noexcept { return has_fixed_shapes_; }

  // ---- for a queue, whose runs have datasets of their own ----
  // All checks of a run; the gear that it takes, 0 where there are none. input_shapes may be
  // nullptr where they are fixed.
  size_t check_run(const aclrt_buffer_t *inputs, const aclrt_dims_t *input_shapes,
                   size_t input_count, const aclrt_buffer_t *outputs, size_t output_count) const;
  // Bytes of the device's buffers, one for each of AscendCL's inputs.
  std::vector<size_t> input_sizes() const;
  std::vector<size_t> output_sizes() const;
  // All steps at once, on memory that is held.
  void run_held(const aclrt_buffer_t *inputs, const aclrt_dims_t *input_shapes, size_t input_count,
                aclrt_buffer_t *outputs, size_t output_count, aclrt_shape_t *shapes);
  // Executes alone. selected: the gear that the dataset was given last.
  void execute(Dataset &inputs, Dataset &outputs, size_t gear, size_t &selected);
  // An error outside of a run: a lost device is lost for the runs too.
  void note(const Error &error);
  void refuse_unless_open() const;
  void refuse_if_broken() const;
  bool is_broken() const noexcept { return loss_->happened(); }

  const Description &description() const noexcept { return description_; }
  const Gears &gears() const noexcept { return gears_; }
  const ModelFacts &facts() const noexcept { return facts_; }
  int32_t device_id() const noexcept { return device_id_; }
  OpenQueues &queues() noexcept { return queues_; }
  const Transfer &transfer() const noexcept { return transfer_; }
  MemoryMeter &meter() noexcept { return meter_; }

  [[noreturn]] static void refuse_closed();

 private:
  class OutputMemory;

  void execute_fixed(const aclrt_buffer_t *inputs, const aclrt_buffer_t *outputs);
  void execute_shaped(const aclrt_buffer_t *inputs, const aclrt_dims_t *input_shapes,
                      size_t input_count, aclrt_buffer_t *outputs, size_t output_count,
                      aclrt_shape_t *shapes);
  void refuse_unless_fixed() const;
  void check_counts(const aclrt_buffer_t *inputs, size_t input_count, const aclrt_buffer_t *outputs,
                    size_t output_count) const;
  void check_places(const aclrt_buffer_t *inputs, const aclrt_buffer_t *outputs) const;
  size_t check_fit(const aclrt_buffer_t *inputs, const aclrt_dims_t *input_shapes,
                   size_t input_count, const aclrt_buffer_t *outputs, size_t output_count) const;
  void check_shapes(const aclrt_dims_t *shapes, size_t input_count) const;
  template <class Body>
  void on_device(Body &&body);
  void check_input_bytes(const aclrt_buffer_t *inputs, const aclrt_dims_t *shapes) const;
  void prepare(aclrt_buffer_t *outputs, OutputMemory &memory) const;
  void read_output_shapes(aclrt_shape_t *shapes) const;

  OpenQueues queues_;
  std::mutex mutex_;
  std::atomic<bool> is_closed_{false};  // written under the lock
  const std::shared_ptr<Loss> loss_;
  MemoryMeter meter_;

  // In this order: a load that fails half way gives back what it has from the bottom up.
  const int32_t device_id_;
  DeviceRef device_;
  ModelFacts facts_;
  WeightsUser weights_;
  LoadedModel loaded_;
  Metered load_weights_;
  Metered load_work_;
  Description description_;
  Gears gears_;
  const bool has_fixed_shapes_;
  const Transfer transfer_;
  AippParameters aipp_;
  ShapeRange range_;
  Dataset inputs_;
  Dataset outputs_;
  std::vector<aclrt_shape_t>
      output_shapes_;  // real ones: of the gear selected last, or of the last run
  std::vector<aclrt_buffer_t> input_frame_;  // for run_pointers: sizes are set
  std::vector<aclrt_buffer_t> output_frame_;
  std::vector<void *> allocated_;  // for OutputMemory
  Metered host_;
};

}  // namespace aclrt

#endif
