// SPDX-License-Identifier: Apache-2.0
//
// aclrtStreamConfigHandle: what aclrtCreateStreamV2 takes. Its layout is public, but clients reach
// it through setters only, so it is a handle like all others.
#ifndef ACLRT_FAKE_STREAM_CONFIG_H
#define ACLRT_FAKE_STREAM_CONFIG_H

#include <mutex>

#include "acl/abi.h"
#include "fake/handles.h"

namespace aclfake {

struct StreamConfig {
  static constexpr Kind kKind = Kind::kStreamConfig;
  std::mutex mutex;
  aclrtStreamConfigHandle values{};
};

}  // namespace aclfake

#endif
