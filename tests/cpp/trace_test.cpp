// SPDX-License-Identifier: Apache-2.0
//
// Traces: what a run asks of AscendCL, what the device did for it, by the fake's virtual clock, so
// that times are exact. argv[1]: the folder that make_models.py wrote.
#include <aclrt/aclrt.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "check.h"

namespace {

constexpr int kHostToDevice = 1;  // aclrtMemcpyKind

bool is_ok(aclrt_status_t *status) {
  const bool ok = status == nullptr;
  if (!ok) std::cout << aclrt_status_error(status).message << std::endl;
  aclrt_status_release(status);
  return ok;
}

// A new one, that nobody else can have made.
std::string scratch_folder() {
  const char *base = getenv("TMPDIR");
  std::string name = std::string(base != nullptr ? base : "/tmp") + "/aclrt-trace-XXXXXX";
  CHECK(mkdtemp(name.data()) != nullptr);
  return name;
}

std::vector<aclrt_trace_span_t> spans_of(aclrt_trace_t *trace, uint64_t *left_out = nullptr) {
  const aclrt_trace_span_t *spans = nullptr;
  size_t count = 0;
  CHECK(is_ok(aclrt_trace_spans(trace, &spans, &count, left_out)));
  return {spans, spans + count};
}

std::string name_of(const aclrt_trace_span_t &span) {
  return aclrt_function_at(static_cast<size_t>(span.function)).name;
}

template <class Function>
Function *find(const char *name) {
  void *address = nullptr;
  CHECK(is_ok(aclrt_function_address(name, &address)));
  return reinterpret_cast<Function *>(address);
}

int64_t total(const std::vector<aclrt_trace_span_t> &spans, int32_t lane) {
  int64_t sum = 0;
  for (const aclrt_trace_span_t &span : spans) {
    if (span.lane == lane) sum += span.end_ns - span.begin_ns;
  }
  return sum;
}

void a_run_is_copies_and_an_execution(aclrt_model_t *model) {
  aclrt_trace_t *trace = nullptr;
  CHECK(is_ok(aclrt_trace_create(0, &trace)));
  CHECK(is_ok(aclrt_trace_start(trace)));
  float image[64] = {0}, probs[10];
  const aclrt_buffer_t input = {image, sizeof image, nullptr},
                       output = {probs, sizeof probs, nullptr};
  CHECK(is_ok(aclrt_model_run(model, &input, 1, &output, 1, nullptr)));
  aclrt_status_t *early = aclrt_trace_write(trace, "unused.json");
  CHECK(aclrt_status_error(early).kind == ACLRT_ERROR_INPUT);
  aclrt_status_release(early);
  CHECK(is_ok(aclrt_trace_stop(trace)));
  CHECK(is_ok(aclrt_model_run(model, &input, 1, &output, 1, nullptr)));  // not seen

  std::vector<std::string> calls;
  const std::vector<aclrt_trace_span_t> spans = spans_of(trace);
  for (const aclrt_trace_span_t &span : spans) {
    if (span.lane == ACLRT_TRACE_HOST && name_of(span) != "aclrtGetCurrentContext") {
      calls.push_back(name_of(span));
    }
  }
  CHECK((calls == std::vector<std::string>{"aclrtMemcpy", "aclmdlExecute", "aclrtMemcpy"}));
  CHECK_EQ(1000000, total(spans, ACLRT_TRACE_H2D));
  CHECK_EQ(4000000, total(spans, ACLRT_TRACE_COMPUTE));
  CHECK_EQ(2000000, total(spans, ACLRT_TRACE_D2H));

  CHECK(is_ok(aclrt_trace_start(trace)));  // goes on: what it sees is added
  CHECK(is_ok(aclrt_model_run(model, &input, 1, &output, 1, nullptr)));
  CHECK(is_ok(aclrt_trace_stop(trace)));
  CHECK_EQ(8000000, total(spans_of(trace), ACLRT_TRACE_COMPUTE));
  aclrt_trace_release(trace);
}

void queued_work_has_the_devices_times() {
  aclrt_trace_t *trace = nullptr;
  CHECK(is_ok(aclrt_trace_create(0, &trace)));
  CHECK(is_ok(aclrt_trace_start(trace)));
  aclrt_device_t *device = nullptr;
  CHECK(is_ok(aclrt_device_open(0, &device)));
  CHECK_EQ(0, find<int(int)>("aclrtSetDevice")(0));
  void *streams[2], *memory = nullptr, *host = nullptr;
  for (void *&stream : streams) CHECK_EQ(0, find<int(void **)>("aclrtCreateStream")(&stream));
  CHECK_EQ(0, find<int(void **, size_t, int)>("aclrtMalloc")(&memory, 4096, 0));
  CHECK_EQ(0, find<int(void **, size_t)>("aclrtMallocHost")(&host, 4096));
  const auto copy =
      find<int(void *, size_t, const void *, size_t, int, void *)>("aclrtMemcpyAsync");
  const int64_t begin = aclrt_trace_clock(nullptr);
  for (void *stream : streams) {
    CHECK_EQ(0, copy(memory, 4096, host, 4096, kHostToDevice, stream));
    CHECK_EQ(0, copy(memory, 4096, host, 2048, kHostToDevice, stream));
  }
  for (void *stream : streams) CHECK_EQ(0, find<int(void *)>("aclrtSynchronizeStream")(stream));
  int32_t is_virtual = 0;
  CHECK_EQ(begin + 4000000, aclrt_trace_clock(&is_virtual));
  CHECK_EQ(1, is_virtual);
  for (void *stream : streams) CHECK_EQ(0, find<int(void *)>("aclrtDestroyStream")(stream));
  CHECK_EQ(0, find<int(void *)>("aclrtFree")(memory));
  CHECK_EQ(0, find<int(void *)>("aclrtFreeHost")(host));
  CHECK_EQ(0, find<int(int)>("aclrtResetDevice")(0));
  aclrt_device_release(device);
  CHECK(is_ok(aclrt_trace_stop(trace)));

  uint64_t left_out = 7;
  int64_t last = begin, bytes = 0;
  int copies = 0;
  std::vector<aclrt_trace_span_t> spans = spans_of(trace, &left_out);
  std::sort(spans.begin(), spans.end(),
            [](const auto &a, const auto &b) { return a.end_ns < b.end_ns; });
  for (const aclrt_trace_span_t &span : spans) {
    if (span.lane != ACLRT_TRACE_H2D) continue;
    ++copies;
    CHECK_EQ(last + 1000000, span.end_ns);                   // one engine: one copy after the other
    CHECK(span.begin_ns <= last && span.begin_ns >= begin);  // some wait for it
    CHECK_EQ(0, span.device);
    CHECK(span.stream == reinterpret_cast<uint64_t>(streams[0]) ||
          span.stream == reinterpret_cast<uint64_t>(streams[1]));
    last = span.end_ns;
    bytes += static_cast<int64_t>(span.nbytes);
  }
  CHECK_EQ(4, copies);
  CHECK_EQ(2 * (4096 + 2048), bytes);
  CHECK_EQ(0u, left_out);

  const std::string folder = scratch_folder(), path = folder + "/trace.json";
  CHECK(is_ok(aclrt_trace_write(trace, path.c_str())));
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  CHECK(text.str().find("\"H2D engine\"") != std::string::npos);
  CHECK(text.str().find("\"stream 2\"") != std::string::npos);
  std::remove(path.c_str());
  rmdir(folder.c_str());
  aclrt_status_t *nowhere = aclrt_trace_write(trace, "/no/such/folder/trace.json");
  CHECK(aclrt_status_error(nowhere).kind == ACLRT_ERROR_IO);
  aclrt_status_release(nowhere);
  aclrt_trace_release(trace);
}

void canns_profiler_is_passed_through() {
  const std::string folder = scratch_folder();
  const uint32_t devices[] = {0};
  aclrt_profiling_options_t options{};
  aclrt_profiling_t *profiling = nullptr;
  aclrt_status_t *wrong = aclrt_profiling_start(&options, &profiling);
  CHECK(aclrt_status_error(wrong).kind == ACLRT_ERROR_INPUT);
  aclrt_status_release(wrong);
  options.struct_size = sizeof options;
  options.directory = folder.c_str();
  options.devices = devices;
  options.device_count = 1;
  options.metrics = 1;
  wrong = aclrt_profiling_start(&options, &profiling);  // no data type
  CHECK(wrong != nullptr && profiling == nullptr);
  aclrt_status_release(wrong);
  options.data_types = 0x3;
  CHECK(is_ok(aclrt_profiling_start(&options, &profiling)));
  aclrt_profiling_t *second = nullptr;
  wrong = aclrt_profiling_start(&options, &second);
  CHECK_EQ(100002, aclrt_status_error(wrong).code);
  aclrt_status_release(wrong);
  CHECK(is_ok(aclrt_profiling_stop(profiling)));
  CHECK(is_ok(aclrt_profiling_stop(profiling)));
  aclrt_profiling_release(profiling);
  CHECK(is_ok(aclrt_profiling_start(&options, &profiling)));
  aclrt_profiling_release(profiling);  // stops it
  rmdir(folder.c_str());
}

void a_full_trace_counts() {
  aclrt_trace_t *trace = nullptr;
  CHECK(is_ok(aclrt_trace_create(2, &trace)));
  CHECK(is_ok(aclrt_trace_start(trace)));
  const auto ask = find<int(uint32_t *)>("aclrtGetDeviceCount");
  uint32_t count = 0;
  for (int i = 0; i < 5; ++i) CHECK_EQ(0, ask(&count));
  CHECK(is_ok(aclrt_trace_stop(trace)));
  uint64_t left_out = 0;
  CHECK_EQ(2u, spans_of(trace, &left_out).size());
  CHECK_EQ(3u, left_out);
  aclrt_trace_release(trace);
  aclrt_trace_release(nullptr);
}

}  // namespace

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  setenv("ACLRT_FAKE_SEED", "1", 1);
  setenv("ACLRT_FAKE_H2D_US", "1000", 1);
  setenv("ACLRT_FAKE_COMPUTE_US", "4000", 1);
  setenv("ACLRT_FAKE_D2H_US", "2000", 1);
  const std::string path = std::string(argv[1]) + "/digits.om";
  aclrt_model_options_t options{};
  options.struct_size = sizeof options;
  options.path = path.c_str();
  aclrt_model_t *model = nullptr;
  CHECK(is_ok(aclrt_model_load(&options, &model)));
  a_run_is_copies_and_an_execution(model);
  aclrt_model_release(model);
  queued_work_has_the_devices_times();
  canns_profiler_is_passed_through();
  a_full_trace_counts();
  return check::result();
}
