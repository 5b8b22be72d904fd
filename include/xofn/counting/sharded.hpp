// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <xofn/cache_line.hpp>
#include <xofn/counting/policy.hpp>
#include <xofn/counting/wrapping.hpp>

namespace xofn {

/// Counts in as many places as there are threads, up to 32: the cheapest `add` under contention, at
/// the price of a `value` that is a sum over all places and belongs to no single moment.
///
/// A thread adds to the slot of its number, and a slot is an atomic of the counter's own. Nothing
/// is cached in the thread, so nothing waits to be flushed: a thread may end, or the count be
/// drained, at any time.
struct ShardedCounting {
  template <class Sync>
  class cell {
   public:
    explicit cell(std::int64_t initial) noexcept {
      // relaxed: nobody else knows the cell yet
      slots_.front().count.store(initial, std::memory_order_relaxed);
    }

    void add(std::int64_t n) noexcept {
      // relaxed: a count guards no other data, and no number is handed out here
      slots_[Sync::thread_slot() % slots_.size()].count.fetch_add(n, std::memory_order_relaxed);
    }

    /// While the count is only incremented, no slot falls, and neither does the sum for one reader.
    [[nodiscard]] std::int64_t value() const noexcept {
      std::int64_t sum = 0;
      for (const Slot& slot : slots_) {
        // relaxed: two reads of one slot come in its order all the same, which is all that is used
        sum = detail::wrapping_add(sum, slot.count.load(std::memory_order_relaxed));
      }
      return sum;
    }

    /// Each count is taken out of its slot by one exchange, so each is taken exactly once.
    std::int64_t reset(std::int64_t to) noexcept {
      std::int64_t taken = 0;
      for (Slot& slot : slots_) {
        // relaxed: a count guards no other data; that none is taken twice is the exchange's doing
        taken = detail::wrapping_add(taken, slot.count.exchange(to, std::memory_order_relaxed));
        to = 0;  // the first slot has got it
      }
      return taken;
    }

   private:
    struct alignas(cache_line_size) Slot {
      typename Sync::template atomic<std::int64_t> count{0};
    };

    std::array<Slot, 32> slots_;
  };
};

static_assert(CountingPolicy<ShardedCounting> && !ExactCountingPolicy<ShardedCounting>);

}  // namespace xofn
