// SPDX-License-Identifier: MIT
// Batches on executors that have no threads, or share them.
#include <array>
#include <chrono>
#include <functional>
#include <optional>
#include <utility>
#include <vector>
#include <xofn/batch_processor.hpp>
#include <xofn/executors/inline_executor.hpp>

#include "../oracle.hpp"
#include "../scenario.hpp"

namespace schedules::executors_scenarios {

using namespace std::chrono_literals;
using xofn::Delivery;
using xofn::Progress;
using xofn::TaskContext;

using Processor = xofn::BatchProcessor<int, ScheduledSync>;

/// Runs what it is given at once, and does not say that it does.
struct Silent {
  void execute(auto&& f) const {
    auto function = std::forward<decltype(f)>(f);
    function();
  }
};

const Scenario retried_inline{
    "executors: a retry that is due is left to the thread that waits, and not run by the helper", 2,
    [] {
      const Silent here_at_once;
      const auto me = ScheduledSync::thread_slot();
      EveryStep told;
      {
        Processor processor{here_at_once,
                            {.max_workers = 2, .retry = {.max_attempts = 2, .backoff = 5us}}};
        processor.on_progress(std::ref(told));
        auto batch =
            processor.start(std::vector<int>{0, 1}, [&](const int& item, TaskContext& context) {
              check(ScheduledSync::thread_slot() == me, "on the thread that starts or waits");
              work_for(2us);
              if (item == 0 && context.attempt() == 1) throw 1;
            });
        check(batch.wait().all_succeeded(), "all succeed");
        told.check_ended(2);
      }
    }};

const Scenario bounded_wait{
    "executors: a wait for a time ends in time, where there is nobody to leave the work to", 2, [] {
      const xofn::InlineExecutor here_at_once;
      int items_run = 0;
      Processor processor{here_at_once,
                          {.max_workers = 1, .retry = {.max_attempts = 2, .backoff = 5us}}};
      auto batch = processor.start(std::vector<int>{0, 1, 2}, [&](int&, TaskContext& context) {
        if (context.attempt() == 1) throw 1;
        work_for(50us);
        ++items_run;
      });
      const int before = items_run;
      const bool ended = batch.wait_for(30us);
      check(ended || items_run <= before + 1, "it ends the item that it is at, and no more");
      check(batch.wait().all_succeeded(), "all succeed");
    }};

const Scenario added_inline{
    "executors: an item that a callback adds is left to the thread that waits", 2, [] {
      const Silent here_at_once;
      {
        Processor processor{here_at_once, {.max_workers = 1}};
        std::optional<xofn::OpenBatch<int, void, ScheduledSync>> batch;
        ScheduledSync::atomic<bool> is_open{false};
        processor.on_progress(
            [&](const Progress&) {
              if (is_open.exchange(false)) batch->add(1);
            },
            Delivery::latest(0ns).at_least_every(1us));
        batch.emplace(processor.open([&](int&) { batch->close(); }));
        is_open.store(true);
        check(batch->wait().progress().succeeded == 1, "it is run");
      }
    }};

const Scenario shared{
    "executors: two batches share the one thread of a pool, and neither waits for the other's end",
    2, [] {
      std::array<EveryStep, 2> told;
      std::vector<int> turns;  // of the one thread
      {
        xofn::BasicThreadPool<ScheduledSync> pool{1};
        Processor first{pool, {.max_workers = 1}};
        Processor second{pool, {.max_workers = 1}};
        first.on_progress(std::ref(told[0]));
        second.on_progress(std::ref(told[1]));
        ScheduledSync::atomic<bool> both{false};
        auto one = first.start(std::vector<int>{0, 1, 2}, [&](int&) {
          while (!both.load()) ScheduledSync::yield();
          turns.push_back(1);
          work_for(6ms);  // longer than a turn
        });
        auto two = second.start(std::vector<int>{0, 1}, [&](int&) {
          turns.push_back(2);
          work_for(6ms);
        });
        both.store(true);
        check(one.wait().all_succeeded() && two.wait().all_succeeded(), "all succeed");
      }
      told[0].check_ended(3);
      told[1].check_ended(2);
      check(turns == std::vector<int>{1, 2, 1, 2, 1}, "each has its turn after the other");
    }};

const Scenario steered_in_line{
    "executors: a batch that waits in line is cancelled, and ends", 2, [] {
      EveryStep told;
      {
        xofn::BasicThreadPool<ScheduledSync> pool{1};
        Processor first{pool, {.max_workers = 1}};
        Processor second{pool, {.max_workers = 1}};
        first.on_progress(std::ref(told));
        auto one = first.start(std::vector<int>{0, 1}, [](int&) { work_for(6ms); });
        auto two = second.start(std::vector<int>{0}, [](int&) { work_for(6ms); });
        one.cancel();
        const Progress last = one.wait().progress();
        check(last.completed() + last.cancelled == 2, "each is settled");
        told.check_ended(last.completed());
        check(two.wait().all_succeeded(), "the other is not touched");
      }
    }};

/// Gives what it gets first to a thread, and drops the rest; says that others wait for the thread.
struct Dropping {
  xofn::BasicThreadPool<ScheduledSync> pool{1};
  bool has_taken = false;

  void execute(auto&& f) {
    auto function = std::forward<decltype(f)>(f);
    if (!std::exchange(has_taken, true)) pool.execute(std::move(function));
  }
  [[nodiscard]] static bool has_waiting() { return true; }
};

const Scenario dropped{
    "executors: a worker whose place in the line is dropped goes on", 2, [] {
      EveryStep told;
      {
        Dropping executor;
        Processor processor{executor, {.max_workers = 1}};
        processor.on_progress(std::ref(told));
        auto batch = processor.start(std::vector<int>{0, 1, 2}, [](int&) { work_for(6ms); });
        check(batch.wait().all_succeeded(), "all succeed");
      }
      told.check_ended(3);
    }};

/// Says that others wait for its threads, and has enough for all.
struct Crowded {
  xofn::BasicThreadPool<ScheduledSync> pool{3};

  void execute(auto&& f) { pool.execute(std::forward<decltype(f)>(f)); }
  [[nodiscard]] static bool has_waiting() { return true; }
};

const Scenario added_while_making_way{
    "executors: an item that is added while a worker makes way for others has another", 1, [] {
      Crowded executor;
      Processor processor{executor, {.max_workers = 2}};
      ScheduledSync::atomic<bool> last_begun{false};
      auto batch = processor.open([&](int& item) {
        if (item == 0) work_for(6ms);  // longer than a turn
        while (item == 1 && !last_begun.load()) ScheduledSync::yield();
        if (item == 2) last_begun.store(true);
      });
      for (int item = 0; item != 3; ++item) batch.add(item);
      batch.close();
      check(batch.wait().all_succeeded(), "all succeed");
    }};

const Scenario blocked_inline{
    "executors: an add that waits for room does what is left to those who wait", 2, [] {
      const Silent here_at_once;
      {
        Processor processor{here_at_once, {.max_workers = 1, .max_queued = 1}};
        std::optional<xofn::OpenBatch<int, void, ScheduledSync>> batch;
        ScheduledSync::atomic<bool> is_open{false}, is_added{false};
        processor.on_progress(
            [&](const Progress&) {
              if (is_open.exchange(false)) {
                batch->add(0);
                is_added.store(true);
              }
            },
            Delivery::latest(0ns).at_least_every(1us));
        batch.emplace(processor.open([&](int&) {}));
        is_open.store(true);
        while (!is_added.load()) {
          work_for(1us);
          ScheduledSync::yield();
        }
        batch->add(1);
        batch->close();
        check(batch->wait().progress().succeeded == 2, "it is run");
      }
    }};

}  // namespace schedules::executors_scenarios
