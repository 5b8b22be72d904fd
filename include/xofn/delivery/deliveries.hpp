// SPDX-License-Identifier: MIT
// Not API: all the deliveries of one batch or tracker.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <xofn/delivery/activity.hpp>
#include <xofn/delivery/bell.hpp>
#include <xofn/delivery/callback_error.hpp>
#include <xofn/delivery/caller_delivery.hpp>
#include <xofn/delivery/every_stream.hpp>
#include <xofn/delivery/helper_delivery.hpp>
#include <xofn/delivery/helper_thread.hpp>
#include <xofn/delivery/progress_callback.hpp>
#include <xofn/delivery/serial_delivery.hpp>
#include <xofn/delivery/snapshot.hpp>
#include <xofn/delivery/step_weights.hpp>
#include <xofn/delivery/timed_work.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// Tells the callbacks of one batch or tracker what its source shows.
///
/// The parts end one by one: the owner says `end()` when everything has settled and been flushed,
/// a helper thread when it has told the final state. The last of them closes the bell, and a
/// waiting thread is through when the bell is closed and the callers' callbacks have been told.
template <class Sync = StdSync>
class Deliveries {
 public:
  using time_point = typename Sync::clock::time_point;

  Deliveries(ProgressSource& source, Activity<Sync>& activity) noexcept
      : source_(source), activity_(activity) {}

  /// Takes the callbacks, which must outlive this. `start` is the state at the start.
  void subscribe(const Subscriptions& subscriptions, const Progress& start) {
    for (const Subscription& s : subscriptions) {
      if (s.delivery.is_on_caller()) {
        caller_.add(s, start);
      } else if (s.delivery.is_every()) {
        every_.add(*s.callback);
      } else {
        latest_.add(s, start);
      }
    }
  }

  /// Takes work that is to be done in time, and must outlive this.
  void serve(TimedWork<Sync>& work) noexcept { work_ = &work; }

  /// Has every step told as it is made, though it may be the last. Before the start.
  void tell_newest_at_once() noexcept {
    every_.tell_newest_at_once();
    caller_.tell_newest_at_once();
  }

  /// Takes what steps weigh, where they are told on a waiting thread, from `weights`. Before the
  /// start; ring_caller() when more are known.
  void weigh_by(const StepWeights& weights) noexcept { caller_.weigh_by(weights); }

  /// Starts a helper thread if a callback needs it, and one if timed work does, which no callback
  /// then holds up; throws std::system_error if they are not to be had. Nothing is told before
  /// `begin()`.
  void start() {
    try {
      if (latest_.any()) {
        start(helper_, [this] { return latest_.poll(source_, activity_, errors_); });
      }
      if (work_ != nullptr) start(timekeeper_, [this] { return do_timed_work(); });
    } catch (...) {
      stop();
      throw;
    }
  }

  /// After start() has thrown: has waiting threads do what helper threads would have done.
  void do_without_helper(const Subscriptions& subscriptions, const Progress& start) {
    for (const Subscription& s : subscriptions) {
      if (!s.delivery.is_on_caller() && !s.delivery.is_every()) caller_.add(s, start);
    }
    has_helper_ = false;
  }

  /// From now on there is something to tell. Any number of times, while the end is still put off.
  void begin() {
    if (latest_.begin()) helper_.ring();
  }

  /// Ends everything before anything has begun. Returns when nobody holds the end any more.
  void abandon() {
    stop();
    release();
    for (;;) {
      const auto seen = bell_.rings();
      if (bell_.closed()) return;
      bell_.sleep(seen, time_point::max());
    }
  }

  [[nodiscard]] bool tells_every() const noexcept { return !every_.empty(); }
  [[nodiscard]] const CallerDelivery<Sync>& caller() const noexcept { return caller_; }
  [[nodiscard]] Bell<Sync>& bell() noexcept { return bell_; }
  [[nodiscard]] CallbackError callback_error() const { return errors_.kept(); }
  [[nodiscard]] ErrorSink& errors() noexcept { return errors_; }

  /// Has every step told that the source shows now.
  void flush() {
    flush(1, [this](std::uint64_t, EveryStream& every, ErrorSink& errors) {
      if (!every.empty()) every.advance(source_.snapshot(), errors);
    });
  }

  /// The same by `deliver(answered, every, errors)`.
  template <class Deliver>
  void flush(std::uint64_t weight, Deliver deliver) {
    election_.flush(weight, [&](std::uint64_t answered) {
      const Inside<Sync> inside(activity_, UserCode::callback);
      deliver(answered, every_, errors_);
    });
  }

  /// Wakes a waiting thread if it is to be told every step. Before flush().
  void ring_caller() {
    if (caller_.tells_every()) bell_.ring();
  }

  /// Items have settled: wakes who is to be told that, whatever time it takes to tell every step.
  /// Before flush(). Of those that announce the last items at the same time, one sees them all.
  void announce() {
    announce([] { return true; });
  }

  /// The same where only a state for which `may_be_last()` can be the last, which is asked when
  /// what the others had settled is known.
  template <class MayBeLast>
  void announce(MayBeLast may_be_last) {
    ring_caller();
    if (!latest_.any() && !caller_.any()) return;
    announced_.fetch_add(1);  // whoever comes later learns what the others had settled
    if (may_be_last() && is_final(source_.snapshot())) wake();
  }

  /// The state may be another: has the helper threads look at once.
  void wake() {
    helper_.ring();
    timekeeper_.ring();
    if (caller_.any()) bell_.ring();
  }

  /// Timed work may be due sooner than it was.
  void wake_timed_work() {
    if (has_helper_) {
      timekeeper_.ring();
    } else {
      bell_.ring();
    }
  }

  /// Everything has settled and has been flushed. The last touch of its caller.
  void end() {
    wake();
    release();
  }

  /// Puts the end off until `release()`, which is then the last touch of its caller.
  void hold() noexcept { open_ends_.fetch_add(1); }

  void release() {
    if (open_ends_.fetch_sub(1) != 1) return;
    source_.all_told();
    bell_.close();
  }

  /// Tells what is due on a waiting thread. Returns when to come back at the latest.
  time_point poll_caller() {
    const time_point next = caller_.poll(source_, activity_, errors_, bell_);
    return has_helper_ || work_ == nullptr ? next : std::min(next, work_->serve());
  }

  /// Whether the final state has been told to all and every callback has returned.
  [[nodiscard]] bool ended() const { return caller_.ended() && bell_.closed(); }

 private:
  template <class Step>
  void start(HelperThread<Sync>& helper, Step step) {
    hold();
    try {
      helper.start(step, [this] { release(); });
    } catch (...) {
      open_ends_.fetch_sub(1);
      throw;
    }
  }

  void stop() {
    stop(helper_);
    stop(timekeeper_);
  }

  void stop(HelperThread<Sync>& helper) {
    if (helper.runs() && helper.stop()) open_ends_.fetch_sub(1);
  }

  std::optional<time_point> do_timed_work() {
    const time_point next = work_->serve();
    return is_final(source_.snapshot()) ? std::nullopt : std::optional{next};
  }

  ProgressSource& source_;
  Activity<Sync>& activity_;
  ErrorKeeper<Sync> errors_;
  SerialDelivery<Sync> election_;
  EveryStream every_;
  CallerDelivery<Sync> caller_;
  HelperDelivery<Sync> latest_;
  Bell<Sync> bell_;
  TimedWork<Sync>* work_ = nullptr;
  bool has_helper_ = true;  // or needs none
  typename Sync::template atomic<std::uint32_t> announced_{0};
  typename Sync::template atomic<std::uint32_t> open_ends_{1};
  // Last: their threads end first.
  HelperThread<Sync> helper_;
  HelperThread<Sync> timekeeper_;
};

}  // namespace xofn::detail
