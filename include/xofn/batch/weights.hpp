// SPDX-License-Identifier: MIT
// Not API: what the items of a batch weigh.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>
#include <vector>
#include <xofn/batch/stable_store.hpp>
#include <xofn/batch/worker.hpp>
#include <xofn/delivery/progress.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// Each item's weight, and their sum. An item is added before it is available, and counted by its
/// worker, so that whoever sees it counted, and asks for the sum afterwards, finds it there.
template <class Sync = StdSync>
class Weights {
 public:
  explicit Weights(std::uint64_t expected) : weights_(expected), reached_(expected) {}

  /// Makes room for `count` items.
  void grow(std::uint64_t count) {
    weights_.grow(count);
    reached_.grow(count);
  }

  /// Item `i`, the next, weighs `weight`. By one thread at a time. Throws std::overflow_error if
  /// the sum does not fit; then nothing is added.
  void add(std::uint64_t i, std::uint64_t weight) {
    const std::uint64_t total = total_.load();
    if (weight > std::numeric_limits<std::uint64_t>::max() - total) {
      throw std::overflow_error("xofn: weigh_by: the weights add up to more than 2^64 - 1");
    }
    std::construct_at(weights_.at(i), weight);
    total_.store(total + weight);
  }

  [[nodiscard]] std::uint64_t of(std::uint64_t i) const noexcept { return *weights_.at(i); }

  /// How far an earlier attempt at item `i` has got, which must have been kept.
  [[nodiscard]] std::uint64_t reached(std::uint64_t i) const noexcept { return *reached_.at(i); }
  void keep_reached(std::uint64_t i, std::uint64_t weight) noexcept {
    std::construct_at(reached_.at(i), weight);
  }

  /// Adds what has been counted. After the figures of settled items, so that it is no less than
  /// what they weigh.
  static void add_completed(Progress& now, const std::vector<Worker<Sync>>& workers) noexcept {
    for (const Worker<Sync>& worker : workers) {
      // acquire: that the items were added; pairs with the release in ItemWeight
      now.weight_completed += worker.weight.load(std::memory_order_acquire);
    }
  }

  /// Adds the sum. After everything else.
  void add_total(Progress& now) const noexcept { now.weight_total = total_.load(); }

 private:
  StableStore<std::uint64_t> weights_;
  StableStore<std::uint64_t> reached_;  // of items that are tried again; else untouched
  typename Sync::template atomic<std::uint64_t> total_{0};
};

}  // namespace xofn::detail
