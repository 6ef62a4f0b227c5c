// SPDX-License-Identifier: Apache-2.0
//
// Which fields of MODEL_DEF's messages are messages themselves: enough to test that all of it is
// well-formed protobuf, as the real loader does before it looks at anything.
#ifndef ACLRT_OM_SCHEMA_H
#define ACLRT_OM_SCHEMA_H

#include "om/view.h"

namespace om {

// Throws FormatError (Cause::kModelDef). Nested at most 100 deep.
void check_model_def(View message);

}  // namespace om

#endif
