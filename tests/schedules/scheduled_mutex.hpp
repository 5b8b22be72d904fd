// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "life.hpp"
#include "memory.hpp"
#include "sanitizers.hpp"
#include "scheduler.hpp"

namespace schedules {

/// A mutex. Locking is a point where another thread may go first; unlocking is none, since before
/// it the others can do nothing that they cannot do after it.
class ScheduledMutex {
 public:
  ScheduledMutex() noexcept = default;
  ScheduledMutex(const ScheduledMutex&) = delete;
  ScheduledMutex& operator=(const ScheduledMutex&) = delete;

  void lock();
  void unlock();

 private:
  friend class ScheduledConditionVariable;
  void take();
  /// One left locked by an execution that failed is free in the next.
  void forget_past();

  bool held_ = false;
  std::uint64_t execution_ = 0;
  View view_;
  Life life_;
};

/// Waiting may end for no reason, by choice. Which thread notify_one() wakes is a choice too.
class ScheduledConditionVariable {
 public:
  using Lock = std::unique_lock<ScheduledMutex>;

  ScheduledConditionVariable() noexcept = default;
  ScheduledConditionVariable(const ScheduledConditionVariable&) = delete;
  ScheduledConditionVariable& operator=(const ScheduledConditionVariable&) = delete;

  void wait(Lock& guard) { sleep(guard, Scheduler::never); }

  template <class Clock, class Duration>
  std::cv_status wait_until(Lock& guard, const std::chrono::time_point<Clock, Duration>& until) {
    const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(until.time_since_epoch());
    return sleep(guard, ns.count()) ? std::cv_status::no_timeout : std::cv_status::timeout;
  }

  void notify_one();
  void notify_all();

 private:
  struct Sleeper {
    unsigned thread;
    const bool* mutex_held;
    bool asleep = true;
    Sleeper* next = nullptr;
  };

  /// False if the time has come.
  bool sleep(Lock& guard, std::int64_t until);
  void wake(Sleeper& sleeper);

  Sleeper* first_ = nullptr;
  std::uint64_t execution_ = 0;
  Life life_;
};

}  // namespace schedules
