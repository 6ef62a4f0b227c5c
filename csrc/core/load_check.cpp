// SPDX-License-Identifier: Apache-2.0
//
// Only what is certain refuses: chips of another family, more memory than any board with the chip
// has, no device at all. AscendCL judges the rest when it loads.
#include "core/load_check.h"

#include <cstdio>
#include <string_view>

#include "core/runtime.h"

namespace aclrt {
namespace {

constexpr uint64_t kGiB = uint64_t{1} << 30;

// The longest that fits comes first. memory: of the largest board, 0 where no figure is public.
struct Chip {
  std::string_view prefix;
  std::string_view family;
  uint64_t memory;
};
constexpr Chip kChips[] = {
    {"Ascend310P", "Ascend310P", 48 * kGiB}, {"Ascend310B", "Ascend310B", 0},
    {"Ascend310", "Ascend310", 8 * kGiB},    {"Ascend910_93", "Ascend910_93", 0},
    {"Ascend910B1", "Ascend910B", 0},        {"Ascend910B2", "Ascend910B", 0},
    {"Ascend910B3", "Ascend910B", 0},        {"Ascend910B4", "Ascend910B", 0},
    {"Ascend910", "Ascend910", 0},           {"Ascend950", "Ascend950", 0},
};

const Chip *find_chip(std::string_view name) {
  for (const Chip &chip : kChips) {
    if (name.substr(0, chip.prefix.size()) == chip.prefix) return &chip;
  }
  return nullptr;
}

std::string size_text(uint64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MiB", static_cast<double>(bytes) / (1 << 20));
  return text;
}

LoadFinding good(const char *topic, std::string text) {
  return {topic, std::move(text), std::nullopt};
}

LoadFinding bad(const char *topic, aclrt_error_kind_t kind, const ModelSource &source,
                const std::string &reason, std::string hint) {
  return {topic, reason, Error(kind, source.label() + " " + reason, std::move(hint))};
}

LoadFinding check_chip(const ModelFacts &facts, const ModelSource &source,
                       const RuntimeInfo &runtime) {
  if (runtime.device_count == 0) {
    return bad("chip", ACLRT_ERROR_DEVICE, source, "needs a device, and there is none",
               "`aclrt doctor` says what is missing.");
  }
  if (facts.soc_version.empty()) return good("chip", "the file does not say which one it is for");
  if (runtime.soc_name.empty()) {
    return good("chip", "compiled for " + facts.soc_version + "; the device does not tell its own");
  }
  const Chip *wanted = find_chip(facts.soc_version);
  const Chip *here = find_chip(runtime.soc_name);
  const std::string both = "compiled for " + facts.soc_version + ", the device is ";
  if (facts.soc_version == runtime.soc_name) return good("chip", both + "the same");
  if (wanted == nullptr || here == nullptr || wanted->family == here->family) {
    return good("chip", both + runtime.soc_name + ": AscendCL decides");
  }
  return bad("chip", ACLRT_ERROR_MODEL_LOAD, source,
             "was compiled for " + facts.soc_version + ", the device is " + runtime.soc_name,
             "Compile it with --soc_version=" + runtime.soc_name + ".");
}

LoadFinding check_memory(const ModelFacts &facts, const ModelSource &source,
                         const RuntimeInfo &runtime) {
  if (!facts.has_sizes) return good("memory", "the file is left to AscendCL to read");
  const uint64_t needed = facts.work_size > UINT64_MAX - facts.weight_size
                              ? UINT64_MAX
                              : facts.work_size + facts.weight_size;
  const std::string needs = "needs " + size_text(needed) + " of device memory";
  const Chip *here = runtime.backend == "fake" ? nullptr : find_chip(runtime.soc_name);
  if (here == nullptr || here->memory == 0) return good("memory", needs);
  const std::string most =
      std::string(here->family) + " boards have at most " + size_text(here->memory);
  if (needed <= here->memory) return good("memory", needs + "; " + most);
  return bad("memory", ACLRT_ERROR_DEVICE_MEMORY, source, needs + "; " + most,
             "Compile it for smaller shapes or fewer gears.");
}

LoadFinding check_versions(const ModelFacts &facts, const RuntimeInfo &runtime) {
  std::string text = "compiled by " + (facts.compiler_version.empty() ? "an unknown version"
                                                                      : facts.compiler_version);
  if (runtime.acl_version[0] >= 0) {
    text += ", run by AscendCL " + std::to_string(runtime.acl_version[0]) + "." +
            std::to_string(runtime.acl_version[1]) + "." + std::to_string(runtime.acl_version[2]);
  }
  if (!facts.has_sizes) text += "; newer than this reader: AscendCL decides";
  return good("versions", std::move(text));
}

}  // namespace

LoadFinding check_backend(const ModelFacts &facts, const ModelSource &source, bool is_fake) {
  if (facts.is_simulated && !is_fake) {
    return bad("backend", ACLRT_ERROR_MODEL_LOAD, source,
               "is a simulated model, which runs on the fake device alone",
               "Convert the ONNX with CANN's atc for this card, or set ACLRT_BACKEND=fake.");
  }
  if (is_fake && !facts.is_simulated && !has_stand_in(source)) {
    const Error refusal = needs_npu(source);
    return {"backend", "compiled for a real chip, and the fake device is used", refusal};
  }
  if (!is_fake) return good("backend", "compiled for a card, and a card is used");
  return good("backend", facts.is_simulated ? "simulated, and the fake device is used"
                                            : "something stands in for the model on the fake");
}

std::vector<LoadFinding> check_board(const ModelFacts &facts, const ModelSource &source,
                                     const RuntimeInfo &runtime) {
  std::vector<LoadFinding> findings;
  if (runtime.backend == "fake") {
    findings.push_back(good("chip", "the fake device takes models of every chip"));
  } else {
    findings.push_back(check_chip(facts, source, runtime));
  }
  findings.push_back(check_memory(facts, source, runtime));
  findings.push_back(check_versions(facts, runtime));
  if (facts.needs_host_check) {
    findings.push_back(
        good("host", "bound to an operating system and CPU: AscendCL compares them"));
  }
  return findings;
}

void refuse_unless_loadable(const std::vector<LoadFinding> &findings) {
  for (const LoadFinding &finding : findings) {
    if (finding.refusal) throw *finding.refusal;
  }
}

}  // namespace aclrt
