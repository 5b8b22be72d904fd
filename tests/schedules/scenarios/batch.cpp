// SPDX-License-Identifier: MIT
// Whole batches of a few items, with every way to be told.
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>
#include <xofn/batch_processor.hpp>

#include "../oracle.hpp"
#include "../scenario.hpp"

namespace schedules::batch_scenarios {

using namespace std::chrono_literals;
using xofn::Completion;
using xofn::Delivery;
using xofn::Progress;
using xofn::TaskContext;

using Processor = xofn::BatchProcessor<int, ScheduledSync>;

/// Item 1 fails; each is long enough to be told by itself.
int render(int& item) {
  work_for(2us);
  if (item == 1) throw std::runtime_error("item 1");
  return item * 10;
}

template <class Report>
void check_report(const Report& report, std::uint64_t total) {
  check(report.progress().succeeded == total - 1 && report.progress().failed == 1,
        "all are counted");
  check(report.failures().size() == 1 && report.failures()[0].index == 1, "the failure is kept");
  std::uint64_t values = 0;
  for (const int& value : report.values()) {
    check(value % 10 == 0, "a result is what the item returned");
    ++values;
  }
  check(values == total - 1, "each result is kept");
}

const Scenario every{"batch: three items, two workers, one throws; every step is told", 3, [] {
                       EveryStep told;
                       std::vector<int> items{0, 1, 2};
                       {
                         Processor processor{{.max_workers = 2}};
                         processor.on_progress(std::ref(told));
                         check_report(processor.run(items, render), 3);
                         told.check_ended(3);
                       }
                     }};

const Scenario short_items{"batch: items too short to be told one by one", 3, [] {
                             EveryStep told;
                             std::vector<int> items{0, 1, 2};
                             {
                               Processor processor{{.max_workers = 2}};
                               processor.on_progress(std::ref(told));
                               const auto report = processor.run(items, [](int&) { here(); });
                               check(report.all_succeeded(), "all succeed");
                               told.check_ended(3);
                             }
                           }};

const Scenario short_told{
    "batch: a short item is told when its run of items ends", 3, [] {
      ScheduledSync::atomic<std::uint64_t> told{0};
      std::vector<int> items{0, 1};
      {
        Processor processor{{.max_workers = 2}};
        processor.on_progress([&](const Progress& p) { told.store(p.completed()); });
        processor.run(items, [&](int& item) {
          while (item == 1 && told.load() == 0) ScheduledSync::yield();
        });
      }
    }};

const Scenario untold{"batch: nobody is told", 3, [] {
                        std::vector<int> items{0, 1};
                        std::vector<Data<int>> runs(2);
                        {
                          Processor processor{{.max_workers = 2}};
                          const auto report = processor.run(items, [&](int& item) {
                            runs[static_cast<std::size_t>(item)].add(1);
                            here();
                          });
                          check(report.all_succeeded(), "all succeed");
                          for (auto& run : runs)
                            check(run.read() == 1,
                                  "each item is run once, and what it did visible");
                        }
                      }};

const Scenario mixed{"batch: every and latest together", 3, [] {
                       EveryStep every_step;
                       LatestState latest_state;
                       std::vector<int> items{0, 1};
                       {
                         Processor processor{{.max_workers = 2}};
                         processor.on_progress(std::ref(every_step));
                         processor.on_progress(std::ref(latest_state), Delivery::latest(1ms));
                         check_report(processor.run(items, render), 2);
                         every_step.check_ended(2);
                         latest_state.check_ended(2);
                       }
                     }};

const Scenario on_caller{"batch: told on the thread that waits, which does not work", 3, [] {
                           EveryStep told;
                           std::vector<int> items{0, 1};
                           {
                             Processor processor{{.max_workers = 1}};
                             processor.on_progress(std::ref(told), Delivery::every().on_caller());
                             check_report(processor.run(items, render), 2);
                             told.check_ended(2);
                           }
                         }};

const Scenario no_items{
    "batch: one of no items has ended once its end is told, whoever tells it", 3, [] {
      EveryStep pumped;
      LatestState latest_state;
      std::vector<int> none;
      {
        Processor processor{{.max_workers = 2}};
        processor.on_progress(std::ref(pumped), Delivery::every().on_caller());
        processor.on_progress(std::ref(latest_state), Delivery::latest(1ms));
        processor.on_progress([](const Progress&) { throw 1; }, Delivery::latest(2ms));
        const auto report = processor.run(none, render);
        check(report.callback_error().count == 1, "what is told last is kept");
        pumped.check_ended(0);
        latest_state.check_ended(0);
      }
    }};

const Scenario completions{
    "batch: each completion is told, then the step it made", 3, [] {
      EveryStep told;
      Data<std::uint64_t> completed;
      std::vector<Data<int>> results(2);
      std::vector<int> items{0, 1};
      {
        Processor processor{{.max_workers = 2}};
        processor.on_completion([&](const Completion<int>& c) {
          check(c.progress.completed() == completed.read() + 1, "the k-th completion");
          completed.write(c.progress.completed());
          check(results[c.index].read() == 1, "what the item did is visible");
          check(c.succeeded() == (c.index == 0), "and what became of it");
          here();
        });
        processor.on_progress([&](const Progress& p) {
          check(p.completed() == completed.read(), "the same step");
          told(p);
        });
        processor.run(items, [&](int& item) {
          results[static_cast<std::size_t>(item)].write(1);
          return render(item);
        });
        told.check_ended(2);
      }
    }};

const Scenario callback_throws{"batch: callbacks that throw lose no step", 3, [] {
                                 EveryStep told;
                                 std::vector<int> items{0, 1};
                                 {
                                   Processor processor{{.max_workers = 2}};
                                   processor.on_progress([](const Progress&) { throw 1; });
                                   processor.on_progress(std::ref(told));
                                   const auto report = processor.run(items, render);
                                   check_report(report, 2);
                                   check(report.callback_error().count == 2,
                                         "each error is counted");
                                   told.check_ended(2);
                                 }
                               }};

const Scenario both_fail{"batch: two items fail at once, and both failures are kept", 3, [] {
                           std::vector<int> items{0, 1};
                           Processor processor{{.max_workers = 2}};
                           const auto report = processor.run(items, [](int& item) {
                             here();
                             throw item;
                           });
                           check(report.failures().size() == 2, "both are kept");
                           check(report.failures()[0].index == 0 && report.failures()[1].index == 1,
                                 "in their order");
                         }};

const Scenario nested{"batch: a task runs a batch on the pool of one thread that it runs on", 3,
                      [] {
                        using Pool = xofn::BasicThreadPool<ScheduledSync>;
                        EveryStep told;
                        std::vector<int> items{0, 1};
                        std::vector<int> inner_items{0, 1};
                        {
                          Pool pool{1};
                          Processor processor{pool, {.max_workers = 2}};
                          processor.on_progress(std::ref(told));
                          const auto report = processor.run(items, [&](int& item) {
                            if (item != 0) return;
                            EveryStep inner_told;
                            Processor inner{pool, {.max_workers = 2}};
                            inner.on_progress(std::ref(inner_told));
                            check_report(inner.run(inner_items, render), 2);
                            inner_told.check_ended(2);
                          });
                          check(report.all_succeeded(), "all succeed");
                          told.check_ended(2);
                        }
                      }};

const Scenario starts{"batch: starts are told one at a time, each before its item", 3, [] {
                        Data<int> told{0};
                        std::vector<int> items{0, 1, 2};
                        std::vector<Data<int>> begun(3);
                        Processor processor{{.max_workers = 2}};
                        processor.on_start([&](const xofn::Start<int>& start) {
                          told.add(1);
                          here();
                          begun[start.index].write(1);
                        });
                        const auto report = processor.run(items, [&](int& item) {
                          check(begun[static_cast<std::size_t>(item)].read() == 1, "told before");
                          work_for(2us);
                        });
                        check(report.all_succeeded() && told.read() == 3, "each once");
                      }};

const Scenario failed_attempts{
    "batch: failed attempts are told one at a time, each before the next", 3, [] {
      Data<int> told{0};
      std::vector<int> items{0, 1};
      std::vector<Data<int>> failed(2);
      Processor processor{{.max_workers = 2, .retry = {.max_attempts = 2}}};
      processor.on_failed_attempt([&](const auto& attempt) {
        told.add(1);
        here();
        failed[attempt.index].add(1);
        check(attempt.will_retry() == (attempt.attempt == 1), "again");
      });
      const auto report = processor.run(items, [&](int& item, TaskContext& context) {
        const auto i = static_cast<std::size_t>(item);
        const int before = static_cast<int>(context.attempt()) - 1;
        check(failed[i].read() == before, "told before");
        throw item;
      });
      check(report.progress().failed == 2 && told.read() == 4, "all");
    }};

const Scenario nested_wait{"batch: a task waits for a batch on the pool of one thread", 3, [] {
                             using Pool = xofn::BasicThreadPool<ScheduledSync>;
                             Pool pool{1};
                             Processor processor{pool, {.max_workers = 1}};
                             auto batch = processor.start(std::vector{0}, [&](int&) {
                               Processor inner{pool, {.max_workers = 1}};
                               check_report(inner.start(std::vector{0, 1}, render).wait(), 2);
                             });
                             check(batch.wait().all_succeeded(), "it succeeds");
                           }};

const Scenario few_threads{"batch: the system has no thread, and the caller does it all", 3, [] {
                             Scheduler::instance().limit_threads(1);
                             EveryStep every_step;
                             LatestState latest_state;
                             std::vector<int> items{0, 1};
                             {
                               Processor processor{{.max_workers = 2}};
                               processor.on_progress(std::ref(every_step));
                               processor.on_progress(std::ref(latest_state), Delivery::latest(1ms));
                               check_report(processor.run(items, render), 2);
                               every_step.check_ended(2);
                               latest_state.check_ended(2);
                             }
                           }};

const Scenario again{"batch: a processor runs again as soon as run() returns", 3, [] {
                       std::vector<int> items{0, 1};
                       {
                         Processor processor{{.max_workers = 2}};
                         std::optional<EveryStep> told;
                         told.emplace();
                         processor.on_progress([&](const Progress& p) { (*told)(p); });
                         for (int i = 0; i != 2; ++i) {
                           check_report(processor.run(items, render), 2);
                           told->check_ended(2);
                           told.emplace();
                         }
                       }
                     }};

}  // namespace schedules::batch_scenarios
