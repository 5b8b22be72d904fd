// SPDX-License-Identifier: MIT
// Not API: callbacks told on the thread that waits.
#pragma once

#include <atomic>
#include <cstdint>
#include <xofn/delivery/activity.hpp>
#include <xofn/delivery/bell.hpp>
#include <xofn/delivery/every_stream.hpp>
#include <xofn/delivery/latest_stream.hpp>
#include <xofn/delivery/progress_callback.hpp>
#include <xofn/delivery/snapshot.hpp>
#include <xofn/delivery/step_weights.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// The `on_caller()` callbacks of one batch or tracker. What there is to tell is pending until a
/// thread polls; of several threads that poll at once, one tells.
template <class Sync = StdSync>
class CallerDelivery {
 public:
  using time_point = typename Sync::clock::time_point;

  void add(const Subscription& subscription, const Progress& start) {
    any_ = true;
    if (subscription.delivery.is_every()) {
      every_.add(*subscription.callback);
    } else {
      latest_.add(subscription, start);
    }
  }

  /// Takes what steps weigh from `weights`.
  void weigh_by(const StepWeights& weights) noexcept { every_.weigh_by(weights); }

  void tell_newest_at_once() noexcept { every_.tell_newest_at_once(); }

  [[nodiscard]] bool any() const noexcept { return any_; }

  /// Whether someone is told every step, so that a waiting thread must be woken for each.
  [[nodiscard]] bool tells_every() const noexcept { return !every_.empty(); }

  /// Whether the final state has been told to all.
  [[nodiscard]] bool ended() const noexcept {
    // acquire: what the callbacks did; pairs with the release in poll()
    return !any_ || ended_.load(std::memory_order_acquire);
  }

  /// Tells what is due. Returns when to come back at the latest: to a thread that is turned away,
  /// because another polls, not before the bell has rung.
  time_point poll(const ProgressSource& source, Activity<Sync>& activity, ErrorSink& errors,
                  Bell<Sync>& bell) {
    // acquire: what the poll before did; pairs with the release below
    if (ended() || polls_.fetch_add(1, std::memory_order_acquire) != 0) return time_point::max();
    const time_point next = tell(source, activity, errors);
    // release: what this poll did; pairs with the acquire of the next
    const bool was_alone = polls_.exchange(0, std::memory_order_release) == 1;
    // This thread may have other things to do than to come back, or nothing more.
    if (!was_alone || ended()) bell.ring();
    return next;
  }

 private:
  time_point tell(const ProgressSource& source, Activity<Sync>& activity, ErrorSink& errors) {
    const Inside<Sync> inside(activity, UserCode::callback);
    if (!every_.empty()) {
      every_.look();
      every_.advance(source.snapshot(), errors);
    }
    const time_point next = latest_.poll(source, errors);
    if ((every_.empty() || every_.ended()) && latest_.ended()) {
      // release: what the callbacks did; pairs with the acquire in ended()
      ended_.store(true, std::memory_order_release);
    }
    return next;
  }

  EveryStream every_;
  LatestStreams<Sync> latest_;
  bool any_ = false;
  typename Sync::template atomic<std::uint32_t> polls_{0};  // at once; all but one turned away
  typename Sync::template atomic<bool> ended_{false};
};

}  // namespace xofn::detail
