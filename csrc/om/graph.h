// SPDX-License-Identifier: Apache-2.0
//
// Inputs, outputs, gears and AIPP from the root graph in MODEL_DEF, as the real loader computes
// them for a loaded model. Only nodes of the types Data, AippData, AnnData, NetOutput and Case are
// read.
#ifndef ACLRT_OM_GRAPH_H
#define ACLRT_OM_GRAPH_H

#include <cstdint>
#include <string>
#include <vector>

#include "om/gears.h"
#include "om/model_def.h"
#include "om/om.h"
#include "om/sentences.h"

namespace om {

// A tensor, and its bytes as the compiler lists them in MODEL_INOUT_INFO, which can be other ones.
struct GraphTensor {
  Tensor tensor;
  uint64_t listed_size = 0;
};

struct GraphIo {
  std::vector<GraphTensor> inputs;
  std::vector<GraphTensor> outputs;
  Gears gears;
  std::vector<OutputShape> output_shapes;
  std::vector<Aipp> aipp;

  bool is_empty() const { return inputs.empty() && outputs.empty(); }
};

// is_dynamic: by the file's header. Throws FormatError: Cause::kModelDef where the real loader
// fails too, kUnsupported where the graph is well formed but does not tell its inputs and outputs.
GraphIo read_graph_io(const ModelDef &model, const Dictionary &dictionary, bool is_dynamic,
                      Sentences &sentences);

// Every attribute's name and text of all graphs is in the dictionary, or FormatError
// (Cause::kModelDef). Returns how many names were replaced.
uint64_t check_graphs(const ModelDef &model, const Dictionary &dictionary);

// Names of the graphs, and how many operators of which type they have.
void count_operators(const ModelDef &model, Details &details);

}  // namespace om

#endif
