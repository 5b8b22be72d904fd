// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "scheduled_atomic.hpp"
#include "scheduled_mutex.hpp"
#include "scheduler.hpp"

namespace schedules {

/// A thread that is joined when it is destroyed.
class ScheduledThread {
 public:
  ScheduledThread() noexcept = default;
  template <class F>
  explicit ScheduledThread(F f) {
    // std::function copies, so what may only be moved is shared
    auto shared = std::make_shared<F>(std::move(f));
    number_ = Scheduler::instance().start(
        std::make_unique<std::function<void()>>([shared = std::move(shared)] { (*shared)(); }));
  }
  ScheduledThread(ScheduledThread&& other) noexcept : number_(std::exchange(other.number_, none)) {}
  ScheduledThread& operator=(ScheduledThread&& other) noexcept {
    join();
    number_ = std::exchange(other.number_, none);
    return *this;
  }
  ~ScheduledThread() { join(); }

  void join() {
    if (number_ != none) Scheduler::instance().join(std::exchange(number_, none));
  }

  void detach() {
    Scheduler::instance().point("detach", nullptr);
    number_ = none;
  }

 private:
  static constexpr unsigned none = ~0U;
  unsigned number_ = none;
};

struct ScheduledClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<ScheduledClock>;
  static constexpr bool is_steady = true;

  /// No point at which others go: a reading tells nobody anything.
  static time_point now() noexcept {
    return time_point(duration(Scheduler::instance().read_clock()));
  }
};

/// The library's Sync, under the scheduler.
struct ScheduledSync {
  template <class T>
  using atomic = ScheduledAtomic<T>;
  using mutex = ScheduledMutex;
  using lock = std::unique_lock<mutex>;
  using condition_variable = ScheduledConditionVariable;
  using thread = ScheduledThread;
  using clock = ScheduledClock;
  using wall_clock = std::chrono::system_clock;

  [[nodiscard]] static std::uint64_t ticks() noexcept {
    return static_cast<std::uint64_t>(Scheduler::instance().now());
  }
  static constexpr std::uint64_t least_ticks_in_a_microsecond = 1000;

  [[nodiscard]] static std::size_t thread_slot() noexcept { return Scheduler::instance().thread(); }
  [[nodiscard]] static const void*& thread_pointer() noexcept {
    return Scheduler::instance().thread_pointer();
  }
  static void name_thread(const char*) noexcept {}
  static void bear_broken_pipes() noexcept {}
  static constexpr int looks_before_sleep = 0;
  static void cpu_relax() noexcept {}
  static void yield() noexcept { Scheduler::instance().yield(); }
  [[nodiscard]] static unsigned hardware_threads() noexcept { return 2; }
};

/// Plain code is no point at which others go: user code says where they may.
inline void here() { Scheduler::instance().point("here", nullptr); }

/// User code that takes this long.
inline void work_for(std::chrono::nanoseconds time) {
  Scheduler::instance().pass(time.count());
  here();
}

}  // namespace schedules
