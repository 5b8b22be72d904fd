// SPDX-License-Identifier: MIT
// Not API: what a status table is still to be told.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <xofn/delivery/progress.hpp>
#include <xofn/delivery/snapshot.hpp>
#include <xofn/publish/table_page.hpp>
#include <xofn/publish/table_run.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// Takes what happens to a batch, and perhaps to its items, and gives it out in pages, to one
/// writer. A page counts no item whose row is not in the database when the page is, so that rows
/// agree after each, in however many pages a backlog goes out.
///
/// Of an item it keeps the newest state only, and that until it is written, unless the item runs.
/// Any thread may call anything; nobody waits for longer than a page is copied.
template <class Sync = StdSync>
class TableBook {
 public:
  using TimePoint = typename Sync::clock::time_point;
  using Page = TablePage<Sync>;

  /// The state of a batch whose items are not listed.
  void tell(const Progress& progress) {
    const Lock guard(mutex_);
    if (is_over() || progress.completed() < run_.told.completed()) begin_run();
    run_.told = progress;
    if (!is_final(progress)) return;
    close();
    run_.finals = all_finals;
  }

  // Of a batch whose items are listed. Its final state is told twice, by two deliveries, of which
  // that of each step comes after all items have settled.

  /// An attempt at an item begins.
  void begin_item(std::uint64_t index, std::uint32_t attempt, std::string&& name) {
    const Lock guard(mutex_);
    Entry& entry = entry_of(index);
    entry.begun = Sync::clock::now();
    if (!entry.item.started) entry.item.started = entry.begun;
    entry.item.attempts = attempt;
    entry.item.name = std::move(name);
    change(index, entry);
  }

  /// It has settled, which makes the batch what `progress` says. Whether this is what `tell_rest()`
  /// was ahead by: then there is something to write that it has announced.
  bool settle_item(std::uint64_t index, std::optional<std::string> error, std::uint32_t attempts,
                   std::chrono::nanoseconds duration, const Progress& progress) {
    const Lock guard(mutex_);
    Entry& entry = entry_of(index);
    entry.item.ended = entry.item.started ? entry.begun + duration : Sync::clock::now();
    entry.item.attempts = attempts;
    entry.item.state = error ? ItemState::failed : ItemState::succeeded;
    ++run_.settled[error ? ItemState::failed : ItemState::succeeded];
    if (error) entry.item.error = *std::move(error);
    const bool was_behind = run_.told.completed() < run_.announced;
    run_.told.succeeded = progress.succeeded;
    run_.told.failed = progress.failed;
    change(index, entry);
    return was_behind && run_.told.completed() >= run_.announced;
  }

  /// The newest state, perhaps ahead of the items; of use is what is not counted by items.
  void tell_rest(const Progress& progress) {
    const Lock guard(mutex_);
    open_listed();
    if (is_final(progress)) {
      ++run_.finals;
    } else if (!run_.ended) {
      run_.announced = progress.completed();
      const Progress told = std::exchange(run_.told, progress);
      run_.told.succeeded = told.succeeded;
      run_.told.failed = told.failed;
    }
  }

  /// The final state. What has begun and not settled was cancelled between two attempts.
  void end_items(const Progress& progress) {
    const Lock guard(mutex_);
    open_listed();
    ++run_.finals;
    run_.told = progress;
    close();
    for (auto& [index, entry] : run_.entries) {
      if (entry.item.state != ItemState::running) continue;
      entry.item.state = ItemState::cancelled;
      entry.item.ended = run_.ended;
      change(index, entry);
    }
  }

  /// What is to be written next, with `most` items at the most. The same and more, if what was
  /// given out before has not been `note`d as written.
  [[nodiscard]] Page page(std::size_t most) const {
    const Lock guard(mutex_);
    Page page;
    page.run = run_.number;
    page.began = run_.began;
    ItemCounts rows = run_.rows;
    const std::size_t size = std::min(most, run_.changed.size());
    page.left = run_.changed.size() - size;
    for (std::size_t i = 0; i != size; ++i) {
      const std::uint64_t index = run_.changed[i];
      const Entry& entry = run_.entries.at(index);
      rows.move(entry.written, entry.item.state);
      page.items.push_back({index, entry.version, entry.item});
    }
    page.progress = run_.with(rows, page.left == 0);
    page.unlisted =
        page.progress.completed() - rows[ItemState::succeeded] - rows[ItemState::failed];
    if (page.left == 0) page.ended = run_.ended;
    return page;
  }

  /// All of `page` is in the database.
  void note(const Page& page) {
    const Lock guard(mutex_);
    if (page.run != run_.number) return;
    for (const auto& [index, version, item] : page.items) {
      const auto it = run_.entries.find(index);
      Entry& entry = it->second;
      run_.rows.move(entry.written, item.state);
      entry.written = item.state;
      run_.changed.pop_front();  // they are given out from there
      if (entry.version != version) {
        run_.changed.push_back(index);
      } else if (item.state != ItemState::running) {
        run_.entries.erase(it);
      } else {
        entry.is_changed = false;
      }
    }
  }

  /// The rows of a run are no longer in the database. Items that have settled and been written are
  /// counted from now on, and not listed.
  void lose_rows(std::uint64_t run) {
    const Lock guard(mutex_);
    if (run != run_.number) return;
    for (const ItemState state : {ItemState::succeeded, ItemState::failed}) {
      run_.lost[state] += run_.rows[state];
    }
    run_.rows = {};
    for (auto& [index, entry] : run_.entries) {
      entry.written.reset();
      if (!entry.is_changed) change(index, entry);
    }
  }

 private:
  using Lock = typename Sync::lock;
  using Entry = typename TableRun<Sync>::Entry;

  static constexpr int all_finals = TableRun<Sync>::all_finals;

  /// Whether what comes belongs to another run.
  [[nodiscard]] bool is_over() const noexcept { return run_.finals == all_finals; }

  void begin_run() {
    const std::uint64_t number = run_.number + 1;
    run_ = {};
    run_.number = number;
    run_.began = Sync::clock::now();
    run_.finals = 0;
  }

  void open_listed() {
    if (is_over()) begin_run();
    run_.lists_items = true;
  }

  void close() { run_.ended = Sync::clock::now(); }

  Entry& entry_of(std::uint64_t index) {
    open_listed();
    return run_.entries[index];
  }

  void change(std::uint64_t index, Entry& entry) {
    ++entry.version;
    if (entry.is_changed) return;
    run_.changed.push_back(index);
    entry.is_changed = true;
  }

  mutable typename Sync::mutex mutex_;
  TableRun<Sync> run_;
};

}  // namespace xofn::detail
