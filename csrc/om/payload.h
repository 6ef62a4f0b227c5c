// SPDX-License-Identifier: Apache-2.0
//
// The ONNX body of a simulated file: 24 bytes of head ("ACLRTSIM", version, CRC-32, length), then
// the bytes of the ONNX file.
#ifndef ACLRT_OM_PAYLOAD_H
#define ACLRT_OM_PAYLOAD_H

#include "om/om.h"
#include "om/view.h"

namespace om {

// The body, checked; empty if the partition holds something else than this project's body.
// Throws FormatError (Cause::kBody, or kUnsupported for a newer version).
Bytes read_payload(View partition);

}  // namespace om

#endif
