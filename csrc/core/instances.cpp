// SPDX-License-Identifier: Apache-2.0
//
// Loading the instances of a model, and handing them out.
#include "core/instances.h"

#include <string>
#include <utility>

#include "core/context_guard.h"
#include "core/load_check.h"
#include "core/weights.h"

namespace aclrt {
namespace {

// Where AscendCL cannot load into given memory, kin has no weights afterwards.
std::shared_ptr<Model> load_first(int32_t device_id, const ModelSource &source,
                                  const ModelFacts &facts, Model::Kin &kin) {
  if (kin.weights != nullptr) {
    try {
      return std::make_shared<Model>(DeviceRef(device_id), source, facts, kin);
    } catch (const Error &error) {
      if (!refuses_weights(error)) throw;
    }
    kin.weights = nullptr;
  }
  return std::make_shared<Model>(DeviceRef(device_id), source, facts, kin);
}

}  // namespace

std::shared_ptr<Instances> Instances::load(const ModelSource &source, int32_t device_id,
                                           size_t count) {
  if (count < 1 || count > kMost) {
    throw Error(ACLRT_ERROR_INPUT, "a model has 1 to " + std::to_string(kMost) +
                                       " instances, not " + std::to_string(count));
  }
  Runtime &runtime = Runtime::instance();
  const ModelFacts facts = judge(source);
  runtime.load(nullptr);
  refuse_unless_loadable({check_backend(facts, source, runtime.is_fake())});
  runtime.init(nullptr);
  refuse_unless_loadable(check_board(facts, source, runtime.info()));

  auto all = std::make_shared<Instances>();
  const DeviceRef device(device_id);
  const ContextGuard guard(*device);
  Model::Kin kin{all->meter_, std::make_shared<Loss>(), nullptr};
  // Loading writes the weights, so every instance is loaded before any of them can run.
  const size_t shared = count > 1 ? shareable_weights(source, facts) : 0;
  if (shared > 0) kin.weights = std::make_shared<Weights>(shared, all->meter_);
  all->models_.reserve(count);
  all->models_.push_back(load_first(device_id, source, facts, kin));
  while (all->models_.size() < count) {
    all->models_.push_back(std::make_shared<Model>(DeviceRef(device_id), source, facts, kin));
  }
  all->are_shared_ = kin.weights != nullptr;
  all->free_.store(count == kMost ? ~uint64_t{0} : (uint64_t{1} << count) - 1);
  for (const auto &model : all->models_) runtime.add(model);
  return all;
}

size_t Instances::take() {
  const auto try_take = [this](size_t *index) {
    uint64_t free = free_.load();
    while (free != 0) {
      if (free_.compare_exchange_weak(free, free & (free - 1))) {
        *index = static_cast<size_t>(__builtin_ctzll(free));
        return true;
      }
    }
    return false;
  };
  if (is_closing_.load(std::memory_order_relaxed)) Model::refuse_closed();
  size_t index = 0;
  if (try_take(&index)) return index;
  // Counted before the last look, so that whoever gives one back sees either the count or nobody
  // who missed it.
  std::unique_lock<std::mutex> lock(mutex_);
  ++waiting_;
  freed_.wait(lock, [&] { return try_take(&index); });
  --waiting_;
  return index;
}

void Instances::give_back(size_t index) noexcept {
  free_.fetch_or(uint64_t{1} << index);
  if (waiting_.load() == 0) return;
  {
    std::lock_guard<std::mutex> lock(mutex_);
  }
  freed_.notify_one();
}

void Instances::set_aipp(size_t input, const aclrt_aipp_t &aipp) {
  for (const auto &model : models_) {
    try {
      model->set_aipp(input, aipp);
    } catch (...) {
      // Some have the new parameters, some the old: none may run until all have the same.
      if (model != models_.front()) {
        for (const auto &other : models_) other->forget_aipp(input);
      }
      throw;
    }
  }
}

void Instances::close() {
  is_closing_ = true;
  FirstFailure failure;
  for (const auto &model : models_) {
    try {
      model->close();
    } catch (const Error &error) {
      failure.add(error);
    }
  }
  failure.throw_if_any();
}

}  // namespace aclrt
