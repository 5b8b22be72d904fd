// SPDX-License-Identifier: MIT
// Not API: a batch whose tasks are added while it runs.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <utility>
#include <xofn/batch/added_tasks.hpp>
#include <xofn/batch/listeners.hpp>
#include <xofn/batch/open_items.hpp>
#include <xofn/batch/options.hpp>
#include <xofn/batch/run.hpp>
#include <xofn/delivery/activity.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// The total is final once the batch is closed or stopped, whichever is first. Under the lock a
/// task that is made already gets its number and becomes available, or does not: what is final is
/// never added to, and who stops the batch takes away all that was added before.
template <class Task, class Result, class Sync>
class OpenRun final : public BatchRun<Task, Result, Sync>, public OpenItems<Task> {
  using Run = BatchRun<Task, Result, Sync>;

 public:
  /// `added` is where `tasks` has them from.
  OpenRun(Workforce<Sync> workforce, const BasicBatchOptions<Sync>& options,
          std::shared_ptr<Listeners<Task, Sync>> listeners,
          std::shared_ptr<typename Run::Tasks> tasks, AddedTasks<Task, Sync>& added)
      : Run(workforce, options, std::move(listeners), std::move(tasks)), added_(added) {
    this->deliveries().tell_newest_at_once();
  }

  [[nodiscard]] bool takes_tasks() const override {
    check_not_closed();
    if (!this->ledger().total_is_final()) return true;
    check_not_closed();  // which may have made it final
    return false;
  }

  bool add(std::unique_ptr<Task>& task) override {
    const std::uint64_t need = this->need_of(*task);
    const std::uint64_t weight = this->weighing() == nullptr ? 0 : this->weighing()->weigh(*task);
    Added added = Added::stopped;
    bool has_entered = false;
    this->crew().add([&] {
      added = try_add(task, weight, need);
      if (added == Added::full) added = add_when_there_is_room(task, weight, need);
      // Resuming looks for what was added before it, and calls for help itself.
      if (added == Added::yes && !this->ledger().claims().paused()) this->crew().call_for_help();
      has_entered = true;
      // Here, since what has run meanwhile may have destroyed the handle.
      if (added == Added::stopped) check_not_closed();
    });
    if (!has_entered) check_not_closed();
    return added == Added::yes;
  }

  void close() override {
    closed_.store(true);
    this->crew().steer([this] {
      make_total_final();
      this->deliveries().announce();
    });
  }

 private:
  enum class Added { yes, full, stopped };

  void check_not_closed() const {
    if (closed_.load()) throw std::logic_error("xofn: OpenBatch::add: the batch has been closed");
  }

  void make_total_final() {
    const typename Sync::lock guard(mutex_);
    this->ledger().make_total_final();
  }

  void close_range() override {
    const typename Sync::lock guard(mutex_);
    if (!closed_.load()) cut_short_ = true;
    this->ledger().make_total_final();
  }

  [[nodiscard]] bool was_cut_short() const override { return cut_short_; }

  void begun() override {
    if (added_.queue().take()) this->deliveries().bell().ring();
  }

  Added try_add(std::unique_ptr<Task>& task, std::uint64_t weight, std::uint64_t need) {
    const typename Sync::lock guard(mutex_);
    check_not_closed();
    if (this->ledger().total_is_final()) return Added::stopped;
    if (added_.queue().full() && !may_exceed_limit()) return Added::full;
    added_.make_place();
    const std::uint64_t i = added_.count();
    this->grow(i + 1);
    this->keep_need(i, need);
    if (this->weighing() != nullptr) this->weighing()->weights().add(i, weight);
    added_.put(std::move(task));
    added_.queue().put();
    this->ledger().claims().extend(i + 1);
    return Added::yes;
  }

  /// A task or callback of this batch would wait for itself.
  [[nodiscard]] bool may_exceed_limit() { return Inside<Sync>::runs_under(this->activity()); }

  /// Blocks until it is added or the batch is closed or stopped. A thread that may be the one that
  /// the batch has to wait for works on it meanwhile, a run of items at a time.
  Added add_when_there_is_room(std::unique_ptr<Task>& task, std::uint64_t weight,
                               std::uint64_t need) {
    const typename QueueLimit<Sync>::Blocked blocked(added_.queue());
    bool works = this->must_work_while_waiting();
    const auto urgent = this->urgent(works);
    const typename Crew<Sync>::Staying staying(works ? &this->crew() : nullptr);
    auto& bell = this->deliveries().bell();
    for (;;) {
      const auto seen = bell.rings();
      works = works || this->crew().is_left_to_waiters();
      const Added added = try_add(task, weight, need);
      if (added != Added::full) return added;
      const auto sleep = [&] { bell.sleep(seen, Sync::clock::time_point::max()); };
      if (works) {
        this->crew().help(std::chrono::nanoseconds{1}, false);
        this->crew().idle(sleep);
      } else {
        sleep();
      }
    }
  }

  AddedTasks<Task, Sync>& added_;
  typename Sync::mutex mutex_;
  typename Sync::template atomic<bool> closed_{false};
  bool cut_short_ = false;  // under the lock until the total is final
};

}  // namespace xofn::detail
