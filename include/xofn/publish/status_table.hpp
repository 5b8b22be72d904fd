// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <xofn/batch/failure.hpp>
#include <xofn/batch_processor.hpp>
#include <xofn/delivery/delivery.hpp>
#include <xofn/delivery/progress.hpp>
#include <xofn/delivery/snapshot.hpp>
#include <xofn/publish/publisher.hpp>
#include <xofn/publish/status_table_options.hpp>
#include <xofn/publish/stored_text.hpp>
#include <xofn/publish/table_book.hpp>
#include <xofn/publish/table_link.hpp>
#include <xofn/sync.hpp>
#include <xofn/timeout.hpp>

namespace xofn {

/// A progress callback that keeps X/N in a table of SQLite or PostgreSQL: one row a batch. With
/// `watch()` there is a row for each item besides.
///
/// It requires SOCI with the database's backend, SQLite 3.24 or PostgreSQL 10 or newer, the right
/// to make tables at the first use, and one batch at a time of one object and its copies. Copies
/// share one connection and one thread, which is theirs alone. Absurd options throw
/// std::invalid_argument, and a thread that is not to be had std::system_error; calls throw nothing
/// else but std::bad_alloc. It needs POSIX. Link `xofn::table`.
///
/// The batch never waits for the database: a call leaves the state to the thread, which writes the
/// newest in one transaction; those between are left out. While the database is down, locked, full
/// or slow, it is tried again and again, with pauses, as long as a copy lives, and then has the
/// newest. The destructor of the last copy waits until the last state is there, for `linger` at
/// the most (or, where that is longer, until an attempt under way has failed, which takes no more
/// than `timeout`; a file system that stands still is waited for).
///
/// `xofn_batches` has for each `name` one row, of the newest run: `run`, which grows by one with
/// each; `state` by its name; the counts `completed` (that is X), `total`, `succeeded`, `failed`,
/// `cancelled`, `running`, `queued`, `retried`; `total_is_final`; `weight_completed` and
/// `weight_total`, where items are weighed; `elapsed_seconds`; the times `started_at`, `updated_at`
/// and, once the state is final, `ended_at`. In every row succeeded + failed + cancelled + running
/// + queued = total, and within a run X never falls. While a batch runs, its row is written every
/// 10 s at least: one that is not updated any more belongs to a program that has died. A new run
/// takes the place of the one before, with its items, in one transaction. Of two batches with one
/// name at once the one that came later is shown, and `error()` of the other says so.
///
/// `xofn_items` has for each item that has begun, of a batch that is watched, `batch` (the name),
/// `item` (its index), `name`, `state` (running, succeeded, failed or cancelled), `attempts`,
/// `error` (of the last), `started_at` (the first attempt) and `ended_at`. Who reads both tables in
/// one statement, or transaction of a snapshot, finds as many items of each state as the row of the
/// batch says, but for `cancelled`, which also counts those that never began, and for `unlisted`:
/// so many of the completed items have no row. These are items that could not be made from their
/// range's element, and those whose rows were lost because somebody deleted them, or the database.
///
/// Times are in UTC: in PostgreSQL of the type timestamptz, in SQLite text like
/// "2026-11-28T10:38:02.123456Z". A SQLite file is put into WAL mode where that can be had, so that
/// readers and the writer do not wait for each other.
/// `xofn_schema` has the version of the tables, which is 1; those of another are left alone, and
/// `error()` says so.
///
///     const StatusTable table{{.database = "sqlite3://clips.db", .name = "clips"}};
///     processor.on_progress(table, Delivery::latest());
///     processor.run(videos, render);
///     if (!table.flush(2s)) std::cerr << table.error() << '\n';
///
///     select completed, total from xofn_batches where name = 'clips';
template <class Sync = StdSync>
class BasicStatusTable {
 public:
  explicit BasicStatusTable(StatusTableOptions options) {
    detail::check(options);
    const detail::PublishingTimes times{.timeout = options.timeout,
                                        .backoff = options.backoff,
                                        .longest_backoff = std::chrono::seconds{2},
                                        .linger = options.linger,
                                        .renewal = std::chrono::seconds{10}};
    book_ = std::make_shared<detail::TableBook<Sync>>();
    publisher_ =
        std::make_shared<Publisher>(times, detail::TableLink<Sync>{std::move(options), book_});
  }

  /// Leaves the state to be written. Does nothing on an object that was moved from.
  void operator()(const Progress& progress) const {
    if (!publisher_) return;
    book_->tell(progress);
    publisher_->put(progress);
  }

  /// Waits until what is the newest state now, or a later one, is in the database, with all items.
  /// False if it is not in this time, or will not be, as another batch has taken its place, or the
  /// tables are of another version: `error()` says why.
  template <class Rep, class Period>
  [[nodiscard]] bool flush(std::chrono::duration<Rep, Period> at_most) const {
    return !publisher_ || publisher_->flush(detail::bounded(at_most));
  }

  /// What the newest attempt to write failed with; empty if it did not. Any thread may ask.
  [[nodiscard]] std::string error() const {
    return publisher_ ? publisher_->error() : std::string{};
  }

  /// How many attempts have failed since the beginning.
  [[nodiscard]] std::uint64_t failed_attempts() const {
    return publisher_ ? publisher_->failed_attempts() : 0;
  }

  /// See below.
  template <class Task, class ProcessorSync, class SomeSync, class Name>
  friend BatchProcessor<Task, ProcessorSync>& watch(BatchProcessor<Task, ProcessorSync>& processor,
                                                    BasicStatusTable<SomeSync> table, Name name,
                                                    Delivery delivery);

 private:
  using Publisher = detail::Publisher<detail::TableLink<Sync>, Sync>;
  std::shared_ptr<detail::TableBook<Sync>> book_;
  std::shared_ptr<Publisher> publisher_;
};

using StatusTable = BasicStatusTable<>;

/// Keeps besides the row of the batch one for each item of a processor's batches.
///
/// `name(const Task&)` makes a std::string of an item; it is called for each attempt at one, when
/// it begins, one call at a time. That, and two locks, is what an item costs. What it throws is
/// kept as any callback's error, and the item has no name; nor has one that fails before anything
/// of it is called. Of names and errors the first 1000 bytes are kept. In the database's time, 500
/// items are written in one transaction; what has changed meanwhile is kept in memory, the newest
/// state of each item only: some 200 bytes and its texts, for each that runs or is still to be
/// written, so of all items in the worst case, when the database is down from the start.
///
/// The row of the batch counts what has been told item by item, as `on_completion` is: items well
/// below 1 us may have to wait for another to settle.
///
/// It registers four callbacks, and so throws std::logic_error while a batch runs. Rows are written
/// when `delivery` tells something: without another, when X has changed, and each second, so that
/// items are seen to begin.
///
///     watch(processor, table, [](const Video& video) { return video.name; });
///
///     select name, error from xofn_items where batch = 'clips' and state = 'failed';
template <class Task, class ProcessorSync, class SomeSync, class Name>
BatchProcessor<Task, ProcessorSync>& watch(
    BatchProcessor<Task, ProcessorSync>& processor, BasicStatusTable<SomeSync> table, Name name,
    Delivery delivery = Delivery::latest().at_least_every(std::chrono::seconds{1})) {
  static_assert(std::is_invocable_r_v<std::string, Name&, const Task&>,
                "xofn: watch: the function makes no std::string of a const Task&");
  if (!table.publisher_) return processor;
  constexpr std::size_t most_text = 1000;
  const auto& book = table.book_;
  const auto publisher = table.publisher_;
  processor.on_start([book, name = std::move(name)](const Start<Task>& start) mutable {
    std::string text;
    try {
      text = detail::stored_text(name(start.task), most_text);
    } catch (...) {
      book->begin_item(start.index, start.attempt, {});
      throw;
    }
    book->begin_item(start.index, start.attempt, std::move(text));
  });
  processor.on_completion([book, publisher](const Completion<Task>& c) {
    std::optional<std::string> error;
    if (!c.succeeded()) {
      error = detail::stored_text(Failure{c.index, c.error, c.attempts}.what(), most_text);
    }
    if (book->settle_item(c.index, std::move(error), c.attempts, c.duration, c.progress)) {
      publisher->put(c.progress);
    }
  });
  processor.on_progress(
      [book, publisher](const Progress& progress) {
        book->tell_rest(progress);
        publisher->put(progress);
      },
      delivery);
  return processor.on_progress(
      [book, publisher](const Progress& progress) {
        if (!detail::is_final(progress)) return;
        book->end_items(progress);
        publisher->put(progress);
      },
      Delivery::every());
}

}  // namespace xofn
