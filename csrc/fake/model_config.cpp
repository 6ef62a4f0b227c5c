// SPDX-License-Identifier: Apache-2.0
//
// Options: each attribute takes exactly one type, given by address and size.
#include "fake/model_config.h"

#include <cstring>

#include "fake/arguments.h"
#include "fake/context.h"
#include "fake/messages.h"
#include "fake/state.h"

namespace aclfake {
namespace {

template <class T>
aclError read_value(int attribute, const void *value, size_t size, T *out) {
  if (size != sizeof(T)) {
    return fail(ACL_ERROR_INVALID_PARAM, "attribute %d takes a value of %zu bytes, given %zu",
                attribute, sizeof(T), size);
  }
  std::memcpy(out, value, sizeof(T));
  return ACL_SUCCESS;
}

template <class T>
aclError read_in_range(int attribute, const void *value, size_t size, T low, T high, T *out) {
  T read{};
  if (const aclError code = read_value(attribute, value, size, &read)) return code;
  if (read < low || read > high) {
    return fail(ACL_ERROR_INVALID_PARAM, "attribute %d must lie in %lld..%lld, given %lld",
                attribute, static_cast<long long>(low), static_cast<long long>(high),
                static_cast<long long>(read));
  }
  *out = read;
  return ACL_SUCCESS;
}

template <class T>
aclError read_non_null(int attribute, const void *value, size_t size, const T **out) {
  const T *read = nullptr;
  if (const aclError code = read_value(attribute, value, size, &read)) return code;
  if (read == nullptr) {
    return fail(ACL_ERROR_INVALID_PARAM, "attribute %d must not be NULL", attribute);
  }
  *out = read;
  return ACL_SUCCESS;
}

bool uses_file(size_t load_type) {
  return load_type == ACL_MDL_LOAD_FROM_FILE || load_type == ACL_MDL_LOAD_FROM_FILE_WITH_MEM ||
         load_type == ACL_MDL_LOAD_FROM_FILE_WITH_Q;
}

bool uses_queues(size_t load_type) {
  return load_type == ACL_MDL_LOAD_FROM_FILE_WITH_Q || load_type == ACL_MDL_LOAD_FROM_MEM_WITH_Q;
}

bool uses_given_memory(size_t load_type) {
  return load_type == ACL_MDL_LOAD_FROM_FILE_WITH_MEM ||
         load_type == ACL_MDL_LOAD_FROM_MEM_WITH_MEM;
}

}  // namespace

aclError LoadConfig::set(aclmdlConfigAttr attribute, const void *value, size_t size) {
  switch (attribute) {
    case ACL_MDL_PRIORITY_INT32: {
      std::shared_ptr<Context> context;
      if (const aclError code = need_context(&context)) return code;
      return read_in_range<int32_t>(attribute, value, size, 0, kLeastPriority, &options.priority);
    }
    case ACL_MDL_LOAD_TYPE_SIZET:
      return read_in_range<size_t>(attribute, value, size, ACL_MDL_LOAD_FROM_FILE,
                                   ACL_MDL_LOAD_FROM_MEM_WITH_Q, &load_type);
    case ACL_MDL_PATH_PTR: {
      const char *text = nullptr;
      if (const aclError code = read_non_null(attribute, value, size, &text)) return code;
      path = text;
      return ACL_SUCCESS;
    }
    case ACL_MDL_MEM_ADDR_PTR:
      return read_non_null(attribute, value, size, &memory);
    case ACL_MDL_MEM_SIZET:
      return read_value(attribute, value, size, &memory_size);
    case ACL_MDL_WEIGHT_ADDR_PTR:
      return read_value(attribute, value, size, &options.weights);
    case ACL_MDL_WEIGHT_SIZET:
      return read_value(attribute, value, size, &options.weight_size);
    case ACL_MDL_WORKSPACE_ADDR_PTR:
      return read_value(attribute, value, size, &options.work);
    case ACL_MDL_WORKSPACE_SIZET:
      return read_value(attribute, value, size, &options.work_size);
    case ACL_MDL_INPUTQ_NUM_SIZET:
      return read_value(attribute, value, size, &queue_count[0]);
    case ACL_MDL_INPUTQ_ADDR_PTR:
      return read_value(attribute, value, size, &queues[0]);
    case ACL_MDL_OUTPUTQ_NUM_SIZET:
      return read_value(attribute, value, size, &queue_count[1]);
    case ACL_MDL_OUTPUTQ_ADDR_PTR:
      return read_value(attribute, value, size, &queues[1]);
    case ACL_MDL_WORKSPACE_MEM_OPTIMIZE: {
      size_t mode = 0;  // this device has nothing to optimise
      return read_in_range<size_t>(attribute, value, size, 0, 1, &mode);
    }
    case ACL_MDL_WEIGHT_PATH_PTR: {
      const char *text = nullptr;
      if (const aclError code = read_non_null(attribute, value, size, &text)) return code;
      has_weight_path = true;
      return ACL_SUCCESS;
    }
    case ACL_MDL_WITHOUT_GRAPH_INT32: {
      int32_t without_graph = 0;
      return read_in_range<int32_t>(attribute, value, size, 0, 1, &without_graph);
    }
    default:
      return fail(ACL_ERROR_INVALID_PARAM, "attribute %d is unknown or not for this kind of device",
                  static_cast<int>(attribute));
  }
}

aclError LoadConfig::load(uint32_t *id) const {
  ModelFile file;
  if (const aclError code = path.has_value() ? file.open_path(path->c_str())
                                             : file.open_memory(memory, memory_size)) {
    return code;
  }
  if (const aclError code = need_pointer(id, "modelId")) return code;
  if (load_type == 0) return fail(ACL_ERROR_INVALID_PARAM, "the load type is not set");
  if (uses_file(load_type) != path.has_value()) {
    if (uses_file(load_type)) return fail(ACL_ERROR_INVALID_PARAM, "the path is not set");
    if (memory == nullptr || memory_size == 0) {
      return fail(ACL_ERROR_INVALID_PARAM, "the model's memory or its size is not set");
    }
  }
  if (uses_file(load_type) && has_weight_path) {
    return fail(ACL_ERROR_INVALID_PARAM, "a weight path is for loads from memory only");
  }
  if (uses_queues(load_type)) {
    for (const int side : {0, 1}) {
      if (queues[side] == nullptr || queue_count[side] == 0) {
        return fail(ACL_ERROR_INVALID_PARAM, "the %s queues are not set",
                    side == 0 ? "input" : "output");
      }
    }
    return refuse_queues();
  }
  if (const aclError code = need_initialised()) return code;
  LoadOptions effective = options;
  if (!uses_given_memory(load_type)) {
    effective = LoadOptions();
    effective.priority = options.priority;
  }
  if (uses_file(load_type) || !path.has_value()) return Model::load(file, effective, id);
  ModelFile from_memory;  // both are set: the path was only looked at
  if (const aclError code = from_memory.open_memory(memory, memory_size)) return code;
  return Model::load(from_memory, effective, id);
}

aclError ExecConfig::set(aclmdlExecConfigAttr attribute, const void *value, size_t size) {
  switch (attribute) {
    case ACL_MDL_STREAM_SYNC_TIMEOUT:
      return read_in_range<int32_t>(attribute, value, size, -1, INT32_MAX, &stream_timeout_ms);
    case ACL_MDL_EVENT_SYNC_TIMEOUT:
      return read_in_range<int32_t>(attribute, value, size, -1, INT32_MAX, &event_timeout_ms);
    default:
      return fail(ACL_ERROR_INVALID_PARAM, "attribute %d is unknown or not for this kind of device",
                  static_cast<int>(attribute));
  }
}

aclError refuse_queues() {
  return fail(ACL_ERROR_API_NOT_SUPPORT, "execution by queues is not supported");
}

}  // namespace aclfake
