// SPDX-License-Identifier: Apache-2.0
#include "fake/trace.h"

#include "fake/scheduler.h"
#include "om/json_writer.h"

namespace aclfake {
namespace {

constexpr size_t kMaxEntries = 200000;  // a process may run for days

double microseconds(int64_t ns) {
  return static_cast<double>(ns) / 1000.0;
}

void open(om::JsonWriter &json, bool deterministic) {
  json.begin_object();
  json.field("schema", "aclfake-trace/1");
  json.field("deterministic", deterministic);
}

}  // namespace

size_t TraceLog::begin(const TraceEntry &entry) {
  if (entries_.size() >= kMaxEntries) {
    ++left_out_;
    return kNone;
  }
  entries_.push_back(entry);
  return entries_.size() - 1;
}

void TraceLog::end(size_t index, int64_t now_ns) {
  if (index < entries_.size()) entries_[index].end_ns = now_ns;
}

void TraceLog::clear() {
  entries_ = {};
  left_out_ = 0;
}

std::string TraceLog::json(uint64_t seed, int64_t now_ns) const {
  om::JsonWriter json;
  open(json, true);
  json.field("seed", seed);
  json.field("now_us", microseconds(now_ns));
  json.field("left_out", left_out_);
  json.key("entries").begin_array();
  for (const TraceEntry &entry : entries_) {
    json.begin_object();
    json.field("begin_us", microseconds(entry.begin_ns));
    json.key("end_us");
    if (entry.end_ns < 0) {
      json.null();
    } else {
      json.value(microseconds(entry.end_ns));
    }
    json.field("device", entry.device);
    json.field("engine", entry.engine);
    json.field("stream", entry.stream);
    json.field("task", entry.task);
    json.field("n", entry.number);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return json.take();
}

std::string trace_json() {
  if (Scheduler *deterministic = scheduler()) return deterministic->trace();
  om::JsonWriter json;
  open(json, false);
  json.key("entries").begin_array();
  json.end_array();
  json.end_object();
  return json.take();
}

}  // namespace aclfake
