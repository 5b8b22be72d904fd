// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <xofn/sync.hpp>

namespace support {

/// StdSync, but a test can tell whether threads take locks, sleep and are woken.
struct SpySync : xofn::StdSync {
  /// Threads that sleep, or are about to with the lock still held.
  static inline std::atomic<int> asleep{0};
  /// How often a condition variable was notified.
  static inline std::atomic<int> notified{0};
  /// How often a lock was taken, other than to go on after a sleep.
  static inline std::atomic<int> locked{0};

  class CountedLock : public std::unique_lock<std::mutex> {
   public:
    explicit CountedLock(std::mutex& m) : std::unique_lock<std::mutex>(m) { ++locked; }
  };
  using lock = CountedLock;

  class condition_variable {
   public:
    void wait(lock& guard) {
      const Asleep sleeper;
      cv_.wait(guard);
    }
    template <class TimePoint>
    std::cv_status wait_until(lock& guard, const TimePoint& until) {
      const Asleep sleeper;
      return cv_.wait_until(guard, until);
    }
    void notify_one() {
      ++notified;
      cv_.notify_one();
    }
    void notify_all() {
      ++notified;
      cv_.notify_all();
    }

   private:
    struct Asleep {
      Asleep() { ++asleep; }
      Asleep(const Asleep&) = delete;
      Asleep& operator=(const Asleep&) = delete;
      ~Asleep() { --asleep; }
    };
    std::condition_variable cv_;
  };
};

}  // namespace support
