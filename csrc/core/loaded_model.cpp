// SPDX-License-Identifier: Apache-2.0
//
// Judging, loading and unloading.
#include "core/loaded_model.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "core/error.h"
#include "core/mapped_file.h"
#include "core/runtime.h"
#include "core/weights.h"
#include "om/numbers.h"
#include "om/om.h"

namespace aclrt {

namespace {

// Checks of the fake: "compiled by the real ATC, and there is nothing to run in its place", "of a
// kind that this version of the fake cannot run", and what they all begin with.
constexpr char kNoBody[] = "ACLFAKE-MDL-01";
constexpr char kNotRunnable[] = "ACLFAKE-MDL-02";
constexpr char kAnyFakeCheck[] = "ACLFAKE-MDL-";

bool is_set(const char *variable) {
  const char *value = getenv(variable);
  return value != nullptr && value[0] != '\0';
}

[[noreturn]] void refuse_without_body(const om::Model &model, const std::string &label) {
  const om::Partition *body = model.find(om::partition::kOnnxBody);
  char number[16];
  std::snprintf(number, sizeof number, "0x%X", static_cast<unsigned>(om::partition::kOnnxBody));
  throw Error(ACLRT_ERROR_MODEL_FORMAT,
              label + " is no usable offline model: it is marked as simulated, but " +
                  (body == nullptr ? std::string("has no partition ") + number
                                   : std::string("partition ") + number + " at offset " +
                                         std::to_string(body->offset) + " holds no ONNX model"),
              "Convert the ONNX again with aclrt convert, or give it (onnx=..., or "
              "ACLRT_FAKE_ONNX).");
}

ModelFacts judge_bytes(om::Bytes bytes, const ModelSource &source) {
  ModelFacts facts;
  facts.is_simulated = om::is_simulated(bytes);
  try {
    const om::Model model = om::parse(bytes);
    facts.has_sizes = true;
    facts.work_size = model.work_size;
    facts.weight_size = model.weight_size;
    facts.soc_version = model.soc_version;
    facts.compiler_version = model.compiler_version;
    facts.needs_host_check = model.needs_host_check;
    facts.is_unknown_shape = model.is_unknown_shape || model.model_num > 1;
    facts.gear_order = model.gear_order;
    if (facts.is_simulated && model.onnx.size == 0 && !has_stand_in(source)) {
      refuse_without_body(model, source.label());
    }
  } catch (const om::FormatError &error) {
    // A real file that this version cannot read in full is AscendCL's to judge.
    if (error.cause() == om::Cause::kUnsupported && !facts.is_simulated) return facts;
    refuse_format(error, source.label());
  }
  return facts;
}

// The thread's stand-in for the next load, withdrawn again whatever the load does.
class OnnxStandIn {
 public:
  explicit OnnxStandIn(const std::string &path) {
    if (path.empty() || !acl::api().is_fake()) return;
    if (access(path.c_str(), R_OK) != 0) throw io_error(errno, "cannot read " + path);
    acl::api().fake.set_onnx_for_next_load(path.c_str());
    is_set_ = true;
  }
  ~OnnxStandIn() {
    if (is_set_) acl::api().fake.set_onnx_for_next_load(nullptr);
  }
  OnnxStandIn(const OnnxStandIn &) = delete;
  OnnxStandIn &operator=(const OnnxStandIn &) = delete;

 private:
  bool is_set_ = false;
};

[[noreturn]] void refuse_load(aclError code, const char *call, const ModelSource &source,
                              const ModelFacts &facts) {
  Error error = acl_error(code, call, "cannot load " + source.label());
  const auto says = [&](const char *check) {
    return error.detail.find(check) != std::string::npos;
  };
  if (error.kind == ACLRT_ERROR_ACL) error.kind = ACLRT_ERROR_MODEL_LOAD;
  if (error.kind == ACLRT_ERROR_DEVICE_MEMORY && facts.has_sizes) {
    error.message += ", which needs " + std::to_string(facts.work_size) + " bytes for work and " +
                     std::to_string(facts.weight_size) + " for weights";
  }
  if (says(kAnyFakeCheck)) error.hint = "The detail says what the fake device lacks.";
  if (says(kNoBody)) {
    const Error refusal = needs_npu(source);
    error.kind = refusal.kind;
    error.message = refusal.message;
    error.hint = refusal.hint;
  } else if (says(kNotRunnable) && !facts.is_simulated) {
    error.kind = ACLRT_ERROR_NEEDS_NPU;
    error.message = source.label() +
                    " was compiled for a real chip, and this version of the fake device cannot "
                    "stand in for it";
    error.hint = "Run it on a card; the detail says what the fake device lacks.";
  }
  throw error;
}

}  // namespace

// What the fake runs in place of a body, or made-up outputs: it reads the same variables.
bool has_stand_in(const ModelSource &source) {
  const char *engine = getenv("ACLRT_FAKE_ENGINE");
  return !source.onnx.empty() || is_set("ACLRT_FAKE_ONNX") ||
         (engine != nullptr && std::string_view(engine) == "synthetic");
}

Error needs_npu(const ModelSource &source) {
  return Error(
      ACLRT_ERROR_NEEDS_NPU,
      source.label() +
          " was compiled for a real chip and has no ONNX body, so the fake device cannot run it",
      "Run it on a card, or give the ONNX it came from (onnx=..., or ACLRT_FAKE_ONNX), or ask for "
      "made-up outputs with ACLRT_FAKE_ENGINE=synthetic.");
}

void refuse_format(const om::FormatError &error, const std::string &label) {
  Error refused(ACLRT_ERROR_MODEL_FORMAT, label + " is no usable offline model: " + error.what());
  if (error.cause() == om::Cause::kFamily) {
    refused.hint = "Convert the original model with ATC for an Ascend chip, or with aclrt convert.";
  }
  throw refused;
}

ModelFacts judge(const ModelSource &source) {
  if (source.path.empty()) {
    return judge_bytes({static_cast<const uint8_t *>(source.data), source.size}, source);
  }
  const MappedFile file(source.path);
  return judge_bytes(file.bytes(), source);
}

LoadedModel::LoadedModel(const ModelSource &source, const ModelFacts &facts,
                         const Weights *weights) {
  const acl::Table &api = acl::api();
  const OnnxStandIn stand_in(source.onnx);
  if (weights != nullptr && source.path.empty()) {
    const aclError code = api.aclmdlLoadFromMemWithMem(source.data, source.size, &id_, nullptr, 0,
                                                       weights->data(), weights->size());
    if (code != ACL_SUCCESS) refuse_load(code, "aclmdlLoadFromMemWithMem", source, facts);
  } else if (weights != nullptr) {
    const aclError code = api.aclmdlLoadFromFileWithMem(source.path.c_str(), &id_, nullptr, 0,
                                                        weights->data(), weights->size());
    if (code != ACL_SUCCESS) refuse_load(code, "aclmdlLoadFromFileWithMem", source, facts);
  } else if (source.path.empty()) {
    const aclError code = api.aclmdlLoadFromMem(source.data, source.size, &id_);
    if (code != ACL_SUCCESS) refuse_load(code, "aclmdlLoadFromMem", source, facts);
  } else {
    const aclError code = api.aclmdlLoadFromFile(source.path.c_str(), &id_);
    if (code != ACL_SUCCESS) refuse_load(code, "aclmdlLoadFromFile", source, facts);
  }
  is_loaded_ = true;
}

aclError LoadedModel::unload() noexcept {
  if (!is_loaded_ || Runtime::is_forked()) return ACL_SUCCESS;
  is_loaded_ = false;
  return acl::api().aclmdlUnload(id_);
}

void query_sizes(const ModelSource &source, ModelFacts &facts) {
  const acl::Table &api = acl::api();
  size_t work = 0, weight = 0;
  if (!source.path.empty()) {
    check(api.aclmdlQuerySize(source.path.c_str(), &work, &weight), "aclmdlQuerySize",
          "cannot ask how much memory the model needs");
  } else if (api.aclmdlQuerySizeFromMem != nullptr) {
    check(api.aclmdlQuerySizeFromMem(source.data, source.size, &work, &weight),
          "aclmdlQuerySizeFromMem", "cannot ask how much memory the model needs");
  }
  facts.work_size = work;
  facts.weight_size = weight;
}

}  // namespace aclrt
