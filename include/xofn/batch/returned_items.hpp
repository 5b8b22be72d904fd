// SPDX-License-Identifier: MIT
// Not API: items that were claimed and are to be claimed again: they did not start, or failed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>
#include <xofn/batch/item_run.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// Few at most times: a batch that is never paused and tries nothing again asks only whether there
/// are any.
template <class Sync = StdSync>
class ReturnedItems {
 public:
  [[nodiscard]] bool any() const noexcept { return any_.load(); }

  /// Puts `collect(put)` back what it calls `put(run)` with, at most `most` times. Nobody finds
  /// less meanwhile: items that are on their way here are waited for. Throws only before.
  template <class Collect>
  void put(std::size_t most, Collect&& collect) {
    const typename Sync::lock guard(mutex_);
    runs_.reserve(runs_.size() + most);
    collect([this](ItemRun run) { push(run); });
    any_.store(!runs_.empty());
  }

  /// Takes the first `most` items in the order of submission, or as many of them as lie together.
  std::optional<ItemRun> take(std::uint64_t most) noexcept {
    const typename Sync::lock guard(mutex_);
    if (runs_.empty()) return std::nullopt;
    std::pop_heap(runs_.begin(), runs_.end(), is_later);
    const ItemRun next = runs_.back();
    runs_.pop_back();
    const ItemRun taken{next.first, std::min(most, next.count)};
    if (next.count != taken.count) push({next.first + taken.count, next.count - taken.count});
    any_.store(!runs_.empty());
    return taken;
  }

  /// Takes everything.
  std::vector<ItemRun> take_all() noexcept {
    const typename Sync::lock guard(mutex_);
    any_.store(false);
    return std::exchange(runs_, {});
  }

 private:
  static bool is_later(ItemRun a, ItemRun b) noexcept { return a.first > b.first; }

  /// There is room for it.
  void push(ItemRun run) noexcept {
    runs_.push_back(run);
    std::push_heap(runs_.begin(), runs_.end(), is_later);
  }

  mutable typename Sync::mutex mutex_;
  std::vector<ItemRun> runs_;  // a heap, the first in the order of submission in front
  typename Sync::template atomic<bool> any_{false};
};

}  // namespace xofn::detail
