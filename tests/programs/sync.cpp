// SPDX-License-Identifier: Apache-2.0
//
// Classifies the records of a file one by one, synchronously, with the program's own work and
// weight memory: the usual first AscendCL sample. It knows AscendCL alone.
//   sync MODEL.om INPUT.bin OUTPUT.bin
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
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

const char *describe(aclError code) {
  switch (code) {
    case ACL_ERROR_NONE:
      return "success";
    case ACL_ERROR_INVALID_PARAM:
      return "invalid parameter";
    case ACL_ERROR_RT_PARAM_INVALID:
      return "invalid parameter below the ACL layer";
    case ACL_ERROR_GE_EXEC_MODEL_PATH_INVALID:
      return "no such model";
    default:
      return "another error";
  }
}

class Classifier {
 public:
  explicit Classifier(const char *path) {
    CHECK(aclmdlQuerySize(path, &work_size_, &weight_size_));
    if (work_size_ != 0) CHECK(aclrtMalloc(&work_, work_size_, ACL_MEM_MALLOC_HUGE_FIRST));
    CHECK(aclrtMalloc(&weights_, weight_size_, ACL_MEM_MALLOC_HUGE_FIRST));
    CHECK(aclmdlLoadFromFileWithMem(path, &id_, work_, work_size_, weights_, weight_size_));
    desc_ = aclmdlCreateDesc();
    CHECK(aclmdlGetDesc(desc_, id_));
    inputs_ = make(aclmdlGetNumInputs(desc_), aclmdlGetInputSizeByIndex);
    outputs_ = make(aclmdlGetNumOutputs(desc_), aclmdlGetOutputSizeByIndex);
  }

  ~Classifier() {
    drop(inputs_);
    drop(outputs_);
    CHECK(aclmdlDestroyDesc(desc_));
    CHECK(aclmdlUnload(id_));
    if (work_ != nullptr) CHECK(aclrtFree(work_));
    if (weights_ != nullptr) CHECK(aclrtFree(weights_));
  }

  size_t record() const { return aclmdlGetInputSizeByIndex(desc_, 0); }

  std::vector<char> run(const char *data) {
    aclDataBuffer *in = aclmdlGetDatasetBuffer(inputs_, 0);
    CHECK(aclrtMemcpy(aclGetDataBufferAddr(in), aclGetDataBufferSizeV2(in), data, record(),
                      ACL_MEMCPY_HOST_TO_DEVICE));
    CHECK(aclmdlExecute(id_, inputs_, outputs_));
    aclDataBuffer *out = aclmdlGetDatasetBuffer(outputs_, 0);
    const size_t size = aclGetDataBufferSizeV2(out);
    void *host = nullptr;
    CHECK(aclrtMallocHost(&host, size));
    CHECK(aclrtMemcpy(host, size, aclGetDataBufferAddr(out), size, ACL_MEMCPY_DEVICE_TO_HOST));
    const std::vector<char> result(static_cast<char *>(host), static_cast<char *>(host) + size);
    CHECK(aclrtFreeHost(host));
    return result;
  }

 private:
  aclmdlDataset *make(size_t count, size_t (*size_of)(aclmdlDesc *, size_t)) {
    aclmdlDataset *dataset = aclmdlCreateDataset();
    for (size_t i = 0; i < count; ++i) {
      void *data = nullptr;
      const size_t size = size_of(desc_, i);
      CHECK(aclrtMalloc(&data, size, ACL_MEM_MALLOC_HUGE_FIRST));
      CHECK(aclmdlAddDatasetBuffer(dataset, aclCreateDataBuffer(data, size)));
    }
    return dataset;
  }

  void drop(aclmdlDataset *dataset) {
    for (size_t i = 0; i < aclmdlGetDatasetNumBuffers(dataset); ++i) {
      aclDataBuffer *buffer = aclmdlGetDatasetBuffer(dataset, i);
      CHECK(aclrtFree(aclGetDataBufferAddr(buffer)));
      CHECK(aclDestroyDataBuffer(buffer));
    }
    CHECK(aclmdlDestroyDataset(dataset));
  }

  uint32_t id_ = 0;
  size_t work_size_ = 0;
  size_t weight_size_ = 0;
  void *work_ = nullptr;
  void *weights_ = nullptr;
  aclmdlDesc *desc_ = nullptr;
  aclmdlDataset *inputs_ = nullptr;
  aclmdlDataset *outputs_ = nullptr;
};

std::vector<char> read_all(const char *path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  auto code = ACL_SUCCESS;
  code = aclInit(nullptr);
  if (code != ACL_SUCCESS && code != ACL_ERROR_REPEAT_INITIALIZE) return 1;
  CHECK(aclrtSetDevice(0));
  aclrtContext context = nullptr;
  CHECK(aclrtCreateContext(&context, 0));
  aclrtRunMode mode;
  CHECK(aclrtGetRunMode(&mode));
  ACL_APP_LOG(ACL_INFO, "run mode %d", static_cast<int>(mode));
  uint32_t none = 0;
  std::printf("%s\n", describe(aclmdlLoadFromFile("no-such.om", &none)));
  {
    Classifier classifier(argv[1]);
    const std::vector<char> input = read_all(argv[2]);
    std::ofstream output(argv[3], std::ios::binary);
    for (size_t at = 0; at + classifier.record() <= input.size(); at += classifier.record()) {
      const std::vector<char> result = classifier.run(input.data() + at);
      output.write(result.data(), static_cast<std::streamsize>(result.size()));
    }
  }
  CHECK(aclrtDestroyContext(context));
  CHECK(aclrtResetDevice(0));
  CHECK(aclFinalize());
  std::printf("done on %s\n", aclrtGetSocName() ? aclrtGetSocName() : "?");
}
