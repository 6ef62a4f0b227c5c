// SPDX-License-Identifier: Apache-2.0
//
// The exports of aclfake.h that concern the engine and the converter.
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

#include "aclrt/aclfake.h"
#include "fake/convert.h"
#include "fake/engine.h"
#include "fake/log.h"
#include "fake/messages.h"
#include "fake/model.h"
#include "fake/onnx_graph.h"
#include "fake/ort_api.h"

void aclfake_set_onnxruntime(const char *path) {
  try {
    aclfake::set_onnxruntime_path(path);
  } catch (...) {
    // Out of memory: the setting stays as it was.
  }
}

void aclfake_set_onnx_for_next_load(const char *path) {
  try {
    aclfake::set_onnx_for_next_load(path);
  } catch (...) {
    // Out of memory: the setting stays as it was.
  }
}

namespace {

// Also to the log, as GE does: ONNX Runtime's provider doesn't ask for the message.
int32_t refuse(int32_t code, const char *name, const char *reason) noexcept {
  aclfake::fail(code, "building \"%s\": %s", name, reason);
  try {
    aclfake::log_error("GE", (std::string("building \"") + name + "\": " + reason).c_str());
  } catch (...) {
    // Out of memory: the code still tells.
  }
  return code;
}

}  // namespace

int32_t aclfake_convert(const void *onnx, size_t nbytes, const char *name, const char *input_shape,
                        void **om, size_t *om_nbytes) {
  if (onnx == nullptr || name == nullptr || (om != nullptr && om_nbytes == nullptr)) {
    return aclfake::fail(ACL_ERROR_INVALID_PARAM, "aclfake_convert: an argument is NULL");
  }
  try {
    const om::Bytes bytes{static_cast<const uint8_t *>(onnx), nbytes};
    if (om == nullptr) {
      aclfake::read_onnx(bytes);
      return ACL_SUCCESS;
    }
    const std::string file =
        aclfake::convert_onnx(bytes, name, input_shape != nullptr ? input_shape : "");
    void *copy = std::malloc(file.size());
    if (copy == nullptr) throw std::bad_alloc();
    std::memcpy(copy, file.data(), file.size());
    *om = copy;
    *om_nbytes = file.size();
    return ACL_SUCCESS;
  } catch (const aclfake::EngineError &error) {
    return refuse(ACL_ERROR_GE_FAILURE, name, error.what());
  } catch (const std::bad_alloc &) {
    return refuse(ACL_ERROR_BAD_ALLOC, name, "no memory is left");
  } catch (const std::exception &error) {
    return refuse(ACL_ERROR_INTERNAL_ERROR, name, error.what());
  }
}

void aclfake_free(void *om) {
  std::free(om);
}

void aclfake_add_message(const char *text) {
  if (text == nullptr) return;
  aclfake::messages::add(ACL_SUCCESS, text);
  try {
    aclfake::log_error("GE", text);
  } catch (...) {
    // Out of memory: the message is there.
  }
}
