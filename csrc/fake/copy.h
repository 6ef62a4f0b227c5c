// SPDX-License-Identifier: Apache-2.0
//
// Copies and sets between host and device: what the two addresses are, whether that fits the kind,
// and the work itself on the right engine. Checks of plain arguments are the caller's.
#ifndef ACLRT_FAKE_COPY_H
#define ACLRT_FAKE_COPY_H

#include <cstddef>
#include <cstdint>
#include <memory>

#include "acl/abi.h"
#include "fake/stream.h"

namespace aclfake {

// rows rows of `width` bytes; one row for plain copies (pitches are not looked at then).
struct CopyShape {
  size_t width = 0;
  size_t rows = 1;
  size_t dst_pitch = 0;
  size_t src_pitch = 0;
};

// At once, on the calling thread. 107000 if addresses, ranges and kind don't fit together.
aclError copy_now(void *dst, const void *src, const CopyShape &shape, aclrtMemcpyKind kind);

// Rules of the asynchronous form once the arguments are tested: queued if the host side is
// page-locked, else synchronise, copy, return. stream as find_stream gave it. pinned_only:
// aclrtMemcpyAsyncWithCondition.
aclError copy_queued(void *dst, const void *src, const CopyShape &shape, aclrtMemcpyKind kind,
                     std::shared_ptr<Stream> stream, bool pinned_only);

// Window mode: the device side of this thread's copies, small enough to stay in the cache.
constexpr size_t kWindowBytes = size_t{32} << 10;
uint8_t *window();

// Fills device memory, or host memory known to the fake, with `count` bytes, or with 32-bit words.
struct Fill {
  uint32_t value = 0;
  bool words = false;
  size_t bytes = 0;
};
aclError fill_now(void *dst, const Fill &fill);
aclError fill_queued(void *dst, const Fill &fill, const std::shared_ptr<Stream> &stream);

}  // namespace aclfake

#endif
