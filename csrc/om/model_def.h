// SPDX-License-Identifier: Apache-2.0
//
// What MODEL_DEF says about the model as a whole. Its graphs are checked but not read here.
#ifndef ACLRT_OM_MODEL_DEF_H
#define ACLRT_OM_MODEL_DEF_H

#include <cstdint>
#include <string>

#include "om/view.h"

namespace om {

struct ModelDef {
  std::string name;
  std::string soc_version;
  std::string atc_version;
  std::string opp_version;
  std::string atc_cmdline;
  std::string framework_type;
  uint64_t stream_num = 0;
  uint64_t event_num = 0;
};

// Throws FormatError (Cause::kModelDef).
ModelDef read_model_def(View partition);

}  // namespace om

#endif
