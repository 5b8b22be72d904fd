// SPDX-License-Identifier: MIT
// Not API: telling which item completed.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <vector>
#include <xofn/batch/completion.hpp>
#include <xofn/batch/completion_callback.hpp>
#include <xofn/batch/completion_log.hpp>
#include <xofn/batch/item_run.hpp>
#include <xofn/batch/order.hpp>
#include <xofn/batch/stable_store.hpp>
#include <xofn/batch/step_log.hpp>
#include <xofn/batch/submission_order.hpp>
#include <xofn/batch/task_list.hpp>
#include <xofn/batch/weights.hpp>
#include <xofn/batch/worker.hpp>
#include <xofn/delivery/callback_error.hpp>
#include <xofn/delivery/completion_order.hpp>
#include <xofn/delivery/every_stream.hpp>
#include <xofn/delivery/progress.hpp>
#include <xofn/delivery/told_state.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// The `on_completion` callbacks of a batch, and the items that they have not been told yet.
template <class Task, class Sync = StdSync>
class CompletionDelivery {
 public:
  CompletionDelivery(const CompletionCallbacks<Task>& callbacks, Order order,
                     std::uint64_t expected)
      : callbacks_(callbacks), order_(order), completed_(expected), expected_(expected) {
    if (tells_tasks()) put_in_order();
  }

  /// Has steps told with what their items weigh, and noted in `log` unless that is null. Both must
  /// live as long. Before the start.
  void weigh_by(const Weights<Sync>& weights, StepLog<Sync>* log) noexcept {
    weights_ = &weights;
    log_ = log;
  }

  /// Has what is told written to `log`, and put in the order in which it is wanted. Before the
  /// start; room is to be made anew.
  void write_to(CompletionLog<Sync>& log) {
    stream_ = &log;
    put_in_order();
  }

  /// Whether it matters which item completed when.
  [[nodiscard]] bool any() const noexcept {
    return tells_tasks() || weights_ != nullptr || submission_;
  }

  /// Whether a callback is told the tasks themselves.
  [[nodiscard]] bool tells_tasks() const noexcept { return !callbacks_.empty(); }

  void grow(std::uint64_t count) {
    if (any()) completed_.grow(count);
    if (submission_) submission_->grow(count);
  }

  /// These items have completed. An error must stay where it is. From any thread, before its flush.
  void push(const CompletedItems& items) {
    settled_.push(*std::construct_at(completed_.at(items.first), items));
  }

  /// These items were cancelled. From any thread, before they are told or a flush.
  void pass_over(ItemRun items) {
    if (submission_) push({items.first, items.count, {}, nullptr, nullptr, true});
  }

  /// The deliverer's: tells each item that has completed, those that workers have kept included, to
  /// those who want to know which it was and then to those who count. `now()` is the state at some
  /// moment from now on, `attempts(i)` how often item `i` was begun.
  template <class Now, class Attempts>
  void tell(TaskList<Task>& tasks, std::vector<Worker<Sync>>& workers, Now now_after,
            Attempts attempts, EveryStream& every, ErrorSink& errors) {
    for (Worker<Sync>& worker : workers) {
      const ItemRun kept = worker.take_kept();
      if (kept.count != 0) push({kept.first, kept.count, worker.mean(), nullptr, nullptr});
    }
    CompletedItems** end = &untold_;
    while (*end != nullptr) end = &(*end)->next;
    *end = settled_.take();
    const Progress now = now_after();  // counts at least what was taken
    if (every.ended()) return;
    every.begin(now);
    if (submission_) in_turn_.begin(now);
    const auto tell_item = [&](std::uint64_t i, const CompletedItems& items, const Progress& told) {
      if (tells_tasks()) tell_one(tasks, i, items, attempts(i), told, errors);
    };
    const auto tell_in_turn = [&](const CompletedItems& settled) {
      submission_->settle(settled.first, settled);
      submission_->take_turns(now.total, [&](std::uint64_t i, const CompletedItems& items) {
        in_turn_.step(figure(items), weight(i));
        tell_item(i, items, in_turn_.state);
        write(i, 1, items);
      });
    };
    for (; untold_ != nullptr; untold_ = untold_->next) {
      CompletedItems& items = *untold_;
      if (items.cancelled) {
        tell_in_turn(items);
        passed_over_ += items.count;
        continue;
      }
      const std::uint64_t first = items.first;
      bool waits = false;
      for (; items.count != 0; ++items.first, --items.count) {
        waits = every.holds_back(now, every.told().completed() + 1);
        if (waits) break;
        every.step(figure(items), weight(items.first));
        if (log_ != nullptr) log_->add(every.told().weight_completed);
        if (submission_) {
          tell_in_turn(items);
        } else {
          tell_item(items.first, items, every.told());
        }
        every.tell_step(errors);
      }
      if (!submission_) write(first, items.first - first, items);
      if (waits) return;
    }
    // Some may be counted and not have been pushed yet; their flush is still to come.
    if (every.told().completed() != now.completed()) return;
    if (!submission_ || passed_over_ == now.cancelled) every.end(now, errors);
  }

 private:
  void put_in_order() {
    if (order_ == Order::submission && !submission_) submission_.emplace(expected_);
  }

  /// Items that have been told come out of the stream.
  void write(std::uint64_t first, std::uint64_t count, const CompletedItems& items) {
    if (stream_ == nullptr || count == 0) return;
    stream_->add({first, count, items.duration, items.error, nullptr});
  }

  static std::uint64_t Progress::*figure(const CompletedItems& items) noexcept {
    return items.error == nullptr ? &Progress::succeeded : &Progress::failed;
  }

  [[nodiscard]] std::uint64_t weight(std::uint64_t i) const noexcept {
    return weights_ == nullptr ? 0 : weights_->of(i);
  }

  void tell_one(TaskList<Task>& tasks, std::uint64_t i, const CompletedItems& items,
                std::uint32_t attempts, const Progress& told, ErrorSink& errors) {
    if (const Task* task = tasks.found(i)) {
      const Completion<Task> completion{.progress = told,
                                        .index = i,
                                        .task = *task,
                                        .error = items.error == nullptr ? nullptr : *items.error,
                                        .attempts = attempts,
                                        .duration = items.duration};
      for (const auto& callback : callbacks_) callback->tell(completion, errors);
    }
    tasks.drop(i);
  }

  const CompletionCallbacks<Task>& callbacks_;
  const Weights<Sync>* weights_ = nullptr;
  StepLog<Sync>* log_ = nullptr;
  CompletionLog<Sync>* stream_ = nullptr;
  const Order order_;
  CompletionOrder<Sync> settled_;
  StableStore<CompletedItems> completed_;
  const std::uint64_t expected_;

  // The deliverer's.
  CompletedItems* untold_ = nullptr;
  std::optional<SubmissionOrder> submission_;  // none if they are told as they complete
  ToldState in_turn_;                          // to those who are told in that order
  std::uint64_t passed_over_ = 0;
};

}  // namespace xofn::detail
