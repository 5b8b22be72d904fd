// SPDX-License-Identifier: MIT
// Not API: the time since a batch or tracker began.
#pragma once

#include <chrono>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// A clock that is stopped once, by whoever first sees the end.
template <class Sync = StdSync>
class Stopwatch {
 public:
  /// Read it before the figures that it goes with: then no reading taken before the end is later
  /// than the one at which it stops.
  [[nodiscard]] std::chrono::nanoseconds elapsed() const noexcept {
    return Sync::clock::now() - start_;
  }

  /// Stops it, if it runs, and returns the time at which it was stopped. Call it having seen the
  /// end.
  std::chrono::nanoseconds stop() const noexcept {
    std::chrono::nanoseconds::rep stopped = stopped_.load();
    if (stopped == 0) {
      const auto now = elapsed().count();
      if (stopped_.compare_exchange_strong(stopped, now)) stopped = now;
    }
    return std::chrono::nanoseconds{stopped};
  }

 private:
  const typename Sync::clock::time_point start_ = Sync::clock::now();
  mutable typename Sync::template atomic<std::chrono::nanoseconds::rep> stopped_{0};
};

}  // namespace xofn::detail
