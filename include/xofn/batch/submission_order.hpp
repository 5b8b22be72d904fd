// SPDX-License-Identifier: MIT
// Not API: telling items in the order in which they were submitted.
#pragma once

#include <cstdint>
#include <memory>
#include <xofn/batch/stable_store.hpp>
#include <xofn/delivery/completion_order.hpp>

namespace xofn::detail {

/// The items that have settled before their turn, by one word an item. The deliverer's.
class SubmissionOrder {
 public:
  explicit SubmissionOrder(std::uint64_t expected) : settled_(expected) {}

  /// Makes room for `count` items, before they are available. By one thread at a time.
  void grow(std::uint64_t count) {
    settled_.grow(count);
    for (; size_ < count; ++size_) std::construct_at(settled_.at(size_), nullptr);
  }

  /// Item `i` has completed as one of `items`, or was cancelled as the first of them. They must
  /// stay where they are until its turn.
  void settle(std::uint64_t i, const CompletedItems& items) noexcept { *settled_.at(i) = &items; }

  /// Calls `tell(i, items)` for each item below `available` whose turn has come, and which has
  /// completed as one of `items`.
  template <class Tell>
  void take_turns(std::uint64_t available, Tell tell) {
    while (turn_ < available) {
      const CompletedItems* items = *settled_.at(turn_);
      if (items == nullptr) return;
      if (!items->cancelled) tell(turn_, *items);
      turn_ += items->cancelled ? items->count : 1;
    }
  }

 private:
  StableStore<const CompletedItems*> settled_;
  std::uint64_t size_ = 0;  // of whoever grows it
  std::uint64_t turn_ = 0;
};

}  // namespace xofn::detail
