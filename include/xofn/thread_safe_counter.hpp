// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <version>
#include <xofn/cache_line.hpp>
#include <xofn/counting/atomic.hpp>
#include <xofn/counting/audience_loan.hpp>
#include <xofn/counting/mutex.hpp>
#include <xofn/counting/policy.hpp>
#include <xofn/counting/sharded.hpp>
#include <xofn/counting/subscriber.hpp>
#include <xofn/counting/subscription.hpp>
#include <xofn/counting/wrapping.hpp>
#include <xofn/sync.hpp>
#include <xofn/timeout.hpp>
#ifdef __cpp_lib_jthread
#include <stop_token>
#endif

namespace xofn {

/// A count that any number of threads change and read, and that one can wait for.
///
/// `Counting` is how the count is kept. Take `AtomicCounter`; `MutexCounter` does the same under a
/// lock. `ShardedCounter` scales to many threads that do little but count, and gives up for it what
/// needs one exact number: its `increment` and `decrement` return nothing, and there is no `wait`
/// and no `on_change`. A count has 64 bits and wraps around at both ends.
///
/// It requires that no thread begins a call once it is being destroyed, and that its subscriptions
/// are gone by then. A call that has brought the count to where another thread sees it, by `wait`
/// or `value`, may still be on its way out: the other may destroy the counter at once.
///
/// It guarantees that no change is lost, that the changes of an exact counter have one order in
/// which each returns the count that it made, and that a wait ends once the count has reached its
/// mark. Waits and subscriptions cost a change nothing while there are none. Only the constructor
/// of an exact counter and `on_change` may throw: std::bad_alloc.
///
///     xofn::AtomicCounter completed;
///     std::vector<std::jthread> workers;
///     for (int i = 0; i < 4; ++i) workers.emplace_back([&] { work(); completed.increment(); });
///     completed.wait(4);
///     std::cout << completed.value() << '\n';  // 4
template <CountingPolicy Counting = AtomicCounting, class Sync = StdSync>
class ThreadSafeCounter {
  static constexpr bool exact = ExactCountingPolicy<Counting>;
  using Cell = typename Counting::template cell<Sync>;

 public:
  using value_type = std::int64_t;
  using Subscription = BasicSubscription<Sync>;

  explicit ThreadSafeCounter(value_type initial = 0) : cell_(initial) {}
  ThreadSafeCounter(const ThreadSafeCounter&) = delete;
  ThreadSafeCounter& operator=(const ThreadSafeCounter&) = delete;

  /// Adds `n`, which may be negative, modulo 2^64; returns the new value.
  ///
  /// Memory ordering: what a thread did before it changed an exact counter is visible to every
  /// thread whose later change, value(), wait or on_change() function sees that change.
  value_type increment(value_type n = 1) requires exact {
    // The ticket is taken first: once the count is up, the counter may be gone.
    const auto audience = audience_.ticket();
    const value_type now = cell_.add(n);
    if (n != 0) audience.announce(now);
    return now;
  }

  /// Adds `n`, which may be negative, modulo 2^64.
  ///
  /// Memory ordering: none. A sharded count guards no other data.
  void increment(value_type n = 1) requires(!exact) { cell_.add(n); }

  /// Subtracts `n`; for the rest as increment().
  auto decrement(value_type n = 1) { return increment(detail::wrapping_negate(n)); }

  /// The count, which may be old by the time it is looked at. Of an exact counter it is the value
  /// at one moment within the call. Of a sharded counter it is a sum: while there are increments
  /// only, it lies between the values at the start and the end of the call and does not fall for
  /// one reader; it is exact once the threads that count are joined.
  [[nodiscard]] value_type value() const { return cell_.value(); }

  /// Sets the count to `to` and returns what it took. Of an exact counter that is the value
  /// replaced. A sharded counter is drained place by place: whatever other threads count meanwhile
  /// is either taken or left, never lost and never taken twice. Memory ordering: as increment().
  value_type reset(value_type to = 0) {
    if constexpr (exact) {
      const auto audience = audience_.ticket();
      const value_type before = cell_.reset(to);
      if (to != before) audience.announce(to);
      return before;
    } else {
      return cell_.reset(to);
    }
  }

  /// Returns once the count has reached `at_least`, even if it has fallen back since.
  ///
  /// Memory ordering: what threads did before they brought the count to `at_least` is visible after
  /// wait().
  void wait(value_type at_least) const requires exact {
    if (value() < at_least) audience_->wait(cell_, at_least);
  }

  /// The same for no longer than `timeout`: returns whether the count has reached `at_least`. With
  /// a timeout of zero or less it looks once. A timeout of more than a century is a century.
  template <class Rep, class Period>
  [[nodiscard]] bool wait_for(value_type at_least,
                              std::chrono::duration<Rep, Period> timeout) const requires exact {
    if (value() >= at_least) return true;
    const auto duration = detail::bounded(timeout);
    return duration.count() != 0 && audience_->wait(cell_, at_least, Sync::clock::now() + duration);
  }

#ifdef __cpp_lib_jthread
  /// The same until a stop is requested: returns whether the count has reached `at_least`.
  [[nodiscard]] bool wait(value_type at_least, const std::stop_token& token) const requires exact {
    return value() >= at_least || audience_->wait(cell_, at_least, token);
  }
#endif

  /// Has `f(value)` called after changes, for as long as the subscription lives.
  ///
  /// `f` gets the newest value, on one of the threads that change it, and no other waits for the
  /// call. Calls never overlap. Several changes may be told as one, the same value is not told
  /// twice in a row, and the last change is always told: at the latest when the calls that changed
  /// the count have returned. What `f` throws ends nothing: the subscription keeps the first. `f`
  /// may use the counter, also change it, and may end its own subscription. It may be called before
  /// on_change() has returned. Several subscriptions know nothing of each other.
  ///
  /// Memory ordering: what was done before a change is visible to the call that tells it, and what
  /// one call did is visible to the next.
  template <ChangeFunction F>
  [[nodiscard]] Subscription on_change(F f) const requires exact {
    using Subscriber = detail::SubscriberOf<Sync, Cell, F>;
    return Subscription(*audience_, std::make_unique<Subscriber>(cell_, std::move(f)));
  }

 private:
  struct Nobody {};
  using Audience = std::conditional_t<exact, detail::AudienceLoan<Sync>, Nobody>;

  [[no_unique_address]] const Audience audience_{};
  // On a line of its own: reading `audience_` must not cost a fetch of the line that all write.
  alignas(cache_line_size) Cell cell_;
};

using MutexCounter = ThreadSafeCounter<MutexCounting>;
using AtomicCounter = ThreadSafeCounter<AtomicCounting>;
using ShardedCounter = ThreadSafeCounter<ShardedCounting>;

}  // namespace xofn
