// SPDX-License-Identifier: MIT
// Not API: what the steps of a batch weigh, noted as they are put in order.
#pragma once

#include <atomic>
#include <cstdint>
#include <xofn/batch/stable_store.hpp>
#include <xofn/delivery/step_weights.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// Written by the deliverer, read by whoever tells on a waiting thread.
template <class Sync = StdSync>
class StepLog final : public StepWeights {
 public:
  explicit StepLog(std::uint64_t expected) : weights_(expected) {}

  /// Makes room for `count` steps. Before the items that they are of are available.
  void grow(std::uint64_t count) { weights_.grow(count); }

  /// One step more, with which the items weigh `weight` together. By one thread at a time.
  void add(std::uint64_t weight) noexcept {
    // relaxed: the deliverer's own word, handed on by the election
    const std::uint64_t steps = known_.load(std::memory_order_relaxed);
    *weights_.at(steps) = weight;
    // release: the weight; pairs with the acquire in known()
    known_.store(steps + 1, std::memory_order_release);
  }

  [[nodiscard]] std::uint64_t known() const noexcept override {
    // acquire: the weights, and that the items were added; pairs with the release in add()
    return known_.load(std::memory_order_acquire);
  }

  [[nodiscard]] std::uint64_t of_first(std::uint64_t steps) const noexcept override {
    return *weights_.at(steps - 1);
  }

 private:
  StableStore<std::uint64_t> weights_;
  typename Sync::template atomic<std::uint64_t> known_{0};
};

}  // namespace xofn::detail
