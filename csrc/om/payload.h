// SPDX-License-Identifier: Apache-2.0
//
// The ONNX body of a simulated file: 24 bytes of head ("ACLRTSIM", version, CRC-32, length), then
// the bytes of the ONNX file. Version 2 has 16 bytes more of head (place and length of the weights)
// and behind the ONNX bytes, at a multiple of 4096 in the file, the weights and their CRC-32.
#ifndef ACLRT_OM_PAYLOAD_H
#define ACLRT_OM_PAYLOAD_H

#include "om/om.h"
#include "om/view.h"

namespace om {

struct Payload {
  Bytes onnx;     // empty if the partition holds something else than this project's body
  Bytes weights;  // empty in version 1
  uint32_t weights_crc = 0;
};

// Checked, but for the CRC-32 of the weights: they may be larger than memory and are only mapped.
// Throws FormatError (Cause::kBody, or kUnsupported for a newer version).
Payload read_payload(View partition);

}  // namespace om

#endif
