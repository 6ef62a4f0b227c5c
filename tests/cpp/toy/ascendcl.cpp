// SPDX-License-Identifier: Apache-2.0
//
// A toy libascendcl for the shim's tests: one model (x float32[4] -> y = x + 1, and the empty z),
// all in host memory, with counts of calls and live objects, and failures on request. TOY_DYNAMIC
// makes it another: "batch" x float32[n][4] with the gears 1, 2 and 4; "range" x float32[n] for any
// n, and nobody can tell the size of y. TOY_RUNS_ON_DEVICE: host and device have one memory. Unlike
// the fake device it checks nothing and can pass for a real library: TOY_FAKE gives it the fake's
// controls. Functions that it does not define answer with zero.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "acl/abi.h"
#include "aclrt/aclfake.h"
#include "toy.h"

namespace {

struct Fault {
  int nth;
  int code;
};

std::mutex g_mutex;
std::map<std::string, Fault, std::less<>> g_faults;
std::map<std::string, int, std::less<>> g_calls;
std::atomic<int> g_live{0};
std::atomic<int> g_inits{0};
std::atomic<int> g_device_users{0};
std::atomic<int> g_execute_ms{0};
std::atomic<int> g_held{0};  // a stage that has to wait: 1 copies in, 2 executions, 3 copies out
std::atomic<bool> g_overlapped{false};
std::atomic<int> g_running{0};
thread_local aclrtContext t_context = nullptr;
thread_local std::string t_message;
std::string g_onnx;
char g_primary;

// The code to give, after counting the call. Allocates at a function's first call only, so that
// tests can count what the shim allocates.
int enter(const char *name) {
  std::lock_guard<std::mutex> lock(g_mutex);
  const std::string_view key = name;
  auto calls = g_calls.find(key);
  if (calls == g_calls.end()) calls = g_calls.emplace(name, 0).first;
  ++calls->second;
  auto fault = g_faults.find(key);
  if (fault == g_faults.end() || --fault->second.nth > 0) return 0;
  const int code = fault->second.code;
  g_faults.erase(fault);
  t_message = std::string("\n  toy: ") + name + " failed as asked \n";
  return code;
}

void wait_while_held(int stage) {
  while (g_held == stage) std::this_thread::yield();
}

void *create(size_t size = 1) {
  ++g_live;
  return calloc(1, size);
}

aclError destroy(const char *name, const void *object) {
  const int code = enter(name);
  --g_live;
  free(const_cast<void *>(object));
  return code;
}

bool is_toy(const char *kind) {
  const char *dynamic = getenv("TOY_DYNAMIC");
  return dynamic != nullptr && strcmp(dynamic, kind) == 0;
}

int64_t g_gear = 4;  // set last

void set_dims(aclmdlIODims *dims, std::initializer_list<int64_t> all) {
  dims->dimCount = all.size();
  std::copy(all.begin(), all.end(), dims->dims);
}

void output_dims(size_t index, aclmdlIODims *dims) {
  if (index > 0) return set_dims(dims, {0});
  if (is_toy("batch")) return set_dims(dims, {g_gear, 4});
  set_dims(dims, {is_toy("range") ? -1 : 4});
}

}  // namespace

struct aclDataBuffer {
  void *data;
  size_t size;
};
struct aclTensorDesc {
  int64_t dim;
};
struct aclmdlDataset {
  aclDataBuffer *buffers[4];
  aclTensorDesc descs[4];
  size_t count;
};

#define TOY_ENTER(name) \
  if (const int toy_code = enter(#name)) return toy_code

extern "C" {
#pragma GCC visibility push(default)

void toy_fail(const char *name, int nth, int code) {
  std::lock_guard<std::mutex> lock(g_mutex);
  g_faults[name] = {nth, code};
}
int toy_calls(const char *name) {
  std::lock_guard<std::mutex> lock(g_mutex);
  return g_calls[name];
}
void toy_forget_calls(void) {
  std::lock_guard<std::mutex> lock(g_mutex);
  for (auto &calls : g_calls) calls.second = 0;
}
int toy_live(void) {
  return g_live;
}
int toy_inits(void) {
  return g_inits;
}
int toy_device_users(void) {
  return g_device_users;
}
void toy_execute_ms(int ms) {
  g_execute_ms = ms;
}
void toy_hold(int stage) {
  g_held = stage;
}
int toy_overlapped(void) {
  return g_overlapped;
}
const char *toy_onnx(void) {
  return g_onnx.c_str();
}

aclError aclInit(const char *) {
  TOY_ENTER(aclInit);
  return g_inits++ == 0 ? ACL_SUCCESS : ACL_ERROR_REPEAT_INITIALIZE;
}
aclError aclFinalize() {
  TOY_ENTER(aclFinalize);
  g_inits = 0;
  return ACL_SUCCESS;
}
aclError aclFinalizeReference(uint64_t *) {
  TOY_ENTER(aclFinalizeReference);
  --g_inits;
  return ACL_SUCCESS;
}
const char *aclGetRecentErrMsg() {
  static thread_local std::string text;
  text.swap(t_message);
  t_message.clear();
  return text.empty() ? nullptr : text.c_str();
}
aclError aclrtGetVersion(int32_t *major, int32_t *minor, int32_t *patch) {
  *major = 1, *minor = 17, *patch = 0;
  return ACL_SUCCESS;
}
const char *aclrtGetSocName() {
  return "Toy";
}
aclError aclrtGetDeviceCount(uint32_t *count) {
  *count = 2;
  return ACL_SUCCESS;
}
aclError aclrtGetRunMode(aclrtRunMode *mode) {
  TOY_ENTER(aclrtGetRunMode);
  *mode = getenv("TOY_RUNS_ON_DEVICE") != nullptr ? ACL_DEVICE : ACL_HOST;
  return ACL_SUCCESS;
}
aclError aclrtSetDevice(int32_t device) {
  TOY_ENTER(aclrtSetDevice);
  if (device < 0 || device > 1) return ACL_ERROR_RT_INVALID_DEVICEID;
  ++g_device_users;
  t_context = &g_primary;
  return ACL_SUCCESS;
}
aclError aclrtResetDevice(int32_t) {
  --g_device_users;
  TOY_ENTER(aclrtResetDevice);
  return ACL_SUCCESS;
}
aclError aclrtGetCurrentContext(aclrtContext *context) {
  TOY_ENTER(aclrtGetCurrentContext);
  if (t_context == nullptr) return ACL_ERROR_RT_CONTEXT_NULL;
  *context = t_context;
  return ACL_SUCCESS;
}
aclError aclrtSetCurrentContext(aclrtContext context) {
  TOY_ENTER(aclrtSetCurrentContext);
  t_context = context;
  return ACL_SUCCESS;
}
aclError aclrtGetMemInfo(aclrtMemAttr attr, size_t *free, size_t *total) {
  *free = attr == ACL_HBM_MEM ? 1000 : 0;
  *total = attr == ACL_HBM_MEM ? 4000 : 0;
  return ACL_SUCCESS;
}
aclError aclrtMalloc(void **data, size_t size, aclrtMemMallocPolicy) {
  TOY_ENTER(aclrtMalloc);
  ++g_live;
  *data = aligned_alloc(64, (size + 63) / 64 * 64);
  return ACL_SUCCESS;
}
aclError aclrtFree(void *data) {
  return destroy("aclrtFree", data);
}
aclError aclrtMallocHost(void **data, size_t size) {
  TOY_ENTER(aclrtMallocHost);
  *data = create(size);
  return ACL_SUCCESS;
}
aclError aclrtFreeHost(void *data) {
  return destroy("aclrtFreeHost", data);
}
aclError aclrtMemcpy(void *to, size_t, const void *from, size_t count, aclrtMemcpyKind kind) {
  TOY_ENTER(aclrtMemcpy);
  wait_while_held(kind == ACL_MEMCPY_HOST_TO_DEVICE ? 1 : 3);
  if (t_context != &g_primary) return ACL_ERROR_RT_CONTEXT_NULL;
  memcpy(to, from, count);
  return ACL_SUCCESS;
}

aclDataBuffer *aclCreateDataBuffer(void *data, size_t size) {
  if (enter("aclCreateDataBuffer") != 0) return nullptr;
  auto *buffer = static_cast<aclDataBuffer *>(create(sizeof(aclDataBuffer)));
  *buffer = {data, size};
  return buffer;
}
aclError aclDestroyDataBuffer(const aclDataBuffer *buffer) {
  return destroy("aclDestroyDataBuffer", buffer);
}
aclmdlDataset *aclmdlCreateDataset() {
  if (enter("aclmdlCreateDataset") != 0) return nullptr;
  return static_cast<aclmdlDataset *>(create(sizeof(aclmdlDataset)));
}
aclError aclmdlDestroyDataset(const aclmdlDataset *dataset) {
  return destroy("aclmdlDestroyDataset", dataset);
}
aclError aclmdlAddDatasetBuffer(aclmdlDataset *dataset, aclDataBuffer *buffer) {
  TOY_ENTER(aclmdlAddDatasetBuffer);
  dataset->buffers[dataset->count++] = buffer;
  return ACL_SUCCESS;
}
aclmdlDesc *aclmdlCreateDesc() {
  if (enter("aclmdlCreateDesc") != 0) return nullptr;
  return static_cast<aclmdlDesc *>(create());
}
aclError aclmdlDestroyDesc(aclmdlDesc *desc) {
  return destroy("aclmdlDestroyDesc", desc);
}
aclError aclmdlGetDesc(aclmdlDesc *, uint32_t) {
  TOY_ENTER(aclmdlGetDesc);
  return ACL_SUCCESS;
}
aclError aclmdlLoadFromFile(const char *, uint32_t *id) {
  TOY_ENTER(aclmdlLoadFromFile);
  ++g_live;
  *id = 7;
  return ACL_SUCCESS;
}
aclError aclmdlLoadFromMem(const void *, size_t, uint32_t *id) {
  TOY_ENTER(aclmdlLoadFromMem);
  ++g_live;
  *id = 7;
  return ACL_SUCCESS;
}
aclError aclmdlUnload(uint32_t) {
  --g_live;
  TOY_ENTER(aclmdlUnload);
  return ACL_SUCCESS;
}
size_t aclmdlGetNumInputs(aclmdlDesc *) {
  return is_toy("batch") ? 2 : 1;
}
size_t aclmdlGetNumOutputs(aclmdlDesc *) {
  return 2;
}
size_t aclmdlGetInputSizeByIndex(aclmdlDesc *, size_t index) {
  if (index == 1) return 4;
  return is_toy("batch") ? 64 : is_toy("range") ? 0 : 16;
}
size_t aclmdlGetOutputSizeByIndex(aclmdlDesc *, size_t index) {
  if (index > 0) return 0;
  return is_toy("batch") ? 64 : is_toy("range") ? 0 : 16;
}
const char *aclmdlGetInputNameByIndex(const aclmdlDesc *, size_t index) {
  if (index == 1) return ACL_DYNAMIC_TENSOR_NAME;
  const char *name = getenv("TOY_INPUT_NAME");
  return name != nullptr ? name : "x";
}
const char *aclmdlGetOutputNameByIndex(const aclmdlDesc *, size_t index) {
  if (getenv("TOY_SAME_OUTPUT_NAMES") != nullptr) return index == 0 ? "Op_1:0:y" : "Op_2:0:y";
  return index == 0 ? "Op_1:0:y" : "Op_1:1:z";
}
aclError aclmdlGetInputDims(const aclmdlDesc *, size_t, aclmdlIODims *dims) {
  TOY_ENTER(aclmdlGetInputDims);
  if (is_toy("batch")) {
    set_dims(dims, {-1, 4});
  } else {
    set_dims(dims, {is_toy("range") ? -1 : 4});
  }
  return ACL_SUCCESS;
}
aclError aclmdlGetInputDimsRange(const aclmdlDesc *, size_t, aclmdlIODimsRange *range) {
  TOY_ENTER(aclmdlGetInputDimsRange);
  range->rangeCount = 1;
  range->range[0][0] = 1;
  range->range[0][1] = -1;
  return ACL_SUCCESS;
}
aclError aclmdlGetDynamicBatch(const aclmdlDesc *, aclmdlBatch *batch) {
  TOY_ENTER(aclmdlGetDynamicBatch);
  batch->batchCount = is_toy("batch") ? 3 : 0;
  for (size_t i = 0; i < batch->batchCount; ++i) batch->batch[i] = uint64_t{1} << i;
  return ACL_SUCCESS;
}
aclError aclmdlGetDynamicHW(const aclmdlDesc *, size_t, aclmdlHW *sizes) {
  TOY_ENTER(aclmdlGetDynamicHW);
  sizes->hwCount = 0;
  return ACL_SUCCESS;
}
aclError aclmdlSetDynamicBatchSize(uint32_t, aclmdlDataset *dataset, size_t index, uint64_t size) {
  TOY_ENTER(aclmdlSetDynamicBatchSize);
  const auto value = static_cast<uint32_t>(size);
  memcpy(dataset->buffers[index]->data, &value, sizeof value);
  g_gear = static_cast<int64_t>(size);
  return ACL_SUCCESS;
}
aclTensorDesc *aclCreateTensorDesc(aclDataType, int, const int64_t *dims, aclFormat) {
  if (enter("aclCreateTensorDesc") != 0) return nullptr;
  auto *desc = static_cast<aclTensorDesc *>(create(sizeof(aclTensorDesc)));
  desc->dim = dims[0];
  return desc;
}
void aclDestroyTensorDesc(const aclTensorDesc *desc) {
  destroy("aclDestroyTensorDesc", desc);
}
aclError aclmdlSetDatasetTensorDesc(aclmdlDataset *dataset, aclTensorDesc *desc, size_t index) {
  TOY_ENTER(aclmdlSetDatasetTensorDesc);
  dataset->descs[index] = *desc;
  return ACL_SUCCESS;
}
aclTensorDesc *aclmdlGetDatasetTensorDesc(const aclmdlDataset *dataset, size_t index) {
  if (enter("aclmdlGetDatasetTensorDesc") != 0) return nullptr;
  return const_cast<aclTensorDesc *>(&dataset->descs[index]);
}
size_t aclGetTensorDescNumDims(const aclTensorDesc *) {
  return 1;
}
aclError aclGetTensorDescDimV2(const aclTensorDesc *desc, size_t, int64_t *dim) {
  TOY_ENTER(aclGetTensorDescDimV2);
  *dim = desc->dim;
  return ACL_SUCCESS;
}
aclError aclUpdateDataBuffer(aclDataBuffer *buffer, void *data, size_t size) {
  TOY_ENTER(aclUpdateDataBuffer);
  *buffer = {data, size};
  return ACL_SUCCESS;
}
void *aclGetDataBufferAddr(const aclDataBuffer *buffer) {
  return buffer->data;
}
size_t aclGetDataBufferSizeV2(const aclDataBuffer *buffer) {
  return buffer->size;
}
aclError aclmdlGetOutputDims(const aclmdlDesc *, size_t index, aclmdlIODims *dims) {
  TOY_ENTER(aclmdlGetOutputDims);
  output_dims(index, dims);
  return ACL_SUCCESS;
}
aclError aclmdlGetCurOutputDims(const aclmdlDesc *, size_t index, aclmdlIODims *dims) {
  TOY_ENTER(aclmdlGetCurOutputDims);
  output_dims(index, dims);
  return ACL_SUCCESS;
}
aclError aclmdlExecute(uint32_t, const aclmdlDataset *input, aclmdlDataset *output) {
  TOY_ENTER(aclmdlExecute);
  if (g_running++ != 0) g_overlapped = true;
  wait_while_held(2);
  size_t count = 4;
  aclDataBuffer &result = *output->buffers[0];
  if (is_toy("batch")) {
    uint32_t batch = 0;
    memcpy(&batch, input->buffers[1]->data, sizeof batch);
    count = 4 * batch;
  } else if (is_toy("range")) {
    count = static_cast<size_t>(input->descs[0].dim);
    if (result.data == nullptr) {
      result = {create(count * sizeof(float)), count * sizeof(float)};
    } else if (result.size < count * sizeof(float)) {
      t_message = "toy: an output is too small";
      --g_running;
      return ACL_ERROR_GE_FAILURE;
    }
    output->descs[0].dim = input->descs[0].dim;
  }
  const auto *x = static_cast<const float *>(input->buffers[0]->data);
  auto *y = static_cast<float *>(result.data);
  for (size_t i = 0; i < count; ++i) y[i] = x[i] + 1;
  std::this_thread::sleep_for(std::chrono::milliseconds(g_execute_ms));
  --g_running;
  return ACL_SUCCESS;
}

#ifdef TOY_FAKE
const char *aclfake_version(void) {
  return "toy";
}
size_t aclfake_ledger_json(char *buffer, size_t capacity) {
  const std::string text = "{\"live\": " + std::to_string(g_live) + "}";
  if (capacity > 0) {
    const size_t length = text.size() < capacity ? text.size() : capacity - 1;
    memcpy(buffer, text.data(), length);
    buffer[length] = '\0';
  }
  return text.size();
}
size_t aclfake_reset(void) {
  g_inits = 0;
  return 0;
}
size_t aclfake_profile_json(char *buffer, size_t capacity) {
  return aclfake_ledger_json(buffer, capacity);
}
size_t aclfake_trace_json(char *buffer, size_t capacity) {
  return aclfake_ledger_json(buffer, capacity);
}
size_t aclfake_check_table_json(char *buffer, size_t capacity) {
  return aclfake_ledger_json(buffer, capacity);
}
int32_t aclfake_set_checks(int32_t) {
  return 0;
}
size_t aclfake_ledger_text(char *buffer, size_t capacity) {
  return aclfake_ledger_json(buffer, capacity);
}
uint64_t aclfake_fault_arm(const aclfake_fault_t *) {
  return 1;
}
size_t aclfake_fault_disarm(uint64_t) {
  return 0;
}
void aclfake_faults_clear(void) {}
int32_t aclfake_lose_device(int32_t, int32_t) {
  return 0;
}
void aclfake_set_memory_limit(int32_t, uint64_t) {}
int32_t aclfake_clock(int64_t *now_ns) {
  using std::chrono::nanoseconds;
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  *now_ns = std::chrono::duration_cast<nanoseconds>(since).count();
  return 0;
}
void aclfake_set_onnxruntime(const char *) {}
void aclfake_set_onnx_for_next_load(const char *path) {
  if (path != nullptr) g_onnx = path;
}
#endif

#pragma GCC visibility pop
}  // extern "C"
