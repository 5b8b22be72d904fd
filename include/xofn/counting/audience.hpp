// SPDX-License-Identifier: MIT
// Not API: the threads that wait for a counter and the functions that are told of its changes.
#pragma once

#include <cassert>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <version>
#include <xofn/cache_line.hpp>
#include <xofn/counting/subscriber.hpp>
#include <xofn/counting/waiters.hpp>
#include <xofn/sync.hpp>
#ifdef __cpp_lib_jthread
#include <stop_token>
#endif

namespace xofn::detail {

/// All who care about one counter at a time.
///
/// A thread that counts looks at its counter's audience after it has counted, when another may have
/// seen the count and destroyed the counter already. So an audience is no part of the counter: it
/// lives for ever and is lent to one counter after the other (AudienceLoan). Each loan has a
/// number, by which a thread that comes too late is known.
///
/// Memory ordering: what a thread did before it changed the count is visible to the threads that
/// the change wakes and to the functions that are told of it.
template <class Sync>
class alignas(cache_line_size) Audience {
 public:
  /// The number of the present loan.
  [[nodiscard]] std::uint64_t loan() const noexcept { return loan_; }

  /// From now on those who come from the present loan are turned away.
  void end_loan() {
    const Lock guard(mutex_);
    ++loan_;
    assert(waiters_.empty() && subscribers_ == nullptr);  // they would care for the next counter
  }

  /// Whether anybody cares for a count of `now`: one load of a word that is hardly ever written.
  ///
  /// Store/load pair with publish(): a thread that counts changes the count and then loads the
  /// lowest mark; one that waits or subscribes stores the lowest mark and then loads the count. All
  /// four are seq_cst (or the count's two are under the count's lock), so that at least one of the
  /// threads sees the other. Were one of them weaker, both could miss, and a wait never end.
  [[nodiscard]] bool cares_for(std::int64_t now) const noexcept { return now >= lowest_.load(); }

  /// Wakes all who wait for `now` or less, and tells all subscribers that there is a change.
  void announce(std::uint64_t loan, std::int64_t now) {
    Lock guard(mutex_);
    if (loan != loan_) return;
    if (waiters_.wake(now)) publish();
    for (auto* s = subscribers_; s != nullptr; s = s->next) s->untold = true;
    while (Subscriber<Sync>* s = next_untold(loan)) tell(*s, guard);
  }

  /// Returns once the count has reached `mark`.
  template <class Cell>
  void wait(const Cell& cell, std::int64_t mark) {
    wait_with(cell, mark, [](Waiter<Sync>& waiter, Lock& guard) {
      while (!waiter.reached) waiter.ready.wait(guard);
    });
  }

  /// The same until `deadline`: whether the count has reached `mark`.
  template <class Cell>
  bool wait(const Cell& cell, std::int64_t mark, typename Sync::clock::time_point deadline) {
    return wait_with(cell, mark, [&](Waiter<Sync>& waiter, Lock& guard) {
      while (!waiter.reached && Sync::clock::now() < deadline) {
        waiter.ready.wait_until(guard, deadline);
      }
    });
  }

#ifdef __cpp_lib_jthread
  /// The same until a stop is requested.
  template <class Cell>
  bool wait(const Cell& cell, std::int64_t mark, const std::stop_token& token) {
    return wait_with(cell, mark, [&](Waiter<Sync>& waiter, Lock& guard) {
      bool stopped = false;
      guard.unlock();  // a stop callback takes the lock; it may run while built or destroyed
      {
        const std::stop_callback on_stop(token, [&] {
          const Lock stop_guard(mutex_);
          stopped = true;
          waiter.ready.notify_all();
        });
        guard.lock();
        while (!waiter.reached && !stopped) waiter.ready.wait(guard);
        guard.unlock();
      }
      guard.lock();
    });
  }
#endif

  void subscribe(Subscriber<Sync>& subscriber) {
    const Lock guard(mutex_);
    subscriber.next = subscribers_;
    subscribers_ = &subscriber;
    publish();
  }

  /// Returns when no call runs and none will follow. Inside a call on this very thread it returns
  /// at once, and the subscriber lives until that call has returned.
  void unsubscribe(std::unique_ptr<Subscriber<Sync>> subscriber) {
    Lock guard(mutex_);
    Subscriber<Sync>** place = &subscribers_;
    while (*place != subscriber.get()) place = &(*place)->next;
    *place = subscriber->next;
    publish();
    if (subscriber->telling && subscriber->teller == Sync::thread_slot()) {
      subscriber->abandoned = true;
      static_cast<void>(subscriber.release());
    } else {
      while (subscriber->telling) subscriber->ready.wait(guard);
    }
  }

  /// What the subscriber's function threw first, or null.
  [[nodiscard]] std::exception_ptr error(const Subscriber<Sync>& subscriber) {
    const Lock guard(mutex_);
    return subscriber.error;
  }

  Audience* next_free = nullptr;  ///< AudienceLoan's

 private:
  using Lock = typename Sync::lock;
  using Limits = std::numeric_limits<std::int64_t>;

  /// `sleep(waiter, guard)` returns when the waiter's mark is reached, or when it gives up.
  template <class Cell, class Sleep>
  bool wait_with(const Cell& cell, std::int64_t mark, Sleep sleep) {
    Waiter<Sync> waiter(mark);
    Lock guard(mutex_);
    waiters_.insert(waiter);
    publish();
    const bool was_reached = cell.value() >= mark;
    if (!was_reached) sleep(waiter, guard);
    if (waiter.reached) return true;
    waiters_.remove(waiter);
    publish();
    return was_reached;
  }

  /// Null also when the loan has ended, as it may have while the lock was not held.
  [[nodiscard]] Subscriber<Sync>* next_untold(std::uint64_t loan) const noexcept {
    Subscriber<Sync>* s = loan == loan_ ? subscribers_ : nullptr;
    while (s != nullptr && (!s->untold || s->telling)) s = s->next;
    return s;
  }

  /// Whoever finds a subscriber untold and nobody telling it does so, and the others leave it to
  /// them: calls are serial, nobody waits for one, and the last change is always told.
  void tell(Subscriber<Sync>& subscriber, Lock& guard) {
    subscriber.untold = false;
    subscriber.telling = true;
    subscriber.teller = Sync::thread_slot();
    guard.unlock();
    try {
      subscriber.tell();
    } catch (...) {
      const std::exception_ptr thrown = std::current_exception();  // outlives the lock
      guard.lock();
      if (!subscriber.error) subscriber.error = thrown;
      guard.unlock();
    }
    guard.lock();
    subscriber.telling = false;
    subscriber.ready.notify_all();
    if (!subscriber.abandoned) return;
    guard.unlock();
    std::unique_ptr<Subscriber<Sync>>(&subscriber).reset();
    guard.lock();
  }

  /// The other half of the pair that cares_for() explains.
  void publish() {
    lowest_.store(subscribers_ != nullptr ? Limits::min()
                  : waiters_.empty()      ? Limits::max()
                                          : waiters_.lowest_mark());
  }

  typename Sync::template atomic<std::int64_t> lowest_{Limits::max()};
  typename Sync::mutex mutex_;
  Waiters<Sync> waiters_;
  Subscriber<Sync>* subscribers_ = nullptr;
  std::uint64_t loan_ = 0;
};

}  // namespace xofn::detail
