// SPDX-License-Identifier: Apache-2.0
#include "fake/device_engine.h"

namespace aclfake {

DeviceEngine::Turn::Turn(DeviceEngine &engine) : engine_(engine) {
  std::unique_lock<std::mutex> lock(engine_.mutex_);
  const uint64_t mine = engine_.next_++;
  engine_.changed_.wait(lock, [&] { return engine_.serving_ == mine && engine_.free_ > 0; });
  lane_ = &*std::find_if(engine_.lanes_.begin(), engine_.lanes_.end(),
                         [](const Lane &lane) { return !lane.taken; });
  lane_->taken = true;
  ++engine_.serving_;
  // Who is next may have asked already, and another lane may be free.
  if (--engine_.free_ > 0 && engine_.next_ != engine_.serving_) engine_.changed_.notify_all();
}

DeviceEngine::Turn::~Turn() {
  {
    std::lock_guard<std::mutex> lock(engine_.mutex_);
    lane_->taken = false;
    ++engine_.free_;
  }
  engine_.changed_.notify_all();
}

DeviceEngine::Ending::~Ending() {
  const Clock::time_point now = Clock::now();
  const Clock::time_point end = std::max(planned, begun + (now - really_begun));
  if (now < end) wait_until(end);
  lane.busy_until = end;
  if (time != nullptr) *time = end;
}

}  // namespace aclfake
