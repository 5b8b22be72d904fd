// SPDX-License-Identifier: MIT
// Not API: the completed items of a batch that somebody may iterate over, now or later.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <optional>
#include <stdexcept>
#include <vector>
#include <xofn/batch/item_run.hpp>
#include <xofn/batch/worker.hpp>
#include <xofn/cache_line.hpp>
#include <xofn/delivery/bell.hpp>
#include <xofn/delivery/completion_order.hpp>
#include <xofn/delivery/progress.hpp>
#include <xofn/delivery/told_state.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// What has completed, in order, an entry for each run of items: so that a stream may begin late.
/// Written by the workers, or by the deliverer where there is one who puts items in order; read by
/// one thread at a time. While nobody reads, a write is a few words and one exchange.
template <class Sync = StdSync>
class CompletionLog {
 public:
  CompletionLog(std::vector<Worker<Sync>>& workers, Bell<Sync>& bell) noexcept
      : workers_(workers), bell_(bell) {}
  CompletionLog(const CompletionLog&) = delete;
  CompletionLog& operator=(const CompletionLog&) = delete;

  /// Before the start; else nothing is to be written.
  void open() { entries_ = std::vector<Entries>(workers_.size() + 1); }
  [[nodiscard]] bool is_open() const noexcept { return !entries_.empty(); }

  /// Writes an entry. From `worker`.
  void add(const Worker<Sync>& worker, const CompletedItems& items) {
    add(entries_[static_cast<std::size_t>(&worker - workers_.data())], items);
  }

  /// The same from the deliverer.
  void add(const CompletedItems& items) { add(entries_.back(), items); }

  /// Wakes the reader, if there is one. Behind an entry.
  void ring() {
    if (is_read()) bell_.ring();
  }

  /// Whether somebody reads. A write tells it, or is found by the reader's next look.
  [[nodiscard]] bool is_read() const noexcept {
    // relaxed: who reads says so before he looks, and behind a write it is known; see the orders of
    // CompletionOrder
    return is_read_.load(std::memory_order_relaxed);
  }

  /// Throws std::logic_error if another reads.
  void begin_reading() {
    // acquire: where the reader before has left off; pairs with the release in end_reading()
    if (is_read_.exchange(true, std::memory_order_acquire)) {
      throw std::logic_error("xofn: Batch::completions: another thread or loop iterates over them");
    }
  }

  void end_reading() noexcept {
    // release: where this reader has left off; pairs with the acquire in begin_reading()
    is_read_.store(false, std::memory_order_release);
  }

  struct Item {
    std::uint64_t index;
    std::chrono::nanoseconds duration;
    const std::exception_ptr* error;  // null if it succeeded
  };

  /// The reader's: the next item, if there is one by now. `takes_kept`: also of those that workers
  /// keep, which nobody else takes.
  std::optional<Item> next(bool takes_kept) {
    if (unread_ == nullptr) unread_ = order_.take();
    if (unread_ == nullptr && takes_kept) unread_ = take_kept();
    if (unread_ == nullptr) return std::nullopt;
    const Item item{unread_->first, unread_->duration, unread_->error};
    ++unread_->first;
    if (--unread_->count == 0) unread_ = unread_->next;
    return item;
  }

  /// The reader's: the state with `item`, which weighs so much, counted. `now` is the state at some
  /// moment after it was read.
  const Progress& count(const Item& item, const Progress& now, std::uint64_t weight) noexcept {
    read_.begin(now);
    read_.step(item.error == nullptr ? &Progress::succeeded : &Progress::failed, weight);
    return read_.state;
  }

 private:
  struct alignas(cache_line_size) Entries {
    std::deque<CompletedItems> entries;
  };

  void add(Entries& mine, const CompletedItems& items) {
    order_.push(mine.entries.emplace_back(items));
  }

  CompletedItems* take_kept() {
    CompletedItems* all = nullptr;
    for (Worker<Sync>& worker : workers_) {
      const ItemRun kept = worker.take_kept();
      if (kept.count == 0) continue;
      all = &entries_.back().entries.emplace_back(
          CompletedItems{kept.first, kept.count, worker.mean(), nullptr, all});
    }
    return all;
  }

  std::vector<Worker<Sync>>& workers_;
  Bell<Sync>& bell_;
  std::vector<Entries> entries_;  // the workers', and behind them those of who takes from workers
  CompletionOrder<Sync> order_;
  typename Sync::template atomic<bool> is_read_{false};

  // The reader's.
  CompletedItems* unread_ = nullptr;
  ToldState read_;
};

}  // namespace xofn::detail
