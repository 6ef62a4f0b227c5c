// SPDX-License-Identifier: Apache-2.0
//
// Whether a model will load: what the findings refuse, and that asking opens no device.
#include "core/load_check.h"
#include "core/runtime.h"
#include "shim_case.h"

namespace {

using aclrt::LoadFinding;
using aclrt::ModelFacts;
using aclrt::ModelSource;
using aclrt::RuntimeInfo;
using shim::contains;

RuntimeInfo card(const std::string &soc) {
  RuntimeInfo info;
  info.backend = "npu";
  info.soc_name = soc;
  info.device_count = 1;
  return info;
}

ModelFacts compiled_for(const std::string &soc) {
  ModelFacts facts;
  facts.has_sizes = true;
  facts.soc_version = soc;
  facts.work_size = facts.weight_size = 1 << 20;
  return facts;
}

// The topic that refuses, or "".
std::string refused(const ModelFacts &facts, const RuntimeInfo &info) {
  for (const LoadFinding &finding : check_board(facts, ModelSource(), info)) {
    if (finding.refusal) return finding.topic;
  }
  return "";
}

void chips_of_another_family_are_refused() {
  struct Case {
    const char *file, *board;
    bool loads;
  };
  const Case cases[] = {
      {"Ascend310P3", "Ascend310P3", true},
      {"Ascend310P1", "Ascend310P3", true},
      {"Ascend310", "Ascend310P3", false},
      {"Ascend310P3", "Ascend310", false},
      {"Ascend310B4", "Ascend310B1", true},
      {"Ascend310B4", "Ascend310", false},
      {"Ascend910A", "Ascend910ProB", true},
      {"Ascend910A", "Ascend910B4", false},
      {"Ascend910B1", "Ascend910B4-1", true},
      {"Ascend910_9392", "Ascend910B4", false},
      {"Unheard1", "Ascend310P3", true},
      {"", "Ascend310P3", true},
      {"Ascend310P3", "", true},
  };
  for (const Case &item : cases) {
    CHECK_EQ(std::string(item.loads ? "" : "chip"),
             refused(compiled_for(item.file), card(item.board)));
  }
  RuntimeInfo none = card("");
  none.device_count = 0;
  CHECK_EQ(std::string("chip"), refused(compiled_for("Ascend310"), none));
  none.backend = "fake";
  CHECK_EQ(std::string(), refused(compiled_for("Ascend310"), none));
}

void more_memory_than_any_board_is_refused() {
  ModelFacts facts = compiled_for("Ascend310");
  facts.weight_size = uint64_t{7} << 30;
  CHECK_EQ(std::string(), refused(facts, card("Ascend310")));
  facts.work_size = uint64_t{2} << 30;
  CHECK_EQ(std::string("memory"), refused(facts, card("Ascend310")));
  facts.work_size = UINT64_MAX;
  CHECK_EQ(std::string("memory"), refused(facts, card("Ascend310")));
  facts.soc_version = "";
  CHECK_EQ(std::string(), refused(facts, card("Unheard1")));
  facts.has_sizes = false;
  CHECK_EQ(std::string(), refused(facts, card("Ascend310")));
}

void the_error_is_the_loader_s() {
  const std::vector<LoadFinding> findings =
      check_board(compiled_for("Ascend910B4"), ModelSource(), card("Ascend310P3"));
  CHECK_THROWS(aclrt::Error, aclrt::refuse_unless_loadable(findings),
               error.kind == ACLRT_ERROR_MODEL_LOAD &&
                   contains(error.message, "was compiled for Ascend910B4, the device is") &&
                   contains(error.hint, "--soc_version=Ascend310P3"));
}

void asking_opens_no_device() {
  const shim::Toy toy("fake");
  const aclrt_model_options_t options = shim::options_for(shim::kSimulated);
  char *json = nullptr;
  CHECK_OK(aclrt_model_check(&options, &json));
  CHECK(contains(json, "{\"loads\":true,\"findings\":[{\"topic\":\"backend\",\"ok\":true"));
  aclrt_string_release(json);
  CHECK_EQ(0, toy.calls("aclrtSetDevice"));
  CHECK_EQ(0, toy.calls("aclmdlLoadFromMem"));
  CHECK_FAILS(ACLRT_ERROR_INPUT, aclrt_model_check(&options, nullptr), "json");
  const std::string broken = "IMOD";
  const aclrt_model_options_t bad = shim::options_for(broken);
  CHECK_FAILS(ACLRT_ERROR_MODEL_FORMAT, aclrt_model_check(&bad, &json), "offline model");
}

}  // namespace

int main() {
  shim::run_case("chips", chips_of_another_family_are_refused);
  shim::run_case("memory", more_memory_than_any_board_is_refused);
  shim::run_case("errors", the_error_is_the_loader_s);
  RUN_ON_TOY(asking_opens_no_device);
  return check::result();
}
