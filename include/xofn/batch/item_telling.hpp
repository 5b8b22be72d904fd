// SPDX-License-Identifier: MIT
// Not API: where the items of a batch go when they have settled.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <xofn/batch/completed_item.hpp>
#include <xofn/batch/completion_delivery.hpp>
#include <xofn/batch/completion_log.hpp>
#include <xofn/batch/item_attempts.hpp>
#include <xofn/batch/item_run.hpp>
#include <xofn/batch/listeners.hpp>
#include <xofn/batch/options.hpp>
#include <xofn/batch/settled.hpp>
#include <xofn/batch/ticket.hpp>
#include <xofn/batch/worker.hpp>
#include <xofn/delivery/callback_error.hpp>
#include <xofn/delivery/completion_order.hpp>
#include <xofn/delivery/every_stream.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// Those who are told items, and those who are told steps; and the log for who iterates over the
/// completed items, which the deliverer writes where items are put in order, and else the workers.
template <class Task, class Result, class Sync>
class ItemTelling : public ItemAttempts<Task, Result, Sync> {
  using Attempts = ItemAttempts<Task, Result, Sync>;

 public:
  void begin_stream() override {
    if (!this->ended()) this->check_may_wait();
    log_.begin_reading();
  }
  void end_stream() noexcept override { log_.end_reading(); }

  void next_completed(std::optional<CompletedItem<Result>>& item) override {
    item.reset();
    this->wait_until_it_has_come([&] {
      const auto next = log_.next(!completions_.any());
      if (!next) return false;
      const auto weight = weighing() == nullptr ? 0 : weighing()->weights().of(next->index);
      item.emplace(CompletedItem<Result>{log_.count(*next, this->snapshot(), weight), next->index,
                                         this->results()->completed(next->index, next->error),
                                         this->time().attempts(next->index), next->duration});
      return true;
    });
  }

 protected:
  using Tasks = typename Attempts::Tasks;
  using nanoseconds = std::chrono::nanoseconds;
  using Attempts::weighing;

  ItemTelling(Workforce<Sync> workforce, const BasicBatchOptions<Sync>& options,
              std::shared_ptr<Listeners<Task, Sync>> listeners, std::shared_ptr<Tasks> tasks)
      : Attempts(workforce, options, std::move(listeners), std::move(tasks)),
        completions_(this->listeners().completion, this->options().order, this->tasks().size()) {
    if (weighing() != nullptr) tell_weights();
  }

  /// Makes room for `count` items.
  void grow(std::uint64_t count) { completions_.grow(count); }

  /// Has the completed items written down, so that they may be iterated over. Before the start.
  void open_log() {
    log_.open();
    completions_.write_to(log_);
    grow(this->tasks().size());
  }

  /// Whether the deliverer puts items in order.
  [[nodiscard]] bool tells_items() const noexcept { return completions_.any(); }

  /// Whether somebody waits to learn which items settle, and takes what workers keep.
  [[nodiscard]] bool is_watched() const noexcept { return tells_items() || log_.is_read(); }

  static nanoseconds mean(nanoseconds time, std::uint64_t items) noexcept {
    return items == 0 ? nanoseconds{0} : time / static_cast<nanoseconds::rep>(items);
  }

  /// Items of `worker` have succeeded. Before flush().
  void pass_on(Worker<Sync>& worker, ItemRun items, nanoseconds mean) {
    if (items.count != 0) pass_on(worker, {items.first, items.count, mean, nullptr, nullptr});
  }

  /// The same of one, however it has settled.
  void pass_on(Worker<Sync>& worker, std::uint64_t i, const Settled<Sync>& settled,
               nanoseconds duration) {
    if (settled.cancelled()) completions_.pass_over({i, 1});
    if (settled.completed()) pass_on(worker, {i, 1, duration, settled.error, nullptr});
  }

  void pass_on(Worker<Sync>& worker, const CompletedItems& items) {
    if (completions_.any()) {
      completions_.push(items);
    } else if (log_.is_open()) {
      log_.add(worker, items);
    }
  }

  void flush() override {
    if (!completions_.any()) {
      log_.ring();
      if (this->deliveries().tells_every()) this->deliveries().flush();
      return;
    }
    this->deliveries().flush(1, [this](std::uint64_t, EveryStream& every, ErrorSink& errors) {
      completions_.tell(
          this->tasks(), this->ledger().workers(), [this] { return this->snapshot(); },
          [this](std::uint64_t i) { return this->time().attempts(i); }, every, errors);
      if (weighing() != nullptr) this->deliveries().ring_caller();  // more steps have their weight
      log_.ring();
    });
  }

  void keep_cancelled(ItemRun items) override {
    Attempts::keep_cancelled(items);
    completions_.pass_over(items);
  }

 private:
  void tell_weights() {
    this->ledger().weigh_by(weighing()->weights());
    const auto& all = this->listeners().progress;
    const bool tells_steps =
        std::any_of(all.begin(), all.end(), [](const auto& s) { return s.delivery.is_every(); });
    if (!tells_steps && !completions_.tells_tasks()) return;
    completions_.weigh_by(weighing()->weights(), weighing()->log());
    if (const auto* log = weighing()->log()) this->deliveries().weigh_by(*log);
  }

  CompletionDelivery<Task, Sync> completions_;
  CompletionLog<Sync> log_{this->ledger().workers(), this->deliveries().bell()};
};

}  // namespace xofn::detail
