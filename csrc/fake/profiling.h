// SPDX-License-Identifier: Apache-2.0
//
// Objects of aclprof*: configurations, subscriptions, stamps and step infos, all in one handle
// table. Nothing is recorded; the objects are there so that programs that profile run unchanged.
// Thread-safe.
#ifndef ACLRT_FAKE_PROFILING_H
#define ACLRT_FAKE_PROFILING_H

#include <cstdint>
#include <memory>

#include "acl/abi.h"
#include "fake/arguments.h"
#include "fake/handles.h"

namespace aclfake {

struct ProfilingObject {
  static constexpr Kind kKind = Kind::kProfiling;
  enum class Sort { kConfig, kSubscribeConfig, kStamp, kStepInfo };
  Sort sort;
  uint64_t data_types = 0;  // of a kConfig
};

void *make_profiling_object(ProfilingObject::Sort sort, uint64_t data_types = 0);
// 100000 if the handle is NULL, stale, or an object of another sort.
aclError need_profiling_object(const void *handle, ProfilingObject::Sort sort,
                               std::shared_ptr<ProfilingObject> *object);
aclError destroy_profiling_object(const void *handle, ProfilingObject::Sort sort);

// The process's profiling is either by aclprofInit or by subscription, never both (148047).
aclError begin_profiling();  // 0, 100002 or 148047
bool profiling_begun();
void end_profiling();
aclError subscribe_model(uint32_t id);    // 0, 145003, 148046 or 148047
aclError unsubscribe_model(uint32_t id);  // 0, 145003 or 100000

}  // namespace aclfake

#endif
