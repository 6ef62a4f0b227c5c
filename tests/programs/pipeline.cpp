// SPDX-License-Identifier: Apache-2.0
//
// Keeps several records in flight: copies in on one stream, executes on a second, copies out on a
// third, ordered by events; a callback on a report thread hands each result over.
//   pipeline MODEL.om INPUT.bin OUTPUT.bin
#include <pthread.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <thread>
#include <vector>

#include "acl/acl.h"
#include "acl/acl_mdl.h"
#include "acl/acl_rt.h"

#define CHECK(call)                                                       \
  do {                                                                    \
    const aclError code = (call);                                         \
    if (code != ACL_SUCCESS) {                                            \
      const char *text = aclGetRecentErrMsg();                            \
      std::fprintf(stderr, "%s: %d %s\n", #call, code, text ? text : ""); \
      std::exit(1);                                                       \
    }                                                                     \
  } while (0)

namespace {

constexpr size_t kSlots = 3;

struct Slot {
  void *host_in = nullptr;
  void *host_out = nullptr;
  void *device_in = nullptr;
  void *device_out = nullptr;
  aclmdlDataset *input = nullptr;
  aclmdlDataset *output = nullptr;
  aclrtEvent copied = nullptr;
  aclrtEvent executed = nullptr;
  aclrtEvent fetched = nullptr;
  size_t size_out = 0;
  std::vector<char> *results = nullptr;
  size_t index = 0;
};

std::atomic<size_t> delivered{0};
std::atomic<bool> stop{false};

void deliver(void *data) {
  const Slot &slot = *static_cast<Slot *>(data);
  std::memcpy(slot.results->data() + slot.index * slot.size_out, slot.host_out, slot.size_out);
  ++delivered;
}

void report() {
  while (!stop) {
    const aclError code = aclrtProcessReport(50);
    // 107012 until the main thread has subscribed this one.
    if (code == ACL_ERROR_RT_THREAD_SUBSCRIBE) std::this_thread::yield();
  }
}

aclmdlDataset *dataset_of(void *data, size_t size) {
  aclmdlDataset *dataset = aclmdlCreateDataset();
  CHECK(aclmdlAddDatasetBuffer(dataset, aclCreateDataBuffer(data, size)));
  return dataset;
}

void drop(aclmdlDataset *dataset) {
  CHECK(aclDestroyDataBuffer(aclmdlGetDatasetBuffer(dataset, 0)));
  CHECK(aclmdlDestroyDataset(dataset));
}

}  // namespace

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  CHECK(aclInit(""));
  CHECK(aclrtSetDevice(0));

  uint32_t model = 0;
  CHECK(aclmdlLoadFromFile(argv[1], &model));
  aclmdlDesc *desc = aclmdlCreateDesc();
  CHECK(aclmdlGetDesc(desc, model));
  const size_t size_in = aclmdlGetInputSizeByIndex(desc, 0);
  const size_t size_out = aclmdlGetOutputSizeByIndex(desc, 0);

  aclrtStream in = nullptr, compute = nullptr, out = nullptr;
  CHECK(aclrtCreateStream(&in));
  CHECK(aclrtCreateStream(&compute));
  CHECK(aclrtCreateStreamWithConfig(&out, 0, ACL_STREAM_FAST_LAUNCH | ACL_STREAM_FAST_SYNC));
  std::thread reporter(report);
  const uint64_t reporter_id = static_cast<uint64_t>(reporter.native_handle());
  CHECK(aclrtSubscribeReport(reporter_id, out));

  std::ifstream file(argv[2], std::ios::binary);
  const std::vector<char> records{std::istreambuf_iterator<char>(file), {}};
  const size_t count = records.size() / size_in;
  std::vector<char> results(count * size_out);

  Slot slots[kSlots];
  for (Slot &slot : slots) {
    CHECK(aclrtMallocHost(&slot.host_in, size_in));
    CHECK(aclrtMallocHost(&slot.host_out, size_out));
    CHECK(aclrtMalloc(&slot.device_in, size_in, ACL_MEM_MALLOC_NORMAL_ONLY));
    CHECK(aclrtMalloc(&slot.device_out, size_out, ACL_MEM_MALLOC_NORMAL_ONLY));
    slot.input = dataset_of(slot.device_in, size_in);
    slot.output = dataset_of(slot.device_out, size_out);
    CHECK(aclrtCreateEventWithFlag(&slot.copied, ACL_EVENT_SYNC));
    CHECK(aclrtCreateEventWithFlag(&slot.executed, ACL_EVENT_SYNC | ACL_EVENT_TIME_LINE));
    CHECK(aclrtCreateEventWithFlag(&slot.fetched, ACL_EVENT_SYNC | ACL_EVENT_TIME_LINE));
    slot.size_out = size_out;
    slot.results = &results;
  }

  for (size_t i = 0; i < count; ++i) {
    Slot &slot = slots[i % kSlots];
    if (i >= kSlots) {
      CHECK(aclrtSynchronizeEvent(slot.fetched));  // recorded behind the blocking callback
    }
    slot.index = i;
    std::memcpy(slot.host_in, records.data() + i * size_in, size_in);
    CHECK(aclrtMemcpyAsync(slot.device_in, size_in, slot.host_in, size_in,
                           ACL_MEMCPY_HOST_TO_DEVICE, in));
    CHECK(aclrtRecordEvent(slot.copied, in));
    CHECK(aclrtStreamWaitEvent(compute, slot.copied));
    CHECK(aclmdlExecuteAsync(model, slot.input, slot.output, compute));
    CHECK(aclrtRecordEvent(slot.executed, compute));
    CHECK(aclrtStreamWaitEvent(out, slot.executed));
    CHECK(aclrtMemcpyAsync(slot.host_out, size_out, slot.device_out, size_out,
                           ACL_MEMCPY_DEVICE_TO_HOST, out));
    CHECK(aclrtLaunchCallback(deliver, &slot, ACL_CALLBACK_BLOCK, out));
    CHECK(aclrtRecordEvent(slot.fetched, out));
  }
  CHECK(aclrtSynchronizeStream(in));
  CHECK(aclrtSynchronizeStreamWithTimeout(compute, 60000));
  CHECK(aclrtSynchronizeStream(out));
  if (count >= 2) {
    aclrtStreamStatus status = ACL_STREAM_STATUS_RESERVED;
    CHECK(aclrtStreamQuery(out, &status));
    float ms = -1;
    CHECK(aclrtEventElapsedTime(&ms, slots[0].executed, slots[0].fetched));
    std::printf("delivered %zu of %zu, status %d, %s\n", delivered.load(), count,
                static_cast<int>(status), ms >= 0 ? "timed" : "not timed");
  }

  CHECK(aclrtUnSubscribeReport(reporter_id, out));
  stop = true;
  reporter.join();
  for (Slot &slot : slots) {
    drop(slot.input);
    drop(slot.output);
    for (void *data : {slot.device_in, slot.device_out}) CHECK(aclrtFree(data));
    for (void *data : {slot.host_in, slot.host_out}) CHECK(aclrtFreeHost(data));
    for (aclrtEvent event : {slot.copied, slot.executed, slot.fetched}) {
      CHECK(aclrtDestroyEvent(event));
    }
  }
  for (aclrtStream stream : {in, compute, out}) CHECK(aclrtDestroyStream(stream));
  CHECK(aclmdlDestroyDesc(desc));
  CHECK(aclmdlUnload(model));
  CHECK(aclrtResetDevice(0));
  CHECK(aclFinalize());
  std::ofstream(argv[3], std::ios::binary)
      .write(results.data(), static_cast<std::streamsize>(results.size()));
}
