// SPDX-License-Identifier: MIT
// Not API: what a batch does at certain times: tries items again, and tells them that they are
// late.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
#include <optional>
#include <utility>
#include <xofn/batch/attempt.hpp>
#include <xofn/batch/crew.hpp>
#include <xofn/batch/deadlines.hpp>
#include <xofn/batch/ledger.hpp>
#include <xofn/batch/options.hpp>
#include <xofn/batch/retries.hpp>
#include <xofn/batch/task_context.hpp>
#include <xofn/batch/worker.hpp>
#include <xofn/delivery/activity.hpp>
#include <xofn/delivery/deliveries.hpp>
#include <xofn/delivery/timed_work.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// Retries and deadlines, of which a batch has those that its options ask for.
template <class Sync = StdSync>
class Timekeeper final : public TimedWork<Sync> {
 public:
  using time_point = typename Sync::clock::time_point;

  Timekeeper(const BasicBatchOptions<Sync>& options, Ledger<Sync>& ledger, Crew<Sync>& crew,
             Deliveries<Sync>& deliveries)
      : ledger_(ledger), crew_(crew), deliveries_(deliveries) {
    if (options.retry.retries()) retries_.emplace(options.retry);
    if (options.task_timeout.count() != 0) {
      deadlines_.emplace(ledger.workers().size(), ledger.claims(), options.task_timeout);
    }
    has_timers_ = deadlines_ || (retries_ && options.retry.backoff.count() != 0);
  }

  /// Whether there are neither retries nor deadlines.
  [[nodiscard]] bool is_idle() const noexcept { return !retries_ && !deadlines_; }

  /// Whether there may be something to serve.
  [[nodiscard]] bool has_timers() const noexcept { return has_timers_; }

  /// Begins an attempt at item `i`.
  [[nodiscard]] Attempt<Sync> begin(std::uint64_t i, const Worker<Sync>& worker) {
    Attempt<Sync> attempt{retries_ ? retries_->of(i) + 1 : 1, nullptr};
    if (deadlines_) {
      const auto place = &worker - ledger_.workers().data();
      attempt.deadline = &deadlines_->of(static_cast<std::size_t>(place));
      if (deadlines_->begin(*attempt.deadline)) deliveries_.wake_timed_work();
    }
    return attempt;
  }

  /// How often item `i`, which has completed, was begun.
  [[nodiscard]] std::uint32_t attempts(std::uint64_t i) const {
    return retries_ ? retries_->of(i) + 1 : 1;
  }

  /// An attempt has failed. Whether the item is to be tried again, and how long it waits for it.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> retry_after(
      std::uint64_t i, std::uint32_t attempt, const std::exception_ptr& error) {
    if (!retries_ || ledger_.claims().stopped()) return std::nullopt;
    if (!retries_->wants(attempt, error, deliveries_.errors())) return std::nullopt;
    try {
      return retries_->keep(i, error);
    } catch (const std::bad_alloc&) {
      return std::nullopt;  // there is no memory to try it again
    }
  }

  /// Has an item tried again after what retry_after() has said. Returns false if there is no memory
  /// for it; else the item is no longer the worker's. After stop() it may have been put back where
  /// nobody looks any more.
  bool retry(std::uint64_t i, std::chrono::nanoseconds wait, Worker<Sync>& worker) {
    try {
      put_back(i, wait, worker);
      return true;
    } catch (const std::bad_alloc&) {
      retries_->undo(i);
      return false;
    }
  }

  /// Whether items wait for their retry.
  [[nodiscard]] bool any_waiting() const noexcept { return retries_ && retries_->waiting() != 0; }

  /// After stop(): takes away the items that wait, `take(run)` for each.
  template <class Take>
  void take_waiting(Take&& take) {
    if (retries_) retries_->take_all(take);
  }

  /// The batch has been cancelled: has the tokens of running items learn it.
  void signal() {
    if (deadlines_) deadlines_->signal();
  }

  time_point serve() override {
    const Inside<Sync> inside(crew_, UserCode::callback);  // which works on no items
    time_point next = time_point::max();
    if (retries_) next = put_back_due();
    if (deadlines_) next = std::min(next, deadlines_->expire());
    return next;
  }

  /// What is kept of the items that were tried again, once all have settled; null if none could be.
  [[nodiscard]] const typename Retries<Sync>::Items* retried() const noexcept {
    return retries_ ? &retries_->items() : nullptr;
  }

 private:
  /// Puts back an item, which its worker is inside for.
  void put_back(std::uint64_t i, std::chrono::nanoseconds wait, Worker<Sync>& worker) {
    const auto count = [&worker] { worker.settle(&Worker<Sync>::retried); };
    if (wait.count() == 0) {
      ledger_.claims().put_back(1, [&](auto put) {
        count();
        put(ItemRun{i, 1});
      });
      crew_.call_for_help();
    } else {
      const time_point now = Sync::clock::now();
      const bool fits = time_point::max() - now > wait;
      const time_point due = fits ? now + wait : time_point::max();
      if (retries_->wait(i, due, count)) deliveries_.wake_timed_work();
    }
  }

  /// Puts back the items whose time has come, but not while the batch is paused.
  time_point put_back_due() {
    if (ledger_.claims().paused()) return time_point::max();
    const time_point now = Sync::clock::now();
    if (retries_->next_due() <= now) {
      try {
        crew_.put_back([&] {
          const auto most = retries_->waiting();
          ledger_.claims().put_back(most, [&](auto put) { retries_->take_due(now, most, put); });
        });
      } catch (const std::bad_alloc&) {
        return now + std::chrono::milliseconds{1};  // when there may be memory again
      }
    }
    return retries_->next_due();
  }

  Ledger<Sync>& ledger_;
  Crew<Sync>& crew_;
  Deliveries<Sync>& deliveries_;
  std::optional<Retries<Sync>> retries_;
  std::optional<Deadlines<Sync>> deadlines_;
  bool has_timers_ = false;
};

}  // namespace xofn::detail
