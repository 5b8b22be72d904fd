// SPDX-License-Identifier: MIT
// Not API: a batch of certain tasks, run by a certain handler.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>
#include <xofn/batch/core.hpp>
#include <xofn/batch/item_run.hpp>
#include <xofn/batch/item_telling.hpp>
#include <xofn/batch/item_timer.hpp>
#include <xofn/batch/listeners.hpp>
#include <xofn/batch/options.hpp>
#include <xofn/batch/range_reader.hpp>
#include <xofn/batch/report.hpp>
#include <xofn/batch/ticket.hpp>
#include <xofn/batch/worker.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// Runs the items, and tells them.
template <class Task, class Result, class Sync>
class BatchRun : public ItemTelling<Task, Result, Sync> {
  using Telling = ItemTelling<Task, Result, Sync>;
  using Clock = typename Sync::clock;

 public:
  using Tasks = typename Telling::Tasks;

  BatchRun(Workforce<Sync> workforce, const BasicBatchOptions<Sync>& options,
           std::shared_ptr<Listeners<Task, Sync>> listeners, std::shared_ptr<Tasks> tasks)
      : Telling(workforce, options, std::move(listeners), std::move(tasks)),
        reader_(this->tasks(), this->ledger()) {
    const std::uint64_t size = this->tasks().size();
    grow(size);
    if (size == 0 || !measures()) return;
    this->tasks().make_early();
    for (std::uint64_t i = 0; i != size; ++i) measure(i);
  }

  void run() { BatchCore<Sync>::run(this->listeners().progress, this->tells_items()); }

  void start() {
    this->open_log();
    BatchCore<Sync>::start(this->listeners().progress, this->tells_items());
  }

  [[nodiscard]] BatchReport<Result> report() const override {
    return {this->results(), this->progress(), this->callback_error(), reader_.error(),
            this->stop_reason(!was_cut_short())};
  }

 protected:
  using Telling::weighing;

  /// Makes room for what is kept of `count` items.
  void grow(std::uint64_t count) {
    this->results()->grow(count);
    Telling::grow(count);
    if (weighing() != nullptr) weighing()->grow(count);
    if (this->needs_memory()) this->admission()->grow(count);
  }

  void close_range() override { reader_.close(); }

  /// Whether the batch was stopped before it was known that no more was to come; once it has ended.
  [[nodiscard]] virtual bool was_cut_short() const { return reader_.was_cut_short(); }

 private:
  /// Whether it matters what items weigh, or need.
  [[nodiscard]] bool measures() const noexcept {
    return weighing() != nullptr || this->needs_memory();
  }

  /// Asks what item `i`, the next, weighs and needs, before it is available.
  void measure(std::uint64_t i) {
    const Task& task = *this->tasks().used(i);
    const std::uint64_t need = this->need_of(task);
    if (weighing() != nullptr) weighing()->add(i, task);
    this->keep_need(i, need);
  }

  std::chrono::nanoseconds run_claimed(Worker<Sync>& worker) override {
    if (this->admission() != nullptr) return run_admitted(worker);
    const bool watched = this->is_watched();
    return watched || this->tells() ? run_and_tell(worker, watched) : run_untold(worker);
  }

  /// Runs the one item that has been admitted, and tells it as it settles.
  std::chrono::nanoseconds run_admitted(Worker<Sync>& worker) {
    const auto begin = Clock::now();
    const std::uint64_t i = this->admission()->admitted(worker).item;
    const auto settled = Telling::run_admitted(i, worker);
    const auto time = Clock::now() - begin;
    this->admission()->call_others();
    this->pass_on(worker, i, settled, time);
    if (this->tells()) this->deliveries().announce();
    this->flush();
    return time;
  }

  /// What a run of items should take: much more than it costs to claim and to tell it, and no time
  /// to who is told short items at its end; less where failures are to stop the batch soon.
  [[nodiscard]] std::chrono::nanoseconds run_time() const noexcept {
    return std::chrono::microseconds{this->options().on_error.watches(true) ? 2 : 16};
  }

  /// Nobody waits for the items: passes on together those that succeed one after the other.
  std::chrono::nanoseconds run_untold(Worker<Sync>& worker) {
    const auto begin = Clock::now();
    auto since = begin;
    std::uint64_t items = 0;
    for (bool goes_on = true; goes_on;) {
      const auto ran = this->run_items(worker, nullptr, false);
      goes_on = !ran.last.succeeded();
      const auto now = Clock::now();
      const auto mean = Telling::mean(now - since, ran.count);
      this->pass_on(worker, {ran.end - ran.count, ran.count - (goes_on ? 1 : 0)}, mean);
      if (goes_on) this->pass_on(worker, ran.end - 1, ran.last, mean);
      items += ran.count;
      since = now;
    }
    this->deliveries().announce();
    this->flush();
    worker.adapt(std::max<std::uint64_t>(items, 1), since - begin, run_time());
    return since - begin;
  }

  /// Tells each item that may have taken a microsecond, or has failed, as it settles, with the
  /// shorter ones before it. The others are told when the run of items ends or, if the worker
  /// `keeps` them meanwhile, with some other worker's.
  std::chrono::nanoseconds run_and_tell(Worker<Sync>& worker, bool keeps) {
    std::chrono::nanoseconds time{0};
    std::uint64_t items = 0;
    ItemTimer<Sync> timer;
    for (bool goes_on = true; goes_on;) {
      timer.start();
      const auto ran = this->run_items(worker, &timer, keeps);
      if (ran.count == 0) break;
      goes_on = ran.is_cut || !ran.last.succeeded();  // and the last is told by itself
      const auto took = timer.time();
      const auto last = goes_on ? timer.last(took) : std::chrono::nanoseconds{0};
      const std::uint64_t shorter = ran.count - (goes_on ? 1 : 0);
      if (shorter != 0) {
        const ItemRun run = keeps ? worker.take_kept() : ItemRun{ran.end - ran.count, shorter};
        this->pass_on(worker, run, Telling::mean(took - last, shorter));
      }
      if (goes_on) this->pass_on(worker, ran.end - 1, ran.last, last);
      this->deliveries().announce();
      this->flush();
      time += took;
      items += ran.count;
    }
    worker.adapt(std::max<std::uint64_t>(items, 1), time, run_time());
    return time;
  }

  [[nodiscard]] bool could_read() const noexcept override { return reader_.is_free(); }

  bool read_more(std::chrono::nanoseconds budget) override {
    if (!reader_.is_free()) return false;
    const bool has_read = reader_.read(
        budget, [this](std::uint64_t count) { make_room(count); }, [this] { added(); });
    if (this->ledger().total_is_final()) {  // which may be the end
      this->deliveries().announce();
      this->flush();  // what was held back
    }
    return has_read;
  }

  /// One more task has been read, the last of `count`.
  void make_room(std::uint64_t count) {
    grow(count);
    if (measures()) measure(count - 1);
  }

  /// One more task is available.
  void added() {
    if (this->ledger().claims().stopped()) {
      this->take_rest();
    } else {
      this->crew().call_for_help();
    }
    this->deliveries().ring_caller();
    this->flush();  // what was held back as the last that is known
  }

  RangeReader<Task, Sync> reader_;
};

}  // namespace xofn::detail
