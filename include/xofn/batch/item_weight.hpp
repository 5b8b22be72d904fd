// SPDX-License-Identifier: MIT
// Not API: the weight of one item while it runs.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <xofn/batch/advance_sink.hpp>
#include <xofn/batch/weights.hpp>
#include <xofn/batch/worker.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// One attempt at an item. It counts, in its worker's word, what the item reports beyond what
/// earlier attempts have, and in the end all of it. The word never falls: what an item has reported
/// stays counted if it is tried again, or ends as cancelled.
template <class Sync = StdSync>
class ItemWeight final : public AdvanceSink {
 public:
  ItemWeight(Weights<Sync>& weights, Worker<Sync>& worker, std::uint64_t i,
             std::uint32_t attempt = 1) noexcept
      : weights_(weights),
        counted_(worker.weight),
        // relaxed: the worker's own word
        before_(counted_.load(std::memory_order_relaxed)),
        item_(i),
        weight_(weights.of(i)),
        reached_(attempt == 1 ? 0 : weights.reached(i)) {}
  ItemWeight(const ItemWeight&) = delete;
  ItemWeight& operator=(const ItemWeight&) = delete;

  void advance(std::uint64_t weight) noexcept override {
    // relaxed, both: a sum that guards no other data
    std::uint64_t done = done_.load(std::memory_order_relaxed);
    std::uint64_t sum = 0;
    do {
      sum = done + std::min(weight, weight_ - done);
    } while (!done_.compare_exchange_weak(done, sum, std::memory_order_relaxed,
                                          std::memory_order_relaxed));
    count(sum);
  }

  /// The item has succeeded or failed. Before it is counted as settled.
  void complete() noexcept { count(weight_); }

  /// The item will be tried again, perhaps by another worker.
  void put_off() noexcept {
    // relaxed: those who reported have returned
    weights_.keep_reached(item_, std::max(reached_, done_.load(std::memory_order_relaxed)));
  }

 private:
  /// Counts the first `done` of the item's weight, as far as that has not been.
  void count(std::uint64_t done) noexcept {
    if (done <= reached_) return;
    const std::uint64_t due = before_ + (done - reached_);
    // relaxed: the exchange looks again
    std::uint64_t counted = counted_.load(std::memory_order_relaxed);
    // release: that the item was added; pairs with the acquire in Weights. relaxed on failure: as
    // above
    while (counted < due && !counted_.compare_exchange_weak(counted, due, std::memory_order_release,
                                                            std::memory_order_relaxed)) {
    }
  }

  Weights<Sync>& weights_;
  typename Worker<Sync>::Word& counted_;
  const std::uint64_t before_;
  const std::uint64_t item_;
  const std::uint64_t weight_;
  const std::uint64_t reached_;
  typename Sync::template atomic<std::uint64_t> done_{0};  // by this attempt
};

}  // namespace xofn::detail
