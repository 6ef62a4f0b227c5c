// SPDX-License-Identifier: Apache-2.0
//
// A trace as Chrome's "Trace Event Format", which Perfetto's UI and trace processor read too: one
// process for the host with a row for each thread, and one for each device with rows for its
// engines and streams. Rows hold complete events ("X"), which must nest. An engine does one thing
// at a time: in its row, work that waited for it begins where the work before it ended, while in
// its stream's row it begins when it was the stream's turn.
#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/trace.h"
#include "om/json_writer.h"

namespace aclrt {

namespace {

constexpr int32_t kHost = 1;           // process ids; devices follow
constexpr int32_t kFirstDevice = 100;  // that of device 0
constexpr int32_t kStreams = 1000;     // rows of a device: engines below, streams from here

const char *const kLaneNames[] = {"host", "H2D", "compute", "D2H", "other"};

using Span = aclrt_trace_span_t;

double microseconds(int64_t ns) noexcept {
  return static_cast<double>(ns) / 1000.0;
}

class File {
 public:
  explicit File(const char *path) : path_(path), file_(std::fopen(path, "we")) {
    if (file_ == nullptr) fail();
  }
  ~File() {
    if (file_ != nullptr) std::fclose(file_);
  }
  File(const File &) = delete;
  File &operator=(const File &) = delete;

  void write(const std::string &text) {
    if (std::fwrite(text.data(), 1, text.size(), file_) != text.size()) fail();
  }
  void close() {
    FILE *file = std::exchange(file_, nullptr);
    if (std::fclose(file) != 0) fail();
  }

 private:
  [[noreturn]] void fail() const { throw io_error(errno, "cannot write " + path_); }

  std::string path_;
  FILE *file_;
};

class Writer {
 public:
  explicit Writer(const char *path) : file_(path) {}

  void write(const std::vector<Span> &spans, uint64_t left_out) {
    file_.write("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[");
    name("process_name", kHost, 0, "host: calls of AscendCL");
    std::vector<Span> works;
    for (const Span &span : spans) {
      if (span.lane == ACLRT_TRACE_HOST) {
        call(span);
      } else {
        works.push_back(span);
      }
    }
    std::stable_sort(works.begin(), works.end(),
                     [](const Span &a, const Span &b) { return a.end_ns < b.end_ns; });
    for (const Span &span : works) work(span);
    om::JsonWriter end;
    end.begin_object();
    bool is_virtual = false;
    acl::now_ns(&is_virtual);
    end.field("aclrt_version", ACLRT_VERSION);
    const acl::Table *library = acl::direct();
    end.field("library", library != nullptr ? library->path : "");
    end.field("clock", is_virtual ? "the fake device's virtual clock" : "CLOCK_MONOTONIC");
    end.field("left_out", left_out);
    end.end_object();
    file_.write("\n],\"otherData\":" + end.take() + "}\n");
    file_.close();
  }

 private:
  void call(const Span &span) {
    const int32_t row = span.thread;
    if (threads_.emplace(row, true).second) {
      name("thread_name", kHost, row, "thread " + std::to_string(row));
    }
    const acl::FunctionInfo &info = acl::function_info(static_cast<size_t>(span.function));
    om::JsonWriter json;
    open(json, span, kHost, row, info.name, "call");
    if (std::string(info.result) == "aclError") {
      json.field("code", static_cast<int32_t>(span.result));
    }
    close(json, span);
  }

  void work(const Span &span) {
    const int32_t process = kFirstDevice + span.device;
    if (devices_.emplace(span.device, true).second) {
      name("process_name", process, 0, "device " + std::to_string(span.device));
    }
    const std::string lane = kLaneNames[span.lane];
    const auto [last, is_first] = ends_.emplace(std::make_pair(span.device, span.lane), INT64_MIN);
    if (is_first) row(process, span.lane, lane + " engine");
    Span alone = span;
    alone.begin_ns = std::max(span.begin_ns, last->second);
    last->second = span.end_ns;
    om::JsonWriter json;
    open(json, alone, process, span.lane, lane, "engine");
    close(json, span);
    if (!is_queued(span)) return;
    open(json, span, process, stream_row(span, process), lane, "stream");
    close(json, span);
  }

  static bool is_queued(const Span &span) {
    const std::string name = acl::function_info(static_cast<size_t>(span.function)).name;
    return name.find("Async") != std::string::npos || name.rfind("aclop", 0) == 0;
  }

  int32_t stream_row(const Span &span, int32_t process) {
    const auto number = static_cast<int32_t>(streams_.size());
    const auto [entry, is_new] = streams_.emplace(std::make_pair(span.device, span.stream), number);
    const int32_t id = kStreams + entry->second;
    const std::string title = "stream " + std::to_string(number + 1);
    if (is_new) row(process, id, span.stream == 0 ? "default stream" : title);
    return id;
  }

  void open(om::JsonWriter &json, const Span &span, int32_t process, int32_t row,
            const std::string &title, const char *category) {
    json.begin_object();
    json.field("name", title).field("cat", category).field("ph", "X");
    json.field("ts", microseconds(span.begin_ns));
    json.field("dur", microseconds(span.end_ns - span.begin_ns));
    json.field("pid", process).field("tid", row);
    json.key("args").begin_object();
  }

  void close(om::JsonWriter &json, const Span &span) {
    if (span.nbytes != 0) json.field("bytes", span.nbytes);
    if (span.model >= 0) json.field("model", span.model);
    if (span.stream != 0) {
      char handle[24];
      std::snprintf(handle, sizeof handle, "0x%llx", static_cast<unsigned long long>(span.stream));
      json.field("stream", handle);
    }
    json.end_object().end_object();
    event(json.take());
  }

  void name(const char *kind, int32_t process, int32_t row, const std::string &text) {
    om::JsonWriter json;
    json.begin_object();
    json.field("name", kind).field("ph", "M").field("pid", process).field("tid", row);
    json.key("args").begin_object().field("name", text).end_object();
    event(json.end_object().take());
  }

  // A row of a device, in its place.
  void row(int32_t process, int32_t row, const std::string &title) {
    name("thread_name", process, row, title);
    om::JsonWriter json;
    json.begin_object();
    json.field("name", "thread_sort_index").field("ph", "M").field("pid", process);
    json.field("tid", row).key("args").begin_object().field("sort_index", row).end_object();
    event(json.end_object().take());
  }

  void event(const std::string &text) {
    file_.write((has_events_ ? ",\n" : "\n") + text);
    has_events_ = true;
  }

  File file_;
  bool has_events_ = false;
  std::map<int32_t, bool> threads_, devices_;
  std::map<std::pair<int32_t, int32_t>, int64_t> ends_;  // of an engine's last work
  std::map<std::pair<int32_t, uint64_t>, int32_t> streams_;
};

}  // namespace

void Trace::write(const char *path) {
  const std::vector<Span> &all = spans();
  const uint64_t missing = left_out();
  Writer(path).write(all, missing);
}

}  // namespace aclrt
