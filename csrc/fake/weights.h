// SPDX-License-Identifier: Apache-2.0
//
// The large tensors of a body that lie behind it in the .om. ONNX Runtime (1.32) copies every
// initializer that it is given in memory; inputs it uses where they are: so these become inputs of
// the graph, which each run is fed with the pages of the file.
#ifndef ACLRT_FAKE_WEIGHTS_H
#define ACLRT_FAKE_WEIGHTS_H

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "om/om.h"

namespace aclfake {

// owner keeps the bytes: a mapping of the file, or a copy of the client's memory.
struct Weights {
  om::Bytes bytes;
  std::shared_ptr<const void> owner;
};

struct ExternalTensor {
  std::string name;
  int onnx_type = 0;
  std::vector<int64_t> dims;
  uint64_t offset = 0;
  uint64_t size = 0;
};

struct SplitBody {
  std::string onnx;  // the graph with the tensors as inputs
  std::vector<ExternalTensor> tensors;
};

// The graph's initializers with external data, each inside weights_size bytes. Throws EngineError.
SplitBody split_weights(om::Bytes onnx, uint64_t weights_size);

}  // namespace aclfake

#endif
