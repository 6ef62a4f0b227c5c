// SPDX-License-Identifier: Apache-2.0
//
// Models whose shapes vary, through aclrt.h, on the toy library: which calls a run makes and which
// it does not, and that a call that fails leaves a model that works.
#include <cstdint>
#include <new>
#include <numeric>
#include <vector>

#include "shim_case.h"

namespace {
size_t g_allocations = 0;
}  // namespace

void *operator new(size_t size) {
  ++g_allocations;
  if (void *memory = malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void *memory) noexcept {
  free(memory);
}
void operator delete(void *memory, size_t) noexcept {
  free(memory);
}

namespace {

using shim::contains;
using shim::open_model;
using shim::Toy;

// x and y for up to 1000 elements; rank 2 is rows of four.
struct Shaped {
  explicit Shaped(bool rows = true) : has_rows(rows) { std::iota(x.begin(), x.end(), 0.0f); }
  aclrt_status_t *run(aclrt_model_t *model, int64_t n, aclrt_shape_t *shapes = nullptr) {
    dims[0] = n;
    const size_t count = static_cast<size_t>(n) * (has_rows ? 4 : 1);
    in[0] = {x.data(), count * sizeof(float), nullptr};
    out[0] = {y.data(), count * sizeof(float), nullptr};
    return aclrt_model_run_shaped(model, in, &shape, 1, out, 2, shapes);
  }

  bool has_rows;
  std::vector<float> x = std::vector<float>(1000), y = std::vector<float>(1000);
  int64_t dims[2] = {0, 4};
  aclrt_dims_t shape = {dims, has_rows ? 2u : 1u};
  aclrt_buffer_t in[1] = {}, out[2] = {};
};

void gears_are_described() {
  const Toy toy("fake");
  aclrt_model_t *model = open_model();
  aclrt_model_info_t info{};
  CHECK_OK(aclrt_model_info(model, &info));
  CHECK_EQ(1u, info.input_count);
  CHECK(info.dynamic == ACLRT_DYNAMIC_BATCH);
  CHECK_EQ(3u, info.gear_count);
  CHECK_EQ(2, info.gears[1].values[0]);
  CHECK_EQ(2, info.gears[1].inputs[0].dims[0]);
  CHECK_EQ(4, info.gears[2].outputs[0].dims[0]);
  CHECK_EQ(0, info.gears[2].outputs[1].dims[0]);
  CHECK_EQ(-1, info.inputs[0].dims[0]);
  CHECK_EQ(-1, info.outputs[0].dims[0]);
  CHECK_EQ(1, info.inputs[0].range[0]);
  CHECK_EQ(4, info.inputs[0].range[1]);
  CHECK_EQ(4, info.inputs[0].range[3]);
  CHECK_EQ(64u, info.outputs[0].nbytes);
  aclrt_model_release(model);
  CHECK(toy.is_clean());
}

void the_setter_is_called_when_the_gear_changes() {
  const Toy toy("fake");
  aclrt_model_t *model = open_model();
  Shaped feed;
  aclrt_shape_t shapes[2];
  const struct {
    int64_t batch;
    int sets;
  } steps[] = {{2, 1}, {2, 0}, {4, 1}, {1, 1}, {1, 0}, {2, 1}};
  for (const auto &step : steps) {
    toy.forget_calls();
    CHECK_OK(feed.run(model, step.batch, shapes));
    CHECK_EQ(step.sets, toy.calls("aclmdlSetDynamicBatchSize"));
    CHECK_EQ(2 * step.sets, toy.calls("aclmdlGetCurOutputDims"));
    CHECK_EQ(2, toy.calls("aclrtMemcpy"));
    CHECK_EQ(1, toy.calls("aclmdlExecute"));
    CHECK_EQ(1, toy.calls("aclrtGetCurrentContext"));
    CHECK_EQ(0, toy.calls("aclrtMalloc") + toy.calls("aclUpdateDataBuffer"));
    CHECK_EQ(step.batch, shapes[0].dims[0]);
    CHECK_EQ(static_cast<float>(4 * step.batch), feed.y[static_cast<size_t>(4 * step.batch - 1)]);
  }
  const size_t before = g_allocations;
  for (int i = 0; i < 100; ++i) aclrt_status_release(feed.run(model, 1 + i % 2, shapes));
  CHECK_EQ(before, size_t{g_allocations});
  aclrt_model_release(model);
  CHECK(toy.is_clean());
}

void what_no_gear_takes_is_refused() {
  const Toy toy("fake");
  aclrt_model_t *model = open_model();
  Shaped feed;
  toy.forget_calls();
  CHECK_FAILS(ACLRT_ERROR_INPUT, feed.run(model, 3),
              "no gear takes x (3, 4); the gears are: x (1, 4); x (2, 4); x (4, 4)");
  CHECK_FAILS(ACLRT_ERROR_INPUT, feed.run(model, -1), "is (-1, 4)");
  feed.shape.rank = 1;
  CHECK_FAILS(ACLRT_ERROR_INPUT, feed.run(model, 4), "no gear takes x (4,)");
  feed.shape = {nullptr, 2};
  CHECK_FAILS(ACLRT_ERROR_INPUT, feed.run(model, 4), "without dims");
  CHECK_FAILS(ACLRT_ERROR_INPUT,
              aclrt_model_run_shaped(model, feed.in, nullptr, 1, feed.out, 2, nullptr),
              "the array of input shapes is NULL");
  const aclrt_aipp_t aipp = {};
  CHECK_FAILS(ACLRT_ERROR_INPUT, aclrt_model_set_aipp(nullptr, 0, &aipp), "model is NULL");
  CHECK_FAILS(ACLRT_ERROR_INPUT, aclrt_model_set_aipp(model, 0, nullptr), "aipp is NULL");
  CHECK_FAILS(ACLRT_ERROR_INPUT, aclrt_model_run(model, feed.in, 1, feed.out, 2, nullptr),
              "the model has dynamic shapes, and none were given");
  CHECK_EQ(0, toy.calls("aclrtGetCurrentContext"));
  CHECK_FAILS(ACLRT_ERROR_INPUT, aclrt_model_set_aipp(model, 0, &aipp), "has no dynamic AIPP");
  aclrt_model_release(model);
}

void buffers_must_fit_the_shape() {
  const Toy toy("fake");
  aclrt_model_t *model = open_model();
  Shaped feed;
  CHECK_OK(feed.run(model, 2));
  const auto run = [&] {
    return aclrt_model_run_shaped(model, feed.in, &feed.shape, 1, feed.out, 2, nullptr);
  };
  feed.in[0].nbytes = 28;
  CHECK_FAILS(ACLRT_ERROR_INPUT, run(), "input \"x\" has 32 bytes, a buffer of 28");
  feed.in[0].nbytes = 32;
  feed.out[0].nbytes = 64;
  CHECK_FAILS(ACLRT_ERROR_INPUT, run(), "output \"y\" has 32 bytes, a buffer of 64");
  CHECK_OK(feed.run(model, 2));
  aclrt_model_release(model);
}

void outputs_may_be_allocated() {
  const Toy toy("fake");
  aclrt_model_t *model = open_model();
  Shaped feed;
  CHECK_OK(feed.run(model, 2));
  feed.out[0] = {nullptr, 0, nullptr};
  CHECK_OK(aclrt_model_run_shaped(model, feed.in, &feed.shape, 1, feed.out, 2, nullptr));
  CHECK_EQ(32u, feed.out[0].nbytes);
  CHECK_EQ(8.0f, static_cast<float *>(feed.out[0].data)[7]);
  CHECK_EQ(0u, feed.out[1].nbytes);
  aclrt_data_release(feed.out[0].data);
  aclrt_data_release(feed.out[1].data);
  feed.out[0] = feed.out[1] = {nullptr, 0, nullptr};
  toy.fail("aclrtMemcpy", 2, 999999);
  CHECK_FAILS(ACLRT_ERROR_ACL,
              aclrt_model_run_shaped(model, feed.in, &feed.shape, 1, feed.out, 2, nullptr),
              "cannot be copied to the host");
  CHECK(feed.out[0].data == nullptr && feed.out[0].nbytes == 0);
  aclrt_model_release(model);
}

// Each call of a run fails once; the same run then works.
void a_failure_leaves_a_usable_model(bool is_range) {
  const Toy toy("fake");
  aclrt_model_t *model = open_model();
  Shaped feed(!is_range);
  const std::vector<const char *> names =
      is_range ? std::vector<const char *>{"aclrtMalloc",
                                           "aclUpdateDataBuffer",
                                           "aclrtFree",
                                           "aclCreateTensorDesc",
                                           "aclmdlSetDatasetTensorDesc",
                                           "aclrtMemcpy",
                                           "aclmdlExecute",
                                           "aclGetTensorDescDimV2",
                                           "aclmdlGetDatasetTensorDesc"}
               : std::vector<const char *>{"aclmdlSetDynamicBatchSize", "aclmdlGetCurOutputDims",
                                           "aclrtMemcpy", "aclmdlExecute"};
  int64_t n = 1;
  for (const char *name : names) {
    CHECK_OK(feed.run(model, is_range ? n : 1));
    n *= 2;
    toy.fail(name, 1, 999999);
    const int64_t size = is_range ? n : 2;
    const shim::Status status(feed.run(model, size));
    CHECK_EQ(std::string(name), std::string(status.error.call));
    CHECK_OK(feed.run(model, size));
    CHECK_EQ(static_cast<float>(size), feed.y[static_cast<size_t>(size - 1)]);
  }
  aclrt_model_release(model);
  CHECK(toy.is_clean());
}

void a_range_grows_and_retries() {
  const Toy toy("fake");
  aclrt_model_t *model = open_model();
  aclrt_model_info_t info{};
  CHECK_OK(aclrt_model_info(model, &info));
  CHECK(info.dynamic == ACLRT_DYNAMIC_RANGE);
  CHECK_EQ(0u, info.gear_count);
  CHECK_EQ(1, info.inputs[0].range[0]);
  CHECK_EQ(-1, info.inputs[0].range[1]);
  CHECK(info.outputs[0].range == nullptr);
  Shaped feed(false);
  aclrt_shape_t shapes[2];
  const struct {
    int64_t n;
    int executions, allocations, told;
  } steps[] = {{5, 1, 1, 1}, {5, 1, 0, 0}, {3, 1, 0, 1},
               {8, 2, 1, 1}, {9, 2, 0, 1}, {700, 2, 1, 1}};
  for (const auto &step : steps) {
    toy.forget_calls();
    CHECK_OK(feed.run(model, step.n, shapes));
    CHECK_EQ(step.executions, toy.calls("aclmdlExecute"));
    CHECK_EQ(step.allocations, toy.calls("aclrtMalloc"));
    CHECK_EQ(step.told, toy.calls("aclmdlSetDatasetTensorDesc"));
    CHECK_EQ(step.told, toy.calls("aclDestroyTensorDesc"));
    CHECK_EQ(0, toy.calls("aclmdlGetCurOutputDims"));
    CHECK_EQ(step.n, shapes[0].dims[0]);
    CHECK_EQ(static_cast<float>(step.n), feed.y[static_cast<size_t>(step.n - 1)]);
  }
  const size_t before = g_allocations;
  for (int i = 0; i < 100; ++i) aclrt_status_release(feed.run(model, 700, shapes));
  CHECK_EQ(before, size_t{g_allocations});
  CHECK_FAILS(ACLRT_ERROR_INPUT, feed.run(model, 0), "dim 0 from 1 or more");
  aclrt_model_release(model);
  CHECK(toy.is_clean());
}

void a_fixed_model_takes_its_shape() {
  const Toy toy("fake");
  aclrt_model_t *model = open_model();
  Shaped feed(false);
  CHECK_OK(feed.run(model, 4));
  CHECK_EQ(4.0f, feed.y[3]);
  CHECK_FAILS(ACLRT_ERROR_INPUT, feed.run(model, 3), "is (3,); the model takes (4,)");
  aclrt_model_release(model);
  CHECK(toy.is_clean());
}

template <class Body>
void run_dynamic(const char *name, const char *kind, Body &&body) {
  shim::run_on_toy(name, "fake", [&] {
    setenv("TOY_DYNAMIC", kind, 1);
    body();
  });
}

}  // namespace

int main() {
  run_dynamic("gears_are_described", "batch", gears_are_described);
  run_dynamic("the_setter_is_called_when_the_gear_changes", "batch",
              the_setter_is_called_when_the_gear_changes);
  run_dynamic("what_no_gear_takes_is_refused", "batch", what_no_gear_takes_is_refused);
  run_dynamic("buffers_must_fit_the_shape", "batch", buffers_must_fit_the_shape);
  run_dynamic("outputs_may_be_allocated", "batch", outputs_may_be_allocated);
  run_dynamic("a_failure_leaves_a_usable_model", "batch",
              [] { a_failure_leaves_a_usable_model(false); });
  run_dynamic("a_failure_leaves_a_usable_model", "range",
              [] { a_failure_leaves_a_usable_model(true); });
  run_dynamic("a_range_grows_and_retries", "range", a_range_grows_and_retries);
  RUN_ON_TOY(a_fixed_model_takes_its_shape);
  return check::result();
}
