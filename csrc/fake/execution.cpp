// SPDX-License-Identifier: Apache-2.0
//
// The checks of aclmdlExecute and its kin, in AscendCL's order.
#include "fake/execution.h"

#include <algorithm>
#include <utility>

#include "fake/arguments.h"
#include "fake/dataset.h"
#include "fake/model.h"
#include "fake/stream.h"

namespace aclfake {
namespace {

using Mode = Model::Mode;

constexpr size_t kTolerance = 64;  // bytes that a buffer may be smaller than the tensor

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
      return fail(ACL_ERROR_INVALID_PARAM, "data buffer %zu of the %s dataset %s", i, side,
                  miss_text(miss));
    }
    ranges->push_back({buffer->data.load(), buffer->size.load()});
  }
  return ACL_SUCCESS;
}

aclError check_context(const Model &model) {
  std::shared_ptr<Context> context;
  if (const aclError code = need_context(&context)) return code;
  if (model.context.lock() == context) return ACL_SUCCESS;
  return fail(ACL_ERROR_RT_MODEL_CONTEXT,
              "model %u was loaded under another context than the thread's current one", model.id);
}

aclError check_mode(const Model &model, Mode mode) {
  if (model.may_run(mode)) return ACL_SUCCESS;
  return fail(ACL_ERROR_GE_FAILURE,
              "model %u was executed %s before; a model is executed either synchronously or "
              "asynchronously for life (load it twice for both)",
              model.id, mode == Mode::kSync ? "asynchronously" : "synchronously");
}

aclError check_count(const char *side, size_t given, size_t needed) {
  if (given == needed) return ACL_SUCCESS;
  return fail(ACL_ERROR_GE_FAILURE, "E13025: the %s dataset has %zu buffers, the model has %zu %ss",
              side, given, needed, side);
}

// may_allocate: a buffer of (nullptr, 0) will get memory of its own.
aclError check_sizes(const char *side, const std::vector<TensorInfo> &infos, bool may_allocate,
                     std::vector<Range> *ranges) {
  for (size_t i = 0; i < infos.size(); ++i) {
    Range &range = (*ranges)[i];
    const size_t needed = static_cast<size_t>(infos[i].tensor.size);
    if (range.data == nullptr) {
      if (may_allocate || needed == 0) {
        range.size = 0;
        continue;
      }
      return fail(ACL_ERROR_GE_FAILURE, "E13025: %s %zu \"%s\" has a buffer without memory", side,
                  i, infos[i].tensor.name.c_str());
    }
    if (range.size < needed && needed - range.size > kTolerance) {
      return fail(ACL_ERROR_GE_FAILURE,
                  "E13025: the buffer of %s %zu \"%s\" has %zu bytes, the model needs %zu", side, i,
                  infos[i].tensor.name.c_str(), range.size, needed);
    }
    range.size = std::min(range.size, needed);
  }
  return ACL_SUCCESS;
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
  if (const aclError code = check_count("input", ranges.inputs.size(), description.inputs.size())) {
    return code;
  }
  if (const aclError code =
          check_count("output", ranges.outputs.size(), description.outputs.size())) {
    return code;
  }
  if (const aclError code = check_sizes("input", description.inputs, false, &ranges.inputs)) {
    return code;
  }
  return check_sizes("output", description.outputs, mode == Mode::kSync, &ranges.outputs);
}

// After all other checks, so that a refused call decides nothing.
aclError claim(Model &model, Mode mode) {
  return model.claim(mode) ? ACL_SUCCESS : check_mode(model, mode);
}

// Outputs without memory get some, which then is the client's to free.
aclError allocate_outputs(Request *request) {
  const std::vector<TensorInfo> &infos = request->model->description->outputs;
  for (size_t i = 0; i < infos.size(); ++i) {
    Range &range = request->ranges.outputs[i];
    const size_t needed = static_cast<size_t>(infos[i].tensor.size);
    if (range.data != nullptr || needed == 0) continue;
    const std::shared_ptr<DataBuffer> buffer = request->output->find_buffer(i);
    if (buffer == nullptr) {
      return fail(ACL_ERROR_INVALID_PARAM, "data buffer %zu of the output dataset was destroyed",
                  i);
    }
    void *data = nullptr;
    if (const aclError code =
            allocate_device(*request->model->device, needed, true, Allocator::kAcl, &data)) {
      return fail(code, "no device memory for output %zu (%zu bytes)", i, needed);
    }
    buffer->data.store(data);
    buffer->size.store(needed);
    range = {data, needed};
  }
  return ACL_SUCCESS;
}

// The static engine leaves output descs alone, unless an input has one: then it makes empty ones.
void refresh_output_descs(const Request &request) {
  if (!request.input->has_desc()) return;
  const TensorDesc empty;
  for (size_t i = 0; i < request.output->size(); ++i) request.output->set_desc(i, &empty);
}

Task make_task(const Request &request) {
  return {"model execute", [model = request.model, ranges = request.ranges](Stream &) -> aclError {
            if (model->unloaded()) {
              return fail(ACL_ERROR_RT_MODEL_EXECUTE,
                          "model %u was unloaded while this execution was queued", model->id);
            }
            const aclError code = model->run(ranges);
            return code == ACL_ERROR_GE_FAILURE ? ACL_ERROR_RT_MODEL_EXECUTE : code;
          }};
}

}  // namespace

aclError execute_now(uint32_t id, const aclmdlDataset *input, aclmdlDataset *output) {
  Request request;
  if (const aclError code = prepare(id, input, output, Mode::kSync, &request)) return code;
  if (const aclError code = claim(*request.model, Mode::kSync)) return code;
  if (const aclError code = allocate_outputs(&request)) return code;
  if (const aclError code = request.model->run(request.ranges)) return code;
  refresh_output_descs(request);
  return ACL_SUCCESS;
}

aclError execute_on_stream(uint32_t id, const aclmdlDataset *input, aclmdlDataset *output,
                           aclrtStream handle, int64_t timeout_ms) {
  Request request;
  if (const aclError code = prepare(id, input, output, Mode::kSync, &request)) return code;
  std::shared_ptr<Stream> stream;
  if (const aclError code = need_stream(handle, &stream)) return code;
  if (const aclError code = claim(*request.model, Mode::kSync)) return code;
  if (const aclError code = allocate_outputs(&request)) return code;
  if (const aclError code = stream->push(make_task(request))) return code;
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
  if (const aclError code = stream->push(make_task(request))) return code;
  refresh_output_descs(request);
  return ACL_SUCCESS;
}

}  // namespace aclfake
