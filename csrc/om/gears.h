// SPDX-License-Identifier: Apache-2.0
//
// Gears: the sets of dims that a dynamic model was compiled for, on the Case node that chooses
// among them, and the table of the outputs' dims.
#ifndef ACLRT_OM_GEARS_H
#define ACLRT_OM_GEARS_H

#include <string>
#include <vector>

#include "om/attrs.h"
#include "om/om.h"
#include "om/sentences.h"

namespace om {

struct Gears {
  Dynamic kind = Dynamic::kNone;
  std::vector<std::vector<int64_t>> values;
  std::vector<std::string> order;  // inputs, where the file states it
};

// Of a Case node; kNone where the node is the user's own. Throws FormatError (Cause::kModelDef):
// fewer gears than stated.
Gears read_gears(View op, const Dictionary &dictionary);

// "gear,output,dim,dim..." each; what is not of that form becomes a sentence.
std::vector<OutputShape> parse_output_shapes(const std::vector<View> &texts, Sentences &sentences);

// Sentences on gears that do not fit the inputs, and on output dims of no gear or output.
void check_gears(const Model &model, Sentences &sentences);

}  // namespace om

#endif
