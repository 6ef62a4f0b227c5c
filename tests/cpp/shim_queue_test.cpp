// SPDX-License-Identifier: Apache-2.0
//
// Runs in flight through aclrt.h, on the toy library: that steps of different runs overlap, and
// that time-outs, cancelling, closing, a lost device and the failure of any call leave nothing
// behind. A step is held where a run has to be found in it; nothing here depends on time.
#include <map>
#include <thread>
#include <utility>

#include "shim_case.h"

namespace {

using shim::Feed;
using shim::open_model;
using shim::Toy;

constexpr size_t kDepth = 3;

aclrt_queue_t *open_queue(aclrt_model_t *model, size_t depth = kDepth) {
  const aclrt_queue_options_t options{sizeof options, depth};
  aclrt_queue_t *queue = nullptr;
  CHECK_OK(aclrt_queue_create(model, &options, &queue));
  return queue;
}

aclrt_submission_t submission(Feed &feed, uint64_t tag = 0, int64_t timeout_ms = -1) {
  return {feed.in, nullptr, 1, feed.out, 2, nullptr, tag, timeout_ms};
}

size_t submit(aclrt_queue_t *queue, Feed &feed, uint64_t tag = 0, int64_t timeout_ms = -1) {
  const aclrt_submission_t one = submission(feed, tag, timeout_ms);
  size_t accepted = 0;
  CHECK_OK(aclrt_queue_submit(queue, &one, 1, &accepted));
  return accepted;
}

aclrt_status_t *try_submit(aclrt_queue_t *queue, Feed &feed) {
  const aclrt_submission_t one = submission(feed);
  size_t accepted = 0;
  return aclrt_queue_submit(queue, &one, 1, &accepted);
}

// What completes next; the kind of its status.
struct Taken {
  explicit Taken(aclrt_queue_t *queue, int64_t timeout_ms = -1) {
    CHECK_OK(aclrt_queue_take(queue, &it, 1, timeout_ms, &count));
    kind = aclrt_status_error(it.status).kind;
    aclrt_status_release(it.status);
  }
  aclrt_completion_t it{};
  size_t count = 0;
  aclrt_error_kind_t kind = ACLRT_ERROR_NONE;
};

void wait_for(const Toy &toy, const char *call, int count) {
  while (toy.calls(call) < count) std::this_thread::yield();
}

// A model with a queue; in the end nothing is left of them.
struct Flying {
  ~Flying() {
    aclrt_queue_release(queue);
    aclrt_model_release(model);
    CHECK(toy.is_clean());
  }
  // Submits a run that is held in the copy of its input (1) or in its execution (2).
  void hold(int stage, Feed &feed, uint64_t tag = 0, int64_t timeout_ms = -1) {
    toy.forget_calls();
    toy.hold(stage);
    CHECK_EQ(1u, submit(queue, feed, tag, timeout_ms));
    wait_for(toy, stage == 1 ? "aclrtMemcpy" : "aclmdlExecute", 1);
  }
  const Toy toy{"fake"};
  aclrt_model_t *model = open_model();
  aclrt_queue_t *queue = open_queue(model);
};

size_t finished(aclrt_queue_t *queue) {
  aclrt_queue_info_t info{};
  CHECK_OK(aclrt_queue_info(queue, &info));
  return info.finished;
}

void runs_come_back_in_order() {
  Flying at;
  const int live = at.toy.live();
  Feed feeds[kDepth + 1];
  aclrt_submission_t all[kDepth + 1];
  for (size_t i = 0; i <= kDepth; ++i) {
    feeds[i].x[0] = static_cast<float>(10 * i);
    all[i] = submission(feeds[i], i);
  }
  size_t accepted = 0;
  CHECK_OK(aclrt_queue_submit(at.queue, all, kDepth + 1, &accepted));
  CHECK_EQ(kDepth, accepted);
  for (size_t i = 0; i < kDepth; ++i) {
    const Taken taken(at.queue);
    CHECK_EQ(i, taken.it.tag);
    CHECK_EQ(int{ACLRT_OUTCOME_DONE}, int{taken.it.outcome});
    CHECK_EQ(1, taken.it.is_final);
    CHECK_EQ(feeds[i].x[0] + 1, feeds[i].y[0]);
  }
  CHECK_EQ(1u, submit(at.queue, feeds[kDepth]));
  CHECK_EQ(1u, Taken(at.queue).count);
  CHECK_EQ(0u, Taken(at.queue, 0).count);
  aclrt_completion_t taken{};
  size_t count = 0;
  CHECK_OK(aclrt_queue_exchange(at.queue, all, 2, &accepted, &taken, 1, -1, &count));
  CHECK_EQ(2u, accepted);
  CHECK_EQ(0u, taken.tag);
  CHECK_OK(aclrt_queue_exchange(at.queue, nullptr, 0, &accepted, &taken, 1, -1, &count));
  CHECK_EQ(1u, taken.tag);
  CHECK_EQ(live, at.toy.live());
  CHECK_EQ(0, at.toy.overlapped());
  CHECK_OK(aclrt_queue_close(at.queue));
  CHECK_OK(aclrt_queue_close(at.queue));
  CHECK_FAILS(ACLRT_ERROR_CLOSED, aclrt_queue_submit(at.queue, all, 1, &accepted), "closed");
  aclrt_completion_t none{};
  CHECK_FAILS(ACLRT_ERROR_CLOSED, aclrt_queue_take(at.queue, &none, 1, -1, &accepted), "closed");
  Feed plain;
  CHECK_OK(plain.run(at.model));
}

// While the first run is held in a step, the second gets as far as that step allows, and the third
// is not refused.
void steps_overlap(int held, const char *call, int calls_then) {
  Flying at;
  Feed feeds[kDepth];
  at.toy.forget_calls();
  at.toy.hold(held);
  for (Feed &feed : feeds) CHECK_EQ(1u, submit(at.queue, feed));
  wait_for(at.toy, call, calls_then);
  CHECK_EQ(0u, finished(at.queue));
  at.toy.hold(0);
  for (size_t i = 0; i < kDepth; ++i) CHECK_EQ(1u, Taken(at.queue).count);
  CHECK_EQ(int{kDepth}, at.toy.calls("aclmdlExecute"));
  CHECK_EQ(int{2 * kDepth}, at.toy.calls("aclrtMemcpy"));
  CHECK_EQ(0, at.toy.calls("aclrtMalloc") + at.toy.calls("aclmdlCreateDataset"));
  // In either order: a queue holds its model.
  aclrt_model_release(std::exchange(at.model, nullptr));
}

void a_run_in_time_and_one_that_is_late() {
  Flying at;
  Feed first, second, third;
  at.hold(1, first, 1, 0);
  CHECK_EQ(1u, submit(at.queue, second, 2, 0));
  // The one that the device has: twice. The one that waits: at once, and never run.
  const Taken late(at.queue), waiting(at.queue);
  CHECK_EQ(1u, late.it.tag);
  CHECK_EQ(0, late.it.is_final);
  CHECK_EQ(int{ACLRT_ERROR_TIMEOUT}, int{late.kind});
  CHECK_EQ(2u, waiting.it.tag);
  CHECK_EQ(1, waiting.it.is_final);
  CHECK_EQ(int{ACLRT_OUTCOME_TIMED_OUT}, int{waiting.it.outcome});
  // Its memory is still in use.
  Feed other;
  other.out[0].data = first.y;
  CHECK_FAILS(ACLRT_ERROR_INPUT, try_submit(at.queue, other), "in use by a run in flight");
  at.toy.hold(0);
  const Taken let_go(at.queue);
  CHECK_EQ(1u, let_go.it.tag);
  CHECK_EQ(1, let_go.it.is_final);
  CHECK_EQ(0.0f, first.y[0]);
  CHECK_EQ(0, at.toy.calls("aclmdlExecute"));
  CHECK_EQ(1u, submit(at.queue, third, 3, 60000));
  CHECK_EQ(int{ACLRT_OUTCOME_DONE}, int{Taken(at.queue).it.outcome});
}

void cancelled_runs() {
  Flying at;
  Feed first, second;
  at.hold(2, first, 1);
  at.toy.hold(2);
  int32_t found = 0;
  CHECK_OK(aclrt_queue_cancel(at.queue, 1, &found));
  CHECK_EQ(1, found);
  CHECK_OK(aclrt_queue_cancel(at.queue, 7, &found));
  CHECK_EQ(0, found);
  int32_t is_idle = 1;
  CHECK_OK(aclrt_queue_drain(at.queue, 0, &is_idle));
  CHECK_EQ(0, is_idle);
  CHECK_EQ(0u, Taken(at.queue, 0).count);
  at.toy.hold(0);
  const Taken cancelled(at.queue);
  CHECK_EQ(int{ACLRT_OUTCOME_CANCELLED}, int{cancelled.it.outcome});
  CHECK_EQ(1, at.toy.calls("aclrtMemcpy"));  // nothing was copied out
  CHECK_OK(aclrt_queue_drain(at.queue, -1, &is_idle));
  CHECK_EQ(1, is_idle);
}

// Closing waits for the run that the device has and cancels the other; both can be taken
// afterwards.
void close_in_flight(bool shutdown) {
  Flying at;
  Feed first, second;
  at.hold(1, first, 1);
  submit(at.queue, second, 2);
  std::thread closer([&] {
    if (shutdown) {
      aclrt_runtime_shutdown();
    } else {
      CHECK_OK(aclrt_queue_close(at.queue));
    }
  });
  while (finished(at.queue) == 0) std::this_thread::yield();
  at.toy.hold(0);
  closer.join();
  const Taken cancelled(at.queue), ran(at.queue);
  CHECK_EQ(2u, cancelled.it.tag);
  CHECK_EQ(int{ACLRT_OUTCOME_CANCELLED}, int{cancelled.it.outcome});
  CHECK_EQ(1u, ran.it.tag);
  if (!shutdown) {
    CHECK_EQ(int{ACLRT_OUTCOME_DONE}, int{ran.it.outcome});
    CHECK_EQ(5.0f, first.y[3]);
  }
}

void a_closed_model_fails_what_waits() {
  Flying at;
  Feed feed;
  at.hold(1, feed);
  CHECK_OK(aclrt_model_close(at.model));
  at.toy.hold(0);
  CHECK_EQ(int{ACLRT_ERROR_CLOSED}, int{Taken(at.queue).kind});
}

void a_lost_device_fails_all_in_flight(const char *call, int held, int nth) {
  Flying at;
  Feed feeds[kDepth];
  at.hold(held, feeds[0]);
  at.toy.fail(call, nth, 507010);
  submit(at.queue, feeds[1]);
  submit(at.queue, feeds[2]);
  at.toy.hold(0);
  size_t lost = 0;
  for (size_t i = 0; i < kDepth; ++i) lost += Taken(at.queue).kind == ACLRT_ERROR_DEVICE_LOST;
  CHECK(lost >= 1);
  CHECK_FAILS(ACLRT_ERROR_DEVICE_LOST, try_submit(at.queue, feeds[0]), "lost");
  CHECK_FAILS(ACLRT_ERROR_DEVICE_LOST, feeds[0].run(at.model), "lost");
  CHECK_OK(aclrt_queue_close(at.queue));
  CHECK_OK(aclrt_model_close(at.model));
}

// Every call of a queue's life fails once: one error, nothing left, and the rest goes on.
void every_call_fails_once() {
  const Toy toy("fake");
  aclrt_model_t *model = open_model();
  const auto live = [&] {
    aclrt_queue_t *queue = nullptr;
    const aclrt_queue_options_t options{sizeof options, 2};
    const shim::Status created(aclrt_queue_create(model, &options, &queue));
    if (created.error.kind != ACLRT_ERROR_NONE) return size_t{1};
    size_t failures = 0;
    Feed feeds[4];
    for (Feed &feed : feeds) {
      submit(queue, feed);
      failures += Taken(queue).it.outcome == ACLRT_OUTCOME_FAILED;
    }
    const shim::Status closed(aclrt_queue_close(queue));
    failures += closed.error.kind != ACLRT_ERROR_NONE;
    aclrt_queue_release(queue);
    return failures;
  };
  const int before = toy.live();
  CHECK_EQ(0u, live());
  for (const char *call :
       {"aclrtGetCurrentContext", "aclrtMalloc", "aclrtFree", "aclmdlCreateDataset",
        "aclCreateDataBuffer", "aclmdlAddDatasetBuffer", "aclmdlDestroyDataset",
        "aclDestroyDataBuffer", "aclrtMemcpy", "aclmdlExecute"}) {
    toy.forget_calls();
    live();
    const int count = toy.calls(call);
    CHECK(count > 0);
    for (int nth = 1; nth <= count; ++nth) {
      toy.fail(call, nth, 507000);
      CHECK_EQ(1u, live());
      CHECK_EQ(before, toy.live());
    }
  }
  Feed plain;
  CHECK_OK(plain.run(model));
  aclrt_model_release(model);
  CHECK(toy.is_clean());
}

void wrong_arguments() {
  const Toy toy("fake");
  aclrt_model_t *model = open_model();
  aclrt_queue_t *queue = nullptr;
  aclrt_queue_options_t options{1, 2};
  CHECK_FAILS(ACLRT_ERROR_INPUT, aclrt_queue_create(model, &options, &queue), "struct_size");
  options = {sizeof options, size_t{1} << 20};
  CHECK_FAILS(ACLRT_ERROR_INPUT, aclrt_queue_create(model, &options, &queue), "at most 4096");
  CHECK_FAILS(ACLRT_ERROR_INPUT, aclrt_queue_create(nullptr, nullptr, &queue), "model is NULL");
  CHECK_OK(aclrt_queue_create(model, nullptr, &queue));
  aclrt_queue_info_t info{};
  CHECK_OK(aclrt_queue_info(queue, &info));
  CHECK_EQ(8u, info.depth);
  Feed good, bad;
  bad.in[0].nbytes = 12;
  const aclrt_submission_t both[] = {submission(good), submission(bad)};
  size_t accepted = 9;
  CHECK_FAILS(ACLRT_ERROR_INPUT, aclrt_queue_submit(queue, both, 2, &accepted), "16 bytes");
  CHECK_EQ(1u, accepted);
  CHECK_EQ(1u, Taken(queue).count);
  CHECK_FAILS(ACLRT_ERROR_INPUT, aclrt_queue_submit(nullptr, both, 2, &accepted), "queue is NULL");
  CHECK_FAILS(ACLRT_ERROR_INPUT, aclrt_queue_take(queue, nullptr, 1, 0, &accepted), "completions");
  aclrt_queue_release(queue);
  aclrt_queue_release(nullptr);
  aclrt_model_release(model);
  CHECK(toy.is_clean());
}

// Gears are set for each slot; sizes that only a run tells come with it.
void dynamic_shapes(const char *kind) {
  setenv("TOY_DYNAMIC", kind, 1);
  Flying at;
  const bool is_range = std::string(kind) == "range";
  float x[4][16];
  aclrt_buffer_t in[4], out[4][2] = {};
  aclrt_shape_t shapes[4][2];
  int64_t dims[4][2];
  for (int round = 0; round < 2; ++round) {
    for (size_t i = 0; i < kDepth; ++i) {
      const size_t batch = size_t{1} << i;
      std::fill_n(x[i], 16, static_cast<float>(i));
      dims[i][0] = static_cast<int64_t>(is_range ? 4 * batch : batch);
      dims[i][1] = 4;
      in[i] = {x[i], 16 * batch, nullptr};
      const aclrt_dims_t shape{dims[i], is_range ? 1u : 2u};
      const aclrt_submission_t one{&in[i], &shape, 1, out[i], 2, shapes[i], i, -1};
      size_t accepted = 0;
      CHECK_OK(aclrt_queue_submit(at.queue, &one, 1, &accepted));
      CHECK_EQ(1u, accepted);
    }
    for (size_t i = 0; i < kDepth; ++i) {
      CHECK_EQ(int{ACLRT_OUTCOME_DONE}, int{Taken(at.queue).it.outcome});
      CHECK_EQ(in[i].nbytes, out[i][0].nbytes);
      CHECK_EQ(static_cast<float>(i) + 1, static_cast<float *>(out[i][0].data)[0]);
      CHECK_EQ(dims[i][0], shapes[i][0].dims[0]);
      aclrt_data_release(out[i][0].data);
      out[i][0] = {};
    }
  }
  const aclrt_dims_t wrong{dims[0], is_range ? 2u : 1u};
  const aclrt_submission_t one{in, &wrong, 1, out[0], 2, nullptr, 0, -1};
  size_t accepted = 0;
  CHECK_FAILS(ACLRT_ERROR_INPUT, aclrt_queue_submit(at.queue, &one, 1, &accepted), "");
}

struct DeviceMemory {
  explicit DeviceMemory(int32_t device_id = 0) {
    CHECK_OK(aclrt_memory_alloc(device_id, 16, ACLRT_MEMORY_DEVICE, &handle));
    aclrt_memory_info_t info{};
    CHECK_OK(aclrt_memory_info(handle, &info));
    buffer = {info.data, info.nbytes, handle};
  }
  ~DeviceMemory() { aclrt_memory_release(handle); }
  void let_go() { aclrt_memory_release(std::exchange(handle, nullptr)); }
  aclrt_memory_t *handle = nullptr;
  aclrt_buffer_t buffer{};
};

// What is on the device is used where it is, and stays as long as the device has it: though the
// caller has released its handles and given the run up.
void memory_stays_while_the_device_has_it(aclrt_outcome_t outcome) {
  const bool is_late = outcome == ACLRT_OUTCOME_TIMED_OUT;
  Flying at;
  DeviceMemory x, y;
  Feed feed;
  feed.in[0] = x.buffer;
  feed.out[0] = y.buffer;
  at.hold(2, feed, 1, is_late ? 0 : -1);
  int32_t is_idle = 1;
  CHECK_OK(aclrt_memory_drain(x.handle, 0, &is_idle));
  CHECK_EQ(0, is_idle);
  x.let_go();
  y.let_go();
  if (outcome == ACLRT_OUTCOME_CANCELLED) CHECK_OK(aclrt_queue_cancel(at.queue, 1, nullptr));
  if (is_late) {
    CHECK_EQ(0, Taken(at.queue).it.is_final);
  }
  CHECK_EQ(0, at.toy.calls("aclrtFree"));
  at.toy.hold(0);
  while (finished(at.queue) == 0) std::this_thread::yield();
  CHECK_EQ(2, at.toy.calls("aclrtFree"));
  CHECK_EQ(0, at.toy.calls("aclrtMemcpy"));
  const Taken last(at.queue);
  CHECK_EQ(int{outcome}, int{last.it.outcome});
  CHECK_EQ(1, last.it.is_final);
}

// What has not begun lets go of its memory when it is given up.
void memory_of_runs_that_wait(bool closes) {
  Flying at;
  DeviceMemory x, y;
  Feed first, feed;
  feed.in[0] = x.buffer;
  feed.out[0] = y.buffer;
  at.hold(1, first);
  submit(at.queue, feed, 1);
  x.let_go();
  y.let_go();
  CHECK_EQ(0, at.toy.calls("aclrtFree"));
  std::thread closer;
  if (closes) {
    closer = std::thread([&] { CHECK_OK(aclrt_queue_close(at.queue)); });
  } else {
    CHECK_OK(aclrt_queue_cancel(at.queue, 1, nullptr));
    CHECK_EQ(2, at.toy.calls("aclrtFree"));
  }
  wait_for(at.toy, "aclrtFree", 2);
  at.toy.hold(0);
  if (closes) closer.join();
  CHECK_EQ(int{ACLRT_OUTCOME_CANCELLED}, int{Taken(at.queue).it.outcome});
  CHECK_EQ(int{ACLRT_OUTCOME_DONE}, int{Taken(at.queue).it.outcome});
}

// Before it enters: closed memory, memory of another device, buffers that do not lie in it.
void memory_that_is_refused() {
  Flying at;
  DeviceMemory x, far(1), closed;
  CHECK_OK(aclrt_memory_close(closed.handle));
  const auto refused = [&](aclrt_error_kind_t kind, const char *part, const aclrt_buffer_t &in,
                           const aclrt_buffer_t &out) {
    Feed feed;
    feed.in[0] = in;
    feed.out[0] = out;
    CHECK_FAILS(kind, try_submit(at.queue, feed), part);
  };
  const Feed host;
  aclrt_buffer_t beyond = x.buffer, small = x.buffer;
  beyond.data = static_cast<char *>(beyond.data) + 4;
  small.nbytes = 12;
  refused(ACLRT_ERROR_CLOSED, "closed", closed.buffer, host.out[0]);
  refused(ACLRT_ERROR_CLOSED, "closed", host.in[0], closed.buffer);
  refused(ACLRT_ERROR_INPUT, "on device 1, the model on device 0", far.buffer, host.out[0]);
  refused(ACLRT_ERROR_INPUT, "does not lie in its memory of 16 bytes", host.in[0], beyond);
  refused(ACLRT_ERROR_INPUT, "16 bytes, a buffer of 12", small, host.out[0]);
  refused(ACLRT_ERROR_INPUT, "overlaps input", x.buffer, x.buffer);
  CHECK_OK(aclrt_memory_close(x.handle));  // nothing of it was kept
}

aclrt_binding_t *bind(aclrt_model_t *model, const Feed &feed) {
  aclrt_binding_t *binding = nullptr;
  CHECK_OK(aclrt_binding_create(model, feed.in, nullptr, 1, feed.out, 2, &binding));
  return binding;
}

// At once, though the run keeps the model to itself; not any more when it is over.
void a_bound_run_refuses_what_is_in_flight() {
  Flying at;
  Feed flown, feeder, own;
  feeder.in[0] = flown.out[0];
  aclrt_binding_t *same = bind(at.model, flown), *reads = bind(at.model, feeder);
  at.hold(2, flown);
  CHECK_FAILS(ACLRT_ERROR_INPUT, aclrt_binding_run(same), "in use by a run in flight");
  CHECK_FAILS(ACLRT_ERROR_INPUT, aclrt_binding_run(reads), "a run in flight writes its output to");
  at.toy.hold(0);
  CHECK_EQ(int{ACLRT_OUTCOME_DONE}, int{Taken(at.queue).it.outcome});
  CHECK_OK(aclrt_binding_run(same));
  // Queues come and go beside a bound run.
  aclrt_binding_t *beside = bind(at.model, own);
  std::thread stepper([&] {
    for (int i = 0; i < 50; ++i) CHECK_OK(aclrt_binding_run(beside));
  });
  for (int i = 0; i < 5; ++i) {
    aclrt_queue_t *other = open_queue(at.model);
    submit(other, flown);
    Taken done(other);
    aclrt_queue_release(other);
  }
  stepper.join();
  CHECK_OK(aclrt_binding_run(reads));
  for (aclrt_binding_t *binding : {same, reads, beside}) aclrt_binding_release(binding);
}

void a_fork_may_use_nothing() {
  Flying at;
  const pid_t child = fork();
  if (child == 0) {
    Feed feed;
    CHECK_FAILS(ACLRT_ERROR_FORKED, try_submit(at.queue, feed), "fork");
    CHECK_FAILS(ACLRT_ERROR_FORKED, aclrt_queue_close(at.queue), "fork");
    aclrt_queue_release(at.queue);
    _exit(check::failures == 0 ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  CHECK_EQ(0, status);
}

}  // namespace

int main() {
  RUN_ON_TOY(runs_come_back_in_order);
  RUN_ON_TOY(steps_overlap, 1, "aclrtMemcpy", 1);
  RUN_ON_TOY(steps_overlap, 2, "aclrtMemcpy", 3);    // all inputs are there while one run executes
  RUN_ON_TOY(steps_overlap, 3, "aclmdlExecute", 3);  // all ran while the first is copied back
  RUN_ON_TOY(a_run_in_time_and_one_that_is_late);
  RUN_ON_TOY(cancelled_runs);
  RUN_ON_TOY(close_in_flight, false);
  RUN_ON_TOY(close_in_flight, true);
  RUN_ON_TOY(a_closed_model_fails_what_waits);
  RUN_ON_TOY(a_lost_device_fails_all_in_flight, "aclrtMemcpy", 1, 2);
  RUN_ON_TOY(a_lost_device_fails_all_in_flight, "aclmdlExecute", 2, 2);
  RUN_ON_TOY(every_call_fails_once);
  RUN_ON_TOY(wrong_arguments);
  RUN_ON_TOY(dynamic_shapes, "batch");
  RUN_ON_TOY(dynamic_shapes, "range");
  RUN_ON_TOY(memory_stays_while_the_device_has_it, ACLRT_OUTCOME_DONE);
  RUN_ON_TOY(memory_stays_while_the_device_has_it, ACLRT_OUTCOME_CANCELLED);
  RUN_ON_TOY(memory_stays_while_the_device_has_it, ACLRT_OUTCOME_TIMED_OUT);
  RUN_ON_TOY(memory_of_runs_that_wait, false);
  RUN_ON_TOY(memory_of_runs_that_wait, true);
  RUN_ON_TOY(memory_that_is_refused);
  RUN_ON_TOY(a_bound_run_refuses_what_is_in_flight);
  RUN_ON_TOY(a_fork_may_use_nothing);
  return check::result();
}
