// SPDX-License-Identifier: Apache-2.0
//
// The ledger: how many objects and bytes of each kind are live, were at most, were ever; how often
// each function was called. Counters are atomics: any thread, no locks, no exceptions. HandleTable
// counts its objects itself; memory and models call in here. ledger_report.h puts it into words.
#ifndef ACLRT_FAKE_LEDGER_H
#define ACLRT_FAKE_LEDGER_H

#include <cstddef>
#include <cstdint>

namespace aclfake {

// Kinds of objects. From kModel on there is no handle but an id or an address.
enum class Kind : uint8_t {
  kNone = 0,
  kContext,
  kStream,
  kEvent,
  kStreamConfig,
  kDataBuffer,
  kTensorDesc,
  kDataset,
  kModelDesc,
  kConfig,
  kExecConfig,
  kAipp,
  kBundleQuery,
  kProfiling,
  kExceptionInfo,
  kOpAttr,
  kModel,
  kDeviceMemory,
  kHostMemory,
};
constexpr uint8_t kKindCount = static_cast<uint8_t>(Kind::kHostMemory) + 1;
const char *kind_name(Kind kind) noexcept;  // "context", "device_memory", ...

// The documented functions of functions.def, then the undocumented ones.
enum class Call : uint16_t {
#define ACL_FUNCTION(result, name, parameters, family, need, tier, since, kind) name,
#define ACL_UNDOCUMENTED(name, family, tier) name,
#include "acl/functions.def"
  kCount,
};
const char *call_name(Call call) noexcept;

namespace ledger {

struct Count {
  uint64_t live = 0;
  uint64_t peak = 0;
  uint64_t total = 0;
  uint64_t live_bytes = 0;
  uint64_t peak_bytes = 0;
  uint64_t total_bytes = 0;
};

void created(Kind kind, uint64_t bytes = 0) noexcept;
void destroyed(Kind kind, uint64_t bytes = 0) noexcept;
uint64_t called(Call call) noexcept;  // how many calls of it there have been, this one included
Count read(Kind kind) noexcept;
uint64_t calls(Call call) noexcept;
uint64_t live_objects() noexcept;  // of all kinds

// Guard zones of device memory that were found overwritten at a free.
void guard_damaged() noexcept;
uint64_t damaged_guards() noexcept;

// After all objects are gone: counters as after loading.
void clear() noexcept;

}  // namespace ledger
}  // namespace aclfake

#endif
