// SPDX-License-Identifier: MIT
// Not API: what a batch has: its tasks, and what is kept of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>
#include <xofn/batch/batch_of.hpp>
#include <xofn/batch/claiming.hpp>
#include <xofn/batch/failure.hpp>
#include <xofn/batch/handled_tasks.hpp>
#include <xofn/batch/item_run.hpp>
#include <xofn/batch/listeners.hpp>
#include <xofn/batch/options.hpp>
#include <xofn/batch/results.hpp>
#include <xofn/batch/task_list.hpp>
#include <xofn/batch/ticket.hpp>
#include <xofn/batch/weighing.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// The tasks of a batch, what they weigh and need, and the results.
template <class Task, class Result, class Sync>
class BatchContents : public BatchOf<Result, Sync> {
 public:
  using Tasks = HandledTasks<Task, Result, Sync>;

 protected:
  BatchContents(Workforce<Sync> workforce, const BasicBatchOptions<Sync>& options,
                std::shared_ptr<Listeners<Task, Sync>> listeners, std::shared_ptr<Tasks> tasks)
      : BatchOf<Result, Sync>(workforce, options, checked_size(tasks->size()),
                              tasks->supply() == TaskSupply::indexed,
                              {listeners, &listeners->occupancy}),
        tasks_(std::move(tasks)),
        listeners_(std::move(listeners)),
        results_(std::make_shared<Results<Result>>(tasks_->size())),
        weighing_(Weighing<Task, Sync>::make(*listeners_, tasks_->size())) {
    if (options.memory != nullptr && listeners_->memory == nullptr) {
      throw std::logic_error(
          "xofn: BatchOptions::memory is given, but memory_by has not said what items need");
    }
  }

  [[nodiscard]] Tasks& tasks() noexcept { return *tasks_; }
  [[nodiscard]] const Listeners<Task, Sync>& listeners() const noexcept { return *listeners_; }
  [[nodiscard]] const std::shared_ptr<Results<Result>>& results() const noexcept {
    return results_;
  }

  /// Null unless the items are weighed.
  [[nodiscard]] Weighing<Task, Sync>* weighing() const noexcept { return weighing_.get(); }

  /// Whether items need memory of a budget.
  [[nodiscard]] bool needs_memory() const noexcept { return this->options().memory != nullptr; }

  /// How much memory a task needs, of a budget. Calls the user's function, from any thread.
  [[nodiscard]] std::uint64_t need_of(const Task& task) const {
    return needs_memory() ? listeners_->memory->weigh(task) : 0;
  }

  /// Item `i`, the next, needs so much. Before it is available.
  void keep_need(std::uint64_t i, std::uint64_t need) noexcept {
    if (needs_memory()) this->admission()->add(i, need);
  }

  void keep_cancelled(ItemRun items) override {
    const typename Sync::lock guard(results_mutex_);
    results_->cancel(items);
  }

  /// Keeps that item `i` was begun, and cancelled itself.
  void keep_cancelled_itself(std::uint64_t i) {
    const typename Sync::lock guard(results_mutex_);
    results_->cancel_begun(i);
  }

  /// Keeps what item `i` failed with, where the reference says.
  const std::exception_ptr& keep_failed(std::uint64_t i, std::exception_ptr error,
                                        std::uint32_t attempts) {
    const typename Sync::lock guard(results_mutex_);
    return results_->fail(i, std::move(error), attempts);
  }

 private:
  static std::uint64_t checked_size(std::uint64_t size) {
    if (size <= Claims<Sync>::most_items) return size;
    throw std::invalid_argument("xofn: a range of " + std::to_string(size) +
                                " tasks, above 2^48 - 1");
  }

  [[nodiscard]] std::vector<Failure> seen_failures(std::size_t first,
                                                   std::size_t most) const override {
    const typename Sync::lock guard(results_mutex_);
    return results_->failing(first, most);
  }

  void keep_results() override {
    if (const auto* retried = this->time().retried()) {
      for (const auto& [i, item] : *retried) results_->retry(i, item.retries, item.error);
    }
    results_->finish(this->progress().total);
    if (const auto* retried = this->time().retried()) {
      for (const auto& item : *retried) {
        if (results_->was_left(item.first)) tasks_->drop(item.first);
      }
    }
  }

  const std::shared_ptr<Tasks> tasks_;
  const std::shared_ptr<Listeners<Task, Sync>> listeners_;
  const std::shared_ptr<Results<Result>> results_;
  mutable typename Sync::mutex results_mutex_;
  const std::unique_ptr<Weighing<Task, Sync>> weighing_;
};

}  // namespace xofn::detail
