// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "gate.hpp"

namespace support {

/// Items that run to a number, which the test moves on. Each is told as it settles, since it takes
/// more than a microsecond.
class Steps {
 public:
  void allow(int items) {
    const std::lock_guard lock(mutex_);
    allowed_ = items;
    moved_.notify_all();
  }

  void operator()(int item) {
    work_for(std::chrono::microseconds{2});
    std::unique_lock lock(mutex_);
    if (!moved_.wait_for(lock, patience(), [&] { return item < allowed_; })) lost_patience = true;
  }

 private:
  std::mutex mutex_;
  std::condition_variable moved_;
  int allowed_ = 0;
};

}  // namespace support
