// SPDX-License-Identifier: Apache-2.0
//
// The checks of aclmdlExecute and its kin, in AscendCL's order.
#include "fake/execution.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <optional>
#include <utility>

#include "fake/arguments.h"
#include "fake/dataset.h"
#include "fake/in_flight.h"
#include "fake/messages.h"
#include "fake/model.h"
#include "fake/quick.h"
#include "fake/shape_range.h"
#include "fake/stream.h"
#include "fake/thread.h"

namespace aclfake {
namespace {

using Mode = Model::Mode;

struct Request {
  std::shared_ptr<Model> model;
  std::shared_ptr<Dataset> input;
  std::shared_ptr<Dataset> output;
  Ranges ranges;
};

aclError read_slots(const Dataset &dataset, const char *side, std::vector<Range> *ranges) {
  ranges->reserve(dataset.size());
  for (size_t i = 0; i < dataset.size(); ++i) {
    Miss miss = Miss::kNone;
    const std::shared_ptr<DataBuffer> buffer = dataset.find_buffer(i, &miss);
    if (buffer == nullptr) {
      return violation(Check::SET_05, ACL_ERROR_INVALID_PARAM,
                       "data buffer %zu of the %s dataset %s", i, side, miss_text(miss));
    }
    ranges->push_back({buffer->data.load(), buffer->size.load()});
  }
  return ACL_SUCCESS;
}

aclError check_context(const Model &model) {
  std::shared_ptr<Context> context;
  if (const aclError code = need_context(&context)) return code;
  if (model.context.lock() == context) return ACL_SUCCESS;
  return violation(Check::RUN_04, ACL_ERROR_RT_MODEL_CONTEXT,
                   "model %u was loaded under another context than the thread's current one",
                   model.id);
}

// A model with ranges may be both.
aclError check_mode(const Model &model, Mode mode) {
  if (model.description->shape_range || model.may_run(mode)) return ACL_SUCCESS;
  return violation(Check::RUN_03, ACL_ERROR_GE_FAILURE, "model %u was executed %s before", model.id,
                   mode == Mode::kSync ? "asynchronously" : "synchronously");
}

aclError check_count(Check check, const char *side, size_t given, size_t needed) {
  if (given == needed) return ACL_SUCCESS;
  return violation(check, ACL_ERROR_GE_FAILURE,
                   "E13025: the %s dataset has %zu buffers, the model has %zu %ss", side, given,
                   needed, side);
}

// may_allocate: a buffer of (nullptr, 0) will get memory of its own. tested: sizes too, which is
// not so once a gear was set, nor with dynamic AIPP.
aclError check_sizes(const char *side, const std::vector<TensorInfo> &infos, bool may_allocate,
                     bool tested, std::vector<Range> *ranges) {
  for (size_t i = 0; i < infos.size(); ++i) {
    Range &range = (*ranges)[i];
    const size_t needed = static_cast<size_t>(infos[i].tensor.size);
    if (range.data == nullptr) {
      if (may_allocate || needed == 0) {
        range.size = 0;
        continue;
      }
      return violation(Check::BUF_05, ACL_ERROR_GE_FAILURE,
                       "E13025: %s %zu \"%s\" has a buffer without memory", side, i,
                       infos[i].tensor.name.c_str());
    }
    if (tested && range.size < needed && needed - range.size > kSizeTolerance) {
      return violation(Check::BUF_06, ACL_ERROR_GE_FAILURE,
                       "E13025: the buffer of %s %zu \"%s\" has %zu bytes, the model needs %zu",
                       side, i, infos[i].tensor.name.c_str(), range.size, needed);
    }
    range.size = std::min(range.size, needed);
  }
  return ACL_SUCCESS;
}

// What is wrong although the execution can be done: descs of inputs that a static model overlooks.
void look_at_descs(const Request &request) {
  const Description &description = *request.model->description;
  for (size_t i = 0; i < description.inputs.size(); ++i) {
    const auto desc = find_tensor_desc(request.input->desc(i));
    const std::vector<int64_t> &dims = description.inputs[i].tensor.dims;
    if (desc == nullptr) continue;
    const auto differs = [](int64_t one, int64_t other) {
      return one >= 0 && other >= 0 && one != other;
    };
    if (desc->dims.size() != dims.size()) {
      notice(Check::DSC_06, "the desc of input %zu has rank %zu, the model's is %zu", i,
             desc->dims.size(), dims.size());
    } else if (!std::equal(dims.begin(), dims.end(), desc->dims.begin(), std::not_fn(differs))) {
      notice(Check::DSC_07, "the desc of input %zu (\"%s\") has dims that the model does not take",
             i, description.inputs[i].tensor.name.c_str());
    }
  }
}

// And outputs that share memory.
void look_at_memory(const Ranges &ranges) {
  const auto overlap = [](const Range &one, const Range &other) {
    const auto a = reinterpret_cast<uintptr_t>(one.data);
    const auto b = reinterpret_cast<uintptr_t>(other.data);
    return a != 0 && b != 0 && (a <= b ? b - a < one.size : a - b < other.size);
  };
  for (size_t i = 0; i < ranges.outputs.size(); ++i) {
    const Range &output = ranges.outputs[i];
    for (size_t j = 0; j < i; ++j) {
      if (!overlap(output, ranges.outputs[j])) continue;
      notice(Check::SET_09, "outputs %zu and %zu, at %p", j, i, output.data);
    }
    for (size_t j = 0; j < ranges.inputs.size(); ++j) {
      if (!overlap(output, ranges.inputs[j])) continue;
      notice(Check::SET_09, "input %zu and output %zu, at %p", j, i, output.data);
    }
  }
}

aclError prepare(uint32_t id, const aclmdlDataset *input, aclmdlDataset *output, Mode mode,
                 Request *request) {
  if (const aclError code = need_handle(input, "input dataset", &request->input)) return code;
  if (const aclError code = need_handle(output, "output dataset", &request->output)) return code;
  Ranges &ranges = request->ranges;
  if (const aclError code = read_slots(*request->input, "input", &ranges.inputs)) return code;
  if (const aclError code = read_slots(*request->output, "output", &ranges.outputs)) return code;
  if (const aclError code = need_model(id, &request->model)) return code;
  Model &model = *request->model;
  if (const aclError code = check_context(model)) return code;
  if (const aclError code = check_mode(model, mode)) return code;
  const Description &description = *model.description;
  const bool may_allocate = mode == Mode::kSync;
  if (description.shape_range) {
    if (const aclError code =
            check_shape_range(description, *request->input, may_allocate, &ranges)) {
      return code;
    }
    look_at_memory(ranges);
    return ACL_SUCCESS;
  }
  if (const aclError code =
          check_count(Check::SET_07, "input", ranges.inputs.size(), description.inputs.size())) {
    return code;
  }
  if (const aclError code =
          check_count(Check::SET_08, "output", ranges.outputs.size(), description.outputs.size())) {
    return code;
  }
  const std::vector<AippInput> &aipp = description.aipp;
  const bool has_parameters = std::any_of(
      aipp.begin(), aipp.end(), [](const AippInput &input) { return input.is_dynamic(); });
  const bool tested = !request->input->has_gear() && !has_parameters;
  const Gears &gears = description.gears;
  const size_t gear_size = gears.any() ? ranges.inputs[gears.input].size : 0;
  if (const aclError code =
          check_sizes("input", description.inputs, false, tested, &ranges.inputs)) {
    return code;
  }
  if (gears.any()) ranges.inputs[gears.input].size = gear_size;  // tells how wide values are
  if (const aclError code =
          check_sizes("output", description.outputs, may_allocate, tested, &ranges.outputs)) {
    return code;
  }
  look_at_descs(*request);
  look_at_memory(ranges);
  return ACL_SUCCESS;
}

// After all other checks, so that a refused call decides nothing.
aclError claim(Model &model, Mode mode) {
  if (model.description->shape_range || model.claim(mode)) return ACL_SUCCESS;
  return check_mode(model, mode);
}

// Memory for an output without, which then is the client's to free.
aclError allocate_output(const Request &request, size_t index, size_t size, Range *range) {
  const std::shared_ptr<DataBuffer> buffer = request.output->find_buffer(index);
  if (buffer == nullptr) {
    return fail(ACL_ERROR_INVALID_PARAM, "data buffer %zu of the output dataset was destroyed",
                index);
  }
  void *data = nullptr;
  if (const aclError code =
          allocate_device(*request.model->device, size, true, Allocator::kAcl, &data)) {
    return fail(code, "no device memory for output %zu (%zu bytes)", index, size);
  }
  buffer->data.store(data);
  buffer->size.store(size);
  quick::changed();
  *range = {data, size};
  return ACL_SUCCESS;
}

aclError allocate_outputs(Request *request) {
  const std::vector<TensorInfo> &infos = request->model->description->outputs;
  for (size_t i = 0; i < infos.size(); ++i) {
    Range &range = request->ranges.outputs[i];
    const size_t needed = static_cast<size_t>(infos[i].tensor.size);
    if (range.data != nullptr || needed == 0) continue;
    if (const aclError code = allocate_output(*request, i, needed, &range)) return code;
  }
  return ACL_SUCCESS;
}

// The same for those whose size the run has told.
aclError allocate_results(Request *request) {
  for (size_t i = 0; i < request->ranges.outputs.size(); ++i) {
    Range &range = request->ranges.outputs[i];
    if (range.data != nullptr || request->model->tells_dims(i)) continue;
    const ModelEngine::Result &result = request->model->result(i);
    if (result.size == 0) continue;
    if (const aclError code = allocate_output(*request, i, result.size, &range)) return code;
    const DevicePin pin = pin_device(range.data, result.size);
    std::memcpy(pin.data(), result.data, result.size);
  }
  return ACL_SUCCESS;
}

// The static engine leaves output descs alone, unless an input has one: then it makes empty ones.
void refresh_output_descs(const Request &request) {
  if (!request.input->has_desc()) return;
  const TensorDesc empty;
  for (size_t i = 0; i < request.output->size(); ++i) request.output->set_desc(i, &empty);
}

using Shapes = ModelEngine::Shapes;

// The engine for ranges replaces all of them.
void tell_real_dims(const Request &request, const Shapes &shapes) {
  const std::vector<TensorInfo> &infos = request.model->description->outputs;
  for (size_t i = 0; i < infos.size(); ++i) {
    TensorDesc desc;
    desc.type = static_cast<aclDataType>(infos[i].tensor.dtype);
    desc.format = static_cast<aclFormat>(infos[i].tensor.format);
    desc.dims = shapes[i];
    desc.storage_format = desc.format;
    desc.storage_dims = desc.dims;
    request.output->set_desc(i, &desc);
  }
}

Shapes shapes_of(const Model &model) {
  Shapes shapes;
  for (size_t i = 0; i < model.description->outputs.size(); ++i) {
    shapes.push_back(model.output_dims(i));
  }
  return shapes;
}

std::vector<InFlight::Span> spans_of(const Ranges &ranges) {
  std::vector<InFlight::Span> spans;
  spans.reserve(ranges.inputs.size() + ranges.outputs.size());
  for (const auto *side : {&ranges.inputs, &ranges.outputs}) {
    for (const Range &range : *side) spans.push_back({range.data, range.size});
  }
  return spans;
}

// How a queued execution ended, for a call that waits for it.
struct Outcome {
  aclError code = ACL_ERROR_RT_MODEL_EXECUTE;
  std::string text;  // of a code that the call gives, and not the stream
  Shapes shapes;
};

aclError as_runtime(aclError code) {
  return code == ACL_ERROR_GE_FAILURE ? ACL_ERROR_RT_MODEL_EXECUTE : code;
}

// outcome: nullptr where the call does not wait.
Task make_task(const Request &request, const Stream &stream, std::shared_ptr<Outcome> outcome) {
  // Holds the model, and its turn from when the stream gets there; over when the task goes.
  struct Execution {
    Execution(const std::shared_ptr<Model> &model, const Stream &on, const Ranges &ranges)
        : queued(model, on.id), use(spans_of(ranges)), turn(*model) {}
    const Model::Queued queued;
    const InFlight use;
    Model::Turn turn;
  };
  const std::shared_ptr<Model> &model = request.model;
  auto execution = std::make_shared<Execution>(model, stream, request.ranges);
  Task task{"model execute",
            [model, execution, ranges = request.ranges, outcome](Stream &) -> aclError {
              const aclError code = model->run(ranges);
              if (outcome == nullptr) return as_runtime(code);
              outcome->code = code;
              if (code == ACL_SUCCESS) outcome->shapes = shapes_of(*model);
              if (code != ACL_ERROR_GE_FAILURE) return code;
              outcome->text = std::exchange(*this_thread().diverted, {});
              return ACL_SUCCESS;
            }};
  task.cost = model->cost();
  task.start = [model, execution](Stream &) -> aclError {
    if (model->unloaded()) {
      return fail(ACL_ERROR_RT_MODEL_EXECUTE,
                  "model %u was unloaded while this execution was queued", model->id);
    }
    return as_runtime(execution->turn.take());
  };
  return task;
}

// Dims of results that only the run can tell have to be in the descs when the call returns.
aclError queue_and_wait(const Request &request, Stream &stream) {
  const auto outcome = std::make_shared<Outcome>();
  if (const aclError code = stream.push(make_task(request, stream, outcome))) return code;
  stream.finish();
  if (outcome->code == ACL_ERROR_GE_FAILURE) messages::add_text(outcome->code, outcome->text);
  if (outcome->code == ACL_SUCCESS) tell_real_dims(request, outcome->shapes);
  return outcome->code == ACL_ERROR_GE_FAILURE ? outcome->code : ACL_SUCCESS;
}

}  // namespace

aclError execute_now(uint32_t id, const aclmdlDataset *input, aclmdlDataset *output) {
  const uint64_t epoch = quick::epoch();
  const unsigned remarks = messages::added();
  Request request;
  if (const aclError code = prepare(id, input, output, Mode::kSync, &request)) return code;
  if (const aclError code = claim(*request.model, Mode::kSync)) return code;
  if (const aclError code = allocate_outputs(&request)) return code;
  Model &model = *request.model;
  Model::Turn turn(model);
  if (const aclError code = turn.take()) return code;
  if (const aclError code = occupy(model.cost(), [&] { return model.run(request.ranges); })) {
    return code;
  }
  if (const aclError code = allocate_results(&request)) return code;
  if (model.description->shape_range) {
    tell_real_dims(request, shapes_of(model));
  } else {
    refresh_output_descs(request);
  }
  if (messages::added() == remarks && model.is_hollow() && !request.input->has_desc()) {
    quick::remember_execution(epoch, id, input, output, model.running_flag());
  }
  return ACL_SUCCESS;
}

aclError execute_on_stream(uint32_t id, const aclmdlDataset *input, aclmdlDataset *output,
                           aclrtStream handle, int64_t timeout_ms) {
  Request request;
  if (const aclError code = prepare(id, input, output, Mode::kSync, &request)) return code;
  std::shared_ptr<Stream> stream;
  if (const aclError code = need_stream(handle, &stream)) return code;
  // The engine for ranges does not look at the stream.
  if (request.model->description->shape_range) return execute_now(id, input, output);
  if (const aclError code = claim(*request.model, Mode::kSync)) return code;
  if (const aclError code = allocate_outputs(&request)) return code;
  if (const aclError code = stream->push(make_task(request, *stream, nullptr))) return code;
  if (const aclError code = stream->synchronize(timeout_ms)) return code;
  refresh_output_descs(request);
  return ACL_SUCCESS;
}

aclError execute_later(uint32_t id, const aclmdlDataset *input, aclmdlDataset *output,
                       aclrtStream handle) {
  Request request;
  if (const aclError code = prepare(id, input, output, Mode::kAsync, &request)) return code;
  std::shared_ptr<Stream> stream;
  if (const aclError code = need_stream(handle, &stream)) return code;
  if (const aclError code = claim(*request.model, Mode::kAsync)) return code;
  const bool ranges = request.model->description->shape_range;
  if (ranges) {
    const std::optional<Shapes> shapes = request.model->infer_dims(request.ranges.input_dims);
    if (!shapes) return queue_and_wait(request, *stream);
    if (const aclError code =
            take_output_dims(*request.model->description, *shapes, &request.ranges)) {
      return code;
    }
  }
  if (const aclError code = stream->push(make_task(request, *stream, nullptr))) return code;
  if (ranges) {
    tell_real_dims(request, request.ranges.output_dims);
  } else {
    refresh_output_descs(request);
  }
  return ACL_SUCCESS;
}

}  // namespace aclfake
