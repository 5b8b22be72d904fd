// SPDX-License-Identifier: MIT
// Not API: the deadlines of a batch's workers.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <xofn/batch/claiming.hpp>
#include <xofn/batch/deadline.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// All attempts may take equally long: whoever looks at each worker once in that time meets every
/// deadline, and an item costs no wake-up of its own.
template <class Sync = StdSync>
class Deadlines {
 public:
  using time_point = typename Sync::clock::time_point;

  Deadlines(std::size_t workers, const Claims<Sync>& claims, std::chrono::nanoseconds timeout) {
    while (workers-- != 0) deadlines_.emplace_back(claims, timeout);
  }

  [[nodiscard]] Deadline<Sync>& of(std::size_t worker) noexcept { return deadlines_[worker]; }

  /// A worker begins an attempt. True if who meets the deadlines must be woken.
  ///
  /// Store/load pair with expire(): an attempt is announced before its worker looks for who sleeps
  /// without an end; who is about to says so and then looks for attempts. All are seq_cst.
  [[nodiscard]] bool begin(Deadline<Sync>& deadline) noexcept {
    deadline.begin();
    return asleep_.load() && asleep_.exchange(false);
  }

  /// Tells the attempts whose time is up. Returns when to come back at the latest.
  time_point expire() {
    const time_point next = look();
    if (next != time_point::max()) return next;
    asleep_.store(true);
    return look();
  }

  /// The batch has been cancelled: has tokens learn it.
  void signal() {
    for (Deadline<Sync>& deadline : deadlines_) deadline.signal();
  }

 private:
  time_point look() {
    const time_point now = Sync::clock::now();
    time_point next = time_point::max();
    for (Deadline<Sync>& deadline : deadlines_) next = std::min(next, deadline.expire(now));
    return next;
  }

  std::deque<Deadline<Sync>> deadlines_;
  typename Sync::template atomic<bool> asleep_{false};
};

}  // namespace xofn::detail
