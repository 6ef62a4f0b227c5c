// SPDX-License-Identifier: Apache-2.0
//
// Memory that the caller holds, by itself and in runs, on the toy library: what is called how
// often, what is refused, and that everything is given back.
#include <atomic>
#include <chrono>
#include <future>
#include <thread>

#include "shim_case.h"

namespace {

using shim::Feed;
using shim::open_model;
using shim::Toy;

constexpr size_t kBytes = 16;

aclrt_memory_t *allocate(aclrt_memory_kind_t kind, size_t nbytes = kBytes, int32_t device_id = 0) {
  aclrt_memory_t *memory = nullptr;
  CHECK_OK(aclrt_memory_alloc(device_id, nbytes, kind, &memory));
  return memory;
}

aclrt_memory_info_t info_of(aclrt_memory_t *memory) {
  aclrt_memory_info_t info{};
  CHECK_OK(aclrt_memory_info(memory, &info));
  return info;
}

aclrt_buffer_t buffer_of(aclrt_memory_t *memory) {
  const aclrt_memory_info_t info = info_of(memory);
  return {info.data, info.nbytes, memory};
}

void it_is_allocated_and_freed() {
  const Toy toy("fake");
  aclrt_memory_t *device = allocate(ACLRT_MEMORY_DEVICE), *host = allocate(ACLRT_MEMORY_HOST);
  const aclrt_memory_info_t info = info_of(device);
  CHECK_EQ(kBytes, info.nbytes);
  CHECK_EQ(0, info.device_id);
  CHECK(info.kind == ACLRT_MEMORY_DEVICE && info_of(host).kind == ACLRT_MEMORY_HOST);
  CHECK_EQ(0, info.is_shared + info.is_closed);
  CHECK_EQ(0u, reinterpret_cast<uintptr_t>(info.data) % 64);
  CHECK_EQ(1, toy.calls("aclrtMalloc"));
  CHECK_EQ(1, toy.calls("aclrtMallocHost"));
  CHECK_EQ(1, toy.device_users());
  CHECK_OK(aclrt_memory_close(device));
  CHECK_OK(aclrt_memory_close(device));
  CHECK_EQ(1, info_of(device).is_closed);
  CHECK(info_of(device).data == nullptr);
  char byte = 0;
  CHECK_FAILS(ACLRT_ERROR_CLOSED, aclrt_memory_copy_in(device, 0, &byte, 1), "closed");
  aclrt_memory_release(device);
  aclrt_memory_release(host);
  CHECK(toy.is_clean());
  CHECK_EQ(1, toy.calls("aclrtFree") + 0);
  CHECK_EQ(1, toy.calls("aclrtFreeHost"));
  // Nothing at all is something too.
  aclrt_memory_t *empty = allocate(ACLRT_MEMORY_DEVICE, 0);
  CHECK_EQ(0u, info_of(empty).nbytes);
  CHECK_OK(aclrt_memory_copy_in(empty, 0, nullptr, 0));
  aclrt_memory_release(empty);
  CHECK(toy.is_clean());
}

void what_makes_no_sense_is_refused() {
  const Toy toy("fake");
  aclrt_memory_t *memory = nullptr;
  CHECK_FAILS(ACLRT_ERROR_INPUT, aclrt_memory_alloc(0, 1, 7, &memory), "no kind 7");
  CHECK_FAILS(ACLRT_ERROR_INPUT, aclrt_memory_alloc(0, SIZE_MAX, ACLRT_MEMORY_DEVICE, &memory),
              "bytes");
  CHECK_FAILS(ACLRT_ERROR_DEVICE, aclrt_memory_alloc(9, 1, ACLRT_MEMORY_DEVICE, &memory),
              "cannot open device 9");
  toy.fail("aclrtMalloc", 1, 207001);
  CHECK_FAILS(ACLRT_ERROR_DEVICE_MEMORY, aclrt_memory_alloc(0, 1, ACLRT_MEMORY_DEVICE, &memory),
              "cannot allocate");
  CHECK(memory == nullptr);
  CHECK(toy.is_clean());
  memory = allocate(ACLRT_MEMORY_DEVICE);
  char bytes[kBytes + 1] = {};
  CHECK_FAILS(ACLRT_ERROR_INPUT, aclrt_memory_copy_in(memory, 0, bytes, sizeof bytes),
              "of memory of 16 bytes");
  CHECK_FAILS(ACLRT_ERROR_INPUT, aclrt_memory_copy_out(memory, SIZE_MAX, bytes, 2), "16 bytes");
  CHECK_FAILS(ACLRT_ERROR_INPUT, aclrt_memory_copy_out(memory, 0, nullptr, 2), "NULL");
  CHECK_FAILS(ACLRT_ERROR_INPUT, aclrt_memory_copy(memory, 4, memory, 0, 8), "overlap");
  aclrt_memory_t *other = allocate(ACLRT_MEMORY_DEVICE, kBytes, 1);
  CHECK_FAILS(ACLRT_ERROR_INPUT, aclrt_memory_copy(memory, 0, other, 0, 8),
              "memory of device 1 cannot be copied to device 0");
  aclrt_memory_release(other);
  aclrt_memory_release(memory);
  CHECK(toy.is_clean());
}

void bytes_are_copied() {
  const Toy toy("fake");
  aclrt_memory_t *a = allocate(ACLRT_MEMORY_DEVICE), *b = allocate(ACLRT_MEMORY_DEVICE);
  aclrt_memory_t *host = allocate(ACLRT_MEMORY_HOST);
  const char text[] = "123456789abcdef";
  char back[kBytes] = {};
  CHECK_OK(aclrt_memory_copy_in(a, 0, text, kBytes));
  CHECK_OK(aclrt_memory_copy(b, 8, a, 0, 8));
  CHECK_OK(aclrt_memory_copy(b, 0, a, 8, 8));
  CHECK_OK(aclrt_memory_copy(host, 0, b, 0, kBytes));
  CHECK_EQ("9abcdef", std::string(static_cast<char *>(info_of(host).data)));
  CHECK_OK(aclrt_memory_copy(a, 0, host, 0, kBytes));
  CHECK_OK(aclrt_memory_copy_out(a, 8, back, 8));
  CHECK_EQ("12345678", std::string(back, 8));
  const int copies = toy.calls("aclrtMemcpy");
  CHECK_EQ(6, copies);
  CHECK_OK(aclrt_memory_copy_in(host, 0, text, 4));
  CHECK_OK(aclrt_memory_copy_out(host, 0, back, 4));
  CHECK_EQ("1234", std::string(back, 4));
  CHECK_OK(aclrt_memory_copy(a, 0, a, 0, 4));
  CHECK_EQ(copies, toy.calls("aclrtMemcpy"));
  toy.fail("aclrtMemcpy", 1, 507899);
  CHECK_FAILS(ACLRT_ERROR_ACL, aclrt_memory_copy_in(a, 0, text, 4), "cannot copy to memory");
  for (aclrt_memory_t *memory : {a, b, host}) aclrt_memory_release(memory);
  CHECK(toy.is_clean());
}

void runs_use_it_in_place() {
  const Toy toy("fake");
  aclrt_model_t *first = open_model(), *second = open_model();
  aclrt_memory_t *between = allocate(ACLRT_MEMORY_DEVICE);
  Feed feed;
  aclrt_buffer_t link[2] = {buffer_of(between), {nullptr, 0, nullptr}};
  const auto chain = [&] {
    CHECK_OK(aclrt_model_run(first, feed.in, 1, link, 2, nullptr));
    CHECK_OK(aclrt_model_run(second, link, 1, feed.out, 2, nullptr));
  };
  toy.forget_calls();
  chain();
  CHECK_EQ(6.0f, feed.y[3]);
  CHECK_EQ(2, toy.calls("aclrtMemcpy"));
  CHECK_EQ(2, toy.calls("aclUpdateDataBuffer"));
  toy.forget_calls();
  chain();
  CHECK_EQ(2, toy.calls("aclrtMemcpy"));
  CHECK_EQ(0, toy.calls("aclUpdateDataBuffer"));
  // Ordinary memory again: the model's own is put back.
  CHECK_OK(feed.run(second));
  CHECK_OK(feed.run(first));
  CHECK_EQ(5.0f, feed.y[3]);
  CHECK_EQ(2, toy.calls("aclUpdateDataBuffer"));
  // A view that is not aligned is copied on the device.
  aclrt_memory_t *large = allocate(ACLRT_MEMORY_DEVICE, 2 * kBytes);
  link[0] = {static_cast<char *>(info_of(large).data) + 4, kBytes, large};
  toy.forget_calls();
  chain();
  CHECK_EQ(6.0f, feed.y[3]);
  CHECK_EQ(4, toy.calls("aclrtMemcpy"));
  CHECK_EQ(0, toy.calls("aclUpdateDataBuffer"));
  aclrt_memory_release(large);
  aclrt_memory_release(between);
  aclrt_model_release(first);
  aclrt_model_release(second);
  CHECK(toy.is_clean());
}

void page_locked_memory_is_copied() {
  const Toy toy("fake");
  aclrt_model_t *model = open_model();
  aclrt_memory_t *host = allocate(ACLRT_MEMORY_HOST, kBytes, 1);
  Feed feed;
  aclrt_buffer_t out[2] = {buffer_of(host), {nullptr, 0, nullptr}};
  toy.forget_calls();
  CHECK_OK(aclrt_model_run(model, feed.in, 1, out, 2, nullptr));
  CHECK_EQ(2.0f, *static_cast<float *>(out[0].data));
  CHECK_EQ(2, toy.calls("aclrtMemcpy"));
  aclrt_memory_release(host);
  aclrt_model_release(model);
  CHECK(toy.is_clean());
}

void one_memory_needs_no_copies() {
  setenv("TOY_RUNS_ON_DEVICE", "1", 1);
  const Toy toy("fake");
  aclrt_model_t *model = open_model();
  aclrt_memory_t *in = allocate(ACLRT_MEMORY_HOST), *out = allocate(ACLRT_MEMORY_DEVICE);
  CHECK_EQ(1, info_of(in).is_shared);
  CHECK_EQ(2, toy.calls("aclrtMalloc") - 1 - 2);  // beside the model's own
  auto *x = static_cast<float *>(info_of(in).data);
  x[3] = 4;
  aclrt_buffer_t inputs[1] = {buffer_of(in)}, outputs[2] = {buffer_of(out), {nullptr, 0, nullptr}};
  toy.forget_calls();
  CHECK_OK(aclrt_model_run(model, inputs, 1, outputs, 2, nullptr));
  CHECK_EQ(5.0f, static_cast<float *>(outputs[0].data)[3]);
  CHECK_EQ(0, toy.calls("aclrtMemcpy"));
  aclrt_memory_release(in);
  aclrt_memory_release(out);
  aclrt_model_release(model);
  CHECK(toy.is_clean());
}

void dynamic_models_copy_on_the_device() {
  setenv("TOY_DYNAMIC", "batch", 1);
  const Toy toy("fake");
  aclrt_model_t *model = open_model();
  aclrt_memory_t *in = allocate(ACLRT_MEMORY_DEVICE, 32), *out = allocate(ACLRT_MEMORY_DEVICE, 32);
  const float x[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  float y[8] = {};
  CHECK_OK(aclrt_memory_copy_in(in, 0, x, sizeof x));
  const int64_t dims[2] = {2, 4};
  const aclrt_dims_t shape = {dims, 2};
  aclrt_buffer_t inputs[1] = {buffer_of(in)}, outputs[2] = {buffer_of(out), {nullptr, 0, nullptr}};
  toy.forget_calls();
  CHECK_OK(aclrt_model_run_shaped(model, inputs, &shape, 1, outputs, 2, nullptr));
  CHECK_EQ(2, toy.calls("aclrtMemcpy"));
  CHECK_EQ(0, toy.calls("aclUpdateDataBuffer"));
  CHECK_OK(aclrt_memory_copy_out(out, 0, y, sizeof y));
  CHECK_EQ(9.0f, y[7]);
  aclrt_data_release(outputs[1].data);
  aclrt_memory_release(in);
  aclrt_memory_release(out);
  aclrt_model_release(model);
  CHECK(toy.is_clean());
}

void buffers_that_do_not_fit_are_refused() {
  const Toy toy("fake");
  aclrt_model_t *model = open_model();
  aclrt_memory_t *memory = allocate(ACLRT_MEMORY_DEVICE, 2 * kBytes);
  aclrt_memory_t *other = allocate(ACLRT_MEMORY_DEVICE, kBytes, 1);
  auto *data = static_cast<char *>(info_of(memory).data);
  Feed feed;
  const auto run = [&] { return feed.run(model); };
  toy.forget_calls();
  for (char *outside : {data - 1, data + kBytes + 1}) {
    feed.out[0] = {outside, kBytes, memory};
    CHECK_FAILS(ACLRT_ERROR_INPUT, run(), "output \"y\" does not lie in its memory of 32 bytes");
  }
  feed.out[0] = {data, 2 * kBytes, memory};
  CHECK_FAILS(ACLRT_ERROR_INPUT, run(), "output \"y\" has 16 bytes, a buffer of 32");
  feed.out[0] = buffer_of(other);
  CHECK_FAILS(ACLRT_ERROR_INPUT, run(), "output \"y\" is on device 1, the model on device 0");
  feed.out[0] = {data, kBytes, memory};
  feed.in[0] = {data + 8, kBytes, memory};
  CHECK_FAILS(ACLRT_ERROR_INPUT, run(), "overlaps");
  CHECK_OK(aclrt_memory_close(memory));
  CHECK_FAILS(ACLRT_ERROR_CLOSED, run(), "the memory is closed");
  CHECK_EQ(0, toy.calls("aclmdlExecute") + toy.calls("aclrtMemcpy"));
  aclrt_memory_release(memory);
  aclrt_memory_release(other);
  aclrt_model_release(model);
  CHECK(toy.is_clean());
}

void a_close_waits_for_the_run() {
  const Toy toy("fake");
  aclrt_model_t *model = open_model();
  aclrt_memory_t *memory = allocate(ACLRT_MEMORY_DEVICE);
  Feed feed;
  feed.in[0] = buffer_of(memory);
  toy.execute_ms(100);
  toy.forget_calls();
  std::thread runner([&] { CHECK_OK(feed.run(model)); });
  while (toy.calls("aclmdlExecute") == 0) std::this_thread::yield();
  CHECK_OK(aclrt_memory_close(memory));
  // Not freed before the run had copied its output out, which comes after it has read the input.
  CHECK_EQ(1, toy.calls("aclrtMemcpy"));
  runner.join();
  aclrt_memory_release(memory);
  aclrt_model_release(model);
  CHECK(toy.is_clean());
}

void shutdown_spares_page_locked_memory() {
  const Toy toy("fake");
  static aclrt_memory_t *host = allocate(ACLRT_MEMORY_HOST);
  aclrt_memory_t *left = allocate(ACLRT_MEMORY_HOST), *device = allocate(ACLRT_MEMORY_DEVICE);
  auto *bytes = static_cast<char *>(info_of(host).data);
  aclrt_runtime_shutdown();
  CHECK_EQ(1, info_of(device).is_closed);
  CHECK_EQ(1, toy.inits());
  bytes[kBytes - 1] = 7;
  CHECK_FAILS(ACLRT_ERROR_CLOSED, aclrt_memory_alloc(0, 1, ACLRT_MEMORY_HOST, &left), "shut down");
  aclrt_memory_release(left);
  CHECK_EQ(1, toy.calls("aclrtFreeHost"));
  aclrt_memory_release(device);
  // The other is freed, and AscendCL finalised, by the exit handler.
  static const Toy *at_exit = new Toy("fake");
  std::atexit([] {
    if (at_exit->inits() != 1) _exit(3);
  });
}

}  // namespace

int main() {
  RUN_ON_TOY(it_is_allocated_and_freed);
  RUN_ON_TOY(what_makes_no_sense_is_refused);
  RUN_ON_TOY(bytes_are_copied);
  RUN_ON_TOY(runs_use_it_in_place);
  RUN_ON_TOY(page_locked_memory_is_copied);
  RUN_ON_TOY(one_memory_needs_no_copies);
  RUN_ON_TOY(dynamic_models_copy_on_the_device);
  RUN_ON_TOY(buffers_that_do_not_fit_are_refused);
  RUN_ON_TOY(a_close_waits_for_the_run);
  RUN_ON_TOY(shutdown_spares_page_locked_memory);
  return check::result();
}
