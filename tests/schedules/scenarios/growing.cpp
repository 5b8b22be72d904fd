// SPDX-License-Identifier: MIT
// Open batches: added to by several threads, closed, cancelled and paused meanwhile.
#include <chrono>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <utility>
#include <xofn/batch_processor.hpp>

#include "../oracle.hpp"
#include "../scenario.hpp"

namespace schedules::growing_scenarios {

using namespace std::chrono_literals;
using xofn::Delivery;
using xofn::Progress;

using Processor = xofn::BatchProcessor<int, ScheduledSync>;
using Pool = xofn::BasicThreadPool<ScheduledSync>;
using Open = xofn::OpenBatch<int, void, ScheduledSync>;

void run_item(int&) { work_for(2us); }

template <class Report>
void check_all_settled(const Report& report, std::uint64_t total) {
  const Progress& p = report.progress();
  check(p.total == total && p.total_is_final, "N is what was added");
  check(p.succeeded + p.failed + p.cancelled == total, "all have settled");
  check(report.outcomes().size() == total, "each has an outcome");
  std::uint64_t succeeded = 0;
  for (const auto& outcome : report.outcomes()) succeeded += outcome.succeeded() ? 1U : 0U;
  check(succeeded == p.succeeded, "the outcomes are those that were counted");
}

const Scenario two_adders{
    "open batch: two threads add, and one closes it", 2, [] {
      EveryStep told(true);
      Data<int> before;
      {
        Processor processor{{.max_workers = 2}};
        processor.on_progress(std::ref(told));
        before.write(1);
        auto batch = processor.open([&](int& item) {
          check(before.read() == 1, "what was done before is visible");
          run_item(item);
        });
        {
          const ScheduledThread other([&] { check(batch.add(1), "it is added"); });
          check(batch.add(0), "it is added");
          check_snapshot(batch.progress());
        }
        batch.close();
        check_all_settled(batch.wait(), 2);
      }
      told.check_ended(2);
    }};

const Scenario closed_at_the_last{
    "open batch: closed while its last item settles, the end is told once", 3, [] {
      EveryStep told(true);
      LatestState latest;
      {
        Processor processor{{.max_workers = 1}};
        processor.on_progress(std::ref(told));
        processor.on_progress(std::ref(latest), Delivery::latest(1ms));
        auto batch = processor.open(run_item);
        batch.add(0);
        const ScheduledThread waiter([&] { check_all_settled(batch.wait(), 1); });
        batch.close();
      }
      told.check_ended(1);
      latest.check_ended(1);
    }};

const Scenario from_a_task{
    "open batch: a task adds to its batch and closes it, on a pool of one thread", 3, [] {
      EveryStep told(true);
      {
        Pool pool{1};
        Processor processor{pool, {.max_workers = 1, .max_queued = 1}};
        processor.on_progress(std::ref(told));
        ScheduledSync::atomic<Open*> handle{nullptr};
        auto batch = processor.open([&](int& item) {
          if (item != 0) return;
          while (handle.load() == nullptr) ScheduledSync::yield();
          check(handle.load()->add(1) && handle.load()->add(2), "it does not wait for itself");
          handle.load()->close();
        });
        batch.add(0);
        handle.store(&batch);
        check_all_settled(batch.wait(), 3);
      }
      told.check_ended(3);
    }};

const Scenario cancelled{"open batch: cancelled while one thread adds and another is blocked", 2,
                         [] {
                           EveryStep told(true);
                           std::uint64_t completed = 0;
                           {
                             Processor processor{{.max_workers = 1, .max_queued = 1}};
                             processor.on_progress(std::ref(told));
                             auto batch = processor.open(run_item);
                             Data<std::uint64_t> others{0};
                             std::uint64_t added = 0;
                             {
                               const ScheduledThread adder([&] {
                                 for (int i = 0; i != 2; ++i) others.add(batch.add(i) ? 1U : 0U);
                               });
                               added += batch.add(0) ? 1U : 0U;
                               batch.cancel();
                               check(!batch.add(1), "nothing is added after a cancel");
                             }
                             const auto report = batch.wait();
                             check_all_settled(report, added + others.read());
                             completed = report.progress().completed();
                           }
                           told.check_ended(completed);
                         }};

const Scenario ended_by_the_adder{
    "open batch: cancelled while one thread adds and another waits for the end", 2, [] {
      {
        Processor processor{{.max_workers = 1}};
        auto batch = processor.open(run_item);
        std::uint64_t added = 0;
        Data<std::uint64_t> total{0};
        {
          const ScheduledThread waiter([&] { total.write(batch.wait().progress().total); });
          const ScheduledThread canceller([&] { batch.cancel(); });
          added = batch.add(0) ? 1U : 0U;
        }
        check(total.read() == added, "what was added is counted");
      }
    }};

const Scenario paused{"open batch: an add that is blocked by a pause goes on after it", 2, [] {
                        EveryStep told(true);
                        {
                          Processor processor{{.max_workers = 1, .max_queued = 1}};
                          processor.on_progress(std::ref(told));
                          auto batch = processor.open(run_item);
                          batch.pause();
                          {
                            const ScheduledThread adder([&] {
                              check(batch.add(0), "there is room");
                              check(batch.add(1), "and there is again");
                              batch.close();
                            });
                            batch.resume();
                          }
                          check_all_settled(batch.wait(), 2);
                        }
                        told.check_ended(2);
                      }};

const Scenario blocked_in_a_task{
    "open batch: a task of another batch, on the only thread, makes the room it waits for", 2, [] {
      Data<int> ran;
      {
        Pool pool{1};
        Processor outer{pool, {.max_workers = 1}};
        Processor inner{pool, {.max_workers = 1, .max_queued = 1}};
        auto batch = inner.open([&](int&) { ran.add(1); });
        auto producer = outer.open([&](int&) {
          for (int i = 0; i != 3; ++i) check(batch.add(i), "it is added");
          batch.close();
        });
        producer.add(0);
        producer.close();
        check_all_settled(producer.wait(), 1);
        check_all_settled(batch.wait(), 3);
      }
      check(ran.read() == 3, "each is run once");
    }};

const Scenario two_blocked_in_tasks{
    "open batch: of two threads blocked in tasks one goes on, and the other does the work", 1, [] {
      ScheduledSync::atomic<int> ran{0};
      {
        Pool pool{2};
        Processor outer{pool, {.max_workers = 2}};
        Processor inner{pool, {.max_workers = 1, .max_queued = 1}};
        auto batch = inner.open([&](int&) { ran.fetch_add(1); });
        auto producers = outer.open([&](int& item) {
          for (int i = 0; i != 2; ++i) check(batch.add(i), "it is added");
          // Keeps its thread until the other has done what is left, which it adds before.
          while (item == 0 && ran.load() < 2) ScheduledSync::yield();
        });
        producers.add(0);
        producers.add(1);
        producers.close();
        check_all_settled(producers.wait(), 2);
        batch.close();
        check_all_settled(batch.wait(), 4);
      }
    }};

const Scenario left_open{"open batch: left open, its handle ends it", 3, [] {
                           EveryStep told(true);
                           {
                             Processor processor{{.max_workers = 1}};
                             processor.on_progress(std::ref(told));
                             auto batch = processor.open(run_item);
                             batch.add(0);
                           }
                           check(told.has_ended(), "the final state has been told");
                         }};

const Scenario added_while_closed{
    "growing: what is added while another closes is added, or refused by an exception", 3, [] {
      Processor processor{{.max_workers = 1}};
      auto batch = processor.open([](int&) {});
      bool is_refused = false;
      {
        const ScheduledThread other([&] { batch.close(); });
        try {
          check(batch.add(0), "nobody has cancelled it");
        } catch (const std::logic_error&) {
          is_refused = true;
        }
      }
      check(batch.wait().progress().succeeded == (is_refused ? 0 : 1), "it is run if it was added");
    }};

}  // namespace schedules::growing_scenarios
