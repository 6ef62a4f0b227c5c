// SPDX-License-Identifier: Apache-2.0
//
// Models and devices through aclrt.h from many threads and after a fork, on the toy libraries.
#include <atomic>
#include <thread>

#include "shim_case.h"

namespace {

using shim::Feed;
using shim::load;
using shim::open_model;
using shim::Toy;

void eight_threads_share_one_model() {
  const Toy toy("fake");
  std::vector<std::thread> threads;
  aclrt_model_t *model = open_model();
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        Feed feed;
        feed.x[0] = static_cast<float>(t * 1000 + i);
        CHECK_OK(feed.run(model));
        CHECK_EQ(feed.x[0] + 1, feed.y[0]);
      }
    });
  }
  for (std::thread &thread : threads) thread.join();
  CHECK_EQ(0, toy.overlapped());
  aclrt_model_release(model);
  CHECK(toy.is_clean());
}

void threads_load_and_open_at_once() {
  const Toy toy("fake");
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 50; ++i) {
        aclrt_device_t *device = nullptr;
        CHECK_OK(aclrt_device_open((t + i) % 2, &device));
        aclrt_model_t *model = open_model();
        Feed feed;
        CHECK_OK(feed.run(model));
        aclrt_device_release(device);
        aclrt_model_release(model);
      }
    });
  }
  for (std::thread &thread : threads) thread.join();
  CHECK(toy.is_clean());
  CHECK_EQ(1, toy.calls("aclInit"));
}

void close_waits_for_the_run(bool shutdown) {
  const Toy toy("fake");
  aclrt_model_t *model = open_model();
  toy.execute_ms(200);
  std::atomic<bool> done{false};
  std::thread runner([&] {
    Feed feed;
    CHECK_OK(feed.run(model));
    CHECK_EQ(5.0f, feed.y[3]);
    done = true;
  });
  while (toy.calls("aclmdlExecute") == 0) std::this_thread::yield();
  if (shutdown) {
    aclrt_runtime_shutdown();
  } else {
    CHECK_OK(aclrt_model_close(model));
  }
  CHECK(toy.is_clean());
  runner.join();
  CHECK(done);
  aclrt_model_release(model);
}

void a_fork_may_use_nothing() {
  const Toy toy("fake");
  aclrt_model_t *model = open_model();
  toy.forget_calls();
  const pid_t child = fork();
  if (child == 0) {
    Feed feed;
    aclrt_model_t *other = nullptr;
    aclrt_runtime_info_t info{};
    aclrt_model_info_t model_info{};
    CHECK_FAILS(ACLRT_ERROR_FORKED, feed.run(model), "fork");
    CHECK_FAILS(ACLRT_ERROR_FORKED, load(&other), "fork");
    CHECK_FAILS(ACLRT_ERROR_FORKED, aclrt_runtime_info(&info), "fork");
    CHECK_FAILS(ACLRT_ERROR_FORKED, aclrt_model_info(model, &model_info), "fork");
    CHECK_FAILS(ACLRT_ERROR_FORKED, aclrt_model_close(model), "fork");
    aclrt_model_release(model);
    aclrt_runtime_shutdown();
    CHECK_EQ(0, toy.calls("aclmdlUnload") + toy.calls("aclrtFree") + toy.calls("aclFinalize"));
    _exit(check::failures == 0 ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  CHECK_EQ(0, status);
  Feed feed;
  CHECK_OK(feed.run(model));
  aclrt_model_release(model);
}

void a_fork_before_the_first_use_is_free() {
  CHECK_EQ(254u, aclrt_code_count());
  shim::run_case("  in the child", [] {
    setenv("ACLRT_LIBASCENDCL", shim::toy_path("fake").c_str(), 1);
    aclrt_model_release(open_model());
  });
}

}  // namespace

int main() {
  RUN_ON_TOY(eight_threads_share_one_model);
  RUN_ON_TOY(threads_load_and_open_at_once);
  RUN_ON_TOY(close_waits_for_the_run, false);
  RUN_ON_TOY(close_waits_for_the_run, true);
  RUN_ON_TOY(a_fork_may_use_nothing);
  shim::run_case("a_fork_before_the_first_use_is_free", a_fork_before_the_first_use_is_free);
  return check::result();
}
