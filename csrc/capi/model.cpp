// SPDX-License-Identifier: Apache-2.0
//
// Models.
#include "core/model.h"

#include <vector>

#include "capi/guard.h"

struct aclrt_model {
  explicit aclrt_model(std::shared_ptr<aclrt::Model> loaded) : model(std::move(loaded)) {
    describe(model->description().inputs(), inputs);
    describe(model->description().outputs(), outputs);
  }

  std::shared_ptr<aclrt::Model> model;
  std::vector<aclrt_tensor_info_t> inputs;
  std::vector<aclrt_tensor_info_t> outputs;

 private:
  static void describe(const std::vector<aclrt::Tensor> &tensors,
                       std::vector<aclrt_tensor_info_t> &infos) {
    infos.reserve(tensors.size());
    for (const aclrt::Tensor &tensor : tensors) {
      infos.push_back({tensor.name.c_str(), tensor.acl_name.c_str(), tensor.dtype, tensor.format,
                       tensor.nbytes, tensor.dims.size(), tensor.dims.data()});
    }
  }
};

namespace {

aclrt::ModelSource read_source(const aclrt_model_options_t *options) {
  aclrt::capi::require_pointer(options, "options");
  if (options->struct_size != sizeof *options) {
    throw aclrt::Error(ACLRT_ERROR_INPUT, "aclrt_model_options_t has the wrong struct_size",
                       "Set struct_size to sizeof(aclrt_model_options_t).");
  }
  const bool has_path = options->path != nullptr && options->path[0] != '\0';
  if (has_path == (options->data != nullptr)) {
    throw aclrt::Error(ACLRT_ERROR_INPUT, has_path ? "a model has a path or data, not both"
                                                   : "a model needs a path or data");
  }
  aclrt::ModelSource source;
  source.path = aclrt::capi::or_empty(options->path);
  source.data = options->data;
  source.size = options->data_size;
  source.onnx = aclrt::capi::or_empty(options->onnx);
  return source;
}

}  // namespace

extern "C" {

aclrt_status_t *aclrt_model_load(const aclrt_model_options_t *options, aclrt_model_t **model) {
  return aclrt::capi::guard_session([&] {
    aclrt::capi::require_pointer(model, "model");
    const aclrt::ModelSource source = read_source(options);
    *model = new aclrt_model(aclrt::Model::load(source, options->device_id));
  });
}

aclrt_status_t *aclrt_model_info(aclrt_model_t *model, aclrt_model_info_t *info) {
  return aclrt::capi::guard_object([&] {
    aclrt::capi::require_pointer(model, "model");
    aclrt::capi::require_pointer(info, "info");
    const aclrt::ModelFacts &facts = model->model->facts();
    *info = {model->inputs.size(),  model->outputs.size(),     model->inputs.data(),
             model->outputs.data(), model->model->device_id(), facts.is_simulated,
             facts.work_size,       facts.weight_size};
  });
}

aclrt_status_t *aclrt_model_run(aclrt_model_t *model, const aclrt_buffer_t *inputs,
                                size_t input_count, const aclrt_buffer_t *outputs,
                                size_t output_count, aclrt_shape_t *shapes) {
  return aclrt::capi::guard_object([&] {
    aclrt::capi::require_pointer(model, "model");
    model->model->run(inputs, input_count, outputs, output_count, shapes);
  });
}

aclrt_status_t *aclrt_model_close(aclrt_model_t *model) {
  return aclrt::capi::guard_object([&] {
    aclrt::capi::require_pointer(model, "model");
    model->model->close();
  });
}

void aclrt_model_release(aclrt_model_t *model) {
  if (!aclrt::Runtime::is_forked()) delete model;
}

}  // extern "C"
