// SPDX-License-Identifier: Apache-2.0
//
// Loading, the table of models, and one execution.
#include "fake/model.h"

#include <cstdlib>
#include <cstring>
#include <exception>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <utility>

#include "fake/ledger.h"
#include "fake/messages.h"
#include "fake/state.h"

namespace aclfake {
namespace {

constexpr uint32_t kWeightsPartition = 1;
constexpr uint32_t kInoutInfoPartition = 8;

// ---- table ------------------------------------------------------------------------------------

class Table {
 public:
  uint32_t reserve() {
    std::unique_lock<std::shared_mutex> lock(mutex_);
    do {
      ++last_id_;
    } while (last_id_ == 0 || models_.count(last_id_) != 0);
    models_[last_id_] = nullptr;
    return last_id_;
  }

  void publish(std::shared_ptr<Model> model) {
    std::unique_lock<std::shared_mutex> lock(mutex_);
    models_[model->id] = std::move(model);
  }

  std::shared_ptr<Model> find(uint32_t id) {
    std::shared_lock<std::shared_mutex> lock(mutex_);
    const auto found = models_.find(id);
    return found != models_.end() ? found->second : nullptr;
  }

  // Also gives up a reserved id.
  std::shared_ptr<Model> remove(uint32_t id) {
    std::unique_lock<std::shared_mutex> lock(mutex_);
    const auto found = models_.find(id);
    if (found == models_.end()) return nullptr;
    std::shared_ptr<Model> model = std::move(found->second);
    models_.erase(found);
    return model;
  }

  std::vector<std::shared_ptr<Model>> remove_all() {
    std::unique_lock<std::shared_mutex> lock(mutex_);
    std::vector<std::shared_ptr<Model>> result;
    for (auto it = models_.begin(); it != models_.end();) {
      if (it->second == nullptr) {
        ++it;  // being loaded by another thread
      } else {
        result.push_back(std::move(it->second));
        it = models_.erase(it);
      }
    }
    return result;
  }

 private:
  std::shared_mutex mutex_;
  std::unordered_map<uint32_t, std::shared_ptr<Model>> models_;
  uint32_t last_id_ = 0;
};

Table &table() {
  static Table *const instance = new Table;
  return *instance;
}

class ReservedId {
 public:
  ReservedId() : id(table().reserve()) {}
  ~ReservedId() {
    if (!kept_) table().remove(id);
  }
  ReservedId(const ReservedId &) = delete;
  ReservedId &operator=(const ReservedId &) = delete;
  void keep() noexcept { kept_ = true; }

  const uint32_t id;

 private:
  bool kept_ = false;
};

size_t drop_models() {
  const std::vector<std::shared_ptr<Model>> models = table().remove_all();
  for (const std::shared_ptr<Model> &model : models) {
    model->mark_unloaded();
    ledger::destroyed(Kind::kModel, model->device_bytes());
  }
  return models.size();
}
const bool registered = at_reset(drop_models);

// ---- engine -----------------------------------------------------------------------------------

std::string &onnx_for_next_load() {
  thread_local std::string path;
  return path;
}

std::string environment(const char *name) {
  const char *value = std::getenv(name);
  return value != nullptr ? value : "";
}

aclError refuse(const char *id, const ModelFile &file, const std::string &reason) {
  return fail(ACL_ERROR_GE_EXEC_LOAD_MODEL_PARTITION_FAILED, "%s: model \"%s\": %s", id,
              file.name().c_str(), reason.c_str());
}

// Static shapes with a list of inputs and outputs are what this device executes.
aclError check_supported(const ModelFile &file, const om::Model &model) {
  if (model.find(kInoutInfoPartition) == nullptr) {
    return refuse("ACLFAKE-MDL-02", file,
                  "has no MODEL_INOUT_INFO (it was compiled by an ATC older than CANN 8); this "
                  "version of the fake device cannot read its inputs and outputs");
  }
  bool dynamic = model.model_num > 1 || model.is_unknown_shape;
  for (const auto *side : {&model.inputs, &model.outputs}) {
    for (const om::Tensor &tensor : *side) {
      for (const int64_t dim : tensor.dims) dynamic = dynamic || dim < 0;
    }
  }
  if (!dynamic) return ACL_SUCCESS;
  return refuse("ACLFAKE-MDL-02", file,
                "has dynamic shapes; this version of the fake device executes static ones only");
}

aclError make_engine(const ModelFile &file, const om::Model &model, const std::string &chosen_onnx,
                     std::unique_ptr<ModelEngine> *engine) {
  const std::string kind = environment("ACLRT_FAKE_ENGINE");
  if (kind == "synthetic") {
    *engine = make_synthetic_engine(model);
    return ACL_SUCCESS;
  }
  if (!kind.empty() && kind != "onnxruntime") {
    return refuse("ACLFAKE-MDL-03", file,
                  "ACLRT_FAKE_ENGINE is \"" + kind + "\"; it can be onnxruntime or synthetic");
  }
  std::string path = chosen_onnx;
  const bool has_body = model.onnx.size > 0;
  if (path.empty() && !has_body) path = environment("ACLRT_FAKE_ONNX");
  if (path.empty() && !has_body) {
    return refuse("ACLFAKE-MDL-01", file,
                  "was compiled for a real device and carries no ONNX body, so the fake device "
                  "cannot compute it. Name its ONNX file in ACLRT_FAKE_ONNX, or by "
                  "aclfake_set_onnx_for_next_load (onnx=... in Python), or ask for made-up outputs "
                  "with ACLRT_FAKE_ENGINE=synthetic.");
  }
  try {
    *engine = path.empty() ? make_ort_engine(model, model.onnx) : make_ort_engine(model, path);
    return ACL_SUCCESS;
  } catch (const BodyMismatch &error) {
    return refuse("ACLFAKE-MDL-04", file, error.what());
  } catch (const EngineError &error) {
    return refuse("ACLFAKE-MDL-03", file, error.what());
  }
}

void copy_weights(const ModelFile &file, const om::Model &model, uint8_t *target) {
  const om::Partition *weights = model.find(kWeightsPartition);
  if (weights == nullptr || target == nullptr || weights->size > model.weight_size) return;
  std::memcpy(target, file.bytes().data + weights->offset, static_cast<size_t>(weights->size));
}

// ---- execution --------------------------------------------------------------------------------

const char *place_text(Place place) {
  switch (place) {
    case Place::kForeign:
      return "is not device memory";
    case Place::kHost:
      return "is host memory, device memory is needed";
    case Place::kDead:
      return "is device memory that is not allocated (freed?)";
    case Place::kDevice:
      return "is device memory, but its allocation ends before the tensor does";
  }
  return "";
}

class Flag {
 public:
  explicit Flag(std::atomic<bool> &flag) : flag_(flag), taken_(!flag.exchange(true)) {}
  ~Flag() {
    if (taken_) flag_.store(false);
  }
  Flag(const Flag &) = delete;
  Flag &operator=(const Flag &) = delete;
  explicit operator bool() const noexcept { return taken_; }

 private:
  std::atomic<bool> &flag_;
  const bool taken_;
};

// size: of the tensor. Fewer bytes only where the client's buffer says so.
aclError pin_range(const Model &model, const char *side, size_t index, const Range &range,
                   size_t size, DevicePin *pin) {
  *pin = pin_device(range.data, size);
  if (*pin) {
    if (&pin->device() == model.device.get()) return ACL_SUCCESS;
    return fail(ACL_ERROR_RT_MODEL_EXECUTE,
                "%s %zu at %p is memory of device %d, the model's is %d", side, index, range.data,
                pin->device().id, model.device->id);
  }
  return fail(ACL_ERROR_RT_MODEL_EXECUTE, "%s %zu: %zu bytes at %p: it %s", side, index, size,
              range.data, place_text(locate(range.data).place));
}

}  // namespace

// ---- ModelMemory ------------------------------------------------------------------------------

ModelMemory::~ModelMemory() {
  // Refused after a reset of the device, which has freed it; nothing is left to do then.
  if (own_ != nullptr) free_device(own_, Allocator::kInternal);
}

aclError ModelMemory::take(Device &device, const char *what, void *given, size_t given_size,
                           size_t needed) {
  size_ = needed;
  if (given != nullptr) {
    if (given_size < needed) {
      return fail(ACL_ERROR_GE_PARAM_INVALID, "%s memory has %zu bytes, the model needs %zu", what,
                  given_size, needed);
    }
    if (needed > 0 && !pin_device(given, needed)) {
      return fail(ACL_ERROR_GE_PARAM_INVALID, "%s memory at %p %s", what, given,
                  place_text(locate(given).place));
    }
    given_ = given;
    return ACL_SUCCESS;
  }
  if (needed == 0) return ACL_SUCCESS;
  if (allocate_device(device, needed, false, Allocator::kInternal, &own_) != ACL_SUCCESS) {
    return fail(ACL_ERROR_GE_MEMORY_ALLOCATION,
                "device %d has no room for %zu bytes of %s memory (%llu free)", device.id, needed,
                what, static_cast<unsigned long long>(free_bytes(device)));
  }
  pin_ = pin_device(own_, needed);
  return ACL_SUCCESS;
}

bool ModelMemory::alive() const {
  return given_ == nullptr || size_ == 0 || pin_device(given_, size_);
}

// ---- Model ------------------------------------------------------------------------------------

Model::Model(uint32_t model_id, const om::Model &model, const std::shared_ptr<Context> &owner,
             int32_t model_priority)
    : id(model_id),
      name(model.name),
      description(std::make_shared<const Description>(model_id, model)),
      context(owner),
      device(owner->device),
      priority(model_priority) {
  pins_.resize(model.inputs.size() + model.outputs.size());
  engine_inputs_.resize(model.inputs.size());
  engine_outputs_.resize(model.outputs.size());
}

Model::~Model() = default;

aclError Model::load(const ModelFile &file, const LoadOptions &options, uint32_t *id) {
  const std::string chosen_onnx = std::exchange(onnx_for_next_load(), {});
  om::Model parsed;
  if (const aclError code = file.parse(&parsed)) return code;
  if (const aclError code = check_supported(file, parsed)) return code;
  std::shared_ptr<Context> context;
  if (const aclError code = need_context(&context)) return code;

  ReservedId reserved;
  auto model = std::make_shared<Model>(reserved.id, parsed, context, options.priority);
  Device &device = *context->device;
  if (const aclError code = model->weights_.take(device, "weight", options.weights,
                                                 options.weight_size, parsed.weight_size)) {
    return code;
  }
  if (const aclError code =
          model->work_.take(device, "work", options.work, options.work_size, parsed.work_size)) {
    return code;
  }
  if (const aclError code = make_engine(file, parsed, chosen_onnx, &model->engine_)) return code;
  const DevicePin given =
      options.weights != nullptr ? pin_device(options.weights, parsed.weight_size) : DevicePin();
  copy_weights(file, parsed, given ? given.data() : model->weights_.data());

  ledger::created(Kind::kModel, model->device_bytes());
  table().publish(std::move(model));
  reserved.keep();
  *id = reserved.id;
  return ACL_SUCCESS;
}

bool Model::may_run(Mode mode) const noexcept {
  const Mode now = mode_.load(std::memory_order_acquire);
  return now == Mode::kUndecided || now == mode;
}

bool Model::claim(Mode mode) noexcept {
  Mode expected = Mode::kUndecided;
  return mode_.compare_exchange_strong(expected, mode) || expected == mode;
}

aclError Model::run(const Ranges &ranges) {
  const Flag flag(running_);
  if (!flag) {
    return fail(ACL_ERROR_GE_FAILURE,
                "model %u is being executed already; one execution of a model id at a time is "
                "allowed (load it twice to run it in parallel)",
                id);
  }
  return device->compute.run(device->profile.compute_us(), [&] { return compute(ranges); });
}

aclError Model::compute(const Ranges &ranges) {
  struct Unpin {
    std::vector<DevicePin> &pins;
    ~Unpin() {
      for (DevicePin &pin : pins) pin = DevicePin();
    }
  } unpin{pins_};

  if (!work_.alive() || !weights_.alive()) {
    return fail(ACL_ERROR_RT_MODEL_EXECUTE,
                "the client's work or weight memory of model %u was freed before the model was "
                "unloaded",
                id);
  }
  for (size_t i = 0; i < ranges.inputs.size(); ++i) {
    const Range &range = ranges.inputs[i];
    DevicePin &pin = pins_[i];
    if (range.size > 0) {
      if (const aclError code = pin_range(*this, "input", i, range, range.size, &pin)) return code;
    }
    engine_inputs_[i] = {pin.data(), range.size};
  }
  for (size_t i = 0; i < ranges.outputs.size(); ++i) {
    const Range &range = ranges.outputs[i];
    DevicePin &pin = pins_[ranges.inputs.size() + i];
    if (range.size > 0) {
      if (const aclError code = pin_range(*this, "output", i, range, range.size, &pin)) return code;
    }
    engine_outputs_[i] = {pin.data(), range.size};
  }
  try {
    engine_->run(engine_inputs_, engine_outputs_);
    return ACL_SUCCESS;
  } catch (const EngineError &error) {
    return fail(ACL_ERROR_RT_MODEL_EXECUTE, "model \"%s\": %s", name.c_str(), error.what());
  }
}

// ---- functions --------------------------------------------------------------------------------

aclError need_model(uint32_t id, std::shared_ptr<Model> *model) {
  *model = table().find(id);
  if (*model != nullptr) return ACL_SUCCESS;
  return fail(ACL_ERROR_GE_EXEC_MODEL_ID_INVALID, "no model with id %u is loaded", id);
}

aclError unload_model(uint32_t id) {
  std::shared_ptr<Model> model;
  if (const aclError code = need_model(id, &model)) return code;
  model = table().remove(id);
  if (model == nullptr) {
    return fail(ACL_ERROR_GE_EXEC_MODEL_ID_INVALID, "no model with id %u is loaded", id);
  }
  model->mark_unloaded();
  ledger::destroyed(Kind::kModel, model->device_bytes());
  return ACL_SUCCESS;
}

void set_onnx_for_next_load(const char *path) {
  onnx_for_next_load() = path != nullptr ? path : "";
}

}  // namespace aclfake
