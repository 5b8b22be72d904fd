// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

#include "scale.hpp"

namespace support {

/// Yields until `condition()` holds; false when it never did.
template <class Condition>
[[nodiscard]] bool eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + patience();
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return !(lost_patience = true);
    std::this_thread::yield();
  }
  return true;
}

/// Keeps the calling thread busy, as work of this length would.
inline void work_for(std::chrono::nanoseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) {
  }
}

/// Holds threads back until it is opened. A wait that is never let through ends after a while and
/// is remembered, so that a library that hangs makes a test fail and not stand still.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    opened_.notify_all();
  }

  /// False when the gate was not opened in time.
  bool wait() {
    std::unique_lock lock(mutex_);
    if (opened_.wait_for(lock, patience(), [&] { return open_; })) return true;
    expired_ = lost_patience = true;
    return false;
  }

  [[nodiscard]] bool expired() const {
    const std::lock_guard lock(mutex_);
    return expired_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
  bool expired_ = false;
};

/// Lets `parties` threads through once all of them are inside at the same time.
class Rendezvous {
 public:
  explicit Rendezvous(std::size_t parties) : missing_(parties) {}

  /// False when the others did not come in time.
  bool arrive() {
    std::unique_lock lock(mutex_);
    if (missing_ > 0 && --missing_ == 0) complete_.notify_all();
    if (complete_.wait_for(lock, patience(), [&] { return missing_ == 0; })) return true;
    expired_ = lost_patience = true;
    return false;
  }

  [[nodiscard]] bool expired() const {
    const std::lock_guard lock(mutex_);
    return expired_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable complete_;
  std::size_t missing_;
  bool expired_ = false;
};

/// Starts `threads` threads, lets them go at once, and returns when all have run `body(number)`.
template <class Body>
void in_parallel(int threads, Body body) {
  Rendezvous start(static_cast<std::size_t>(threads));
  std::vector<std::thread> all;
  for (int number = 0; number < threads; ++number) {
    all.emplace_back([&, number] {
      start.arrive();
      body(number);
    });
  }
  for (std::thread& thread : all) thread.join();
}

}  // namespace support
