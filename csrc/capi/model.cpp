// SPDX-License-Identifier: Apache-2.0
//
// Models.
#include "capi/model.h"

#include <cstdlib>
#include <vector>

#include "capi/guard.h"
#include "core/instances.h"
#include "core/load_check.h"
#include "core/warm_up.h"
#include "om/json_writer.h"

struct aclrt_model {
  explicit aclrt_model(std::shared_ptr<aclrt::Instances> loaded) : instances(std::move(loaded)) {
    const aclrt::Model &model = instances->first();
    describe(model.description().inputs(), inputs);
    describe(model.description().outputs(), outputs);
    for (const aclrt::Gear &gear : model.gears().all()) {
      gear_dims.push_back(views(gear.inputs));
      gear_dims.push_back(views(gear.outputs));
      const size_t last = gear_dims.size() - 1;
      gears.push_back({gear.values.data(), gear.values.size(), gear_dims[last - 1].data(),
                       gear_dims[last].data()});
    }
  }

  std::shared_ptr<aclrt::Instances> instances;
  std::vector<aclrt_tensor_info_t> inputs;
  std::vector<aclrt_tensor_info_t> outputs;
  std::vector<aclrt_gear_t> gears;

 private:
  void describe(const std::vector<aclrt::Tensor> &tensors,
                std::vector<aclrt_tensor_info_t> &infos) {
    static_assert(sizeof(std::pair<int64_t, int64_t>) == 2 * sizeof(int64_t));
    infos.reserve(tensors.size());
    for (const aclrt::Tensor &tensor : tensors) {
      infos.push_back({tensor.name.c_str(), tensor.acl_name.c_str(), tensor.dtype, tensor.format,
                       tensor.nbytes, tensor.dims.size(), tensor.dims.data(),
                       tensor.range.empty() ? nullptr : &tensor.range[0].first});
    }
  }
  static std::vector<aclrt_dims_t> views(const std::vector<aclrt::Dims> &all) {
    std::vector<aclrt_dims_t> dims;
    for (const aclrt::Dims &one : all) dims.push_back({one.data(), one.size()});
    return dims;
  }

  std::vector<std::vector<aclrt_dims_t>> gear_dims;  // inputs' and outputs' of each gear in turn
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

std::string to_json(const std::vector<aclrt::LoadFinding> &findings) {
  bool loads = true;
  for (const aclrt::LoadFinding &finding : findings) loads = loads && !finding.refusal;
  om::JsonWriter json;
  json.begin_object().field("loads", loads).key("findings").begin_array();
  for (const aclrt::LoadFinding &finding : findings) {
    json.begin_object()
        .field("topic", finding.topic)
        .field("ok", !finding.refusal)
        .field("text", finding.text)
        .field("hint", finding.refusal ? finding.refusal->hint : std::string())
        .end_object();
  }
  json.end_array().end_object();
  return json.take();
}

}  // namespace

std::vector<std::shared_ptr<aclrt::Model>> aclrt::capi::instances_of(const aclrt_model_t &model) {
  return model.instances->all();
}

extern "C" {

aclrt_status_t *aclrt_model_load(const aclrt_model_options_t *options, aclrt_model_t **model) {
  return aclrt::capi::guard_session([&] {
    aclrt::capi::require_pointer(model, "model");
    const aclrt::ModelSource source = read_source(options);
    *model = new aclrt_model(aclrt::Instances::load(
        source, options->device_id, options->instances == 0 ? 1 : options->instances));
  });
}

aclrt_status_t *aclrt_model_check(const aclrt_model_options_t *options, char **json) {
  return aclrt::capi::guard_session([&] {
    aclrt::capi::require_pointer(json, "json");
    const aclrt::ModelSource source = read_source(options);
    const aclrt::ModelFacts facts = aclrt::judge(source);
    aclrt::Runtime &runtime = aclrt::Runtime::instance();
    runtime.init(nullptr);
    std::vector<aclrt::LoadFinding> findings{
        aclrt::check_backend(facts, source, runtime.is_fake())};
    for (aclrt::LoadFinding &more : aclrt::check_board(facts, source, runtime.info())) {
      findings.push_back(std::move(more));
    }
    *json = aclrt::capi::new_string(to_json(findings));
  });
}

aclrt_status_t *aclrt_model_info(aclrt_model_t *model, aclrt_model_info_t *info) {
  return aclrt::capi::guard_object([&] {
    aclrt::capi::require_pointer(model, "model");
    aclrt::capi::require_pointer(info, "info");
    const aclrt::Model &first = model->instances->first();
    const aclrt::ModelFacts &facts = first.facts();
    *info = {model->inputs.size(),
             model->outputs.size(),
             model->inputs.data(),
             model->outputs.data(),
             first.device_id(),
             facts.is_simulated,
             facts.work_size,
             facts.weight_size,
             first.gears().kind(),
             model->gears.size(),
             model->gears.data(),
             model->instances->count(),
             model->instances->weights_are_shared()};
  });
}

aclrt_status_t *aclrt_model_run(aclrt_model_t *model, const aclrt_buffer_t *inputs,
                                size_t input_count, const aclrt_buffer_t *outputs,
                                size_t output_count, aclrt_shape_t *shapes) {
  return aclrt::capi::guard_object([&] {
    aclrt::capi::require_pointer(model, "model");
    aclrt::Instances::Turn(*model->instances)
        .model()
        .run(inputs, input_count, outputs, output_count, shapes);
  });
}

aclrt_status_t *aclrt_model_run_pointers(aclrt_model_t *model, void *const *pointers,
                                         size_t count) {
  return aclrt::capi::guard_object([&] {
    aclrt::capi::require_pointer(model, "model");
    aclrt::capi::require_pointer(pointers, "pointers");
    aclrt::Instances::Turn(*model->instances).model().run_pointers(pointers, count);
  });
}

aclrt_status_t *aclrt_model_run_shaped(aclrt_model_t *model, const aclrt_buffer_t *inputs,
                                       const aclrt_dims_t *input_shapes, size_t input_count,
                                       aclrt_buffer_t *outputs, size_t output_count,
                                       aclrt_shape_t *shapes) {
  return aclrt::capi::guard_object([&] {
    aclrt::capi::require_pointer(model, "model");
    aclrt::Instances::Turn(*model->instances)
        .model()
        .run_shaped(inputs, input_shapes, input_count, outputs, output_count, shapes);
  });
}

aclrt_status_t *aclrt_model_set_aipp(aclrt_model_t *model, size_t input, const aclrt_aipp_t *aipp) {
  return aclrt::capi::guard_object([&] {
    aclrt::capi::require_pointer(model, "model");
    aclrt::capi::require_pointer(aipp, "aipp");
    model->instances->set_aipp(input, *aipp);
  });
}

aclrt_status_t *aclrt_model_memory_stats(aclrt_model_t *model, int32_t instance,
                                         aclrt_memory_stats_t *stats) {
  return aclrt::capi::guard_object([&] {
    aclrt::capi::require_pointer(model, "model");
    aclrt::capi::require_pointer(stats, "stats");
    const aclrt::Instances &all = *model->instances;
    if (instance >= 0 && static_cast<size_t>(instance) < all.count()) {
      *stats = all.at(static_cast<size_t>(instance))->meter().read();
    } else if (instance == -1) {
      *stats = all.memory();
    } else {
      throw aclrt::Error(ACLRT_ERROR_INPUT, "there is no instance " + std::to_string(instance) +
                                                ": the model has " + std::to_string(all.count()));
    }
  });
}

aclrt_status_t *aclrt_model_warm_up(aclrt_model_t *model, uint32_t runs) {
  return aclrt::capi::guard_object([&] {
    aclrt::capi::require_pointer(model, "model");
    for (size_t i = 0; i < model->instances->count(); ++i) {
      for (uint32_t run = 0; run < runs; ++run) aclrt::warm_up(*model->instances->at(i));
    }
  });
}

void aclrt_data_release(void *data) {
  std::free(data);
}

aclrt_status_t *aclrt_model_close(aclrt_model_t *model) {
  return aclrt::capi::guard_object([&] {
    aclrt::capi::require_pointer(model, "model");
    model->instances->close();
  });
}

void aclrt_model_release(aclrt_model_t *model) {
  if (!aclrt::Runtime::is_forked()) delete model;
}

}  // extern "C"
