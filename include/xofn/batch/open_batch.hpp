// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>
#include <xofn/batch/batch.hpp>
#include <xofn/batch/batch_of.hpp>
#include <xofn/batch/open_items.hpp>
#include <xofn/sync.hpp>

namespace xofn {

/// A batch that tasks are added to while it runs: a `Batch` whose N grows until it is closed.
///
/// It requires that someone closes it, or cancels it: `wait()` returns no sooner, and a processor
/// with threads of its own is not destroyed sooner. The destructor cancels what nobody has closed.
/// All calls but moving may come from any thread, from the batch's own tasks and callbacks too.
///
/// It guarantees that X never exceeds the N shown, that neither ever falls, and that
/// `Progress::total_is_final` is true once it is closed or cancelled. An item is told as it settles
/// though it may be the last: callbacks told every step are called once more, with X as it is and
/// the final state, if it turns out that all has been told when the batch is closed. A batch that
/// is cancelled when all that was added has settled is `finished`; its report says by stop_reason()
/// that it was not closed.
///
///     OpenBatch<Url, Page> batch = processor.open([&](Url& url) { return fetch(url); });
///     while (auto url = queue.pop()) batch.add(std::move(*url));
///     batch.close();
///     BatchReport<Page> report = batch.wait();
template <class Task, class Result, class Sync = StdSync>
class OpenBatch : public Batch<Result, Sync> {
 public:
  /// For a processor.
  OpenBatch(std::shared_ptr<detail::BatchOf<Result, Sync>> batch, detail::OpenItems<Task>& items)
      : Batch<Result, Sync>(std::move(batch)), items_(&items) {}

  /// Adds a task, which becomes item N and may start at once; the order of items is the order in
  /// which they were added. Returns false, and adds nothing, once the batch has been cancelled or
  /// its errors have stopped it. Throws std::logic_error once it has been closed, also if it is
  /// closed while the call is blocked, and what the Task's constructor throws; then nothing was
  /// added. A task that was not added is still the caller's, provided that moving it back cannot
  /// throw.
  ///
  /// While `max_queued` items wait to start it blocks, a paused batch included, unless it is called
  /// by a task or callback of the batch, or of one under it. On a thread of the executor, and in a
  /// task of another batch, it works on this batch's items meanwhile.
  ///
  /// Memory ordering: what the caller did before is visible to the task.
  bool add(Task&& task) {
    return add_from([&] { return std::make_unique<Task>(std::move(task)); },
                    [&](Task& made) noexcept {
                      if constexpr (std::is_nothrow_move_assignable_v<Task>) task = std::move(made);
                    });
  }

  /// The same for a copy.
  bool add(const Task& task) requires std::copy_constructible<Task> { return emplace(task); }

  /// The same for a task that is made of `args`, once, and not at all after a cancel.
  template <class... Args>
  requires std::constructible_from<Task, Args...>
  bool emplace(Args&&... args) {
    return add_from([&] { return std::make_unique<Task>(std::forward<Args>(args)...); },
                    [](Task&) noexcept {});
  }

  /// No more is to come: N is final, and the batch ends when what it has is settled, one without
  /// items at once. Closed twice is closed once.
  void close() { items_->close(); }

 private:
  template <class Make, class GiveBack>
  bool add_from(Make make, GiveBack give_back) {
    if (!items_->takes_tasks()) return false;
    std::unique_ptr<Task> made = make();
    try {
      if (items_->add(made)) return true;
    } catch (...) {
      if (made != nullptr) give_back(*made);
      throw;
    }
    give_back(*made);
    return false;
  }

  detail::OpenItems<Task>* items_;
};

}  // namespace xofn
