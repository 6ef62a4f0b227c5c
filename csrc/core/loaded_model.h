// SPDX-License-Identifier: Apache-2.0
//
// An .om judged, loaded and owned: what can be said of the bytes before any device is touched, and
// the AscendCL model id, unloaded once.
#ifndef ACLRT_CORE_LOADED_MODEL_H
#define ACLRT_CORE_LOADED_MODEL_H

#include <cstdint>
#include <string>
#include <vector>

#include "acl/abi.h"
#include "core/error.h"
#include "om/om.h"

namespace aclrt {

// Where the bytes are: a path, or memory if path is "".
struct ModelSource {
  std::string path;
  const void *data = nullptr;
  size_t size = 0;
  std::string onnx;  // stands in for the body on the fake; "" for none

  std::string label() const { return path.empty() ? "the model in memory" : path; }
};

struct ModelFacts {
  bool is_simulated = false;
  bool has_sizes = false;  // false: a generation that the reader leaves to AscendCL
  uint64_t work_size = 0;
  uint64_t weight_size = 0;
  std::string soc_version;  // "" where the file does not say, as the next
  std::string compiler_version;
  bool needs_host_check = false;
  bool is_unknown_shape = false;        // AscendCL's second engine; nothing is known at load
  std::vector<std::string> gear_order;  // inputs as in ATC's --input_shape; empty if not told
};

// The reader's refusal as MODEL_FORMAT; label says which model.
[[noreturn]] void refuse_format(const om::FormatError &error, const std::string &label);

// Whether the fake has something to run in place of a body.
bool has_stand_in(const ModelSource &source);

// The refusal of a real compiled model by the fake.
Error needs_npu(const ModelSource &source);

// Throws MODEL_FORMAT (field and offset in the message) or IO. Needs no library.
ModelFacts judge(const ModelSource &source);

class Weights;

class LoadedModel {
 public:
  // Needs the device's context in this thread. weights: where to put them, which has to outlive
  // this; nullptr: AscendCL manages its own.
  LoadedModel(const ModelSource &source, const ModelFacts &facts, const Weights *weights);
  ~LoadedModel() { unload(); }
  LoadedModel(const LoadedModel &) = delete;
  LoadedModel &operator=(const LoadedModel &) = delete;

  uint32_t id() const noexcept { return id_; }
  // Idempotent.
  aclError unload() noexcept;

 private:
  uint32_t id_ = 0;
  bool is_loaded_ = false;
};

// Asks AscendCL for the sizes that the file did not tell.
void query_sizes(const ModelSource &source, ModelFacts &facts);

}  // namespace aclrt

#endif
