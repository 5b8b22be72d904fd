// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <latch>
#include <limits>
#include <thread>
#include <utility>
#include <vector>

namespace support {

using Number = std::int64_t;
constexpr Number lowest = std::numeric_limits<Number>::min();
constexpr Number highest = std::numeric_limits<Number>::max();

/// Runs `work(0)` to `work(threads - 1)` on a thread each, all let go at the same moment, and joins
/// them.
template <class Work>
void on_threads(std::size_t threads, Work work) {
  std::latch gate(static_cast<std::ptrdiff_t>(threads));
  std::vector<std::thread> running;
  running.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i) {
    running.emplace_back([&, i] {
      gate.arrive_and_wait();
      work(i);
    });
  }
  for (std::thread& thread : running) thread.join();
}

/// A thread that is joined at the end of its scope.
class Thread {
 public:
  template <class Work>
  explicit Thread(Work work) : thread_(std::move(work)) {}
  Thread(Thread&&) = default;
  Thread& operator=(Thread&&) = delete;
  ~Thread() { join(); }

  void join() {
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::thread thread_;
};

/// Returns once `condition()` holds.
template <class Condition>
void until(Condition condition) {
  for (int looks = 0; !condition(); ++looks) {
    if (looks > 2'000) std::this_thread::yield();
  }
}

}  // namespace support
