// SPDX-License-Identifier: Apache-2.0
//
// What the arguments of AscendCL's functions mean to somebody who watches: read from the names of
// the parameters in functions.def, once.
#ifndef ACLRT_CORE_CALL_SHAPE_H
#define ACLRT_CORE_CALL_SHAPE_H

#include <cstddef>
#include <cstdint>

#include "acl/observe.h"

namespace aclrt {

struct CallShape {
  static constexpr int8_t kNone = -1;

  int8_t stream = kNone;  // positions of arguments
  int8_t model = kNone;   // of an execution
  int8_t bytes = kNone;
  int8_t height = kNone;  // of a 2-d copy, whose width is `bytes`
  int8_t kind = kNone;    // aclrtMemcpyKind
  int8_t target = kNone;  // of a copy that is not 2-d
  int8_t source = kNone;
  int8_t output = kNone;      // a pointer to one number, enum or handle, which the call writes
  uint8_t output_nbytes = 0;  // of that
  int32_t lane = 0;           // aclrt_trace_lane_t; copies: by their kind
  bool is_async = false;      // queues work on its stream
  bool waits = false;         // for work: some may be over afterwards
  bool ends = false;          // contexts or devices, with their events

  uint64_t nbytes(const acl::Call &call) const noexcept;
  uint64_t stream_of(const acl::Call &call) const noexcept;
  int64_t model_of(const acl::Call &call) const noexcept;
  int32_t lane_of(const acl::Call &call) const noexcept;
};

const CallShape &call_shape(size_t function);  // row of functions.def

}  // namespace aclrt

#endif
