// SPDX-License-Identifier: MIT
// Not API: reading a range that is no array, by one worker at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <xofn/batch/ledger.hpp>
#include <xofn/batch/task_list.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// Elects which worker reads, and reads: N grows until the range ends, throws, or is closed.
template <class Task, class Sync = StdSync>
class RangeReader {
 public:
  RangeReader(TaskList<Task>& tasks, Ledger<Sync>& ledger) noexcept
      : tasks_(tasks), ledger_(ledger), reads_(tasks.supply() == TaskSupply::read) {}

  /// Whether a worker could read now.
  [[nodiscard]] bool is_free() const noexcept {
    return reads_ && !ledger_.total_is_final() && !reading_.load();
  }

  /// Reads for about `budget`, if nobody else does. `make_room(count)` is called before `count`
  /// tasks are available, and may throw; `added()` when one has become so. Returns whether it has
  /// read.
  template <class MakeRoom, class Added>
  bool read(std::chrono::nanoseconds budget, MakeRoom make_room, Added added) {
    if (!is_free() || reading_.exchange(true)) return false;
    const auto begin = Sync::clock::now();
    bool has_read = false;
    do {
      cut_short_ = ledger_.claims().stopped();
      if (cut_short_ || !read_one(make_room)) {
        ledger_.make_total_final();  // and it stays taken
        return has_read;
      }
      has_read = true;
      added();
    } while (!ledger_.claims().paused() && Sync::clock::now() - begin < budget);
    reading_.store(false);
    if (ledger_.claims().stopped()) close();
    return has_read;
  }

  /// The range ends here, or where its reader stops.
  ///
  /// Store/load pair with read(): who cancels stops the claims and then looks for a reader; a
  /// reader makes way for others and then looks whether they have stopped. All are seq_cst; one of
  /// the two sees the other and makes the total final.
  void close() {
    if (!is_free() || reading_.exchange(true)) return;
    cut_short_ = true;
    ledger_.make_total_final();
  }

  /// What the range threw, or null; once the total is final.
  [[nodiscard]] const std::exception_ptr& error() const noexcept { return error_; }

  /// Whether it was closed before its end was seen; once the total is final.
  [[nodiscard]] bool was_cut_short() const noexcept { return cut_short_; }

 private:
  template <class MakeRoom>
  bool read_one(MakeRoom& make_room) {
    std::uint64_t count = 0;
    try {
      if (!tasks_.read_one(count)) return false;
      make_room(count);
    } catch (...) {
      error_ = std::current_exception();
      return false;
    }
    ledger_.claims().extend(count);
    return true;
  }

  TaskList<Task>& tasks_;
  Ledger<Sync>& ledger_;
  const bool reads_;
  typename Sync::template atomic<bool> reading_{false};
  std::exception_ptr error_;  // the reader's
  bool cut_short_ = false;    // the reader's
};

}  // namespace xofn::detail
