// SPDX-License-Identifier: Apache-2.0
//
// A client that builds its model in the process: the same calls in the same order as ONNX Runtime's
// provider for Ascend makes them, with declarations of its own for the graph builder. It
// initialises and finalises the builder on a thread of its own, and destroys the description,
// datasets and data buffers of an asynchronous execution before it synchronises. argv: an ONNX file
// whose input x is float32 (N, 4) and whose output is x + 1, and where to save the model (without
// .om).
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "acl/acl.h"

namespace ge {

class AscendString {
 public:
  AscendString(const char *text);
  bool operator<(const AscendString &other) const;

 private:
  std::shared_ptr<std::string> name_;
};

class Graph {
 public:
  explicit Graph(const char *name);

 private:
  std::shared_ptr<void> impl_;
};

struct ModelBufferData {
  std::shared_ptr<uint8_t> data = nullptr;
  uint64_t length = 0;
};

using Options = std::map<AscendString, AscendString>;
uint32_t aclgrphBuildInitialize(Options &options);
void aclgrphBuildFinalize();
uint32_t aclgrphParseONNXFromMem(const char *buffer, size_t size, const Options &params,
                                 Graph &graph);
uint32_t aclgrphBuildModel(const Graph &graph, const Options &options, ModelBufferData &model);
uint32_t aclgrphSaveModel(const char *output_file, const ModelBufferData &model);

}  // namespace ge

namespace {

constexpr uint32_t kFailed = 0xFFFFFFFF;
int failures = 0;

void check(bool good, const char *text, int line) {
  if (good) return;
  ++failures;
  std::fprintf(stderr, "line %d: %s\n", line, text);
}
#define CHECK(condition) check((condition), #condition, __LINE__)

// The reason of the last failure names the word.
void check_reason(const char *word, int line) {
  const char *text = aclGetRecentErrMsg();
  const std::string reason = text != nullptr ? text : "";
  check(reason.find(word) != std::string::npos, (reason + " lacks " + word).c_str(), line);
}
#define CHECK_REASON(word) check_reason(word, __LINE__)

void on_a_thread(const std::function<void()> &body) {
  std::thread(body).join();
}

ge::Options options(std::vector<std::pair<const char *, const char *>> pairs) {
  ge::Options made;
  for (const auto &[key, value] : pairs) made.emplace(key, value);
  return made;
}

void execute(uint32_t id, aclrtStream stream, void *input, void *output) {
  aclmdlDesc *desc = aclmdlCreateDesc();
  CHECK(aclmdlGetDesc(desc, id) == 0);
  aclDataBuffer *buffers[] = {
      aclCreateDataBuffer(input, aclmdlGetInputSizeByIndex(desc, 0)),
      aclCreateDataBuffer(output, aclmdlGetOutputSizeByIndex(desc, 0)),
  };
  aclmdlDataset *datasets[] = {aclmdlCreateDataset(), aclmdlCreateDataset()};
  for (int i = 0; i < 2; ++i) CHECK(aclmdlAddDatasetBuffer(datasets[i], buffers[i]) == 0);
  CHECK(aclmdlExecuteAsync(id, datasets[0], datasets[1], stream) == 0);
  CHECK(aclmdlDestroyDesc(desc) == 0);
  for (int i = 0; i < 2; ++i) CHECK(aclmdlDestroyDataset(datasets[i]) == 0);
  for (int i = 0; i < 2; ++i) CHECK(aclDestroyDataBuffer(buffers[i]) == 0);
}

void run(uint32_t id, aclrtStream stream) {
  constexpr size_t kBytes = 8 * sizeof(float);
  void *input = nullptr;
  void *output = nullptr;
  float *host = nullptr;
  CHECK(aclrtMalloc(&input, kBytes, ACL_MEM_MALLOC_NORMAL_ONLY) == 0);
  CHECK(aclrtMalloc(&output, kBytes, ACL_MEM_MALLOC_NORMAL_ONLY) == 0);
  CHECK(aclrtMallocHost(reinterpret_cast<void **>(&host), kBytes) == 0);
  for (int i = 0; i < 8; ++i) host[i] = static_cast<float>(i);
  CHECK(aclrtMemcpyAsync(input, kBytes, host, kBytes, ACL_MEMCPY_HOST_TO_DEVICE, stream) == 0);
  execute(id, stream, input, output);
  CHECK(aclrtMemcpyAsync(host, kBytes, output, kBytes, ACL_MEMCPY_DEVICE_TO_HOST, stream) == 0);
  CHECK(aclrtSynchronizeStream(stream) == 0);
  for (int i = 0; i < 8; ++i) CHECK(host[i] == static_cast<float>(i) + 1);
  CHECK(aclrtFreeHost(host) == 0);
  CHECK(aclrtFree(output) == 0);
  CHECK(aclrtFree(input) == 0);
}

void refusals(const ge::Graph &graph, const std::string &onnx, const char *path) {
  ge::ModelBufferData model;
  ge::Graph empty("empty");
  CHECK(ge::aclgrphBuildModel(empty, {}, model) == kFailed);
  CHECK_REASON("the graph is empty");
  CHECK(ge::aclgrphBuildModel(graph, {}, model) == kFailed);
  CHECK_REASON("the shape of input \"x\" (N,4)");
  CHECK(ge::aclgrphBuildModel(graph, options({{"input_shape", "x:2,5"}}), model) == kFailed);
  CHECK_REASON("expected (N,4), given (2,5)");
  CHECK(ge::aclgrphBuildModel(graph, options({{"input_shape", "y:2,4"}}), model) == kFailed);
  CHECK_REASON("no input \"y\"; it has \"x\"");
  CHECK(ge::aclgrphBuildModel(graph, options({{"dynamic_batch_size", "1,2"}}), model) == kFailed);
  CHECK_REASON("\"dynamic_batch_size\" (\"1,2\") is not supported");
  CHECK(ge::aclgrphParseONNXFromMem(nullptr, 0, {}, empty) == kFailed);
  CHECK(ge::aclgrphParseONNXFromMem(onnx.data(), onnx.size(), options({{"out_nodes", "a"}}),
                                    empty) == kFailed);
  CHECK_REASON("out_nodes");
  CHECK(ge::aclgrphParseONNXFromMem("no model at all", 15, {}, empty) == kFailed);
  CHECK_REASON("expected an ONNX model");
  CHECK(ge::aclgrphSaveModel(path, model) == kFailed);
  CHECK_REASON("the model is empty");
  CHECK(model.data == nullptr);
}

}  // namespace

int main(int, char **argv) {
  std::ifstream file(argv[1], std::ios::binary);
  const std::string onnx((std::istreambuf_iterator<char>(file)), {});
  CHECK(aclInit(nullptr) == 0);
  CHECK(aclrtSetDevice(0) == 0);
  const std::string soc = aclrtGetSocName();
  aclrtStream stream = nullptr;
  CHECK(aclrtCreateStream(&stream) == 0);

  ge::Graph graph("added");
  CHECK(ge::aclgrphParseONNXFromMem(onnx.data(), onnx.size(), {}, graph) == 0);
  ge::ModelBufferData model;
  const ge::Options shape = options({{"input_shape", "x:2,4"}});
  CHECK(ge::aclgrphBuildModel(graph, shape, model) == kFailed);
  CHECK_REASON("aclgrphBuildInitialize must be called first");
  on_a_thread([&] {
    ge::Options unknown = options({{"ge.insertOpFile", "aipp.cfg"}});
    CHECK(ge::aclgrphBuildInitialize(unknown) == kFailed);
    ge::Options known =
        options({{"ge.socVersion", soc.c_str()}, {"ge.exec.precision_mode", "allow_fp32_to_fp16"}});
    CHECK(ge::aclgrphBuildInitialize(known) == 0);
  });
  refusals(graph, onnx, argv[2]);
  const ge::Graph copy = graph;  // shares what it holds
  CHECK(ge::aclgrphBuildModel(copy, shape, model) == 0);
  CHECK(ge::aclgrphSaveModel(argv[2], model) == 0);
  CHECK(ge::aclgrphSaveModel("/nowhere/at/all", model) == kFailed);
  CHECK_REASON("cannot be written");

  uint32_t ids[2] = {};
  CHECK(aclmdlLoadFromMem(model.data.get(), model.length, &ids[0]) == 0);
  model = {};
  CHECK(aclmdlLoadFromFile((std::string(argv[2]) + ".om").c_str(), &ids[1]) == 0);
  for (const uint32_t id : ids) {
    run(id, stream);
    run(id, stream);
    CHECK(aclmdlUnload(id) == 0);
  }
  on_a_thread(ge::aclgrphBuildFinalize);
  CHECK(ge::aclgrphBuildModel(graph, shape, model) == kFailed);
  CHECK(aclrtDestroyStream(stream) == 0);
  CHECK(aclrtResetDevice(0) == 0);
  CHECK(aclFinalize() == 0);
  return failures == 0 ? 0 : 1;
}
