// SPDX-License-Identifier: Apache-2.0
//
// AIPP: what the attributes of a Data or AippData node say about the image preprocessing there.
#ifndef ACLRT_OM_AIPP_H
#define ACLRT_OM_AIPP_H

#include <optional>
#include <string>

#include "om/attrs.h"
#include "om/om.h"
#include "om/sentences.h"

namespace om {

struct AippAttrs {
  bool has_aipp = false;  // the node's input goes through AIPP
  std::string partner;  // of dynamic AIPP: the node with the parameters, or the one with the image
  Aipp aipp;
};

// A mode that does not exist becomes a sentence. Throws FormatError (Cause::kModelDef).
AippAttrs read_aipp(View op, const Dictionary &dictionary, Sentences &sentences);

// The configuration of an Aipp operator (JSON): the value that padding adds, which the parameters
// do not have. Nothing where it is not stated.
struct AippOperator {
  std::string input;  // the Data node in front of it
  std::optional<float> padding_value;
};
AippOperator read_aipp_operator(View op, const Dictionary &dictionary);

}  // namespace om

#endif
