// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <utility>

#include "memory.hpp"
#include "scheduler.hpp"

namespace schedules {

/// Plain data, used by any thread at any time: that no two uses of it race is for the program to
/// see to, and is checked. By the thread sanitizer where there is one, and with weak memory by what
/// the threads know of each other.
template <class T>
class Data {
 public:
  Data() = default;
  explicit Data(T value) : value_(std::move(value)) {}

  [[nodiscard]] T read() const {
    if (is_checked()) {
      check_known(written_);
      touch(read_by_[scheduler().thread()]);
    }
    return value_;
  }

  void write(T value) {
    if (is_checked()) {
      check_known(written_);
      for (auto& place : read_by_) check_known(place);
      touch(written_);
    }
    value_ = std::move(value);
  }

  void add(T n) { write(static_cast<T>(read() + n)); }

 private:
  static Scheduler& scheduler() { return Scheduler::instance(); }
  static bool is_checked() { return scheduler().is_running() && scheduler().has_weak_memory(); }

  /// Whether the calling thread has learnt of all that was done to this place.
  static void check_known(Memory::Place& place) {
    Memory& memory = scheduler().memory();
    if (place.execution != memory.execution()) return;
    const auto newest =
        memory.choices(scheduler().view(), place.location, std::memory_order_relaxed);
    if (newest != 1) scheduler().fail("a data race");
  }

  static void touch(Memory::Place& place) {
    Memory& memory = scheduler().memory();
    const auto location = memory.locate(place, 0);
    memory.store(scheduler().view(), location, 0, std::memory_order_relaxed);
  }

  T value_{};
  mutable Memory::Place written_;
  mutable std::array<Memory::Place, Scheduler::most_threads> read_by_;
};

}  // namespace schedules
