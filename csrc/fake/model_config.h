// SPDX-License-Identifier: Apache-2.0
//
// The two option records: for loading (aclmdlConfigHandle) and for executing
// (aclmdlExecConfigHandle). Not locked: one belongs to one thread at a time.
#ifndef ACLRT_FAKE_MODEL_CONFIG_H
#define ACLRT_FAKE_MODEL_CONFIG_H

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "acl/abi.h"
#include "fake/handles.h"
#include "fake/model.h"

namespace aclfake {

struct LoadConfig {
  static constexpr Kind kKind = Kind::kConfig;

  aclError set(aclmdlConfigAttr attribute, const void *value, size_t size);
  aclError load(uint32_t *id) const;

  LoadOptions options;
  size_t load_type = 0;  // 0: not set
  std::optional<std::string> path;
  const void *memory = nullptr;
  size_t memory_size = 0;
  bool has_weight_path = false;
  size_t queue_count[2] = {0, 0};  // input, output
  const uint32_t *queues[2] = {nullptr, nullptr};
};

struct ExecConfig {
  static constexpr Kind kKind = Kind::kExecConfig;

  aclError set(aclmdlExecConfigAttr attribute, const void *value, size_t size);

  int32_t stream_timeout_ms = -1;
  int32_t event_timeout_ms = -1;
};

// aclmdlLoadFrom...WithQ after its checks: always 200001.
aclError refuse_queues();

constexpr int32_t kLeastPriority = 7;  // the range of priorities is 0 (greatest) .. 7

}  // namespace aclfake

#endif
