// SPDX-License-Identifier: MIT
// Not API: what is written to a status table in one transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>
#include <xofn/delivery/progress.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// Where an item is of which a row is kept.
enum class ItemState : std::uint8_t { running, succeeded, failed, cancelled };

[[nodiscard]] constexpr const char* to_string(ItemState state) noexcept {
  constexpr const char* names[] = {"running", "succeeded", "failed", "cancelled"};
  return names[static_cast<std::uint8_t>(state)];
}

/// An item as its row has it.
template <class Sync = StdSync>
struct TableItem {
  using TimePoint = typename Sync::clock::time_point;

  std::string name = {};
  std::string error = {};
  std::optional<TimePoint> started = {};  ///< the first attempt
  std::optional<TimePoint> ended = {};
  std::uint32_t attempts = 0;
  ItemState state = ItemState::running;
};

/// The row of a batch, and those of items that have changed. Once all of it is in the database, the
/// rows there agree.
template <class Sync = StdSync>
struct TablePage {
  struct Item {
    std::uint64_t index;
    std::uint64_t version;  ///< which of its changes this is
    TableItem<Sync> item;
  };

  std::uint64_t run = 0;  ///< of the book's: 1, 2, ...; 0: there has been none
  Progress progress;
  std::uint64_t unlisted = 0;  ///< how many of the completed items have no row
  typename Sync::clock::time_point began{};
  std::optional<typename Sync::clock::time_point> ended;
  std::vector<Item> items;
  std::uint64_t left = 0;  ///< how many items have changed besides
};

}  // namespace xofn::detail
