// SPDX-License-Identifier: Apache-2.0
//
// Four threads, each with a context, a stream and a model of its own, share the records of a file;
// outputs are allocated by the first execute. A last thread shows that contexts are per thread.
//   threads MODEL.om INPUT.bin OUTPUT.bin
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <thread>
#include <vector>

#include "acl/acl.h"

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

constexpr size_t kThreads = 4;

struct Job {
  std::vector<char> model;
  std::vector<char> records;
  size_t size_in;
  size_t size_out;
  std::vector<char> results;
};

void work(Job *job, size_t first) {
  aclrtContext context = nullptr;
  CHECK(aclrtCreateContext(&context, 0));
  aclrtStream stream = nullptr;
  CHECK(aclrtCreateStream(&stream));
  uint32_t model = 0;
  CHECK(aclmdlLoadFromMem(job->model.data(), job->model.size(), &model));

  void *memory = nullptr;
  CHECK(aclrtMalloc(&memory, job->size_in, ACL_MEM_MALLOC_HUGE_FIRST));
  CHECK(aclrtMemset(memory, job->size_in, 0, job->size_in));
  aclDataBuffer *in = aclCreateDataBuffer(memory, job->size_in);
  aclDataBuffer *out = aclCreateDataBuffer(nullptr, 0);
  aclmdlDataset *input = aclmdlCreateDataset();
  aclmdlDataset *output = aclmdlCreateDataset();
  CHECK(aclmdlAddDatasetBuffer(input, in));
  CHECK(aclmdlAddDatasetBuffer(output, out));

  const size_t count = job->records.size() / job->size_in;
  for (size_t i = first; i < count; i += kThreads) {
    CHECK(aclrtMemcpyAsync(memory, job->size_in, job->records.data() + i * job->size_in,
                           job->size_in, ACL_MEMCPY_HOST_TO_DEVICE, stream));
    CHECK(aclrtSynchronizeStream(stream));
    CHECK(aclmdlExecute(model, input, output));
    CHECK(aclrtMemcpy(job->results.data() + i * job->size_out, job->size_out,
                      aclGetDataBufferAddr(out), job->size_out, ACL_MEMCPY_DEVICE_TO_HOST));
  }

  if (aclGetDataBufferAddr(out) != nullptr) CHECK(aclrtFree(aclGetDataBufferAddr(out)));
  CHECK(aclrtFree(memory));
  CHECK(aclmdlDestroyDataset(input));
  CHECK(aclmdlDestroyDataset(output));
  CHECK(aclDestroyDataBuffer(in));
  CHECK(aclDestroyDataBuffer(out));
  CHECK(aclmdlUnload(model));
  CHECK(aclrtDestroyStream(stream));
  CHECK(aclrtDestroyContext(context));
}

void visit(aclrtContext primary) {
  aclrtContext current = nullptr;
  const aclError before = aclrtGetCurrentContext(&current);
  CHECK(aclrtSetCurrentContext(primary));
  int32_t device = -1;
  CHECK(aclrtGetDevice(&device));
  std::printf("a new thread: %d, then device %d\n", before, device);
}

std::vector<char> read_all(const char *path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  CHECK(aclInit(nullptr));
  CHECK(aclrtSetDevice(0));
  aclrtContext primary = nullptr;
  CHECK(aclrtGetCurrentContext(&primary));

  Job job{read_all(argv[1]), read_all(argv[2]), 0, 0, {}};
  aclmdlDesc *desc = aclmdlCreateDesc();
  CHECK(aclmdlGetDescFromMem(desc, job.model.data(), job.model.size()));
  job.size_in = aclmdlGetInputSizeByIndex(desc, 0);
  job.size_out = aclmdlGetOutputSizeByIndex(desc, 0);
  CHECK(aclmdlDestroyDesc(desc));
  job.results.resize(job.records.size() / job.size_in * job.size_out);

  std::vector<std::thread> threads;
  for (size_t i = 0; i < kThreads; ++i) threads.emplace_back(work, &job, i);
  for (std::thread &thread : threads) thread.join();
  std::thread(visit, primary).join();

  CHECK(aclrtResetDevice(0));
  CHECK(aclFinalize());
  std::ofstream(argv[3], std::ios::binary)
      .write(job.results.data(), static_cast<std::streamsize>(job.results.size()));
}
