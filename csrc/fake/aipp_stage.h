// SPDX-License-Identifier: Apache-2.0
//
// AIPP of a loaded model as it runs: images become what the network takes. Belongs to one model,
// whose executions it serves one at a time.
#ifndef ACLRT_FAKE_AIPP_STAGE_H
#define ACLRT_FAKE_AIPP_STAGE_H

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fake/aipp.h"
#include "fake/aipp_inputs.h"
#include "fake/aipp_pixels.h"
#include "fake/engine.h"
#include "om/om.h"

namespace aclfake {

// What the parameters of a file, or of a block (which has that many images), mean for one image.
AippRecipe static_recipe(const om::Aipp &aipp, int64_t network_w, int64_t network_h);
AippRecipe dynamic_recipe(const uint8_t *block, size_t index);

class AippStage {
 public:
  // Throws EngineError if the file's AIPP cannot be computed.
  explicit AippStage(const om::Model &model);

  bool takes(size_t input) const noexcept;  // whether that input is an image

  // Replaces images by what the network takes, with its dims. gear: of a model with gears. Throws
  // EngineError; what was put into inputs lives until the next run.
  void run(std::optional<size_t> gear, std::vector<ModelEngine::Input> *inputs);

 private:
  struct Step {
    AippInput input;
    std::string name;
    std::vector<std::vector<int64_t>> dims;  // of the network's input, under each gear
    std::vector<uint8_t> result;
  };
  static void compute(Step &step, const std::vector<int64_t> &dims, const ModelEngine::Input &block,
                      ModelEngine::Input *image);

  std::vector<Step> steps_;
};

}  // namespace aclfake

#endif
