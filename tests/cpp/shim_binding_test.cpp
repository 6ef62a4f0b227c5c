// SPDX-License-Identifier: Apache-2.0
//
// Bindings, and runs by pointers, on the toy library: what a run calls and allocates, and what is
// refused when.
#include <atomic>
#include <new>
#include <thread>

#include "counted_new.h"
#include "shim_case.h"

namespace {

using shim::Feed;
using shim::open_model;
using shim::Toy;

aclrt_status_t *bind(aclrt_model_t *model, Feed &feed, aclrt_binding_t **binding) {
  return aclrt_binding_create(model, feed.in, nullptr, 1, feed.out, 2, binding);
}

aclrt_binding_t *bound(aclrt_model_t *model, Feed &feed) {
  aclrt_binding_t *binding = nullptr;
  CHECK_OK(bind(model, feed, &binding));
  return binding;
}

// A copy in, a copy out, an execution, and a look at the context.
void check_calls(const Toy &toy) {
  CHECK_EQ(2, toy.calls("aclrtMemcpy"));
  CHECK_EQ(1, toy.calls("aclmdlExecute"));
  CHECK_EQ(1, toy.calls("aclrtGetCurrentContext"));
  for (const char *name :
       {"aclrtSetCurrentContext", "aclUpdateDataBuffer", "aclrtMalloc", "aclmdlGetCurOutputDims"}) {
    CHECK_EQ(0, toy.calls(name));
  }
}

void a_binding_runs_again_and_again() {
  const Toy toy("fake");
  aclrt_model_t *model = open_model();
  Feed feed;
  aclrt_binding_t *binding = bound(model, feed);
  CHECK_OK(aclrt_binding_run(binding));
  CHECK_EQ(5.0f, feed.y[3]);
  feed.x[3] = 9;
  toy.forget_calls();
  CHECK_OK(aclrt_binding_run(binding));
  CHECK_EQ(10.0f, feed.y[3]);
  check_calls(toy);
  const size_t before = g_allocations;
  for (int i = 0; i < 100; ++i) aclrt_status_release(aclrt_binding_run(binding));
  CHECK_EQ(before, g_allocations.load());
  // It holds the model, and closing ends it.
  aclrt_model_release(model);
  CHECK_OK(aclrt_binding_run(binding));
  CHECK_OK(aclrt_binding_close(binding));
  CHECK_OK(aclrt_binding_close(binding));
  CHECK_FAILS(ACLRT_ERROR_CLOSED, aclrt_binding_run(binding), "the binding is closed");
  aclrt_binding_release(binding);
  CHECK(toy.is_clean());
}

void a_closed_model_ends_its_bindings() {
  const Toy toy("fake");
  aclrt_model_t *model = open_model();
  Feed feed;
  aclrt_binding_t *binding = bound(model, feed), *other = nullptr;
  CHECK_OK(aclrt_model_close(model));
  CHECK_FAILS(ACLRT_ERROR_CLOSED, aclrt_binding_run(binding), "the model is closed");
  CHECK_FAILS(ACLRT_ERROR_CLOSED, bind(model, feed, &other), "the model is closed");
  aclrt_binding_release(binding);
  aclrt_model_release(model);
  CHECK(toy.is_clean());
}

void what_does_not_fit_is_not_bound() {
  const Toy toy("fake");
  aclrt_model_t *model = open_model();
  aclrt_binding_t *binding = nullptr;
  Feed feed;
  const aclrt_dims_t without = {nullptr, 1};
  CHECK_FAILS(ACLRT_ERROR_INPUT, bind(nullptr, feed, &binding), "model is NULL");
  CHECK_FAILS(ACLRT_ERROR_INPUT, bind(model, feed, nullptr), "binding is NULL");
  CHECK_FAILS(ACLRT_ERROR_INPUT,
              aclrt_binding_create(model, nullptr, nullptr, 1, feed.out, 2, &binding), "is NULL");
  CHECK_FAILS(ACLRT_ERROR_INPUT,
              aclrt_binding_create(model, feed.in, nullptr, 0, feed.out, 2, &binding),
              "takes 1 input(s), 0 given");
  CHECK_FAILS(ACLRT_ERROR_INPUT,
              aclrt_binding_create(model, feed.in, &without, 1, feed.out, 2, &binding),
              "without dims");
  feed.out[0].nbytes = 12;
  CHECK_FAILS(ACLRT_ERROR_INPUT, bind(model, feed, &binding), "has 16 bytes, a buffer of 12");
  feed.out[0] = {nullptr, 16, nullptr};
  CHECK_FAILS(ACLRT_ERROR_INPUT, bind(model, feed, &binding), "output \"y\" is NULL");
  feed.out[0] = {feed.x + 1, 16, nullptr};
  CHECK_FAILS(ACLRT_ERROR_INPUT, bind(model, feed, &binding), "overlaps");
  CHECK(binding == nullptr);
  CHECK_FAILS(ACLRT_ERROR_INPUT, aclrt_binding_run(nullptr), "binding is NULL");
  aclrt_model_release(model);
  CHECK(toy.is_clean());
}

void device_memory_is_bound_in_place() {
  const Toy toy("fake");
  aclrt_model_t *first = open_model(), *second = open_model();
  aclrt_memory_t *between = nullptr;
  CHECK_OK(aclrt_memory_alloc(0, 16, ACLRT_MEMORY_DEVICE, &between));
  aclrt_memory_info_t info{};
  CHECK_OK(aclrt_memory_info(between, &info));
  Feed from, to;
  from.out[0] = to.in[0] = {info.data, 16, between};
  aclrt_binding_t *steps[] = {bound(first, from), bound(second, to)};
  // The bindings hold the memory.
  aclrt_memory_release(between);
  for (aclrt_binding_t *step : steps) CHECK_OK(aclrt_binding_run(step));
  CHECK_EQ(6.0f, to.y[3]);
  toy.forget_calls();
  const size_t before = g_allocations;
  for (aclrt_binding_t *step : steps) CHECK_OK(aclrt_binding_run(step));
  CHECK_EQ(2, toy.calls("aclrtMemcpy"));
  CHECK_EQ(2, toy.calls("aclmdlExecute"));
  CHECK_EQ(0, toy.calls("aclUpdateDataBuffer"));
  for (int i = 0; i < 100; ++i) aclrt_status_release(aclrt_binding_run(steps[i % 2]));
  CHECK(g_allocations.load() - before < 20);  // CHECK_OK's own strings
  for (aclrt_binding_t *step : steps) aclrt_binding_release(step);
  aclrt_model_release(first);
  aclrt_model_release(second);
  CHECK(toy.is_clean());
}

void gears_are_bound_by_shape() {
  setenv("TOY_DYNAMIC", "batch", 1);
  const Toy toy("fake");
  aclrt_model_t *model = open_model();
  float x[16] = {}, y[16] = {};
  const auto bind_batch = [&](int64_t batch, float *data) {
    const int64_t dims[2] = {batch, 4};
    const aclrt_dims_t shape = {dims, 2};
    const size_t nbytes = static_cast<size_t>(batch) * 16;
    const aclrt_buffer_t in[1] = {{x, nbytes, nullptr}};
    const aclrt_buffer_t out[2] = {{data, nbytes, nullptr}, {nullptr, 0, nullptr}};
    aclrt_binding_t *binding = nullptr;
    CHECK_OK(aclrt_binding_create(model, in, &shape, 1, out, 2, &binding));
    return binding;
  };
  aclrt_binding_t *one = bind_batch(1, y), *four = bind_batch(4, y);
  for (int round = 0; round < 2; ++round) {
    x[0] = static_cast<float>(round);
    x[15] = 8;
    CHECK_OK(aclrt_binding_run(four));
    CHECK_EQ(9.0f, y[15]);
    y[15] = 0;
    CHECK_OK(aclrt_binding_run(one));
    CHECK_EQ(x[0] + 1, y[0]);
    CHECK_EQ(0.0f, y[15]);
  }
  const aclrt_buffer_t in[1] = {{x, 16, nullptr}}, out[2] = {{nullptr, 16, nullptr}, {}};
  aclrt_binding_t *none = nullptr;
  CHECK_FAILS(ACLRT_ERROR_INPUT, aclrt_binding_create(model, in, nullptr, 1, out, 2, &none),
              "input shapes");
  const int64_t dims[2] = {1, 4};
  const aclrt_dims_t shape = {dims, 2};
  CHECK_FAILS(ACLRT_ERROR_INPUT, aclrt_binding_create(model, in, &shape, 1, out, 2, &none),
              "an output is NULL");
  aclrt_binding_release(one);
  aclrt_binding_release(four);
  aclrt_model_release(model);
  CHECK(toy.is_clean());
}

void pointers_run_a_model() {
  const Toy toy("fake");
  aclrt_model_t *model = open_model();
  Feed feed;
  void *pointers[] = {feed.x, feed.y, nullptr};
  CHECK_OK(aclrt_model_run_pointers(model, pointers, 3));
  toy.forget_calls();
  CHECK_OK(aclrt_model_run_pointers(model, pointers, 3));
  CHECK_EQ(5.0f, feed.y[3]);
  check_calls(toy);
  const size_t before = g_allocations;
  for (int i = 0; i < 100; ++i) {
    aclrt_status_release(aclrt_model_run_pointers(model, pointers, 3));
  }
  CHECK_EQ(before, g_allocations.load());
  CHECK_FAILS(ACLRT_ERROR_INPUT, aclrt_model_run_pointers(model, pointers, 2),
              "2 pointer(s) given");
  CHECK_FAILS(ACLRT_ERROR_INPUT, aclrt_model_run_pointers(model, nullptr, 3), "pointers is NULL");
  pointers[1] = feed.x + 2;
  CHECK_FAILS(ACLRT_ERROR_INPUT, aclrt_model_run_pointers(model, pointers, 3), "overlaps");
  pointers[1] = nullptr;
  CHECK_FAILS(ACLRT_ERROR_INPUT, aclrt_model_run_pointers(model, pointers, 3), "\"y\" is NULL");
  aclrt_model_release(model);
  CHECK(toy.is_clean());
}

void threads_take_turns() {
  const Toy toy("fake");
  aclrt_model_t *model = open_model();
  Feed feeds[2];
  aclrt_binding_t *bindings[] = {bound(model, feeds[0]), bound(model, feeds[1])};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) CHECK_OK(aclrt_binding_run(bindings[t % 2]));
    });
  }
  for (std::thread &thread : threads) thread.join();
  CHECK_EQ(0, toy.overlapped());
  for (aclrt_binding_t *binding : bindings) aclrt_binding_release(binding);
  aclrt_model_release(model);
  CHECK(toy.is_clean());
}

}  // namespace

int main() {
  RUN_ON_TOY(a_binding_runs_again_and_again);
  RUN_ON_TOY(a_closed_model_ends_its_bindings);
  RUN_ON_TOY(what_does_not_fit_is_not_bound);
  RUN_ON_TOY(device_memory_is_bound_in_place);
  RUN_ON_TOY(gears_are_bound_by_shape);
  RUN_ON_TOY(pointers_run_a_model);
  RUN_ON_TOY(threads_take_turns);
  return check::result();
}
