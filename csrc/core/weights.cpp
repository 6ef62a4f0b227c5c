// SPDX-License-Identifier: Apache-2.0
#include "core/weights.h"

#include <string_view>
#include <utility>

namespace aclrt {

Weights::Weights(size_t nbytes, std::shared_ptr<MemoryMeter> meter)
    : memory_(nbytes),
      meter_(std::move(meter)),
      metered_(*meter_, MemoryMeter::kWeights, memory::device_footprint(memory_.size())) {}

WeightsUser::WeightsUser(std::shared_ptr<Weights> weights) : weights_(std::move(weights)) {
  if (weights_ != nullptr) ++weights_->users_;
}

WeightsUser::~WeightsUser() {
  FirstFailure ignored;
  release(ignored);
}

void WeightsUser::release(FirstFailure &failure) noexcept {
  const std::shared_ptr<Weights> weights = std::exchange(weights_, nullptr);
  if (weights == nullptr || --weights->users_ > 0) return;
  weights->metered_.release();
  failure.add(weights->memory_.release(), "aclrtFree", "cannot free device memory");
}

size_t shareable_weights(const ModelSource &source, const ModelFacts &facts) {
  if (!facts.has_sizes || facts.is_unknown_shape) return 0;
  if (source.path.empty()) {
    const acl::Table &api = acl::api();
    if (api.aclmdlLoadFromMemWithMem == nullptr || api.aclmdlQuerySizeFromMem == nullptr) return 0;
  }
  ModelFacts sizes;
  query_sizes(source, sizes);
  return sizes.weight_size;
}

bool refuses_weights(const Error &error) noexcept {
  const bool unsupported = error.code == ACL_ERROR_API_NOT_SUPPORT ||
                           error.code == ACL_ERROR_FEATURE_UNSUPPORTED ||
                           error.code == ACL_ERROR_RT_FEATURE_NOT_SUPPORT;
  return unsupported && std::string_view(error.call).find("WithMem") != std::string_view::npos;
}

}  // namespace aclrt
