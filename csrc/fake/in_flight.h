// SPDX-License-Identifier: Apache-2.0
//
// Memory that queued work will touch. A task holds an InFlight for as long as it is queued or runs;
// freeing the memory meanwhile is reported (MEM-01, MEM-02). Host memory of aclrtMallocHost is kept
// from going back to the host until then. Thread-safe.
#ifndef ACLRT_FAKE_IN_FLIGHT_H
#define ACLRT_FAKE_IN_FLIGHT_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "fake/origin.h"

namespace aclfake {

class InFlight {
 public:
  struct Span {
    const void *ptr;
    size_t size;
  };

  explicit InFlight(const std::vector<Span> &spans);
  ~InFlight();
  InFlight(const InFlight &) = delete;
  InFlight &operator=(const InFlight &) = delete;

 private:
  std::vector<uintptr_t> starts_;
  std::vector<std::shared_ptr<void>> held_;
};

// Whether queued work begins to touch memory inside [ptr, ptr + size); *by: the call that queued
// it.
bool in_flight(const void *ptr, uint64_t size, Origin *by);

}  // namespace aclfake

#endif
