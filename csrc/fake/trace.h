// SPDX-License-Identifier: Apache-2.0
//
// What the deterministic scheduler did: one entry per piece of work, in order of beginning. Not
// thread-safe; its owner locks.
#ifndef ACLRT_FAKE_TRACE_H
#define ACLRT_FAKE_TRACE_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace aclfake {

struct TraceEntry {
  int64_t begin_ns = 0;  // since the virtual clock started
  int64_t end_ns = -1;   // -1: not ended
  int32_t device = 0;
  int32_t stream = -1;      // -1: a synchronous call
  const char *engine = "";  // "": none
  const char *task = "";
  uint64_t number = 0;  // of the stream's tasks, from 0
};

class TraceLog {
 public:
  static constexpr size_t kNone = SIZE_MAX;

  size_t begin(const TraceEntry &entry);  // for end(); kNone: the log is full
  void end(size_t index, int64_t now_ns);
  void clear();
  std::string json(uint64_t seed, int64_t now_ns) const;

 private:
  std::vector<TraceEntry> entries_;
  uint64_t left_out_ = 0;
};

// aclfake_trace_json's text; no entries where the clock is real.
std::string trace_json();

}  // namespace aclfake

#endif
