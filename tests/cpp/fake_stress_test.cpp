// SPDX-License-Identifier: Apache-2.0
//
// Imitates a busy server on the fake device: threads that share a device, each with streams and a
// loaded model of its own, that queue copy, execute and copy over and over, order streams among
// threads by events, wait with and without timeouts, and now and then abort or force-destroy a
// stream that is at work. Once with a real clock, once with the deterministic scheduler. Not a
// benchmark: it is there for the sanitizers, under which it runs fewer rounds because they slow it
// down about tenfold.
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "acl/abi.h"
#include "aclrt/aclfake.h"
#include "check.h"

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kRounds = 12;
#else
constexpr int kRounds = 60;
#endif
constexpr int kThreads = 4;
constexpr int kStreams = 3;

// Device side and host side of one input or output.
struct Buffer {
  explicit Buffer(size_t bytes) : size(bytes) {
    CHECK_EQ(0, aclrtMalloc(&device, size, ACL_MEM_MALLOC_HUGE_FIRST));
    CHECK_EQ(0, aclrtMallocHost(&host, size));
    std::memset(host, 1, size);
    data = aclCreateDataBuffer(device, size);
    dataset = aclmdlCreateDataset();
    CHECK_EQ(0, aclmdlAddDatasetBuffer(dataset, data));
  }
  ~Buffer() {
    CHECK_EQ(0, aclmdlDestroyDataset(dataset));
    CHECK_EQ(0, aclDestroyDataBuffer(data));
    CHECK_EQ(0, aclrtFreeHost(host));
    CHECK_EQ(0, aclrtFree(device));
  }
  Buffer(const Buffer &) = delete;
  Buffer &operator=(const Buffer &) = delete;

  aclError up(aclrtStream stream) {
    return aclrtMemcpyAsync(device, size, host, size, ACL_MEMCPY_HOST_TO_DEVICE, stream);
  }
  aclError down(aclrtStream stream) {
    return aclrtMemcpyAsync(host, size, device, size, ACL_MEMCPY_DEVICE_TO_HOST, stream);
  }

  const size_t size;
  void *device = nullptr;
  void *host = nullptr;
  aclDataBuffer *data = nullptr;
  aclmdlDataset *dataset = nullptr;
};

void count(void *counter) {
  ++*static_cast<std::atomic<int> *>(counter);
}

class Client {
 public:
  Client(const std::string &model, aclrtEvent shared) : shared_(shared) {
    CHECK_EQ(0, aclrtSetDevice(0));
    CHECK_EQ(0, aclmdlLoadFromFile(model.c_str(), &model_));
    aclmdlDesc *desc = aclmdlCreateDesc();
    CHECK_EQ(0, aclmdlGetDesc(desc, model_));
    input_ = new Buffer(aclmdlGetInputSizeByIndex(desc, 0));
    output_ = new Buffer(aclmdlGetOutputSizeByIndex(desc, 0));
    CHECK_EQ(0, aclmdlDestroyDesc(desc));
    for (aclrtStream &stream : streams_) CHECK_EQ(0, aclrtCreateStream(&stream));
    for (aclrtEvent &event : events_) CHECK_EQ(0, aclrtCreateEvent(&event));
  }

  ~Client() {
    for (aclrtStream stream : streams_) CHECK_EQ(0, aclrtDestroyStream(stream));
    for (aclrtEvent event : events_) CHECK_EQ(0, aclrtDestroyEvent(event));
    CHECK_EQ(0, aclmdlUnload(model_));
    delete input_;
    delete output_;
    CHECK_EQ(0, aclrtResetDevice(0));
  }
  Client(const Client &) = delete;
  Client &operator=(const Client &) = delete;

  // One request over three streams, in order by events.
  void request(int round) {
    CHECK_EQ(0, input_->up(streams_[0]));
    hand_over(0, 1);
    CHECK_EQ(0, aclmdlExecuteAsync(model_, input_->dataset, output_->dataset, streams_[1]));
    hand_over(1, 2);
    CHECK_EQ(0, output_->down(streams_[2]));
    CHECK_EQ(0, aclrtLaunchHostFunc(streams_[2], count, &functions_));
    ++launched_;
    CHECK_EQ(0, aclrtRecordEvent(shared_, streams_[2]));
    CHECK_EQ(0, aclrtStreamWaitEvent(streams_[0], shared_));
    const aclError code = aclrtSynchronizeStreamWithTimeout(streams_[2], 1 + round % 3);
    CHECK(code == ACL_SUCCESS || code == ACL_ERROR_RT_STREAM_SYNC_TIMEOUT);
    if (round % 2 == 0) {
      aclrtStreamStatus status = ACL_STREAM_STATUS_COMPLETE;
      CHECK_EQ(0, aclrtStreamQuery(streams_[1], &status));
    }
    CHECK_EQ(0, aclrtSynchronizeEvent(events_[1]));
    CHECK_EQ(0, aclrtSynchronizeStream(streams_[2]));
    float ms = -1;
    CHECK_EQ(0, aclrtEventElapsedTime(&ms, events_[0], events_[1]));
    CHECK(ms >= 0);
    CHECK_EQ(0, aclrtMemcpy(output_->host, output_->size, output_->device, output_->size,
                            ACL_MEMCPY_DEVICE_TO_HOST));
  }

  // A stream that is ended while it is at work.
  void end_early(int round) {
    aclrtStream stream = nullptr;
    CHECK_EQ(0, aclrtCreateStream(&stream));
    for (int copy = 0; copy < 8; ++copy) CHECK_EQ(0, input_->up(stream));
    CHECK_EQ(0, aclrtMemsetAsync(output_->device, output_->size, 0, output_->size, stream));
    if (round % 2 == 0) {
      CHECK_EQ(0, aclrtStreamAbort(stream));
      CHECK_EQ(0, aclrtDestroyStream(stream));
    } else {
      CHECK_EQ(0, aclrtDestroyStreamForce(stream));
    }
  }

  bool all_functions_ran() const { return functions_ == launched_; }

 private:
  void hand_over(int from, int to) {
    CHECK_EQ(0, aclrtRecordEvent(events_[from], streams_[from]));
    CHECK_EQ(0, aclrtStreamWaitEvent(streams_[to], events_[from]));
  }

  const aclrtEvent shared_;
  uint32_t model_ = 0;
  Buffer *input_ = nullptr;
  Buffer *output_ = nullptr;
  aclrtStream streams_[kStreams] = {};
  aclrtEvent events_[2] = {};
  std::atomic<int> functions_{0};
  int launched_ = 0;
};

void serve(const std::string &model) {
  CHECK_EQ(0, aclInit(nullptr));
  CHECK_EQ(0, aclrtSetDevice(0));
  aclrtEvent shared = nullptr;
  CHECK_EQ(0, aclrtCreateEventExWithFlag(&shared, ACL_EVENT_SYNC));
  std::vector<std::thread> threads;
  for (int index = 0; index < kThreads; ++index) {
    threads.emplace_back([&] {
      Client client(model, shared);
      for (int round = 0; round < kRounds; ++round) {
        client.request(round);
        if (round % 4 == 0) client.end_early(round / 4);
      }
      CHECK(client.all_functions_ran());
    });
  }
  for (std::thread &thread : threads) thread.join();
  CHECK_EQ(0, aclrtDestroyEvent(shared));
  CHECK_EQ(0, aclrtResetDevice(0));
  CHECK_EQ(0, aclFinalize());
  CHECK_EQ(size_t{0}, aclfake_reset());
}

}  // namespace

int main(int argc, char **argv) {
  const std::string model = (argc > 1 ? argv[1] : ".") + std::string("/digits.om");
  setenv("ACLRT_FAKE_ENGINE", "synthetic", 1);
  setenv("ACLRT_FAKE_PROFILE", "null", 1);
  setenv("ACLRT_FAKE_H2D_US", "20", 1);
  setenv("ACLRT_FAKE_COMPUTE_US", "200", 1);
  setenv("ACLRT_FAKE_D2H_US", "20", 1);
  serve(model);
  setenv("ACLRT_FAKE_SEED", "1", 1);
  serve(model);
  return check::result();
}
