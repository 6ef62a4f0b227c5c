// SPDX-License-Identifier: Apache-2.0
//
// The exports of aclfake.h that concern the engine.
#include "aclrt/aclfake.h"
#include "fake/model.h"
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
