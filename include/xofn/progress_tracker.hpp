// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <xofn/delivery/activity.hpp>
#include <xofn/delivery/callback_error.hpp>
#include <xofn/delivery/deliveries.hpp>
#include <xofn/delivery/delivery.hpp>
#include <xofn/delivery/progress.hpp>
#include <xofn/delivery/progress_callback.hpp>
#include <xofn/delivery/snapshot.hpp>
#include <xofn/delivery/tally.hpp>
#include <xofn/sync.hpp>

namespace xofn {

/// X of N for threads that are not ours: an OpenMP loop, a TBB arena, threads of your own.
///
/// It requires that the callbacks are registered before the first update, and that no thread is
/// inside it when it is destroyed; a thread whose update was counted before `wait()` returned is
/// not.
///
/// It guarantees what a batch does: every step told once and in order, or the latest state; calls
/// of one callback never overlap; what the threads did before their updates is visible to the
/// callback that tells them; the final state is told before `wait()` returns, and nothing after. It
/// ends when the last item of the total settles, once and for all.
///
///     ProgressTracker tracker{files.size()};
///     tracker.on_progress([](const Progress& p) { std::cout << p << '\n'; });
///     #pragma omp parallel for
///     for (int i = 0; i < n; ++i) { convert(files[i]); tracker.succeed(); }
///     tracker.wait();
template <class Sync = StdSync>
class BasicProgressTracker final : private detail::ProgressSource {
 public:
  /// A tracker of `total` items, which has begun. Above 2^63 - 1 throws std::invalid_argument.
  explicit BasicProgressTracker(std::uint64_t total) : tally_(total) {}

  BasicProgressTracker(const BasicProgressTracker&) = delete;
  BasicProgressTracker& operator=(const BasicProgressTracker&) = delete;

  /// Ends deliveries where they are. What `wait()` has not waited for may stay untold.
  ~BasicProgressTracker() = default;

  /// Registers a callback; chainable. `every()` is told on the threads that update, one at a time;
  /// `latest()` on a thread that the first update starts or, if there is none to be had, as
  /// `on_caller()`. Throws std::logic_error after the first update.
  template <class F>
  BasicProgressTracker& on_progress(F&& callback, Delivery delivery = Delivery::every()) {
    auto subscription = detail::make_subscription(std::forward<F>(callback), delivery);
    const typename Sync::lock guard(start_mutex_);
    if (started_.load()) {
      throw std::logic_error("xofn: ProgressTracker::on_progress: after the first update");
    }
    subscriptions_.push_back(std::move(subscription));
    return *this;
  }

  /// Counts `n` items that succeeded, from any thread. Beyond the total throws std::out_of_range,
  /// and nothing is counted.
  ///
  /// Memory ordering: what the thread did before is visible to the callback that tells these items,
  /// to who reads them in progress(), and after wait().
  void succeed(std::uint64_t n = 1) {
    if (n == 0) return;
    start();
    tally_.succeed(n);
    flush(n);
  }

  /// The same for items that failed: they are completed too.
  void fail(std::uint64_t n = 1) {
    if (n == 0) return;
    start();
    tally_.fail(n);
    flush(n);
  }

  /// Adds `n` items to the total, from any thread. Throws std::logic_error once the tracker has
  /// ended, std::invalid_argument if the total would pass 2^63 - 1; then nothing is added.
  void add_total(std::uint64_t n) {
    start();
    tally_.grow(n);
  }

  /// Settles all items that are left as cancelled, from any thread, which ends the tracker: later
  /// updates throw. Does nothing afterwards. Memory ordering: as succeed().
  void cancel_rest() {
    start();
    end_if_empty();
    if (const std::uint64_t cancelled = tally_.cancel_rest()) flush(cancelled);
  }

  /// The state now; from any thread, without a lock. `running` is not known here and is 0.
  [[nodiscard]] Progress progress() const noexcept { return snapshot(); }

  /// Returns once all items have settled, the final state has been told and every callback has
  /// returned. Tells `on_caller()` callbacks meanwhile. From any thread, any number of times; from
  /// a callback of this tracker it throws std::system_error (resource_deadlock_would_occur).
  void wait() {
    detail::Inside<Sync>::check_may_wait_for(*activity_);
    start();
    end_if_empty();
    for (;;) {
      const auto seen = deliveries_.bell().rings();
      const auto next = deliveries_.poll_caller();
      if (deliveries_.ended()) return;
      deliveries_.bell().sleep(seen, next);
    }
  }

  /// Tells `on_caller()` callbacks what is pending, from any thread, and returns; at once where
  /// another thread is telling them.
  void pump() {
    start();
    end_if_empty();
    deliveries_.poll_caller();
  }

  /// What callbacks threw so far.
  [[nodiscard]] CallbackError callback_error() const { return deliveries_.callback_error(); }

 private:
  /// Fixes the callbacks at the first use.
  void start() {
    // acquire: the deliveries; pairs with the release below
    if (started_.load(std::memory_order_acquire)) return;
    const typename Sync::lock guard(start_mutex_);
    if (started_.load()) return;
    const Progress start = snapshot();
    deliveries_.subscribe(subscriptions_, start);
    try {
      deliveries_.start();
      deliveries_.begin();
    } catch (const std::system_error&) {
      deliveries_.do_without_helper(subscriptions_, start);
    }
    started_.store(true, std::memory_order_release);
  }

  void end_if_empty() {
    if (tally_.end_if_empty()) flush(1);
  }

  /// Flushes are weighed by their items. When all items have been answered for, no thread is on its
  /// way to flush, and the deliverer is the last one out.
  void flush(std::uint64_t n) {
    deliveries_.announce([this] { return tally_.has_ended(); });
    bool last = false;
    deliveries_.flush(n, [&](std::uint64_t answered, auto& every, auto& errors) {
      answered_ += answered;
      const Progress now = snapshot();
      if (!every.empty()) every.advance(now, errors);
      last = detail::is_final(now) && answered_ >= now.total;
    });
    if (last) deliveries_.end();
  }

  [[nodiscard]] Progress snapshot() const noexcept override { return tally_.snapshot(); }

  detail::Tally<Sync> tally_;
  std::uint64_t answered_ = 0;  // the deliverer's
  typename Sync::mutex start_mutex_;
  typename Sync::template atomic<bool> started_{false};
  detail::Subscriptions subscriptions_;
  const std::shared_ptr<detail::Activity<Sync>> activity_ =
      std::make_shared<detail::Activity<Sync>>(detail::Inside<Sync>::current());
  detail::Deliveries<Sync> deliveries_{*this, *activity_};
};

using ProgressTracker = BasicProgressTracker<>;

}  // namespace xofn
