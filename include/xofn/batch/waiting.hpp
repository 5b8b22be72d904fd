// SPDX-License-Identifier: MIT
// Not API: what a thread does while it waits for a batch.
#pragma once

#include <algorithm>
#include <chrono>
#include <xofn/batch/crew.hpp>
#include <xofn/delivery/deliveries.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// Returns true once all is told, false if it is `deadline` before. Meanwhile the calling thread
/// tells what waiting threads tell and, if it `works`, or the batch is left to those who wait,
/// works on it. Sleeps while there is nothing to do.
template <class Sync>
bool stay_until_told(Crew<Sync>& crew, Deliveries<Sync>& deliveries, bool works,
                     typename Sync::clock::time_point deadline = Sync::clock::time_point::max()) {
  const auto left = [deadline]() -> std::chrono::nanoseconds {
    if (deadline == Sync::clock::time_point::max()) return std::chrono::nanoseconds::max();
    return deadline - Sync::clock::now();
  };
  auto& bell = deliveries.bell();
  for (;;) {
    const auto seen = bell.rings();
    works = works || crew.is_left_to_waiters();
    if (works) {
      crew.help(left());
    } else {
      crew.finish_if_idle();
    }
    const auto next = deliveries.poll_caller();
    if (deliveries.ended()) return true;
    if (left().count() <= 0) return false;
    const auto sleep = [&] { bell.sleep(seen, std::min(next, deadline)); };
    if (works) {
      crew.idle(sleep);
    } else {
      sleep();
    }
  }
}

/// Returns true once `has_come()`, which is asked whenever something has settled or been told, and
/// false if all is told and it still has not. Meanwhile as stay_until_told(), but works no more
/// than a run of items at a time.
template <class Sync, class HasCome>
bool stay_until(Crew<Sync>& crew, Deliveries<Sync>& deliveries, bool works, HasCome has_come) {
  auto& bell = deliveries.bell();
  for (;;) {
    const auto seen = bell.rings();
    const auto next = deliveries.poll_caller();
    const bool ended = deliveries.ended();  // first: after that nothing more comes
    if (has_come()) return true;
    if (ended) return false;
    works = works || crew.is_left_to_waiters();
    const auto sleep = [&] { bell.sleep(seen, next); };
    if (works) {
      crew.help(std::chrono::nanoseconds{1}, false);
      crew.idle(sleep);
    } else {
      crew.finish_if_idle();
      sleep();
    }
  }
}

}  // namespace xofn::detail
