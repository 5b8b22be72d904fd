// SPDX-License-Identifier: MIT
// Not API: where a thread sleeps until there is news.
#pragma once

#include <atomic>
#include <cstdint>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// A bell that costs whoever rings it two operations while nobody sleeps.
///
/// A sleeper notes `rings()`, looks for news, and sleeps only while that number stands. A bell may
/// be destroyed once a thread has seen it closed; what `close()` does is its caller's last touch.
///
/// Memory ordering: what a thread did before ring() or close() is visible to a thread whose sleep()
/// it ended, or that sees closed().
template <class Sync = StdSync>
class Bell {
 public:
  using time_point = typename Sync::clock::time_point;

  /// Store/load pair with sleep(): the ringer adds a ring and then looks for sleepers, a sleeper
  /// announces itself and then looks for rings. All four are seq_cst, so that at least one of the
  /// two sees the other.
  void ring() {
    rings_.fetch_add(1);
    if (sleepers_.load() == 0) return;
    const typename Sync::lock guard(mutex_);
    wake_.notify_all();
  }

  void close() {
    const typename Sync::lock guard(mutex_);
    closed_ = true;
    rings_.fetch_add(1);
    wake_.notify_all();
  }

  [[nodiscard]] bool closed() const {
    const typename Sync::lock guard(mutex_);
    return closed_;
  }

  [[nodiscard]] std::uint64_t rings() const noexcept { return rings_.load(); }

  /// Returns at `until`, or once the bell has been rung more than `seen` times. Stays awake for the
  /// first moments, in which a ring costs the ringer less and comes through sooner.
  void sleep(std::uint64_t seen, time_point until) {
    for (int looks = Sync::looks_before_sleep; looks != 0; --looks) {
      if (rings_.load() != seen) return;
      Sync::cpu_relax();
    }
    typename Sync::lock guard(mutex_);
    sleepers_.fetch_add(1);
    while (rings_.load() == seen) {
      if (until == time_point::max()) {
        wake_.wait(guard);
      } else if (Sync::clock::now() < until) {
        wake_.wait_until(guard, until);
      } else {
        break;
      }
    }
    // relaxed: a ringer that still sees this sleeper notifies in vain
    sleepers_.fetch_sub(1, std::memory_order_relaxed);
  }

 private:
  mutable typename Sync::mutex mutex_;
  typename Sync::condition_variable wake_;
  typename Sync::template atomic<std::uint64_t> rings_{0};
  typename Sync::template atomic<std::uint32_t> sleepers_{0};
  bool closed_ = false;
};

}  // namespace xofn::detail
