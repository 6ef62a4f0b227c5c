// SPDX-License-Identifier: Apache-2.0
//
// Loading, and the table of models.
#include "fake/model.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <utility>

#include "fake/checks.h"
#include "fake/freed.h"
#include "fake/ledger.h"
#include "fake/messages.h"
#include "fake/quick.h"
#include "fake/state.h"

namespace aclfake {
namespace {

constexpr uint32_t kWeightsPartition = 1;

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

  uint32_t last_id() {
    std::shared_lock<std::shared_mutex> lock(mutex_);
    return last_id_;
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
    quick::changed();
    return model;
  }

  std::vector<std::shared_ptr<Model>> all() {
    std::shared_lock<std::shared_mutex> lock(mutex_);
    std::vector<std::shared_ptr<Model>> result;
    for (const auto &entry : models_) {
      if (entry.second != nullptr) result.push_back(entry.second);
    }
    return result;
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
    quick::changed();
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

aclError refuse(Check check, const ModelFile &file, const std::string &reason) {
  return violation(check, ACL_ERROR_GE_EXEC_LOAD_MODEL_PARTITION_FAILED, "model \"%s\": %s",
                   file.name().c_str(), reason.c_str());
}

// What the file tells has to be enough to execute it.
aclError check_supported(const ModelFile &file, const om::Model &model) {
  if (!model.io_problem.empty()) {
    return refuse(Check::MDL_02, file, "does not tell its inputs and outputs: " + model.io_problem);
  }
  const Gears gears(model);
  if (!gears.any()) return ACL_SUCCESS;
  if (gears.input >= model.inputs.size()) {
    return refuse(Check::MDL_02, file,
                  "has gears, but no input " ACL_DYNAMIC_TENSOR_NAME " to choose one by");
  }
  for (const Gears::Values &values : gears.gears) {
    const bool same = !values.empty() && values.size() == gears.value_count;
    if (same && (gears.kind != om::Dynamic::kImage || values.size() == 2)) continue;
    return refuse(Check::MDL_02, file,
                  "has gears of different or wrong numbers of values: " + gears.text());
  }
  return ACL_SUCCESS;
}

// Made-up outputs have no dims but those that the file tells.
aclError check_output_dims(const ModelFile &file, const om::Model &model) {
  const Gears gears(model);
  for (size_t i = 0; i < model.outputs.size(); ++i) {
    const std::vector<int64_t> &dims = model.outputs[i].dims;
    bool known = std::all_of(dims.begin(), dims.end(), [](int64_t dim) { return dim >= 0; });
    for (size_t gear = 0; gear < gears.gears.size(); ++gear) {
      known = gears.output_dims(gear, i) != nullptr && (gear == 0 || known);
    }
    if (known) continue;
    return refuse(Check::MDL_02, file,
                  "does not tell the dims of output \"" + model.outputs[i].name +
                      "\", so ACLRT_FAKE_ENGINE=synthetic cannot make it up; give its ONNX file");
  }
  return ACL_SUCCESS;
}

aclError make_engine(const ModelFile &file, const om::Model &model, const std::string &chosen_onnx,
                     std::unique_ptr<ModelEngine> *engine, std::unique_ptr<AippStage> *aipp) {
  const std::string kind = environment("ACLRT_FAKE_ENGINE");
  if (kind == "synthetic") {
    if (const aclError code = check_output_dims(file, model)) return code;
    *engine = make_synthetic_engine(model);
    return ACL_SUCCESS;
  }
  if (!kind.empty() && kind != "onnxruntime") {
    return refuse(Check::MDL_03, file,
                  "ACLRT_FAKE_ENGINE is \"" + kind + "\"; it can be onnxruntime or synthetic");
  }
  std::string path = chosen_onnx;
  const bool has_body = model.onnx.size > 0;
  if (path.empty() && !has_body) path = environment("ACLRT_FAKE_ONNX");
  if (path.empty() && !has_body) {
    return refuse(Check::MDL_01, file,
                  "was compiled for a real device and carries no ONNX body, so the fake device "
                  "cannot compute it");
  }
  try {
    if (!model.aipp.empty()) *aipp = std::make_unique<AippStage>(model);
    const om::Model body = behind_aipp(model);
    const bool ranges = model.dynamic == om::Dynamic::kRange;
    const Weights onnx = ranges ? file.keep(model.onnx) : Weights{model.onnx, nullptr};
    *engine = path.empty() ? make_ort_engine(body, onnx, file.keep(model.onnx_weights))
                           : make_ort_engine(body, path);
    return ACL_SUCCESS;
  } catch (const BodyMismatch &error) {
    return refuse(Check::MDL_04, file, error.what());
  } catch (const EngineError &error) {
    return refuse(Check::MDL_03, file, error.what());
  }
}

void copy_weights(const ModelFile &file, const om::Model &model, uint8_t *target) {
  const om::Partition *weights = model.find(kWeightsPartition);
  if (weights == nullptr || target == nullptr || weights->size > model.weight_size) return;
  std::memcpy(target, file.bytes().data + weights->offset, static_cast<size_t>(weights->size));
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
      return violation(Check::MEM_14, ACL_ERROR_GE_PARAM_INVALID,
                       "%s memory has %zu bytes, the model needs %zu", what, given_size, needed);
    }
    if (needed > 0 && !pin_device(given, needed)) {
      return violation(Check::MEM_14, ACL_ERROR_GE_PARAM_INVALID, "%s memory of %zu bytes: %s",
                       what, needed, memory_text(given).c_str());
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
  pin_ = pin_internal(own_, needed);
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
  const bool fixed = !description->gears.any() && !description->shape_range;
  for (size_t i = 0; fixed && i < engine_inputs_.size(); ++i) {
    engine_inputs_[i].dims = &description->inputs[i].tensor.dims;
  }
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
  if (const aclError code = make_engine(file, parsed, chosen_onnx, &model->engine_, &model->aipp_))
    return code;
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

aclError Model::Turn::take() {
  taken_ = !model_.running_->exchange(true);
  if (taken_) return ACL_SUCCESS;
  return violation(Check::RUN_01, ACL_ERROR_GE_FAILURE, "model %u is being executed already",
                   model_.id);
}

Model::Turn::~Turn() {
  if (taken_) model_.running_->store(false);
}

Cost Model::cost() const {
  Cost cost;
  cost.engine = &device->compute;
  cost.kind = "execute";
  device->profile.execute_us(name, &cost.lead_us, &cost.total_us);
  return cost;
}

bool Model::is_hollow() const noexcept {
  const Description &about = *description;
  if (!device->profile.window || about.gears.any() || about.shape_range || !about.aipp.empty()) {
    return false;
  }
  for (size_t i = 0; i < about.outputs.size(); ++i) {
    if (!tells_dims(i)) return false;
  }
  const Cost time = cost();
  return time.lead_us <= 0 && time.total_us <= 0;
}

Model::Queued::Queued(std::shared_ptr<Model> model, int32_t stream) : model_(std::move(model)) {
  std::lock_guard<std::mutex> lock(model_->queue_mutex_);
  if (model_->queued_ > 0 && model_->queue_ != stream) {
    notice(Check::RUN_02, "model %u is queued on stream %d, and now on stream %d", model_->id,
           model_->queue_, stream);
  }
  ++model_->queued_;
  model_->queue_ = stream;
}

Model::Queued::~Queued() {
  std::lock_guard<std::mutex> lock(model_->queue_mutex_);
  --model_->queued_;
}

size_t Model::queued() {
  std::lock_guard<std::mutex> lock(queue_mutex_);
  return queued_;
}

// ---- functions --------------------------------------------------------------------------------

namespace {

// unloaded: what it is if there was such a model.
aclError no_such_model(uint32_t id, Check unloaded) {
  const bool known = id != 0 && id <= table().last_id();
  return violation(known ? unloaded : Check::MDL_05, ACL_ERROR_GE_EXEC_MODEL_ID_INVALID,
                   known ? "model %u was unloaded already" : "no load gave the id %u", id);
}

}  // namespace

aclError need_model(uint32_t id, std::shared_ptr<Model> *model) {
  *model = table().find(id);
  return *model != nullptr ? ACL_SUCCESS : no_such_model(id, Check::MDL_06);
}

aclError unload_model(uint32_t id) {
  const std::shared_ptr<Model> model = table().remove(id);
  if (model == nullptr) return no_such_model(id, Check::MDL_07);
  const std::shared_ptr<Context> &context = current_context();
  const std::shared_ptr<Context> owner = model->context.lock();
  if (context != nullptr && owner != nullptr && owner->alive() && context != owner) {
    notice(Check::MDL_10, "model %u was loaded on device %d by %s", id, model->device->id,
           origin_text(model->made).c_str());
  }
  if (const size_t queued = model->queued(); queued > 0) {
    notice(Check::MDL_09, "%zu executions of model %u are queued", queued, id);
  } else if (model->running()) {
    notice(Check::MDL_08, "model %u is being executed", id);
  }
  model->mark_unloaded();
  ledger::destroyed(Kind::kModel, model->device_bytes());
  return ACL_SUCCESS;
}

std::vector<std::shared_ptr<Model>> live_models() {
  return table().all();
}

void set_onnx_for_next_load(const char *path) {
  onnx_for_next_load() = path != nullptr ? path : "";
}

}  // namespace aclfake
