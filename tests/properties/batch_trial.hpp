// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <xofn/batch_processor.hpp>
#include <xofn/sync.hpp>

#include "../support/executors.hpp"
#include "../support/gate.hpp"
#include "../support/oracle.hpp"
#include "../support/shaky_sync.hpp"
#include "../support/work.hpp"
#include "adding.hpp"
#include "batch_scenario.hpp"
#include "complaint.hpp"
#include "figures.hpp"
#include "steering.hpp"

namespace properties {

/// Runs one scenario and says what is wrong with what came of it, by the contract.
template <class Sync>
class BatchTrial {
 public:
  explicit BatchTrial(const BatchScenario& scenario)
      : scenario_(scenario),
        runs_(static_cast<std::size_t>(scenario.items)),
        failing_(chosen(scenario.failing)),
        slow_(chosen(scenario.slow)),
        told_starts_(runs_.items()),
        tasks_(runs_.items(), -1) {
    for (support::Recorder* r : recorders_) {
      if (steering_.pauses()) r->expect_pauses();
      if (opens()) r->expect_open_end();
    }
  }

  std::string run() {
    if (scenario_.slots > 0) {
      const auto count = static_cast<unsigned>(scenario_.slots);
      slots_.emplace(std::vector<typename Slots::Resource>{{"a", count}});
    }
    if (scenario_.memory > 0) memory_.emplace(scenario_.memory);
    const xofn::BasicBatchOptions<Sync> options{
        .max_workers = static_cast<unsigned>(scenario_.workers),
        .order = scenario_.in_order ? xofn::Order::submission : xofn::Order::completion,
        .on_error = policy(),
        .retry = {.max_attempts = static_cast<unsigned>(scenario_.attempts),
                  .backoff = std::chrono::milliseconds{scenario_.backs_off ? 1 : 0}},
        .task_timeout = std::chrono::nanoseconds{timeout()},
        .max_queued = static_cast<std::size_t>(scenario_.max_queued),
        .slots = slots_ ? &*slots_ : nullptr,
        .memory = memory_ ? &*memory_ : nullptr};
    switch (scenario_.pool) {
      case Pool::own: {
        xofn::BatchProcessor<int, Sync> processor{options};
        nest_ = [this, options](int depth) {
          xofn::BatchProcessor<int, Sync> inner{options};
          run_nested(inner, depth);
        };
        return run_on(processor);
      }
      case Pool::shared:
        return run_on_executor(shared_pool(), options);
      case Pool::one_thread: {
        xofn::BasicThreadPool<Sync> pool{1};
        return run_on_executor(pool, options);
      }
      case Pool::at_once: {
        support::InlineExecutor executor;
        return run_on_executor(executor, options);
      }
      case Pool::thread_per_call: {
        support::ThreadPerCall executor;
        return run_on_executor(executor, options);
      }
      case Pool::throwing: {
        support::ThrowingExecutor executor(scenario_.pool_takes);
        return run_on_executor(executor, options);
      }
      case Pool::dropping: {
        support::DroppingExecutor executor(scenario_.pool_takes);
        return run_on_executor(executor, options);
      }
    }
    return "no such pool";
  }

 private:
  using Batch = xofn::Batch<int, Sync>;
  using Report = xofn::BatchReport<int>;
  using Slots = xofn::BasicResourceSlots<Sync>;

  static xofn::BasicThreadPool<Sync>& shared_pool() {
    static xofn::BasicThreadPool<Sync> pool{3};
    return pool;
  }

  [[nodiscard]] xofn::ErrorPolicy policy() const {
    switch (scenario_.bears) {
      case Bears::all_failures:
        return xofn::ErrorPolicy::collect_all();
      case Bears::none:
        return xofn::ErrorPolicy::stop_on_first();
      case Bears::some:
        return xofn::ErrorPolicy::stop_after(static_cast<std::uint64_t>(scenario_.failures));
      case Bears::a_part:
        return xofn::ErrorPolicy::stop_above(scenario_.failures / 20.0, 5);
    }
    return xofn::ErrorPolicy::collect_all();
  }

  [[nodiscard]] std::chrono::nanoseconds timeout() const {
    return scenario_.timeout == Timeout::none      ? std::chrono::nanoseconds{0}
           : scenario_.timeout == Timeout::at_once ? std::chrono::nanoseconds{1}
                                                   : std::chrono::hours{1};
  }

  static std::uint64_t weight(int task) { return static_cast<std::uint64_t>(task % 7); }

  /// What a task needs of the memory. Which index a task of an open batch gets is not known before,
  /// so that none of its tasks needs more than there is.
  [[nodiscard]] int need(int task) const {
    return scenario_.memory == 0 ? 0 : task % (opens() ? scenario_.memory + 1 : 5);
  }
  /// Whether an item fails because it needs more memory than there is.
  [[nodiscard]] bool is_refused(std::size_t i) const {
    return !opens() && scenario_.memory > 0 && need(static_cast<int>(i)) > scenario_.memory;
  }

  [[nodiscard]] bool opens() const { return scenario_.starts && scenario_.opens; }

  [[nodiscard]] std::vector<bool> chosen(const std::vector<int>& items) const {
    std::vector<bool> all(runs_.items());
    for (const int item : items) {
      if (item < scenario_.items) all[static_cast<std::size_t>(item)] = true;
    }
    return all;
  }

  std::string run_on_executor(auto& executor, xofn::BasicBatchOptions<Sync> options) {
    nest_ = [this, &executor, options](int depth) {
      xofn::BatchProcessor<int, Sync> inner{executor, options};
      run_nested(inner, depth);
    };
    xofn::BatchProcessor<int, Sync> processor{executor, options};
    return run_on(processor);
  }

  std::string run_on(xofn::BatchProcessor<int, Sync>& processor) {
    listen(processor);
    switch (scenario_.items_in) {
      case Items::vector:
        return run_range(processor, support::numbers(scenario_.items));
      case Items::list: {
        const auto all = support::numbers(scenario_.items);
        return run_range(processor, std::list<int>(all.begin(), all.end()));
      }
      case Items::proxies:
        return run_range(processor, support::Indexed(scenario_.items, [](int i) { return i; }));
      case Items::generated: {
        support::Generator range(scenario_.items, [](int i) { return i; });
        range.at_next = [this](int i) {
          if (i == scenario_.range_throws_at) throw std::runtime_error("no more");
        };
        return run_range(processor, std::move(range));
      }
    }
    return "no such range";
  }

  template <class Range>
  std::string run_range(xofn::BatchProcessor<int, Sync>& processor, Range range) {
    const auto handler = [this](int i, xofn::TaskContext& context) { return item(i, context); };
    if (!scenario_.starts) return wrong(processor.run(range, handler));
    try {
      if (opens()) {
        auto batch = processor.open(handler);
        adding_.begin(batch);
        return wrong_batch(batch);
      }
      auto batch = processor.start(std::move(range), handler);
      return wrong_batch(batch);
    } catch (const std::system_error&) {
      return wrong_refusal();
    }
  }

  /// Steers, watches and reads a batch that was started, and adds to it.
  std::string wrong_batch(Batch& batch) {
    steering_.begin(batch);
    std::vector<std::thread> others;
    others.emplace_back([&] { steering_.steer(); });
    if (opens()) others.emplace_back([&] { adding_.add_all(); });
    if (scenario_.watched) others.emplace_back([&] { watch(batch); });
    if (scenario_.streams) read_stream(batch);
    const Report report = batch.wait();
    for (std::thread& other : others) other.join();
    steering_.end();
    return wrong(report);
  }

  void read_stream(Batch& batch) {
    for (bool has_left = true; has_left;) {
      has_left = false;
      int items = 0;
      for (auto& done : batch.completions()) {
        streamed_.record(done);
        has_left = ++items == scenario_.leaves_stream_every;
        if (has_left) break;
      }
      if (has_left && scenario_.waits_before_the_rest) batch.wait();
    }
  }

  int item(int task, xofn::TaskContext& context) {
    const std::uint64_t index = context.index();
    const int i = static_cast<int>(index);
    if (!opens() && task != i) complain("another's task");
    if (scenario_.tells_starts && told_starts_[index] != context.attempt()) {
      complain("its start was not told before");
    }
    const auto running = runs_.run(i);
    tasks_[index] = task;
    const InUse slot(slots_in_use_, slots_ ? 1 : 0);
    const InUse memory(memory_in_use_, need(task));
    if (slots_ && slot.all > scenario_.slots) complain("more slots are in use than there are");
    if (memory.all > scenario_.memory) complain("more memory is in use than there is");
    context.advance(weight(task) / 2);
    if (slow_[index]) support::work_for(std::chrono::microseconds{3});
    steering_.counted(Steerer::task, index);
    if (opens()) adding_.add_by_task(index);
    if (scenario_.nested_every > 0 && i % scenario_.nested_every == 0) {
      nest_(scenario_.nested_depth);
    }
    if (failing_[index] && static_cast<int>(context.attempt()) <= throws(index)) support::fail(i);
    return i;
  }

  /// In how many attempts a failing item throws.
  static int throws(std::uint64_t index) { return 1 + static_cast<int>(index % 3); }

  /// C7: what is read meanwhile is in order, and never behind what a callback has been told.
  void watch(const Batch& batch) {
    xofn::Progress before = batch.progress();
    for (;;) {
      const std::uint64_t told = std::max(every_.told(), latest_.told());
      const xofn::Progress now = batch.progress();
      complain(support::wrong_snapshot(now));
      complain(support::wrong_step(before, now));
      if (now.completed() < told) complain("C7: behind what was told: " + support::describe(now));
      if (support::is_final(now)) return;
      before = now;
      std::this_thread::yield();
    }
  }

  /// C11: a batch within a task, and so on.
  void run_nested(xofn::BatchProcessor<int, Sync>& processor, int depth) {
    support::Recorder told;
    support::Runs runs(static_cast<std::size_t>(scenario_.nested_items));
    processor.on_progress(told.callback());
    if (memory_) processor.memory_by([](int) { return std::uint64_t{0}; });
    const Report report = processor.run(support::numbers(scenario_.nested_items), [&](int i) {
      const auto running = runs.run(i);
      if (depth > 1 && i == 0) nest_(depth - 1);
      if (i % 5 == 4) support::fail(i);
      return i;
    });
    told.close();
    complain(wrong_report(report, runs, scenario_.attempts));
    complain(wrong_every(told, report.progress()));
    if (report.progress().cancelled > 0 && !steering_.cancelled() && !may_stop()) {
      complain("C12: cancelled though nobody has: " + support::describe(report.progress()));
    }
    account(report, told.made());
  }

  void listen(xofn::BatchProcessor<int, Sync>& processor) {
    using xofn::Delivery;
    if (scenario_.weighs) processor.weigh_by([](int task) { return weight(task); });
    if (memory_) {
      processor.memory_by([this](int task) { return static_cast<std::uint64_t>(need(task)); });
    }
    const auto to = [this](support::Recorder& recorder) {
      return [this, &recorder](const xofn::Progress& p) {
        recorder.record(p);
        steering_.counted(Steerer::callback, p.completed());
        throw_now_and_then(recorder.made());
      };
    };
    if (scenario_.every) processor.on_progress(to(every_));
    if (scenario_.every_on_caller)
      processor.on_progress(to(caller_), Delivery::every().on_caller());
    if (scenario_.latest) processor.on_progress(to(latest_), Delivery::latest(shortest));
    if (scenario_.latest_on_caller) {
      processor.on_progress(to(pulled_), Delivery::latest(3 * shortest).on_caller());
    }
    if (scenario_.completions) {
      processor.on_completion([this, calls = std::uint64_t{0}](const auto& c) mutable {
        items_.record(c);
        throw_now_and_then(++calls);
      });
    }
    if (scenario_.tells_starts) {
      processor.on_start([this](const xofn::Start<int>& start) {
        const support::Inside inside(is_telling_start_);
        if (!inside.alone) return complain("C4: calls for starts overlapped");
        if (start.attempt != ++told_starts_[start.index]) complain("not the next attempt");
        throw_now_and_then(++starts_);
      });
      processor.on_failed_attempt([this](const xofn::FailedAttempt<int>& failed) {
        const support::Inside inside(is_telling_failure_);
        if (!inside.alone) return complain("C4: calls for failed attempts overlapped");
        if (failed.attempt != told_starts_[failed.index]) complain("not the attempt that began");
        const bool is_last = static_cast<int>(failed.attempt) == scenario_.attempts;
        if (is_last && failed.will_retry()) complain("more attempts than there may be");
        throw_now_and_then(++failed_attempts_);
      });
    }
  }

  void throw_now_and_then(std::uint64_t call) {
    const auto period = static_cast<std::uint64_t>(scenario_.callbacks_throw_every);
    if (period == 0 || call % period != 0) return;
    thrown_.fetch_add(1);
    throw std::runtime_error("callback");
  }

  /// The executor had no thread: then nothing has happened.
  std::string wrong_refusal() {
    const bool has_none = scenario_.pool_takes == 0 &&
                          (scenario_.pool == Pool::throwing || scenario_.pool == Pool::dropping);
    if (!has_none) return "start was refused though there was a thread";
    if (runs_.all_begun() != 0) return "start was refused, but an item has run";
    if (every_.made() + caller_.made() + pulled_.made() + items_.entries().size() != 0) {
      return "start was refused, but something was told";
    }
    // Who is told the latest may have been told the start by then, and so is told the end.
    for (const support::Call& call : latest_.calls()) {
      if (call.progress.completed() != 0) return "start was refused, but items were told";
    }
    return {};
  }

  std::string wrong(const Report& report) {
    const xofn::Progress last = report.progress();
    for (support::Recorder* r : recorders_) r->close();
    account(report, every_.made() + caller_.made() + latest_.made() + pulled_.made() +
                        items_.entries().size() + streamed_.entries().size() + starts_ +
                        failed_attempts_);
    complain(wrong_report(report, runs_, scenario_.attempts,
                          [this](std::size_t i) { return is_refused(i); }));
    complain(wrong_end(report));
    complain(wrong_weights(report));
    if (scenario_.every) complain(wrong_every(every_, last));
    if (scenario_.every_on_caller) complain(wrong_every(caller_, last));
    if (scenario_.latest) complain(wrong_latest(latest_, last, shortest));
    if (scenario_.latest_on_caller) complain(wrong_latest(pulled_, last, 3 * shortest));
    if (scenario_.completions) complain(wrong_items(items_, report));
    if (scenario_.starts && scenario_.streams) complain(wrong_items(streamed_, report));
    if (scenario_.tells_starts) complain(wrong_attempts(report));
    for (const support::Recorder* r : {&caller_, &pulled_}) {
      if (!r->only_on(std::this_thread::get_id())) complain("on_caller was told elsewhere");
    }
    if (report.callback_error().count != thrown_.load() ||
        bool{report.callback_error().first != nullptr} != (thrown_.load() > 0)) {
      complain("C9: " + std::to_string(report.callback_error().count) + " errors kept of " +
               std::to_string(thrown_.load()));
    }
    if (slots_ && slots_->in_use() != 0) complain("a slot was not given back");
    if (memory_ && memory_->in_use() != 0) complain("memory was not given back");
    steering_.check_end(report.stop_reason() == xofn::StopReason::deserted);
    return complaint_.text();
  }

  std::string wrong_attempts(const Report& report) {
    if (starts_ != runs_.all_begun()) return "not each start was told";
    std::uint64_t failed = report.progress().retried;
    for (const xofn::Failure& failure : report.failures()) failed += !is_refused(failure.index);
    return failed_attempts_ == failed ? "" : "not each failed attempt was told";
  }

  std::string wrong_items(const support::CompletionRecorder& told, const Report& report) {
    if (std::string wrong = wrong_completions(told, report); !wrong.empty()) return wrong;
    const auto& items = told.entries();
    const auto is_before = [](const auto& a, const auto& b) { return a.index < b.index; };
    if (!scenario_.in_order || std::is_sorted(items.begin(), items.end(), is_before)) return {};
    return "not in the order of submission";
  }

  /// How many there were, and why not more.
  std::string wrong_end(const Report& report) {
    const xofn::Progress last = report.progress();
    const bool reads = scenario_.items_in == Items::generated && !opens();
    const bool throws_there =
        reads && 0 <= scenario_.range_throws_at && scenario_.range_throws_at < scenario_.items;
    const auto total = opens()
                           ? adding_.added()
                           : static_cast<std::uint64_t>(throws_there ? scenario_.range_throws_at + 1
                                                                     : scenario_.items);
    if (opens() && last.total != total) return "not what was added: " + support::describe(last);
    if (report.stop_reason() == xofn::StopReason::errors) return wrong_stop(last, total);
    if (report.stop_reason() == xofn::StopReason::none && opens() && adding_.stopped()) {
      return "an item was refused, and no reason given";
    }
    if (steering_.cancelled() || may_be_deserted())
      return last.total <= total ? "" : "more items than there were";
    if (last.cancelled > 0) return "C12: cancelled though nobody has: " + support::describe(last);
    if (last.total != total) return "not all that the range held: " + support::describe(last);
    if ((report.range_error() != nullptr) != throws_there) return "the range's error was not kept";
    if (last.completed() != total) return "C1: not all have completed: " + support::describe(last);
    // Stopped when all were running or had run: those that failed then were not tried again.
    if (scenario_.attempts > 1 && policy().stops(last)) return {};
    std::uint64_t begun = 0;
    for (std::size_t i = 0; i < last.total; ++i) {
      const auto& outcome = report.outcomes()[i];
      const int bad = scenario_.timeout == Timeout::at_once ? scenario_.attempts
                      : failing_[i]                         ? throws(i)
                                                            : 0;  // attempts
      const bool fails = bad >= scenario_.attempts || is_refused(i);
      if (outcome.failed() != fails) return "C8: it was not item " + std::to_string(i);
      if (!fails && outcome.value() != static_cast<int>(i)) return "another's result";
      const int attempts = is_refused(i) ? 0 : std::min(bad + 1, scenario_.attempts);
      if (runs_.begun(i) != attempts) return "not the attempts of item " + std::to_string(i);
      begun += is_refused(i) ? 1U : static_cast<std::uint64_t>(attempts);
    }
    if (last.retried != begun - total) return "not each retry was counted";
    return {};
  }

  /// At the failure that stops a batch others may be running, and as many about to begin.
  [[nodiscard]] std::uint64_t most_failed(std::uint64_t failures) const {
    return failures + 2 * static_cast<std::uint64_t>(scenario_.workers);
  }

  /// For a batch that its failures have stopped.
  std::string wrong_stop(const xofn::Progress& last, std::uint64_t total) {
    if (last.total > total) return "more items than there were: " + support::describe(last);
    const auto failures =
        scenario_.bears == Bears::none ? 1 : static_cast<std::uint64_t>(scenario_.failures);
    const bool is_wrong = scenario_.bears == Bears::a_part
                              ? last.failed == 0 || last.completed() < 5
                              : last.failed < failures || last.failed > most_failed(failures);
    if (scenario_.bears == Bears::all_failures || is_wrong) {
      return "not the failures that stop it: " + support::describe(last);
    }
    return {};
  }

  /// For a batch that has ended: it shows the weight of what has completed, and of what there was.
  std::string wrong_weights(const Report& report) {
    const xofn::Progress last = report.progress();
    std::uint64_t completed = 0;
    std::uint64_t reported = 0;  // of items that were cancelled before their next attempt
    for (std::size_t i = 0; scenario_.weighs && i < last.total; ++i) {
      const int task = opens() ? tasks_[i] : static_cast<int>(i);
      if (!report.outcomes()[i].cancelled())
        completed += weight(task);
      else if (runs_.begun(i) > 0)
        reported += weight(task) / 2;
    }
    if (last.weight_completed < completed || last.weight_completed > completed + reported ||
        last.weight_completed > last.weight_total) {
      return "not the weight of what has completed: " + std::to_string(last.weight_completed) +
             " of " + std::to_string(last.weight_total) + " and not " + std::to_string(completed);
    }
    if (last.completed() == last.total && last.weight_total != completed) {
      return "the weight is not whole at N/N";
    }
    return {};
  }

  /// Whether batches may end short by themselves: by failures, or with the item they run under.
  [[nodiscard]] bool may_stop() const {
    return scenario_.bears != Bears::all_failures || scenario_.timeout == Timeout::at_once;
  }

  /// Whether the executor may leave a batch that was started without a worker. That cancels it, and
  /// what it has not read of a range is not counted. Workers go where they have nothing to do.
  [[nodiscard]] bool may_be_deserted() const {
    if (!scenario_.starts) return false;
    const bool drops = scenario_.pool == Pool::dropping;
    if (drops && scenario_.pool_takes == 0) return true;
    const bool needs_new_ones = opens() || steering_.pauses() || scenario_.attempts > 1;
    return (drops || scenario_.pool == Pool::throwing) && needs_new_ones;
  }

  static void account(const Report& report, std::uint64_t calls) {
    figures.batches.fetch_add(1);
    figures.items.fetch_add(report.progress().total);
    figures.callbacks.fetch_add(calls);
  }

  void complain(const std::string& text) { complaint_.add(text); }

  /// So much is in use while this lives.
  struct InUse {
    InUse(std::atomic<int>& sum, int amount)
        : all(sum.fetch_add(amount) + amount), sum_(sum), amount_(amount) {}
    InUse(const InUse&) = delete;
    InUse& operator=(const InUse&) = delete;
    ~InUse() { sum_.fetch_sub(amount_); }

    const int all;

   private:
    std::atomic<int>& sum_;
    const int amount_;
  };

  static constexpr std::chrono::microseconds shortest{100};

  const BatchScenario& scenario_;
  support::Runs runs_;
  const std::vector<bool> failing_, slow_;
  std::optional<Slots> slots_;
  std::optional<xofn::BasicMemoryBudget<Sync>> memory_;
  std::atomic<int> slots_in_use_{0}, memory_in_use_{0};
  std::function<void(int depth)> nest_;
  support::Recorder every_, caller_, latest_, pulled_;
  const std::array<support::Recorder*, 4> recorders_{&every_, &caller_, &latest_, &pulled_};
  support::CompletionRecorder items_, streamed_;
  std::vector<unsigned> told_starts_;  // by item
  std::vector<int> tasks_;             // by item; -1: not begun
  std::uint64_t starts_ = 0, failed_attempts_ = 0;
  std::atomic<bool> is_telling_start_{false}, is_telling_failure_{false};
  std::atomic<std::uint64_t> thrown_{0};
  Complaint complaint_;
  Steering<Sync> steering_{scenario_, runs_, complaint_};
  Adding<Sync> adding_{scenario_, complaint_};
};

inline std::string wrong(const BatchScenario& scenario) {
  if (scenario.shaky) return BatchTrial<support::ShakySync>(scenario).run();
  return BatchTrial<xofn::StdSync>(scenario).run();
}

}  // namespace properties
