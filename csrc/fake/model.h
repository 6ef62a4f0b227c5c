// SPDX-License-Identifier: Apache-2.0
//
// Loaded models: by id, each with its description, its engine and its share of device memory. The
// table and whoever executes share ownership: an execution that is inside when the model is
// unloaded finishes; one that is still queued then fails. Thread-safe, except that AscendCL forbids
// to execute one id twice at a time, which is refused.
#ifndef ACLRT_FAKE_MODEL_H
#define ACLRT_FAKE_MODEL_H

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "acl/abi.h"
#include "fake/aipp_stage.h"
#include "fake/context.h"
#include "fake/description.h"
#include "fake/device.h"
#include "fake/engine.h"
#include "fake/memory.h"
#include "fake/model_file.h"
#include "fake/origin.h"

namespace aclfake {

// What aclmdlLoad... may ask for. A null pointer: the device's own memory is taken.
struct LoadOptions {
  void *work = nullptr;
  size_t work_size = 0;
  void *weights = nullptr;
  size_t weight_size = 0;
  int32_t priority = 0;
};

// A piece of device memory as a data buffer names it; resolved when the execution runs.
struct Range {
  void *data = nullptr;
  size_t size = 0;
};
struct Ranges {
  std::vector<Range> inputs;
  std::vector<Range> outputs;
  // Of a model with ranges alone: the real ones; of outputs empty if they are not known.
  std::vector<std::vector<int64_t>> input_dims;
  std::vector<std::vector<int64_t>> output_dims;
};

constexpr size_t kSizeTolerance = 64;  // bytes that a buffer may be smaller than the tensor

// Device memory for work or weights of one model: its own, freed with it, or the client's.
class ModelMemory {
 public:
  ModelMemory() = default;
  ~ModelMemory();
  ModelMemory(const ModelMemory &) = delete;
  ModelMemory &operator=(const ModelMemory &) = delete;

  // what: "work" or "weight". 0, 145000 (the client's is too small or not device memory), 245000.
  aclError take(Device &device, const char *what, void *given, size_t given_size, size_t needed);
  uint8_t *data() const noexcept { return pin_.data(); }
  size_t own_bytes() const noexcept { return own_ != nullptr ? size_ : 0; }
  bool alive() const;  // false: the client has freed it meanwhile

 private:
  void *own_ = nullptr;
  void *given_ = nullptr;
  size_t size_ = 0;
  DevicePin pin_;  // of own memory alone: its address cannot become another block's while we live
};

class Model {
 public:
  // Parses, makes the engine, takes memory. *id is written on success only.
  static aclError load(const ModelFile &file, const LoadOptions &options, uint32_t *id);

  Model(uint32_t id, const om::Model &model, const std::shared_ptr<Context> &owner,
        int32_t model_priority);
  ~Model();

  const uint32_t id;
  const Origin made = here();
  const std::string name;
  const std::shared_ptr<const Description> description;
  // Not owned: a queued execution owns the model, and a context owns its queues.
  const std::weak_ptr<Context> context;
  const std::shared_ptr<Device> device;
  std::atomic<int32_t> priority;

  // A model runs either synchronously or asynchronously for life; the first execution decides.
  enum class Mode : int { kUndecided, kSync, kAsync };
  bool may_run(Mode mode) const noexcept;
  bool claim(Mode mode) noexcept;  // false: the other mode was claimed meanwhile

  // One execution at a time: a turn is taken before the compute engine is waited for. 500002 if
  // this model is being executed already; destruction gives it back.
  class Turn {
   public:
    explicit Turn(Model &model) : model_(model) {}
    ~Turn();
    Turn(const Turn &) = delete;
    Turn &operator=(const Turn &) = delete;
    aclError take();

   private:
    Model &model_;
    bool taken_ = false;
  };

  // Executes on the calling thread, within a turn. 0, 507011, or 500002 if an output does not fit.
  aclError run(const Ranges &ranges);
  // Of the run before, within the same turn: real dims, and the bytes of an output that run() had
  // no memory for.
  const std::vector<int64_t> &output_dims(size_t output) const;
  const ModelEngine::Result &result(size_t output) const { return engine_->result(output); }
  // Dims of all outputs of a model with ranges, if they can be told before the run.
  std::optional<ModelEngine::Shapes> infer_dims(const ModelEngine::Shapes &input_dims) const;
  bool tells_dims(size_t output) const { return engine_outputs_[output].dims != nullptr; }

  // The gear that a setter chose last; what an execution takes is in the gear input's memory.
  std::optional<size_t> gear() const noexcept;
  void set_gear(size_t gear) noexcept;

  Cost cost() const;  // of one execution

  // Of the device's own memory; what the client gave is not counted.
  size_t device_bytes() const noexcept { return work_.own_bytes() + weights_.own_bytes(); }

  // An execution that is queued or runs on a stream; on two streams at once is reported.
  class Queued {
   public:
    Queued(std::shared_ptr<Model> model, int32_t stream);
    ~Queued();
    Queued(const Queued &) = delete;
    Queued &operator=(const Queued &) = delete;

   private:
    const std::shared_ptr<Model> model_;
  };
  size_t queued();
  bool running() const noexcept { return running_->load(std::memory_order_acquire); }
  // Nothing but the datasets decides what an execution does, and it computes nothing (window mode).
  bool is_hollow() const noexcept;
  const std::shared_ptr<std::atomic<bool>> &running_flag() const noexcept { return running_; }

  void mark_unloaded() noexcept { unloaded_.store(true, std::memory_order_release); }
  bool unloaded() const noexcept { return unloaded_.load(std::memory_order_acquire); }

 private:
  aclError find_gear(const Ranges &ranges, size_t *gear);
  aclError choose_dims(const Ranges &ranges);
  aclError give_results(const Ranges &ranges);

  std::unique_ptr<ModelEngine> engine_;
  std::unique_ptr<AippStage> aipp_;  // nullptr: no AIPP, or made-up outputs
  ModelMemory work_;
  ModelMemory weights_;
  std::atomic<Mode> mode_{Mode::kUndecided};
  std::atomic<ptrdiff_t> gear_{-1};
  std::atomic<bool> unloaded_{false};
  // Shared with threads that remember the model after its end.
  const std::shared_ptr<std::atomic<bool>> running_ = std::make_shared<std::atomic<bool>>(false);
  std::mutex queue_mutex_;
  size_t queued_ = 0;
  int32_t queue_ = -1;  // stream of the last one queued
  // Of the execution that holds running_; kept to save allocations.
  std::optional<size_t> run_gear_;
  std::vector<DevicePin> pins_;
  std::vector<ModelEngine::Input> engine_inputs_;
  std::vector<ModelEngine::Output> engine_outputs_;
};

// 0 or 145003.
aclError need_model(uint32_t id, std::shared_ptr<Model> *model);
aclError unload_model(uint32_t id);
std::vector<std::shared_ptr<Model>> live_models();

// The ONNX file for the next model that this thread loads; nullptr unsets.
void set_onnx_for_next_load(const char *path);

}  // namespace aclfake

#endif
