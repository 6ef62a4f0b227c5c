// SPDX-License-Identifier: Apache-2.0
//
// What the fake remembers of the calls of an inference never outlives a change: each call is made
// often enough to be remembered, then something happens, and the next one is judged as the first
// would be. Threads that copy while others free what they copy to get 0 or the documented code, and
// every call is counted once. With device memory that is really written, and in window mode.
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "acl/abi.h"
#include "aclrt/aclfake.h"
#include "check.h"

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kRounds = 100;
#else
constexpr int kRounds = 1000;
#endif

// Until a call is remembered for sure.
constexpr int kOften = 3;

std::string ledger() {
  std::string text(aclfake_ledger_json(nullptr, 0), '\0');
  text.resize(aclfake_ledger_json(text.data(), text.size() + 1));
  return text;
}

// How often a function was called, as the ledger says.
uint64_t calls(const std::string &function) {
  const std::string text = ledger();
  const std::string calls = text.substr(text.find("\"calls\""));
  const size_t found = calls.find("\"" + function + "\":");
  if (found == std::string::npos) return 0;
  return std::strtoull(calls.c_str() + found + function.size() + 3, nullptr, 10);
}

void *allocate(size_t bytes) {
  void *memory = nullptr;
  CHECK_EQ(0, aclrtMalloc(&memory, bytes, ACL_MEM_MALLOC_HUGE_FIRST));
  return memory;
}

// One side of a model.
struct Side {
  explicit Side(size_t count, size_t bytes) : dataset(aclmdlCreateDataset()) {
    for (size_t i = 0; i < count; ++i) {
      memory.push_back(allocate(bytes));
      buffers.push_back(aclCreateDataBuffer(memory.back(), bytes));
      CHECK_EQ(0, aclmdlAddDatasetBuffer(dataset, buffers.back()));
    }
  }
  ~Side() {
    aclmdlDestroyDataset(dataset);
    for (aclDataBuffer *buffer : buffers) aclDestroyDataBuffer(buffer);
    for (void *each : memory) aclrtFree(each);
  }
  Side(const Side &) = delete;
  Side &operator=(const Side &) = delete;

  aclmdlDataset *dataset;
  std::vector<aclDataBuffer *> buffers;
  std::vector<void *> memory;
};

constexpr size_t kBytes = 24;  // of each tensor of add.om

struct Inference {
  explicit Inference(const std::string &path) {
    CHECK_EQ(0, aclmdlLoadFromFile(path.c_str(), &model));
  }
  ~Inference() {
    if (model != 0) CHECK_EQ(0, aclmdlUnload(model));
  }
  Inference(const Inference &) = delete;
  Inference &operator=(const Inference &) = delete;

  aclError execute() { return aclmdlExecute(model, in.dataset, out.dataset); }

  uint32_t model = 0;
  Side in{2, kBytes};
  Side out{2, kBytes};
};

void copies() {
  std::array<uint8_t, 256> host{};
  void *device = allocate(64);
  const auto up = [&](size_t count) {
    return aclrtMemcpy(device, 1024, host.data(), count, ACL_MEMCPY_HOST_TO_DEVICE);
  };
  const auto down = [&](size_t count) {
    return aclrtMemcpy(host.data(), host.size(), device, count, ACL_MEMCPY_DEVICE_TO_HOST);
  };
  for (int i = 0; i < kOften; ++i) CHECK_EQ(0, up(64));
  for (int i = 0; i < kOften; ++i) CHECK_EQ(0, down(64));
  CHECK_EQ(ACL_ERROR_RT_PARAM_INVALID, up(200));  // beyond the allocation
  CHECK_EQ(ACL_ERROR_RT_PARAM_INVALID,
           aclrtMemcpy(device, 63, host.data(), 64, ACL_MEMCPY_HOST_TO_DEVICE));
  CHECK_EQ(ACL_ERROR_RT_PARAM_INVALID,
           aclrtMemcpy(device, 64, host.data(), 64, ACL_MEMCPY_DEVICE_TO_HOST));
  CHECK_EQ(0, up(64));
  CHECK_EQ(0, aclrtFree(device));
  const uint64_t dead = aclfake_check_count("ACLFAKE-CPY-05");
  CHECK_EQ(ACL_ERROR_RT_PARAM_INVALID, up(64));
  CHECK_EQ(ACL_ERROR_RT_PARAM_INVALID, down(64));
  CHECK_EQ(dead + 2, aclfake_check_count("ACLFAKE-CPY-05"));

  // Host memory that AscendCL knows has an end.
  void *page_locked = nullptr;
  CHECK_EQ(0, aclrtMallocHost(&page_locked, 64));
  device = allocate(1024);
  const auto from_locked = [&](size_t count) {
    return aclrtMemcpy(device, 1024, page_locked, count, ACL_MEMCPY_HOST_TO_DEVICE);
  };
  for (int i = 0; i < kOften; ++i) CHECK_EQ(0, from_locked(64));
  CHECK_EQ(ACL_ERROR_RT_PARAM_INVALID, from_locked(65));
  CHECK_EQ(0, aclrtFreeHost(page_locked));

  // Another context: the same device's memory, then none at all.
  aclrtContext own = nullptr;
  aclrtContext other = nullptr;
  CHECK_EQ(0, aclrtGetCurrentContext(&own));
  for (int i = 0; i < kOften; ++i) CHECK_EQ(0, up(64));
  CHECK_EQ(0, aclrtCreateContext(&other, 0));
  for (int i = 0; i < kOften; ++i) CHECK_EQ(0, up(64));
  for (int i = 0; i < kOften; ++i) {
    CHECK_EQ(0, aclrtSetCurrentContext(own));
    CHECK_EQ(0, aclrtSetCurrentContext(other));
  }
  aclrtContext now = nullptr;
  CHECK_EQ(0, aclrtGetCurrentContext(&now));
  CHECK_EQ(other, now);
  CHECK_EQ(0, aclrtDestroyContext(other));
  CHECK_EQ(ACL_ERROR_RT_CONTEXT_NULL, up(64));
  CHECK_EQ(ACL_ERROR_RT_CONTEXT_NULL, aclrtGetCurrentContext(&now));
  CHECK_EQ(ACL_ERROR_RT_PARAM_INVALID, aclrtSetCurrentContext(other));
  CHECK_EQ(0, aclrtSetCurrentContext(own));

  // A device that is lost, and back after its reset.
  for (int i = 0; i < kOften; ++i) CHECK_EQ(0, up(64));
  CHECK_EQ(0, aclfake_lose_device(0, 0));
  CHECK_EQ(ACL_ERROR_RT_LOST_HEARTBEAT, up(64));
  aclfake_faults_clear();
  CHECK_EQ(0, up(64));
  CHECK_EQ(0, aclrtFree(device));
}

// An armed fault strikes the call that it names, however often that was called before.
void faults() {
  std::array<uint8_t, 64> host{};
  void *device = allocate(host.size());
  const auto up = [&] {
    return aclrtMemcpy(device, host.size(), host.data(), host.size(), ACL_MEMCPY_HOST_TO_DEVICE);
  };
  for (int i = 0; i < kOften; ++i) CHECK_EQ(0, up());
  const uint64_t before = calls("aclrtMemcpy");
  aclfake_fault_t fault{};
  fault.struct_size = sizeof fault;
  fault.function = "aclrtMemcpy";
  fault.nth = 2;
  fault.code = 507899;
  CHECK(aclfake_fault_arm(&fault) != 0);
  CHECK_EQ(0, up());
  CHECK_EQ(507899, up());
  aclfake_faults_clear();
  for (int i = 0; i < kOften; ++i) CHECK_EQ(0, up());
  CHECK_EQ(before + 2 + kOften, calls("aclrtMemcpy"));
  CHECK_EQ(0, aclrtFree(device));
}

// change happens to a remembered execution; the next one gives the code.
void execution(const std::string &path, aclError code,
               const std::function<void(Inference &)> &change) {
  Inference inference(path);
  for (int i = 0; i < kOften; ++i) CHECK_EQ(0, inference.execute());
  change(inference);
  CHECK_EQ(code, inference.execute());
}

void executions(const std::string &path) {
  execution(path, 0, [](Inference &) {});
  execution(path, ACL_ERROR_GE_FAILURE,
            [](Inference &it) { CHECK_EQ(0, aclUpdateDataBuffer(it.in.buffers[1], nullptr, 0)); });
  execution(path, ACL_ERROR_GE_FAILURE, [](Inference &it) {
    CHECK_EQ(0, aclmdlAddDatasetBuffer(it.out.dataset, it.out.buffers[0]));
  });
  execution(path, ACL_ERROR_INVALID_PARAM, [](Inference &it) {
    CHECK_EQ(0, aclDestroyDataBuffer(it.in.buffers[0]));
    it.in.buffers.erase(it.in.buffers.begin());
  });
  execution(path, ACL_ERROR_INVALID_PARAM, [](Inference &it) {
    CHECK_EQ(0, aclmdlDestroyDataset(it.out.dataset));
    it.out.dataset = nullptr;
  });
  execution(path, ACL_ERROR_RT_MODEL_EXECUTE, [](Inference &it) {
    CHECK_EQ(0, aclrtFree(it.out.memory[1]));
    it.out.memory.pop_back();
  });
  execution(path, ACL_ERROR_GE_EXEC_MODEL_ID_INVALID, [](Inference &it) {
    CHECK_EQ(0, aclmdlUnload(it.model));
    it.model = 0;
  });
  aclrtContext own = nullptr;
  aclrtContext other = nullptr;
  CHECK_EQ(0, aclrtGetCurrentContext(&own));
  execution(path, ACL_ERROR_RT_MODEL_CONTEXT,
            [&](Inference &) { CHECK_EQ(0, aclrtCreateContext(&other, 0)); });
  CHECK_EQ(0, aclrtDestroyContext(other));
  CHECK_EQ(0, aclrtSetCurrentContext(own));
}

// Threads that copy to memory and from it, each a part of its own, while its owner frees it and
// takes new: often enough, and rarely enough for most copies to be remembered ones.
void freeing() {
  constexpr int kThreads = 3;
  constexpr size_t kPart = 8192;
  constexpr size_t kWhole = kThreads * kPart;
  constexpr uint64_t kBetween = 30;  // copies, between one free and the next
  const uint64_t before = calls("aclrtMemcpy");
  std::atomic<void *> target{allocate(kWhole)};
  std::atomic<uint64_t> made{0};
  std::atomic<bool> over{false};
  std::vector<std::thread> threads;
  for (int index = 0; index < kThreads; ++index) {
    threads.emplace_back([&, index] {
      CHECK_EQ(0, aclrtSetDevice(0));
      std::vector<uint8_t> host(kPart);
      while (!over) {
        uint8_t *const device = static_cast<uint8_t *>(target.load()) + index * kPart;
        const aclError code =
            index % 2 == 0
                ? aclrtMemcpy(device, kPart, host.data(), kPart, ACL_MEMCPY_HOST_TO_DEVICE)
                : aclrtMemcpy(host.data(), kPart, device, kPart, ACL_MEMCPY_DEVICE_TO_HOST);
        CHECK(code == ACL_SUCCESS || code == ACL_ERROR_RT_PARAM_INVALID);
        if (++made % 8 == 0) std::this_thread::yield();
      }
      CHECK_EQ(0, aclrtResetDevice(0));
    });
  }
  for (int round = 0; round < kRounds / 5; ++round) {
    const uint64_t enough = made + kBetween;
    while (made < enough) std::this_thread::yield();
    CHECK_EQ(0, aclrtFree(target.exchange(allocate(kWhole))));
  }
  over = true;
  for (std::thread &thread : threads) thread.join();
  CHECK_EQ(before + made, calls("aclrtMemcpy"));
  CHECK_EQ(0, aclrtFree(target));
}

// One model for all threads: refused where another is inside, never executed twice at a time.
void sharing(const std::string &path) {
  Inference inference(path);
  CHECK_EQ(0, inference.execute());
  const uint64_t before = calls("aclmdlExecute");
  aclrtContext context = nullptr;
  CHECK_EQ(0, aclrtGetCurrentContext(&context));
  std::vector<std::thread> threads;
  for (int index = 0; index < 3; ++index) {
    threads.emplace_back([&] {
      CHECK_EQ(0, aclrtSetCurrentContext(context));
      for (int round = 0; round < kRounds; ++round) {
        const aclError code = inference.execute();
        CHECK(code == ACL_SUCCESS || code == ACL_ERROR_GE_FAILURE);
      }
    });
  }
  for (std::thread &thread : threads) thread.join();
  CHECK_EQ(before + 3 * kRounds, calls("aclmdlExecute"));
}

void all(const std::string &path) {
  CHECK_EQ(0, aclInit(nullptr));
  CHECK_EQ(0, aclrtSetDevice(0));
  copies();
  faults();
  executions(path);
  freeing();
  sharing(path);
  CHECK_EQ(0, aclrtResetDevice(0));
  CHECK_EQ(0, aclFinalize());
  CHECK_EQ(size_t{0}, aclfake_reset());
  CHECK_EQ(uint64_t{0}, calls("aclrtMemcpy"));
}

}  // namespace

int main(int argc, char **argv) {
  const std::string model = (argc > 1 ? argv[1] : ".") + std::string("/add.om");
  setenv("ACLRT_FAKE_PROFILE", "null", 1);
  setenv("ACLRT_FAKE_ENGINE", "synthetic", 1);
  all(model);
  setenv("ACLRT_FAKE_WINDOW", "1", 1);
  all(model);
  return check::result();
}
