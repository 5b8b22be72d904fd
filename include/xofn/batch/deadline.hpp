// SPDX-License-Identifier: MIT
// Not API: how long a worker's item may take, and how it learns that its time is up.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <utility>
#include <version>
#include <xofn/batch/claiming.hpp>
#include <xofn/batch/task_context.hpp>
#include <xofn/cache_line.hpp>
#include <xofn/sync.hpp>

#ifdef __cpp_lib_jthread
#include <stop_token>
#endif

namespace xofn::detail {

/// One worker's: the attempt that it is at, since when, and whether its time is up. An attempt has
/// a token of its own, made when it asks for one.
template <class Sync = StdSync>
class alignas(cache_line_size) Deadline final : public StopSignal {
 public:
  using time_point = typename Sync::clock::time_point;
  using nanoseconds = std::chrono::nanoseconds;

  Deadline(const Claims<Sync>& claims, nanoseconds timeout) noexcept
      : claims_(claims), timeout_(timeout) {}

  /// The worker begins an attempt.
  void begin() noexcept {
    began_ = Sync::clock::now();
    runs_ = true;
    word_.store(static_cast<std::uint64_t>(began_.time_since_epoch().count()) << 2 | running);
  }

  /// Whether it has begun one and not ended it.
  [[nodiscard]] bool runs() const noexcept { return runs_; }

  /// It ends it; returns how long that took.
  nanoseconds end() noexcept {
    const nanoseconds took = Sync::clock::now() - began_;
    runs_ = false;
    word_.store(0);
#ifdef __cpp_lib_jthread
    // relaxed: who made it had the attempt's context, and is done with that
    if (has_source_.load(std::memory_order_relaxed)) {
      const typename Sync::lock guard(mutex_);
      source_ = std::stop_source(std::nostopstate);
      // relaxed: the worker's own from here on
      has_source_.store(false, std::memory_order_relaxed);
    }
#endif
    return took;
  }

  [[nodiscard]] bool is_late(nanoseconds took) const noexcept { return took >= timeout_; }

  /// Tells the attempt if its time is up. Returns when it will be, or the end of time.
  time_point expire(time_point now) {
    std::uint64_t word = word_.load();
    if (word == 0 || (word & late) != 0) return time_point::max();
    const time_point began{typename time_point::duration{static_cast<std::int64_t>(word >> 2)}};
    if (now - began < timeout_) return due(began);
    if (word_.compare_exchange_strong(word, word | late)) signal();
    return time_point::max();  // another attempt, if there is one, has begun after `now`
  }

  [[nodiscard]] bool stop_requested() const noexcept override {
    return claims_.stopped() || (word_.load() & late) != 0;
  }

#ifdef __cpp_lib_jthread
  /// Store/load pair with signal(): who asks for a token makes its source and then looks whether it
  /// is to stop; who stops it says so and then looks for a source.
  [[nodiscard]] std::stop_token stop_token() const override {
    const typename Sync::lock guard(mutex_);
    // relaxed: written under the lock
    if (!has_source_.load(std::memory_order_relaxed)) {
      source_ = std::stop_source();
      has_source_.store(true, std::memory_order_relaxed);
      if (stop_requested()) source_.request_stop();  // nobody can have asked to be called yet
    }
    return source_.get_token();
  }
#endif

  /// Has tokens learn that the attempt is to stop, if it is. Calls the user's callbacks.
  void signal() {
#ifdef __cpp_lib_jthread
    std::stop_source source(std::nostopstate);
    {
      const typename Sync::lock guard(mutex_);
      if (stop_requested()) source = source_;  // else it is another attempt's by now
    }
    source.request_stop();
#endif
  }

 private:
  static constexpr std::uint64_t running = 1;
  static constexpr std::uint64_t late = 2;

  [[nodiscard]] time_point due(time_point began) const noexcept {
    return time_point::max() - began > timeout_ ? began + timeout_ : time_point::max();
  }

  const Claims<Sync>& claims_;
  const nanoseconds timeout_;
  time_point began_{};  // the worker's, as the next
  bool runs_ = false;
  typename Sync::template atomic<std::uint64_t> word_{0};  // since when, whether late; 0: none
#ifdef __cpp_lib_jthread
  mutable typename Sync::mutex mutex_;
  mutable std::stop_source source_{std::nostopstate};
  mutable typename Sync::template atomic<bool> has_source_{false};
#endif
};

}  // namespace xofn::detail
