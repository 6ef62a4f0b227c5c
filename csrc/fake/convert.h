// SPDX-License-Identifier: Apache-2.0
//
// An ONNX model becomes a simulated .om with fixed shapes, as aclrt.convert makes it in Python: for
// programs that build models in the process, through the graph-build entry points of csrc/builder.
#ifndef ACLRT_FAKE_CONVERT_H
#define ACLRT_FAKE_CONVERT_H

#include <string>

#include "om/om.h"

namespace aclfake {

// name: the model's. input_shape: ATC's text, "x:1,3,224,224;y:1,10", of the inputs whose dims the
// model leaves open (others may be repeated). Returns the file. Throws EngineError.
std::string convert_onnx(om::Bytes onnx, const std::string &name, const std::string &input_shape);

}  // namespace aclfake

#endif
