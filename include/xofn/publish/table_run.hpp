// SPDX-License-Identifier: MIT
// Not API: what is known of one run of a batch that is shown in a table.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <xofn/delivery/progress.hpp>
#include <xofn/publish/table_page.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// Items by their state.
struct ItemCounts {
  std::uint64_t of[4] = {};

  std::uint64_t& operator[](ItemState state) noexcept {
    return of[static_cast<std::uint8_t>(state)];
  }
  std::uint64_t operator[](ItemState state) const noexcept {
    return of[static_cast<std::uint8_t>(state)];
  }
  void move(std::optional<ItemState> from, ItemState to) noexcept {
    if (from) --(*this)[*from];
    ++(*this)[to];
  }
};

/// What it was told, and how much of that is in the database.
template <class Sync = StdSync>
struct TableRun {
  using TimePoint = typename Sync::clock::time_point;

  struct Entry {
    TableItem<Sync> item = {};
    TimePoint begun{};  ///< the newest attempt
    std::uint64_t version = 0;
    std::optional<ItemState> written;  ///< what its row says, if it has one
    bool is_changed = false;           ///< since it was written
  };

  static constexpr int all_finals = 2;

  std::uint64_t number = 0;
  TimePoint began{};
  std::optional<TimePoint> ended;
  Progress told;
  std::uint64_t announced = 0;  ///< X, by the newest state
  bool lists_items = false;
  int finals = all_finals;  ///< how often the final state has been told
  ItemCounts settled;       ///< items that were told as settled, one by one
  ItemCounts rows;          ///< that are in the database
  ItemCounts lost;          ///< that were
  std::unordered_map<std::uint64_t, Entry> entries;  ///< by index: what runs, or has changed
  std::deque<std::uint64_t> changed;                 ///< as they are to be written

  /// The state of the batch once these are the rows of its items, and whether that is all of them:
  /// no item is missing from a final state.
  [[nodiscard]] Progress with(const ItemCounts& listed, bool are_all) const {
    Progress progress = told;
    progress.succeeded += listed[ItemState::succeeded] + lost[ItemState::succeeded];
    progress.succeeded -= settled[ItemState::succeeded];
    progress.failed += listed[ItemState::failed] + lost[ItemState::failed];
    progress.failed -= settled[ItemState::failed];
    if (!lists_items) return progress;
    progress.running = listed[ItemState::running];
    if (!ended) {
      const std::uint64_t known = progress.completed() + progress.running;
      progress.total = std::max(progress.total, known);  // some may have been added since
    } else if (!are_all) {
      progress.state = BatchState::running;
      progress.cancelled = listed[ItemState::cancelled];
    }
    return progress;
  }
};

}  // namespace xofn::detail
