// SPDX-License-Identifier: MIT
// Not API: telling one at a time without a lock and without a thread that waits.
#pragma once

#include <atomic>
#include <cstdint>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// Elects one of the threads that have something to tell.
///
/// A thread publishes its news elsewhere and then calls `flush`. If nobody is delivering, it is
/// elected and delivers until no flush is left that came meanwhile; else it returns at once, and
/// whoever is delivering goes round once more. Every flush is followed by a delivery that began
/// after it.
///
/// Memory ordering: what a thread did before flush() is visible to the delivery that follows it,
/// and what one delivery did is visible to the next.
template <class Sync = StdSync>
class SerialDelivery {
 public:
  /// `deliver(k)` gets the number of flushes, each counted `weight` times, that it answers. A
  /// thread that is not elected touches nothing of the object after its one operation on it.
  template <class Deliver>
  void flush(std::uint64_t weight, Deliver&& deliver) {
    // acq_rel: releases this thread's news to the elected one; being elected, acquires those of the
    // one elected before
    if (pending_.fetch_add(weight, std::memory_order_acq_rel) != 0) return;
    std::uint64_t answered = weight;
    do {
      deliver(answered);
      // acq_rel: releases what was delivered to the next elected; acquires the news of the flushes
      // that are still pending
      answered = pending_.fetch_sub(answered, std::memory_order_acq_rel) - answered;
    } while (answered != 0);
  }

 private:
  typename Sync::template atomic<std::uint64_t> pending_{0};
};

}  // namespace xofn::detail
