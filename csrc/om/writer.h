// SPDX-License-Identifier: Apache-2.0
//
// Writer of simulated .om files with fixed shapes: the same bytes as aclrt.convert writes in
// Python, for programs that have none (tests compare the two). Gears, ranges, AIPP and weights
// outside the ONNX body are Python's alone.
#ifndef ACLRT_OM_WRITER_H
#define ACLRT_OM_WRITER_H

#include <cstdint>
#include <string>
#include <vector>

#include "om/om.h"

namespace om {

// An output also tells the node that makes it, and which of the node's results it is.
struct WrittenTensor {
  std::string name;
  const Dtype *dtype = nullptr;
  std::vector<int64_t> dims;  // none negative; the size in bytes fits 63 bits
  std::string node;
  uint64_t index = 0;
};

struct Contents {
  std::string name;
  std::string tool_version;
  std::string command_line;
  std::vector<WrittenTensor> inputs;
  std::vector<WrittenTensor> outputs;
  std::string onnx;
};

// The file's bytes.
std::string write(const Contents &contents);

}  // namespace om

#endif
