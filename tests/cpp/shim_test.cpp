// SPDX-License-Identifier: Apache-2.0
//
// The life of models and devices through aclrt.h, on the toy libraries, which fail where asked:
// contexts, adoption, closing, shutdown, the fields of a status, and that every failed call leaves
// nothing behind. Ends with the real fake device (argv[1]: the folder that
// make_models.py wrote).
#include <atomic>
#include <chrono>
#include <new>
#include <thread>

#include "core/description.h"
#include "core/error.h"
#include "core/memory.h"
#include "core/runtime.h"
#include "counted_new.h"
#include "shim_case.h"

namespace {

using shim::contains;
using shim::Feed;
using shim::kSimulated;
using shim::load;
using shim::open_model;
using shim::options_for;
using shim::Status;
using shim::Toy;

void a_model_runs() {
  const Toy toy("fake");
  aclrt_model_t *model = open_model();
  aclrt_model_info_t info{};
  CHECK_OK(aclrt_model_info(model, &info));
  CHECK_EQ(1u, info.input_count);
  CHECK_EQ(2u, info.output_count);
  CHECK_EQ("y", std::string(info.outputs[0].name));
  CHECK_EQ("Op_1:0:y", std::string(info.outputs[0].acl_name));
  CHECK_EQ(1, info.is_simulated);
  CHECK_EQ(4, info.inputs[0].dims[0]);
  Feed feed;
  aclrt_shape_t shapes[2];
  CHECK_OK(feed.run(model, shapes));
  CHECK_EQ(5.0f, feed.y[3]);
  CHECK_EQ(1u, shapes[1].rank);
  CHECK_EQ(0, shapes[1].dims[0]);
  // Exactly the necessary calls: the empty output needs no copy.
  toy.forget_calls();
  CHECK_OK(feed.run(model));
  CHECK_EQ(2, toy.calls("aclrtMemcpy"));
  CHECK_EQ(1, toy.calls("aclmdlExecute"));
  CHECK_EQ(1, toy.calls("aclrtGetCurrentContext"));
  CHECK_EQ(0, toy.calls("aclrtSetCurrentContext"));
  CHECK_EQ(0, toy.calls("aclmdlGetCurOutputDims"));
  CHECK_EQ(0, toy.calls("aclrtMalloc"));
  CHECK_OK(aclrt_model_close(model));
  CHECK(toy.is_clean());
  CHECK_OK(aclrt_model_close(model));
  CHECK_FAILS(ACLRT_ERROR_CLOSED, feed.run(model), "the model is closed");
  CHECK_OK(aclrt_model_info(model, &info));
  aclrt_model_release(model);
}

void buffers_are_checked() {
  const Toy toy("fake");
  aclrt_model_t *model = open_model();
  toy.forget_calls();
  float memory[12] = {};
  aclrt_buffer_t in[2] = {{memory, 16, nullptr}, {memory, 16, nullptr}},
                 out[2] = {{memory + 4, 16, nullptr}, {nullptr, 0, nullptr}};
  const auto run = [&](size_t inputs, size_t outputs) {
    return aclrt_model_run(model, in, inputs, out, outputs, nullptr);
  };
  CHECK_FAILS(ACLRT_ERROR_INPUT, run(2, 2), "takes 1 input(s), 2 given");
  CHECK_FAILS(ACLRT_ERROR_INPUT, run(1, 1), "gives 2 output(s), 1 given");
  out[0].data = memory + 3;
  CHECK_FAILS(ACLRT_ERROR_INPUT, run(1, 2), "output \"y\" overlaps input \"x\"");
  out[0] = {memory + 4, 12, nullptr};
  CHECK_FAILS(ACLRT_ERROR_INPUT, run(1, 2), "output \"y\" has 16 bytes, a buffer of 12");
  out[0] = {nullptr, 16, nullptr};
  CHECK_FAILS(ACLRT_ERROR_INPUT, run(1, 2), "output \"y\" is NULL");
  CHECK_FAILS(ACLRT_ERROR_INPUT, aclrt_model_run(model, nullptr, 1, out, 2, nullptr),
              "the input array is NULL");
  CHECK_FAILS(ACLRT_ERROR_INPUT, aclrt_model_run(nullptr, in, 1, out, 2, nullptr), "model is NULL");
  CHECK_EQ(0, toy.calls("aclrtGetCurrentContext"));
  aclrt_model_release(model);
  CHECK(toy.is_clean());
}

void the_callers_context_is_kept() {
  const Toy toy("fake");
  const auto set = toy.symbol<int(void *)>("aclrtSetCurrentContext");
  const auto get = toy.symbol<int(void **)>("aclrtGetCurrentContext");
  int theirs = 0;
  void *current = nullptr;
  set(&theirs);
  aclrt_model_t *model = open_model();
  get(&current);
  CHECK(current == &theirs);
  Feed feed;
  toy.forget_calls();
  CHECK_OK(feed.run(model));
  CHECK_EQ(2, toy.calls("aclrtSetCurrentContext"));
  get(&current);
  CHECK(current == &theirs);
  toy.fail("aclmdlExecute", 1, 500002);
  CHECK_FAILS(ACLRT_ERROR_ACL, feed.run(model), "cannot run the model");
  get(&current);
  CHECK(current == &theirs);
  // A thread without a context: set once, then found.
  std::thread([&] {
    toy.forget_calls();
    CHECK_OK(feed.run(model));
    CHECK_OK(feed.run(model));
    CHECK_EQ(1, toy.calls("aclrtSetCurrentContext"));
  }).join();
  CHECK_OK(aclrt_model_close(model));
  get(&current);
  CHECK(current == &theirs);
  aclrt_model_release(model);
}

void an_existing_init_is_adopted(bool counts) {
  const std::string kind = counts ? "fake" : "old";
  const Toy toy(kind);
  const auto init = toy.symbol<int(const char *)>("aclInit");
  init(nullptr);
  aclrt_runtime_info_t info{};
  CHECK_OK(aclrt_runtime_info(&info));
  CHECK_EQ(1, info.is_adopted);
  aclrt_device_t *device = nullptr;
  CHECK_OK(aclrt_device_open(1, &device));
  CHECK_OK(aclrt_device_close(device));
  CHECK_EQ(1, toy.device_users());
  CHECK_EQ(0, toy.calls("aclrtResetDevice"));
  CHECK_EQ(2, toy.inits());
  aclrt_runtime_shutdown();
  CHECK_EQ(0, toy.calls("aclFinalize"));
  CHECK_EQ(counts ? 1 : 2, toy.inits());
  aclrt_device_release(device);
}

void an_own_init_is_finalised_once(bool counts) {
  const Toy toy(counts ? "fake" : "old");
  CHECK_OK(aclrt_runtime_init(nullptr));
  CHECK_EQ(1, toy.inits());
  aclrt_runtime_shutdown();
  aclrt_runtime_shutdown();
  CHECK_EQ(0, toy.inits());
  CHECK_EQ(counts ? 0 : 1, toy.calls("aclFinalize"));
  CHECK_EQ(counts ? 1 : 0, toy.calls("aclFinalizeReference"));
}

void shutdown_closes_what_is_open() {
  const Toy toy("fake");
  aclrt_model_t *model = open_model();
  aclrt_device_t *device = nullptr;
  CHECK_OK(aclrt_device_open(1, &device));
  aclrt_runtime_shutdown();
  CHECK(toy.is_clean());
  Feed feed;
  aclrt_model_t *other = nullptr;
  aclrt_runtime_info_t info{};
  aclrt_device_info_t device_info{};
  CHECK_FAILS(ACLRT_ERROR_CLOSED, feed.run(model), "closed");
  CHECK_FAILS(ACLRT_ERROR_CLOSED, load(&other), "shut down");
  CHECK_FAILS(ACLRT_ERROR_CLOSED, aclrt_runtime_info(&info), "shut down");
  CHECK_FAILS(ACLRT_ERROR_CLOSED, aclrt_device_info(device, &device_info), "shut down");
  CHECK_OK(aclrt_model_close(model));
  toy.forget_calls();
  aclrt_model_release(model);
  aclrt_device_release(device);
  CHECK_EQ(0, toy.calls("aclrtResetDevice") + toy.calls("aclmdlUnload"));
}

void leftovers_are_closed_at_exit() {
  // Nothing released: the exit handler does it, and LeakSanitizer judges.
  static aclrt_model_t *model = open_model();
  static const Toy toy("fake");
  std::atexit([] {});
  CHECK(model != nullptr);
}

void a_device_is_shared_and_reset_by_its_last_user() {
  const Toy toy("fake");
  aclrt_device_t *one = nullptr, *two = nullptr;
  CHECK_OK(aclrt_device_open(0, &one));
  CHECK_OK(aclrt_device_open(0, &two));
  aclrt_model_t *model = open_model();
  CHECK_EQ(1, toy.device_users());
  aclrt_device_info_t info{};
  CHECK_OK(aclrt_device_info(two, &info));
  CHECK_EQ(4000u, info.memory_total);
  CHECK_EQ("Toy", std::string(info.soc_name));
  CHECK_EQ(1, info.run_mode);
  CHECK_OK(aclrt_device_close(one));
  CHECK_OK(aclrt_device_close(one));
  aclrt_device_release(two);
  CHECK_EQ(1, toy.device_users());
  CHECK_FAILS(ACLRT_ERROR_CLOSED, aclrt_device_info(one, &info), "the device is closed");
  aclrt_model_release(model);
  CHECK(toy.is_clean());
  CHECK_FAILS(ACLRT_ERROR_DEVICE, aclrt_device_open(9, &two), "cannot open device 9");
  CHECK(toy.is_clean());
  aclrt_device_release(one);
}

void a_status_says_all() {
  const Toy toy("fake");
  CHECK_OK(aclrt_runtime_init(nullptr));
  toy.fail("aclrtMalloc", 1, 207001);
  aclrt_model_t *model = nullptr;
  const Status status(load(&model));
  CHECK(status.error.kind == ACLRT_ERROR_DEVICE_MEMORY);
  CHECK_EQ(207001, status.error.code);
  CHECK_EQ("ACL_ERROR_RT_MEMORY_ALLOCATION", std::string(status.error.name));
  CHECK_EQ("aclrtMalloc", std::string(status.error.call));
  CHECK_EQ("cannot allocate 16 bytes on the device: out of device memory",
           std::string(status.error.message));
  CHECK_EQ("toy: aclrtMalloc failed as asked", std::string(status.error.detail));
  CHECK(!std::string(status.error.hint).empty());
  const aclrt_error_t none = aclrt_status_error(nullptr);
  CHECK(none.kind == ACLRT_ERROR_NONE);
  CHECK_EQ("", std::string(none.message));
}

// Every call of load, run and close fails once, at each of its turns, with an unknown code.
void every_failure_leaves_nothing_behind() {
  const Toy toy("fake");
  CHECK_OK(aclrt_runtime_init(nullptr));
  const char *names[] = {"aclrtSetDevice",       "aclrtGetCurrentContext",
                         "aclrtGetRunMode",      "aclrtSetCurrentContext",
                         "aclmdlLoadFromMem",    "aclmdlCreateDesc",
                         "aclmdlGetDesc",        "aclmdlGetInputDims",
                         "aclmdlGetOutputDims",  "aclmdlCreateDataset",
                         "aclCreateDataBuffer",  "aclmdlAddDatasetBuffer",
                         "aclrtMalloc",          "aclrtMemcpy",
                         "aclmdlExecute",        "aclmdlGetCurOutputDims",
                         "aclmdlUnload",         "aclmdlDestroyDataset",
                         "aclDestroyDataBuffer", "aclrtFree",
                         "aclmdlDestroyDesc",    "aclrtResetDevice"};
  for (const char *name : names) {
    int fired = 0;
    for (int nth = 1; nth < 20; ++nth) {
      toy.forget_calls();
      toy.fail(name, nth, 999999);
      std::atomic<int> failures{0};
      // A thread of its own, which begins without a context.
      std::thread([&] {
        const auto count = [&](aclrt_status_t *status) {
          const Status failure(status);
          if (failure.error.kind == ACLRT_ERROR_NONE) return;
          ++failures;
          CHECK(failure.error.code == 999999 || failure.error.code == 200000);
          CHECK_EQ(name, std::string(failure.error.call));
        };
        aclrt_model_t *model = nullptr;
        count(load(&model));
        if (model == nullptr) return;
        Feed feed;
        aclrt_shape_t shapes[2];
        count(feed.run(model, shapes));
        count(aclrt_model_close(model));
        aclrt_model_release(model);
      }).join();
      CHECK(toy.is_clean());
      if (toy.calls(name) < nth) break;
      ++fired;
      // Before a device is set nothing can be said of the thread's context: that one is absorbed.
      if (std::string(name) != "aclrtGetCurrentContext" || nth > 1) CHECK_EQ(1, failures.load());
    }
    toy.fail(name, 1000000, 0);
    CHECK(fired > 0 || std::string(name) == "aclrtSetCurrentContext");
  }
  Feed feed;
  aclrt_model_t *model = open_model();
  CHECK_OK(feed.run(model));
  CHECK_EQ(2.0f, feed.y[0]);
  aclrt_model_release(model);
}

void a_close_that_fails_goes_on() {
  const Toy toy("fake");
  aclrt_model_t *model = open_model();
  toy.fail("aclmdlUnload", 1, 545009);
  toy.fail("aclrtFree", 2, 507899);
  const Status status(aclrt_model_close(model));
  CHECK_EQ(545009, status.error.code);
  CHECK(contains(status.error.detail, "also: cannot free device memory"));
  CHECK(contains(status.error.detail, "507899"));
  CHECK(toy.is_clean());
  CHECK_OK(aclrt_model_close(model));
  aclrt_model_release(model);
}

void a_lost_device_breaks_the_model() {
  const Toy toy("fake");
  aclrt_model_t *model = open_model();
  Feed feed;
  toy.fail("aclmdlExecute", 1, 507010);
  CHECK_FAILS(ACLRT_ERROR_DEVICE_LOST, feed.run(model), "cannot run the model");
  toy.forget_calls();
  CHECK_FAILS(ACLRT_ERROR_DEVICE_LOST, feed.run(model), "in an earlier run");
  CHECK_EQ(0, toy.calls("aclrtGetCurrentContext"));
  toy.fail("aclmdlUnload", 1, 507010);
  CHECK_OK(aclrt_model_close(model));
  CHECK(toy.is_clean());
  CHECK_FAILS(ACLRT_ERROR_CLOSED, feed.run(model), "closed");
  aclrt_model_release(model);
}

void an_init_that_fails_is_tried_again() {
  const Toy toy("fake");
  toy.fail("aclInit", 1, 500000);
  aclrt_model_t *model = nullptr;
  CHECK_FAILS(ACLRT_ERROR_ACL, load(&model), "cannot initialise AscendCL");
  CHECK(model == nullptr);
  model = open_model();
  aclrt_model_release(model);
}

void the_fake_is_reset_when_nothing_is_open() {
  const Toy toy("fake");
  aclrt_model_t *model = open_model();
  CHECK_FAILS(ACLRT_ERROR_INPUT, aclrt_fake_reset(), "1 model or device is open");
  char *json = nullptr;
  CHECK_OK(aclrt_fake_ledger(&json));
  CHECK(contains(json, "\"live\": "));
  aclrt_string_release(json);
  for (auto *document : {aclrt_fake_profile, aclrt_fake_trace}) {
    json = nullptr;
    CHECK_OK(document(&json));
    CHECK(contains(json, "{"));
    aclrt_string_release(json);
  }
  aclrt_model_release(model);
  CHECK_OK(aclrt_fake_reset());
  CHECK_EQ(0, toy.inits());
  aclrt_model_release(open_model());
  CHECK_EQ(1, toy.inits());
}

void host_memory_is_given_back() {
  const Toy toy("fake");
  aclrt_device_t *device = nullptr;
  CHECK_OK(aclrt_device_open(0, &device));
  {
    aclrt::HostBuffer one(8);
    aclrt::HostBuffer two(std::move(one));
    CHECK(one.data() == nullptr);
    CHECK(two.data() != nullptr);
    CHECK_EQ(1, toy.live());
    toy.fail("aclrtMallocHost", 1, 207001);
    CHECK_THROWS(aclrt::Error, aclrt::HostBuffer(8), error.kind == ACLRT_ERROR_DEVICE_MEMORY);
  }
  CHECK_EQ(0, toy.live());
  aclrt_device_release(device);
}

void a_steady_run_allocates_nothing() {
  aclrt_model_t *model = open_model();
  Feed feed;
  aclrt_shape_t shapes[2];
  CHECK_OK(feed.run(model, shapes));
  const size_t before = g_allocations;
  for (int i = 0; i < 100; ++i) aclrt_status_release(feed.run(model, shapes));
  CHECK_EQ(before, g_allocations.load());
  aclrt_model_release(model);
}

void the_real_fake_runs(const std::string &folder) {
  setenv("ACLRT_LIBASCENDCL", FAKE_LIBRARY, 1);
  const std::string path = folder + "/add.om";
  aclrt_model_options_t options{};
  options.struct_size = sizeof options;
  options.path = path.c_str();
  aclrt_model_t *model = nullptr;
  CHECK_OK(aclrt_model_load(&options, &model));
  if (model == nullptr) return;
  float a[6] = {1, 2, 3, 4, 5, 6}, b[6] = {6, 5, 4, 3, 2, 1}, sum[6] = {}, difference[6] = {};
  const aclrt_buffer_t in[] = {{a, sizeof a, nullptr}, {b, sizeof b, nullptr}};
  const aclrt_buffer_t out[] = {{sum, sizeof sum, nullptr},
                                {difference, sizeof difference, nullptr}};
  aclrt_shape_t shapes[2];
  CHECK_OK(aclrt_model_run(model, in, 2, out, 2, shapes));
  CHECK_EQ(7.0f, sum[4]);
  CHECK_EQ(-5.0f, difference[0]);
  CHECK_EQ(2u, shapes[0].rank);
  CHECK_EQ(3, shapes[0].dims[1]);
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        float s[6], d[6];
        const aclrt_buffer_t mine[] = {{s, sizeof s, nullptr}, {d, sizeof d, nullptr}};
        CHECK_OK(aclrt_model_run(model, in, 2, mine, 2, nullptr));
        CHECK_EQ(7.0f, s[5]);
      }
    });
  }
  for (std::thread &thread : threads) thread.join();
  CHECK_OK(aclrt_model_close(model));
  aclrt_model_release(model);
  char *json = nullptr;
  CHECK_OK(aclrt_fake_ledger(&json));
  CHECK(contains(json, "\"live\":0") || contains(json, "\"live\": 0"));
  aclrt_string_release(json);
  CHECK_OK(aclrt_fake_reset());
}

}  // namespace

int main(int argc, char **argv) {
  RUN_ON_TOY(a_model_runs);
  RUN_ON_TOY(buffers_are_checked);
  RUN_ON_TOY(the_callers_context_is_kept);
  RUN_ON_TOY(an_existing_init_is_adopted, true);
  shim::run_on_toy("an_existing_init_is_adopted", "old",
                   [] { an_existing_init_is_adopted(false); });
  RUN_ON_TOY(an_own_init_is_finalised_once, true);
  shim::run_on_toy("an_own_init_is_finalised_once", "old",
                   [] { an_own_init_is_finalised_once(false); });
  RUN_ON_TOY(shutdown_closes_what_is_open);
  RUN_ON_TOY(leftovers_are_closed_at_exit);
  RUN_ON_TOY(a_device_is_shared_and_reset_by_its_last_user);
  RUN_ON_TOY(a_status_says_all);
  RUN_ON_TOY(every_failure_leaves_nothing_behind);
  RUN_ON_TOY(a_close_that_fails_goes_on);
  RUN_ON_TOY(a_lost_device_breaks_the_model);
  RUN_ON_TOY(an_init_that_fails_is_tried_again);
  RUN_ON_TOY(the_fake_is_reset_when_nothing_is_open);
  RUN_ON_TOY(host_memory_is_given_back);
  RUN_ON_TOY(a_steady_run_allocates_nothing);
  if (argc > 1) {
    shim::run_case("the_real_fake_runs", [&] { the_real_fake_runs(argv[1]); });
  }
  return check::result();
}
