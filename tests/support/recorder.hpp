// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include <xofn/delivery/progress.hpp>

namespace support {

/// Marks one callback as running; `alone` is false when it was already.
///
/// relaxed throughout: an ordering here would hide from the thread sanitizer that the library
/// forgot its own.
class Inside {
 public:
  explicit Inside(std::atomic<bool>& busy)
      : alone(!busy.exchange(true, std::memory_order_relaxed)), busy_(busy) {}
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
  ~Inside() {
    if (alone) busy_.store(false, std::memory_order_relaxed);
  }

  const bool alone;

 private:
  std::atomic<bool>& busy_;
};

struct Call {
  xofn::Progress progress;
  std::thread::id thread;
  std::chrono::steady_clock::time_point at;
};

/// Keeps what one progress callback was told. The vector is guarded by nothing but the promise
/// that calls never overlap and each sees what the one before did; the thread sanitizer watches.
class Recorder {
 public:
  Recorder() = default;
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  void record(const xofn::Progress& progress) {
    const Inside inside(busy_);
    if (closed_.load(std::memory_order_relaxed)) late_.fetch_add(1, std::memory_order_relaxed);
    if (!inside.alone) {
      overlaps_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    calls_.push_back({progress, std::this_thread::get_id(), std::chrono::steady_clock::now()});
    told_.store(progress.completed(), std::memory_order_relaxed);
    state_.store(progress.state, std::memory_order_relaxed);
    made_.fetch_add(1, std::memory_order_relaxed);
  }

  [[nodiscard]] auto callback() {
    return [this](const xofn::Progress& progress) { record(progress); };
  }

  /// The batch will be paused; else it is wrong to tell that it is.
  void expect_pauses() { may_see_pauses_ = true; }
  [[nodiscard]] bool may_see_pauses() const { return may_see_pauses_; }

  /// The batch is an open one: when all has been told and it is closed, the end is told by itself.
  void expect_open_end() { may_see_open_end_ = true; }
  [[nodiscard]] bool may_see_open_end() const { return may_see_open_end_; }

  /// From here on every call is one too late.
  void close() { closed_.store(true, std::memory_order_relaxed); }

  /// The newest X and state told and the number of calls so far, for any thread.
  [[nodiscard]] std::uint64_t told() const { return told_.load(std::memory_order_relaxed); }
  [[nodiscard]] xofn::BatchState state() const { return state_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t made() const { return made_.load(std::memory_order_relaxed); }

  /// For the main thread, after the end.
  [[nodiscard]] const std::vector<Call>& calls() const { return calls_; }
  [[nodiscard]] int overlaps() const { return overlaps_.load(std::memory_order_relaxed); }
  [[nodiscard]] int late() const { return late_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::chrono::steady_clock::time_point since() const { return since_; }

  [[nodiscard]] bool only_on(std::thread::id thread) const {
    for (const Call& call : calls_) {
      if (call.thread != thread) return false;
    }
    return true;
  }

 private:
  std::vector<Call> calls_;
  bool may_see_pauses_ = false;
  bool may_see_open_end_ = false;
  const std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
  std::atomic<std::uint64_t> told_{0};
  std::atomic<xofn::BatchState> state_{xofn::BatchState::running};
  std::atomic<std::uint64_t> made_{0};
  std::atomic<bool> busy_{false};
  std::atomic<bool> closed_{false};
  std::atomic<int> overlaps_{0};
  std::atomic<int> late_{0};
};

}  // namespace support
