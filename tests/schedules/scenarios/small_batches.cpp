// SPDX-License-Identifier: MIT
// Whole batches that are small enough to run them in all schedules up to their bound, which the
// proof insists on.
#include <chrono>
#include <functional>
#include <stdexcept>
#include <vector>
#include <xofn/batch_processor.hpp>
#include <xofn/executors/inline_executor.hpp>

#include "../oracle.hpp"
#include "../scenario.hpp"

namespace schedules::small_batches_scenarios {

using namespace std::chrono_literals;
using xofn::Delivery;
using xofn::Progress;

using Processor = xofn::BatchProcessor<int, ScheduledSync>;
using Pool = xofn::BasicThreadPool<ScheduledSync>;

const Scenario run{"small batch: one item and one worker, run", 3, [] {
                     EveryStep told;
                     {
                       Processor processor{{.max_workers = 1}};
                       processor.on_progress(std::ref(told));
                       std::vector<int> items{0};
                       check(processor.run(items, [](int&) { here(); }).all_succeeded(), "all");
                     }
                     told.check_ended(1);
                   }};

const Scenario run_two{"small batch: two items and one worker, one throws", 3, [] {
                         EveryStep told;
                         {
                           Processor processor{{.max_workers = 1}};
                           processor.on_progress(std::ref(told));
                           std::vector<int> items{0, 1};
                           const auto report = processor.run(items, [](int& item) {
                             work_for(2us);
                             if (item == 0) throw std::runtime_error("item 0");
                           });
                           check(report.progress().failed == 1, "one fails");
                         }
                         told.check_ended(2);
                       }};

const Scenario two_workers{
    "small batch: two items and two workers", 3, [] {
      EveryStep told;
      {
        Processor processor{{.max_workers = 2}};
        processor.on_progress(std::ref(told));
        std::vector<int> items{0, 1};
        check(processor.run(items, [](int&) { work_for(2us); }).all_succeeded(), "all");
      }
      told.check_ended(2);
    }};

const Scenario started{"small batch: one item, started and waited for", 3, [] {
                         EveryStep told;
                         {
                           Processor processor{{.max_workers = 1}};
                           processor.on_progress(std::ref(told));
                           auto batch = processor.start(std::vector<int>{0}, [](int&) { here(); });
                           check(batch.wait().all_succeeded(), "all");
                         }
                         told.check_ended(1);
                       }};

const Scenario cancelled{
    "small batch: two items, started and cancelled", 3, [] {
      EveryStep told;
      Progress last;
      {
        Processor processor{{.max_workers = 1}};
        processor.on_progress(std::ref(told));
        auto batch = processor.start(std::vector<int>{0, 1}, [](int&) { work_for(2us); });
        batch.cancel();
        last = batch.wait().progress();
        check(last.completed() + last.cancelled == 2, "each is settled");
      }
      told.check_ended(last.completed());
    }};

const Scenario latest{"small batch: one item, the latest state told by a helper", 3, [] {
                        LatestState told;
                        {
                          Processor processor{{.max_workers = 1}};
                          processor.on_progress(std::ref(told), Delivery::latest(0ns));
                          std::vector<int> items{0};
                          check(processor.run(items, [](int&) { here(); }).all_succeeded(), "all");
                        }
                        told.check_ended(1);
                      }};

const Scenario paused{"small batch: one item, paused and resumed", 3, [] {
                        EveryStep told;
                        {
                          Processor processor{{.max_workers = 1}};
                          processor.on_progress(std::ref(told));
                          auto batch = processor.start(std::vector<int>{0}, [](int&) { here(); });
                          batch.pause();
                          batch.resume();
                          check(batch.wait().all_succeeded(), "all");
                        }
                        told.check_ended(1);
                      }};

const Scenario cancelled_by_another{
    "small batch: one item, cancelled by another thread", 2, [] {
      EveryStep told;
      Progress last;
      {
        Processor processor{{.max_workers = 1}};
        processor.on_progress(std::ref(told));
        auto batch = processor.start(std::vector<int>{0}, [](int&) { here(); });
        const ScheduledThread other([&] { batch.cancel(); });
        last = batch.wait().progress();
        check(last.completed() + last.cancelled == 1, "it is settled");
      }
      told.check_ended(last.completed());
    }};

const Scenario growing{"small batch: one item, added to an open batch", 3, [] {
                         EveryStep told(true);
                         {
                           Processor processor{{.max_workers = 1}};
                           processor.on_progress(std::ref(told));
                           auto batch = processor.open([](int&) { here(); });
                           check(batch.add(0), "it is taken");
                           batch.close();
                           check(batch.wait().all_succeeded(), "all");
                         }
                         told.check_ended(1);
                       }};

const Scenario retried{"small batch: one item, tried twice", 3, [] {
                         EveryStep told;
                         {
                           Processor processor{{.max_workers = 1, .retry = {.max_attempts = 2}}};
                           processor.on_progress(std::ref(told));
                           std::vector<int> items{0};
                           const auto report =
                               processor.run(items, [](int&, xofn::TaskContext& context) {
                                 here();
                                 if (context.attempt() == 1) throw 1;
                               });
                           check(report.all_succeeded(), "all");
                         }
                         told.check_ended(1);
                       }};

const Scenario completed{
    "small batch: two items and two workers, told as they are completed", 3, [] {
      Data<int> sum{0};
      Processor processor{{.max_workers = 2}};
      processor.on_completion([&](const xofn::Completion<int>& done) { sum.add(done.task); });
      std::vector<int> items{1, 2};
      check(processor
                .run(items,
                     [](int& item) {
                       here();
                       return item;
                     })
                .all_succeeded(),
            "all");
      check(sum.read() == 3, "each is told");
    }};

}  // namespace schedules::small_batches_scenarios
