// SPDX-License-Identifier: MIT
// Not API: the order in which items completed.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// Items `first`, `first + 1`, ... that one worker settled one after the other. Either all of them
/// succeeded, or it is one that failed, or all were cancelled.
struct CompletedItems {
  std::uint64_t first;
  std::uint64_t count;
  std::chrono::nanoseconds duration;  ///< of each, or their mean
  const std::exception_ptr* error;    ///< null if they succeeded
  CompletedItems* next;               ///< what completed after them
  bool cancelled = false;
};

/// A stack onto which workers push what they have settled, and which is taken as a whole.
///
/// Memory ordering: what a thread did before push() is visible to whoever takes what it pushed, and
/// what a thread did before take() is visible behind each push() whose items it did not take.
template <class Sync = StdSync>
class CompletionOrder {
 public:
  /// `items` must stay where it is until it is taken and told. From any thread.
  void push(CompletedItems& items) noexcept {
    // relaxed: the exchange looks again
    CompletedItems* newest = newest_.load(std::memory_order_relaxed);
    do {
      items.next = newest;
      // release: what the items did; pairs with the acquire in take(). acquire: that who took
      // before waits for more; pairs with the release there. relaxed on failure: as above
    } while (!newest_.compare_exchange_weak(newest, &items, std::memory_order_acq_rel,
                                            std::memory_order_relaxed));
  }

  /// All that has been pushed and not been taken, the oldest first.
  [[nodiscard]] CompletedItems* take() noexcept {
    // acquire: what the items did; pairs with the release in push(), also of those below the
    // newest, since each push went on from the one before. release: that this thread waits for
    // more; pairs with the acquire there
    CompletedItems* newest = newest_.exchange(nullptr, std::memory_order_acq_rel);
    CompletedItems* oldest = nullptr;
    while (newest != nullptr) {
      CompletedItems* below = newest->next;
      newest->next = oldest;
      oldest = newest;
      newest = below;
    }
    return oldest;
  }

 private:
  typename Sync::template atomic<CompletedItems*> newest_{nullptr};
};

}  // namespace xofn::detail
