// SPDX-License-Identifier: MIT
// Not API: an attempt at an item: what is called, and what is kept of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <string_view>
#include <utility>
#include <xofn/batch/admission.hpp>
#include <xofn/batch/admitted.hpp>
#include <xofn/batch/attempt.hpp>
#include <xofn/batch/batch_contents.hpp>
#include <xofn/batch/event_telling.hpp>
#include <xofn/batch/failed_attempt.hpp>
#include <xofn/batch/handled_tasks.hpp>
#include <xofn/batch/item_timer.hpp>
#include <xofn/batch/item_weight.hpp>
#include <xofn/batch/settled.hpp>
#include <xofn/batch/start.hpp>
#include <xofn/batch/task_cancelled.hpp>
#include <xofn/batch/task_context.hpp>
#include <xofn/batch/task_list.hpp>
#include <xofn/batch/worker.hpp>
#include <xofn/delivery/activity.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// Runs the items of a batch.
template <class Task, class Result, class Sync>
class ItemAttempts : public BatchContents<Task, Result, Sync>, private StartListener<Task> {
  using Contents = BatchContents<Task, Result, Sync>;

 public:
  using Tasks = typename Contents::Tasks;

 protected:
  using Contents::listeners;
  using Contents::results;
  using Contents::tasks;
  using Contents::weighing;

  using Contents::Contents;

  /// Items that a worker has run one after the other.
  struct Ran {
    std::uint64_t count = 0;
    std::uint64_t end = 0;    ///< behind the last of them
    bool is_cut = false;      ///< the last may have taken a microsecond
    Settled<Sync> last = {};  ///< all others have succeeded
  };

  /// Runs items until the worker has none left, one does not succeed or, by the `timer`, may have
  /// taken a microsecond. Before that one the worker keeps them, if it `keeps`.
  Ran run_items(Worker<Sync>& worker, ItemTimer<Sync>* timer, bool keeps) {
    if (!is_plain_) return run_attempts(worker, timer, keeps);
    PlainRun<Sync> run =
        tasks().run(worker, {this->ledger().claims(), *results(), this->stop_signal(),
                             listeners().completion.empty(), keeps, timer});
    Ran ran{run.count, run.end, run.is_cut};
    if (run.error == nullptr) return ran;
    if (timer != nullptr) timer->lap();
    ran.last =
        end_badly(run.end - 1, worker, {1, nullptr}, nullptr, run.figure, std::move(run.error));
    return ran;
  }

  /// Runs an item that has been admitted: gives back what it holds when it returns.
  Settled<Sync> run_admitted(std::uint64_t i, Worker<Sync>& worker) {
    return run_attempt(i, worker, [&](const Attempt<Sync>& attempt, AdvanceSink* sink) {
      const Stay<Sync> stay(this->admission()->admitted(worker));
      const Inside<Sync> inside(this->crew(), UserCode::task, stay.holdings());
      call(i, attempt, sink, stay.slot());
    });
  }

 private:
  using Figure = typename Worker<Sync>::Word Worker<Sync>::*;

  /// An item is begun for the first time.
  virtual void begun() {}

  /// The same as run_items(), for a batch that wants more of its items.
  Ran run_attempts(Worker<Sync>& worker, ItemTimer<Sync>* timer, bool keeps) {
    Ran ran;
    while (const auto i = this->ledger().claims().next(worker)) {
      ran.last = run_attempt(*i, worker, [&](const Attempt<Sync>& attempt, AdvanceSink* sink) {
        call(*i, attempt, sink, {});
      });
      ++ran.count;
      ran.end = *i + 1;
      ran.is_cut = timer != nullptr && timer->lap();
      if (ran.is_cut || !ran.last.succeeded()) break;
      if (keeps) worker.keep(*i);
    }
    return ran;
  }

  /// An attempt at an item, which `call(attempt, sink)` runs.
  template <class Call>
  Settled<Sync> run_attempt(std::uint64_t i, Worker<Sync>& worker, Call call) {
    worker.start();
    const Attempt<Sync> attempt = this->time().begin(i, worker);
    if (attempt.number == 1) begun();
    Figure figure = &Worker<Sync>::succeeded;
    std::exception_ptr error;
    std::optional<ItemWeight<Sync>> weight;
    if (weighing() != nullptr) weight.emplace(weighing()->weights(), worker, i, attempt.number);
    ItemWeight<Sync>* const weighed = weight ? &*weight : nullptr;
    try {
      call(attempt, weighed);
    } catch (const TaskCancelled&) {
      figure = &Worker<Sync>::cancelled;
      error = std::current_exception();
    } catch (...) {
      figure = &Worker<Sync>::failed;
      error = std::current_exception();
    }
    if (error != nullptr) return end_badly(i, worker, attempt, weighed, figure, std::move(error));
    settle(i, worker, {}, weighed);
    return {};
  }

  /// An attempt has thrown `error`, and is to be counted by `figure` unless it is late.
  Settled<Sync> end_badly(std::uint64_t i, Worker<Sync>& worker, const Attempt<Sync>& attempt,
                          ItemWeight<Sync>* weight, Figure figure, std::exception_ptr error) {
    Settled<Sync> settled{figure};
    if (attempt.end_late(error)) settled.figure = &Worker<Sync>::failed;
    if (weight != nullptr && !settled.cancelled()) weight->put_off();  // before another has it
    if (!settled.cancelled() && !this->is_refused(worker)) {
      const auto wait = this->time().retry_after(i, attempt.number, error);
      if (!listeners().failed_attempt.empty()) tell_failed(i, attempt.number, error, wait);
      if (wait && this->time().retry(i, *wait, worker)) {
        if (this->ledger().claims().stopped()) this->take_rest();
        return {&Worker<Sync>::retried};
      }
    }
    if (settled.cancelled()) {
      this->keep_cancelled_itself(i);
    } else {
      settled.error = &this->keep_failed(i, std::move(error), attempt.number);
    }
    settle(i, worker, settled, weight);
    return settled;
  }

  void settle(std::uint64_t i, Worker<Sync>& worker, const Settled<Sync>& settled,
              ItemWeight<Sync>* weight) {
    if (listeners().completion.empty() || settled.cancelled()) tasks().drop(i);
    if (weight != nullptr && !settled.cancelled()) weight->complete();
    worker.settle(settled.figure);
    this->check_errors(settled.error != nullptr);
  }

  void call(std::uint64_t i, const Attempt<Sync>& attempt, AdvanceSink* sink,
            std::string_view slot) {
    const StopSignal& signal =
        attempt.deadline == nullptr ? this->stop_signal() : *attempt.deadline;
    TaskContext context(i, signal, attempt.number, sink, slot);
    tasks().attempt(attempt, context, listeners().start.empty() ? nullptr : this, *results());
  }

  void tell_start(std::uint64_t i, const Task& task, std::uint32_t attempt) override {
    const Inside<Sync> inside(this->crew(), UserCode::callback);
    starts_.tell(listeners().start,
                 Start<Task>{i, task, attempt, this->ledger().claims().available()},
                 this->deliveries().errors());
  }

  void tell_failed(std::uint64_t i, std::uint32_t attempt, const std::exception_ptr& error,
                   std::optional<std::chrono::nanoseconds> retry_after) {
    const Task* const task = tasks().found(i);
    if (task == nullptr) return;
    const Inside<Sync> inside(this->crew(), UserCode::callback);
    failed_attempts_.tell(listeners().failed_attempt,
                          FailedAttempt<Task>{i, *task, attempt, error, retry_after},
                          this->deliveries().errors());
  }

  /// Whether nothing is wanted of the items but that they run and are counted.
  [[nodiscard]] bool wants_no_more() {
    return tasks().supply() != TaskSupply::added && listeners().start.empty() &&
           weighing() == nullptr && this->admission() == nullptr && this->time().is_idle() &&
           !this->options().on_error.watches(false);
  }

  EventTelling<Sync> starts_;
  EventTelling<Sync> failed_attempts_;
  const bool is_plain_ = wants_no_more();
};

}  // namespace xofn::detail
