// SPDX-License-Identifier: Apache-2.0
//
// aclDataBuffer: an address and a length, owned by nobody but its handle. The fields are atomics so
// that an update while another thread reads is harmless to the fake.
#ifndef ACLRT_FAKE_DATA_BUFFER_H
#define ACLRT_FAKE_DATA_BUFFER_H

#include <atomic>
#include <cstddef>

#include "fake/handles.h"

namespace aclfake {

struct DataBuffer {
  static constexpr Kind kKind = Kind::kDataBuffer;
  DataBuffer(void *data_, size_t size_) : data(data_), size(size_) {}
  std::atomic<void *> data;
  std::atomic<size_t> size;
};

}  // namespace aclfake

#endif
