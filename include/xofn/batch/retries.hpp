// SPDX-License-Identifier: MIT
// Not API: which items of a batch are tried again, and which of them wait for it.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <unordered_map>
#include <utility>
#include <vector>
#include <xofn/batch/backoff.hpp>
#include <xofn/batch/item_run.hpp>
#include <xofn/batch/retry_policy.hpp>
#include <xofn/delivery/callback_error.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// An item that never failed leaves nothing here, and asks no more than one word of it.
template <class Sync = StdSync>
class Retries {
 public:
  using time_point = typename Sync::clock::time_point;

  /// What is kept of an item that was tried again, also once it has settled.
  struct Item {
    std::uint32_t retries = 0;  ///< how often it was put back
    std::exception_ptr error;   ///< what the last attempt failed with after which it was
  };
  using Items = std::unordered_map<std::uint64_t, Item>;

  /// `policy` must outlive this.
  explicit Retries(const RetryPolicy& policy) : policy_(policy), backoff_(policy.backoff, seed()) {}

  /// How often item `i` has been put back, to its worker and to whoever has learnt that it settled.
  [[nodiscard]] std::uint32_t of(std::uint64_t i) const {
    // relaxed: the bit was set before the item was put back
    if ((word(i).load(std::memory_order_relaxed) & bit(i)) == 0) return 0;
    const typename Sync::lock guard(mutex_);
    const auto item = items_.find(i);
    return item == items_.end() ? 0 : item->second.retries;
  }

  /// Whether an item that has failed its `attempt`-th time is to be tried again. Asks the user.
  [[nodiscard]] bool wants(std::uint32_t attempt, const std::exception_ptr& error,
                           ErrorSink& errors) const {
    if (attempt >= policy_.max_attempts) return false;
    if (!policy_.retry_if) return true;
    try {
      return policy_.retry_if(error);
    } catch (...) {
      if (std::current_exception() != error) errors.keep(std::current_exception());
      return false;
    }
  }

  /// Item `i` has failed and is going to be put back; returns how long it is to wait. Throws
  /// std::bad_alloc.
  [[nodiscard]] std::chrono::nanoseconds keep(std::uint64_t i, std::exception_ptr error) {
    const typename Sync::lock guard(mutex_);
    Item& item = items_[i];
    std::swap(item.error, error);  // what it held ends without the lock
    // relaxed: whoever is given the item learns of it with the item
    word(i).fetch_or(bit(i), std::memory_order_relaxed);
    return backoff_.before(++item.retries);
  }

  /// It could not be put back.
  void undo(std::uint64_t i) {
    const typename Sync::lock guard(mutex_);
    --items_[i].retries;
  }

  /// Has item `i` wait until `due`. Calls `count()` before anyone finds it there; throws
  /// std::bad_alloc only before. Returns whether no other is due earlier.
  template <class Count>
  bool wait(std::uint64_t i, time_point due, Count count) {
    const typename Sync::lock guard(mutex_);
    waiting_.reserve(waiting_.size() + 1);
    count();
    waiting_.push_back({due, i});
    std::push_heap(waiting_.begin(), waiting_.end(), std::greater<>());
    number_waiting_.fetch_add(1);
    return waiting_.front().index == i;
  }

  [[nodiscard]] std::uint64_t waiting() const noexcept { return number_waiting_.load(); }

  /// When the first of those that wait is due.
  [[nodiscard]] time_point next_due() const {
    const typename Sync::lock guard(mutex_);
    return waiting_.empty() ? time_point::max() : waiting_.front().due;
  }

  /// Takes those of the first `most` that are due: `put(run)` for each, which must be somewhere
  /// else before it is no longer here.
  template <class Put>
  void take_due(time_point now, std::uint64_t most, Put put) {
    const typename Sync::lock guard(mutex_);
    for (; most != 0 && !waiting_.empty() && waiting_.front().due <= now; --most) {
      put(ItemRun{waiting_.front().index, 1});
      std::pop_heap(waiting_.begin(), waiting_.end(), std::greater<>());
      waiting_.pop_back();
      number_waiting_.fetch_sub(1);
    }
  }

  /// Takes all that wait, each once, whoever takes: `take(run)` for each.
  template <class Take>
  void take_all(Take take) {
    std::vector<Waiting> waiting;
    {
      const typename Sync::lock guard(mutex_);
      waiting.swap(waiting_);
    }
    for (const Waiting& item : waiting) take(ItemRun{item.index, 1});
    number_waiting_.fetch_sub(waiting.size());
  }

  /// What is kept of the items, once all have settled.
  [[nodiscard]] const Items& items() const noexcept { return items_; }

 private:
  struct Waiting {
    time_point due;
    std::uint64_t index;
    friend bool operator>(const Waiting& a, const Waiting& b) { return a.due > b.due; }
  };

  using Word = typename Sync::template atomic<std::uint64_t>;

  /// Different for batches that begin at different times or on different threads.
  static std::uint64_t seed() noexcept {
    return static_cast<std::uint64_t>(Sync::clock::now().time_since_epoch().count()) ^
           static_cast<std::uint64_t>(Sync::thread_slot()) << 48;
  }

  [[nodiscard]] const Word& word(std::uint64_t i) const { return seen_[i / 64 % seen_.size()]; }
  [[nodiscard]] Word& word(std::uint64_t i) { return seen_[i / 64 % seen_.size()]; }
  static std::uint64_t bit(std::uint64_t i) noexcept { return std::uint64_t{1} << i % 64; }

  const RetryPolicy& policy_;
  std::array<Word, 64> seen_{};  // a bit for each item kept, shared by those 4,096 apart
  mutable typename Sync::mutex mutex_;
  Backoff backoff_;
  Items items_;
  std::vector<Waiting> waiting_;  // a heap, the first due in front
  Word number_waiting_{0};
};

}  // namespace xofn::detail
