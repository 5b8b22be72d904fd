// SPDX-License-Identifier: MIT
// Not API: the threads that wait for a counter.
#pragma once

#include <cstdint>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// A thread that waits for a count of `mark`, in a frame of its stack.
template <class Sync>
struct Waiter {
  explicit Waiter(std::int64_t at_least) : mark(at_least) {}

  const std::int64_t mark;
  bool reached = false;
  Waiter* next = nullptr;
  typename Sync::condition_variable ready;
};

/// Waiters in the order of their marks. Guarded by the lock of the audience that they are in.
template <class Sync>
class Waiters {
 public:
  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
  [[nodiscard]] std::int64_t lowest_mark() const noexcept { return first_->mark; }

  void insert(Waiter<Sync>& waiter) noexcept {
    Waiter<Sync>** place = &first_;
    while (*place != nullptr && (*place)->mark <= waiter.mark) place = &(*place)->next;
    waiter.next = *place;
    *place = &waiter;
  }

  void remove(Waiter<Sync>& waiter) noexcept {
    Waiter<Sync>** place = &first_;
    while (*place != &waiter) place = &(*place)->next;
    *place = waiter.next;
  }

  /// Removes and wakes all whose mark `now` reaches; none leaves its frame before the lock is
  /// released. Returns whether there was one.
  bool wake(std::int64_t now) {
    bool woken = false;
    for (; first_ != nullptr && first_->mark <= now; first_ = first_->next) {
      first_->reached = woken = true;
      first_->ready.notify_all();
    }
    return woken;
  }

 private:
  Waiter<Sync>* first_ = nullptr;
};

}  // namespace xofn::detail
