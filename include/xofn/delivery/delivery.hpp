// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>

namespace xofn {

/// How a progress callback is told: every step or the latest state, and on which thread.
///
///     processor.on_progress(log_line);                   // each of 1, 2, ..., N
///     processor.on_progress(draw, Delivery::latest());   // at most every 50 ms
///     processor.on_progress(draw_clock, Delivery::latest().at_least_every(1s));
///     processor.on_progress(update_window, Delivery::latest(100ms).on_caller());
///
/// Whatever the delivery, calls of one callback never overlap, X never falls, the final state is
/// told exactly once, and all calls have returned before `run()` or `wait()` does. Callbacks of
/// equal delivery are called one after the other in the order of their registration.
class Delivery {
 public:
  /// One call for each X = 1, 2, ..., in this order, the last with the final state. A batch that
  /// ends short of N/N, or with N = 0, or an open one that is closed when all of its items have
  /// been told, makes one call more, with X as it is and the final state. Told on one of the
  /// batch's threads at a time; no other waits for it, so a slow callback slows one worker.
  [[nodiscard]] static constexpr Delivery every() noexcept { return Delivery{}; }

  /// The state at the start, then the newest state whenever it has changed, at least `interval`
  /// apart, and the final state at once. Told on a thread of its own, so that no worker waits.
  /// An interval below 100 us counts as 100 us; a negative one throws std::invalid_argument.
  [[nodiscard]] static constexpr Delivery latest(
      std::chrono::nanoseconds interval = std::chrono::milliseconds{50}) {
    if (interval.count() < 0) {
      throw std::invalid_argument("xofn: Delivery::latest: the interval is negative: " +
                                  std::to_string(interval.count()) + " ns");
    }
    Delivery delivery;
    delivery.interval_ = std::max(interval, shortest_interval);
    return delivery;
  }

  /// The same, with a heartbeat: also called when nothing has changed for `period`, so that clocks
  /// and rates move. A period below the interval counts as the interval; a negative one, and one
  /// for `every()`, throws std::invalid_argument.
  [[nodiscard]] constexpr Delivery at_least_every(std::chrono::nanoseconds period) const {
    if (period.count() < 0 || is_every()) {
      throw std::invalid_argument(
          "xofn: Delivery::at_least_every: " +
          (is_every() ? std::string("every() has no heartbeat")
                      : "the period is negative: " + std::to_string(period.count()) + " ns"));
    }
    Delivery delivery = *this;
    delivery.period_ = std::max(period, interval_);
    return delivery;
  }

  /// The same, but told on the thread that is inside `run()`, `wait()` or `pump()`. What happens
  /// meanwhile stays pending until there is one.
  [[nodiscard]] constexpr Delivery on_caller() const noexcept {
    Delivery delivery = *this;
    delivery.on_caller_ = true;
    return delivery;
  }

  [[nodiscard]] constexpr bool is_every() const noexcept { return interval_ == interval_.zero(); }
  [[nodiscard]] constexpr bool is_on_caller() const noexcept { return on_caller_; }

  /// The least time between two calls; zero for `every()`.
  [[nodiscard]] constexpr std::chrono::nanoseconds interval() const noexcept { return interval_; }

  /// The most time between two calls, but for the time that they take; zero without a heartbeat.
  [[nodiscard]] constexpr std::chrono::nanoseconds period() const noexcept { return period_; }

  friend constexpr bool operator==(const Delivery&, const Delivery&) = default;

 private:
  static constexpr std::chrono::nanoseconds shortest_interval = std::chrono::microseconds{100};

  constexpr Delivery() noexcept = default;

  std::chrono::nanoseconds interval_{0};
  std::chrono::nanoseconds period_{0};
  bool on_caller_ = false;
};

}  // namespace xofn
