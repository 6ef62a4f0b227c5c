// SPDX-License-Identifier: Apache-2.0
//
// The two yardsticks that are C++: a loop straight on AscendCL's C ABI with everything allocated
// before, and the calls that ais_bench's InferSession makes for one inference. Both use the
// library that aclrt has loaded and initialised, on a model that they load themselves.
#include <dlfcn.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "acl/abi.h"

namespace {

// AscendCL's functions by their own declarations.
struct Table {
#define ACL_FUNCTION(result, name, parameters, family, need, tier, since, kind) \
  decltype(&::name) name;
#include "acl/functions.def"
};

struct Tensor {
  size_t size = 0;
  void *device = nullptr;
  void *host = nullptr;  // the caller's
};

struct Bench {
  Table acl{};
  uint32_t model = 0;
  aclmdlDesc *desc = nullptr;
  aclrtContext context = nullptr;
  aclmdlDataset *input = nullptr, *output = nullptr;
  std::vector<Tensor> inputs, outputs;
};

class Failure {
 public:
  explicit Failure(std::string text) : text(std::move(text)) {}
  std::string text;
};

void check(aclError code, const char *call) {
  if (code != ACL_SUCCESS) throw Failure(std::string(call) + ": " + std::to_string(code));
}
#define CHECK(call) check(bench.acl.call, #call)

void load_table(Table &table, const char *library) {
  void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) throw Failure(dlerror());
#define ACL_FUNCTION(result, name, parameters, family, need, tier, since, kind) \
  table.name = reinterpret_cast<decltype(table.name)>(dlsym(handle, #name));
#include "acl/functions.def"
}

void prepare(Bench &bench, std::vector<Tensor> &tensors, aclmdlDataset *dataset) {
  for (Tensor &tensor : tensors) {
    CHECK(aclrtMalloc(&tensor.device, tensor.size, ACL_MEM_MALLOC_HUGE_FIRST));
    CHECK(
        aclmdlAddDatasetBuffer(dataset, bench.acl.aclCreateDataBuffer(tensor.device, tensor.size)));
  }
}

void open(Bench &bench, const char *library, const char *model) {
  load_table(bench.acl, library);
  CHECK(aclrtSetDevice(0));
  CHECK(aclrtGetCurrentContext(&bench.context));
  CHECK(aclmdlLoadFromFile(model, &bench.model));
  bench.desc = bench.acl.aclmdlCreateDesc();
  CHECK(aclmdlGetDesc(bench.desc, bench.model));
  bench.inputs.resize(bench.acl.aclmdlGetNumInputs(bench.desc));
  bench.outputs.resize(bench.acl.aclmdlGetNumOutputs(bench.desc));
  for (size_t i = 0; i < bench.inputs.size(); ++i) {
    bench.inputs[i].size = bench.acl.aclmdlGetInputSizeByIndex(bench.desc, i);
  }
  for (size_t i = 0; i < bench.outputs.size(); ++i) {
    bench.outputs[i].size = bench.acl.aclmdlGetOutputSizeByIndex(bench.desc, i);
  }
  bench.input = bench.acl.aclmdlCreateDataset();
  bench.output = bench.acl.aclmdlCreateDataset();
  prepare(bench, bench.inputs, bench.input);
  prepare(bench, bench.outputs, bench.output);
}

void infer_directly(Bench &bench) {
  for (Tensor &tensor : bench.inputs) {
    CHECK(aclrtMemcpy(tensor.device, tensor.size, tensor.host, tensor.size,
                      ACL_MEMCPY_HOST_TO_DEVICE));
  }
  CHECK(aclmdlExecute(bench.model, bench.input, bench.output));
  for (Tensor &tensor : bench.outputs) {
    CHECK(aclrtMemcpy(tensor.host, tensor.size, tensor.device, tensor.size,
                      ACL_MEMCPY_DEVICE_TO_HOST));
  }
}

void add(Bench &bench, aclmdlDataset *dataset, void *memory, size_t size) {
  aclDataBuffer *buffer = bench.acl.aclCreateDataBuffer(memory, size);
  CHECK(aclmdlAddDatasetBuffer(dataset, buffer));
}

void destroy(Bench &bench, aclmdlDataset *dataset, bool addresses) {
  for (size_t i = 0; i < bench.acl.aclmdlGetDatasetNumBuffers(dataset); ++i) {
    aclDataBuffer *buffer = bench.acl.aclmdlGetDatasetBuffer(dataset, i);
    if (addresses) static_cast<void>(bench.acl.aclGetDataBufferAddr(buffer));
    CHECK(aclDestroyDataBuffer(buffer));
  }
  CHECK(aclmdlDestroyDataset(dataset));
}

// In the order of ais_bench: 9 calls, 8 for each input, 17 for each output (the last of them,
// aclrtFreeHost, is bench_naive_release). hosts receives the outputs in page-locked memory.
void infer_naively(Bench &bench, void *const *feeds, void **hosts) {
  Table &acl = bench.acl;
  CHECK(aclrtSetCurrentContext(bench.context));
  std::vector<void *> given, made;
  for (size_t i = 0; i < bench.inputs.size(); ++i) {
    void *memory = nullptr;
    const size_t size = bench.inputs[i].size;
    CHECK(aclrtMalloc(&memory, size, ACL_MEM_MALLOC_HUGE_FIRST));
    CHECK(aclrtMemcpy(memory, size, feeds[i], size, ACL_MEMCPY_HOST_TO_DEVICE));
    given.push_back(memory);
  }
  for (const Tensor &tensor : bench.outputs) {
    void *memory = nullptr;
    CHECK(aclrtMalloc(&memory, tensor.size, ACL_MEM_MALLOC_HUGE_FIRST));
    made.push_back(memory);
  }
  aclmdlDataset *input = acl.aclmdlCreateDataset();
  for (size_t i = 0; i < given.size(); ++i) add(bench, input, given[i], bench.inputs[i].size);
  aclmdlDataset *output = acl.aclmdlCreateDataset();
  for (size_t i = 0; i < made.size(); ++i) add(bench, output, made[i], bench.outputs[i].size);
  CHECK(aclmdlExecute(bench.model, input, output));
  for (size_t i = 0; i < made.size(); ++i) {
    aclmdlBatch batches;
    aclmdlIODims dims;
    aclDataBuffer *buffer = acl.aclmdlGetDatasetBuffer(output, i);
    static_cast<void>(acl.aclmdlGetDynamicBatch(bench.desc, &batches));
    static_cast<void>(acl.aclGetDataBufferSizeV2(buffer));
    CHECK(aclmdlGetCurOutputDims(bench.desc, i, &dims));
  }
  destroy(bench, input, false);
  destroy(bench, output, true);
  CHECK(aclrtSetCurrentContext(bench.context));
  for (void *memory : given) CHECK(aclrtFree(memory));
  for (size_t i = 0; i < made.size(); ++i) {
    const size_t size = bench.outputs[i].size;
    CHECK(aclrtMallocHost(&hosts[i], size));
    CHECK(aclrtSetCurrentContext(bench.context));
    CHECK(aclrtMemcpy(hosts[i], size, made[i], size, ACL_MEMCPY_DEVICE_TO_HOST));
    CHECK(aclrtSetCurrentContext(bench.context));
    CHECK(aclrtFree(made[i]));
  }
}

void release(Bench &bench) {
  for (auto *tensors : {&bench.inputs, &bench.outputs}) {
    for (Tensor &tensor : *tensors) CHECK(aclrtFree(tensor.device));
  }
  destroy(bench, bench.input, false);
  destroy(bench, bench.output, false);
  CHECK(aclmdlDestroyDesc(bench.desc));
  CHECK(aclmdlUnload(bench.model));
  CHECK(aclrtResetDevice(0));
}

}  // namespace

extern "C" {

// The bench, or null and why (cut to 256 bytes).
void *bench_open(const char *library, const char *model, char *error) {
  auto *bench = new Bench;
  try {
    open(*bench, library, model);
    return bench;
  } catch (const Failure &failure) {
    std::snprintf(error, 256, "%s", failure.text.c_str());
    delete bench;
    return nullptr;
  }
}

// The host's side of each tensor, inputs first: the arrays that Python is measured with, so that
// neither side is lucky with caches and pages. They stay the caller's.
void bench_use(void *handle, void *const *hosts) {
  Bench &bench = *static_cast<Bench *>(handle);
  for (auto *tensors : {&bench.inputs, &bench.outputs}) {
    for (Tensor &tensor : *tensors) tensor.host = *hosts++;
  }
}

// n inferences: 0, or 1 if a call failed.
int bench_direct(void *handle, size_t n) {
  try {
    for (size_t i = 0; i < n; ++i) infer_directly(*static_cast<Bench *>(handle));
    return 0;
  } catch (const Failure &failure) {
    std::fprintf(stderr, "%s\n", failure.text.c_str());
    return 1;
  }
}

// 0, or 1 if a call failed.
int bench_naive(void *handle, void *const *feeds, void **hosts) {
  try {
    infer_naively(*static_cast<Bench *>(handle), feeds, hosts);
    return 0;
  } catch (const Failure &failure) {
    std::fprintf(stderr, "%s\n", failure.text.c_str());
    return 1;
  }
}

void bench_naive_release(void *handle, void *host) {
  static_cast<void>(static_cast<Bench *>(handle)->acl.aclrtFreeHost(host));
}

int bench_close(void *handle) {
  auto *bench = static_cast<Bench *>(handle);
  try {
    release(*bench);
  } catch (const Failure &failure) {
    std::fprintf(stderr, "%s\n", failure.text.c_str());
    return 1;
  }
  delete bench;
  return 0;
}
}
