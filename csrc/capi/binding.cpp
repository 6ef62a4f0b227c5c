// SPDX-License-Identifier: Apache-2.0
//
// Bindings.
#include "core/binding.h"

#include <atomic>

#include "capi/guard.h"
#include "capi/model.h"

struct aclrt_binding {
  aclrt::Binding binding;
};

namespace {

// Bindings are spread over the instances of a model.
const std::shared_ptr<aclrt::Model> &next_instance(
    const std::vector<std::shared_ptr<aclrt::Model>> &all) {
  static std::atomic<size_t> count{0};
  return all[count.fetch_add(1, std::memory_order_relaxed) % all.size()];
}

}  // namespace

extern "C" {

aclrt_status_t *aclrt_binding_create(aclrt_model_t *model, const aclrt_buffer_t *inputs,
                                     const aclrt_dims_t *input_shapes, size_t input_count,
                                     const aclrt_buffer_t *outputs, size_t output_count,
                                     aclrt_binding_t **binding) {
  return aclrt::capi::guard_object([&] {
    aclrt::capi::require_pointer(model, "model");
    aclrt::capi::require_pointer(binding, "binding");
    *binding = new aclrt_binding{{next_instance(aclrt::capi::instances_of(*model)), inputs,
                                  input_shapes, input_count, outputs, output_count}};
  });
}

aclrt_status_t *aclrt_binding_run(aclrt_binding_t *binding) {
  return aclrt::capi::guard_object([&] {
    aclrt::capi::require_pointer(binding, "binding");
    binding->binding.run();
  });
}

aclrt_status_t *aclrt_binding_close(aclrt_binding_t *binding) {
  return aclrt::capi::guard_object([&] {
    aclrt::capi::require_pointer(binding, "binding");
    binding->binding.close();
  });
}

void aclrt_binding_release(aclrt_binding_t *binding) {
  if (!aclrt::Runtime::is_forked()) delete binding;
}

}  // extern "C"
