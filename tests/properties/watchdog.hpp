// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <string>
#include <thread>

#include "../support/scale.hpp"

namespace properties {

/// Ends the program, and says in what, if a scenario does not end.
class Watchdog {
 public:
  Watchdog() : thread_([this] { watch(); }) {}
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  ~Watchdog() {
    {
      const std::lock_guard lock(mutex_);
      is_over_ = true;
      changed_.notify_all();
    }
    thread_.join();
  }

  void begin(std::string scenario) {
    const std::lock_guard lock(mutex_);
    scenario_ = std::move(scenario);
    ++number_;
  }

 private:
  void watch() {
    std::unique_lock lock(mutex_);
    for (;;) {
      const auto before = number_;
      if (changed_.wait_for(lock, 3 * support::patience(), [&] { return is_over_; })) return;
      if (number_ == before && number_ > 0) {
        std::cerr << "this does not end: " << scenario_ << std::endl;
        std::_Exit(3);
      }
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::string scenario_;
  unsigned long number_ = 0;
  bool is_over_ = false;
  std::thread thread_;
};

}  // namespace properties
