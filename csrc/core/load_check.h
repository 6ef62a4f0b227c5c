// SPDX-License-Identifier: Apache-2.0
//
// Whether a model will load here, as far as its file and the libraries tell: no device is opened.
// The loader refuses by the same findings that `aclrt inspect --check` shows.
#ifndef ACLRT_CORE_LOAD_CHECK_H
#define ACLRT_CORE_LOAD_CHECK_H

#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/loaded_model.h"

namespace aclrt {

struct RuntimeInfo;

// One thing that was looked at. Where it keeps the model from loading, refusal says so.
struct LoadFinding {
  std::string topic;  // "backend", "chip", "memory", "versions", "host"
  std::string text;
  std::optional<Error> refusal;
};

// The backend alone; needs the library, not its initialisation.
LoadFinding check_backend(const ModelFacts &facts, const ModelSource &source, bool is_fake);

// The rest, against what the runtime says of its board.
std::vector<LoadFinding> check_board(const ModelFacts &facts, const ModelSource &source,
                                     const RuntimeInfo &runtime);

// Throws the first refusal.
void refuse_unless_loadable(const std::vector<LoadFinding> &findings);

}  // namespace aclrt

#endif
