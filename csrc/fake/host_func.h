// SPDX-License-Identifier: Apache-2.0
//
// aclrtLaunchHostFunc: functions that run on a thread of the runtime, one per context, while their
// stream waits. Client code runs with no lock held.
#ifndef ACLRT_FAKE_HOST_FUNC_H
#define ACLRT_FAKE_HOST_FUNC_H

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "acl/abi.h"
#include "fake/stream.h"

namespace aclfake {

class HostFuncThread : public std::enable_shared_from_this<HostFuncThread> {
 public:
  static std::shared_ptr<HostFuncThread> start();
  // Has function run on the thread; over when it has, or when the stream is dropped.
  Task task(aclrtHostFunc function, void *data);
  void stop();  // after what it is running

 private:
  struct Job {
    aclrtHostFunc function;
    void *data;
    bool done = false;
  };
  void work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Job>> jobs_;
  bool ending_ = false;
  std::thread thread_;
};

// 107011 if the stream is bound to callbacks of the other kind.
aclError launch_host_func(aclrtHostFunc function, void *data,
                          const std::shared_ptr<Stream> &stream);

}  // namespace aclfake

#endif
