// SPDX-License-Identifier: MIT
// Batches that are started, cancelled, left alone; and ranges that are read.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>
#include <xofn/batch_processor.hpp>

#include "../oracle.hpp"
#include "../scenario.hpp"

namespace schedules::batch_ends_scenarios {

using namespace std::chrono_literals;
using xofn::Delivery;
using xofn::Progress;
using xofn::TaskContext;

using Processor = xofn::BatchProcessor<int, ScheduledSync>;
using Pool = xofn::BasicThreadPool<ScheduledSync>;
using BatchOptions = xofn::BasicBatchOptions<ScheduledSync>;

void run_item(int&) { work_for(2us); }

template <class Report>
void check_all_settled(const Report& report, std::uint64_t total) {
  const Progress& p = report.progress();
  check(p.succeeded + p.failed + p.cancelled == total && p.total == total, "all have settled");
  check((p.state == xofn::BatchState::cancelled) == (p.cancelled != 0),
        "cancelled if and only if an item was");
  std::uint64_t succeeded = 0;
  for (const auto& outcome : report.outcomes()) succeeded += outcome.succeeded() ? 1U : 0U;
  check(succeeded == p.succeeded, "the outcomes are those that were counted");
}

const Scenario started{"batch: started, watched, waited for and destroyed at once", 3, [] {
                         EveryStep told;
                         {
                           Processor processor{{.max_workers = 2}};
                           processor.on_progress(std::ref(told));
                           auto batch = processor.start(std::vector<int>{0, 1}, run_item);
                           check_snapshot(batch.progress());
                           check_all_settled(batch.wait(), 2);
                           told.check_ended(2);
                         }
                       }};

const Scenario errors{
    "batch: two failures at once are not too few to stop it", 3, [] {
      std::vector<int> items{0, 1, 2, 3};
      Processor processor{{.max_workers = 2, .on_error = xofn::ErrorPolicy::stop_after(2)}};
      const auto report = processor.run(items, [](int&) {
        work_for(2us);
        throw 1;
      });
      check_all_settled(report, 4);
      check(report.progress().failed <= 3, "the second is seen with the first");
      check(report.stop_reason() == xofn::StopReason::errors, "and said why");
    }};

// Item 2 fails behind two others: at no moment has more than a third failed.
const Scenario errors_in_part{
    "batch: what has succeeded is seen with the failures behind it", 2, [] {
      ScheduledSync::atomic<xofn::Batch<void, ScheduledSync>*> handle{nullptr};
      Processor processor{{.max_workers = 3, .on_error = xofn::ErrorPolicy::stop_above(0.4, 2)}};
      auto batch = processor.start(std::vector<int>{0, 1, 2, 3, 4, 5}, [&](int& item) {
        work_for(2us);
        const auto* known = handle.load();
        if (item == 2 && known != nullptr && known->progress().completed() >= 2) throw item;
      });
      handle.store(&batch);
      check(batch.wait().progress().cancelled == 0, "too few have failed to stop it");
    }};

const Scenario paused_and_resumed{"batch: paused by one thread while another resumes it", 2, [] {
                                    Processor processor{{.max_workers = 1}};
                                    auto batch = processor.start(std::vector<int>{0, 1}, run_item);
                                    {
                                      const ScheduledThread other([&] { batch.resume(); });
                                      batch.pause();
                                    }
                                    if (batch.progress().state == xofn::BatchState::paused) {
                                      batch.resume();
                                    }
                                    check_all_settled(batch.wait(), 2);
                                  }};

const Scenario cancelled{"batch: cancelled while it runs", 3, [] {
                           EveryStep told;
                           std::uint64_t completed = 0;
                           {
                             Processor processor{{.max_workers = 2}};
                             processor.on_progress(std::ref(told));
                             auto batch = processor.start(std::vector<int>{0, 1, 2}, run_item);
                             const ScheduledThread canceller([&] { batch.cancel(); });
                             const auto report = batch.wait();
                             check_all_settled(report, 3);
                             completed = report.progress().completed();
                           }
                           told.check_ended(completed);
                         }};

const Scenario cancelled_inside{"batch: cancelled by a task", 3, [] {
                                  EveryStep told;
                                  {
                                    Processor processor{{.max_workers = 2}};
                                    processor.on_progress(std::ref(told));
                                    xofn::Batch<void, ScheduledSync>* handle = nullptr;
                                    ScheduledSync::atomic<bool> ready{false};
                                    auto batch = processor.start(
                                        std::vector<int>{0, 1}, [&](int&, TaskContext& context) {
                                          while (!ready.load()) ScheduledSync::yield();
                                          handle->cancel();
                                          check(context.stop_requested(), "a running item sees it");
                                        });
                                    handle = &batch;
                                    ready.store(true);
                                    const auto report = batch.wait();
                                    check_all_settled(report, 2);
                                    told.check_ended(report.progress().completed());
                                  }
                                }};

const Scenario dropped{"batch: destroyed without a wait, it is cancelled and all is told", 3, [] {
                         EveryStep told;
                         auto alive = std::make_unique<Data<bool>>(true);
                         {
                           Processor processor{{.max_workers = 2}};
                           processor.on_progress([&](const Progress& p) {
                             check(alive->read(), "what the callback needs is there");
                             told(p);
                           });
                           { auto batch = processor.start(std::vector<int>{0, 1}, run_item); }
                           alive->write(false);
                           alive.reset();
                         }
                       }};

const Scenario dropped_inside{"batch: destroyed by its own callback, it ends by itself", 3, [] {
                                EveryStep told;
                                {
                                  Pool pool{1};
                                  auto processor = std::make_unique<Processor>(
                                      pool, BatchOptions{.max_workers = 1});
                                  std::optional<xofn::Batch<void, ScheduledSync>> batch;
                                  ScheduledSync::atomic<bool> ready{false};
                                  ScheduledSync::atomic<bool> gone{false};
                                  processor->on_progress([&](const Progress& p) {
                                    while (!ready.load()) ScheduledSync::yield();
                                    batch.reset();
                                    told(p);
                                    if (p.state != xofn::BatchState::running) gone.store(true);
                                  });
                                  batch.emplace(processor->start(std::vector<int>{0, 1}, run_item));
                                  ready.store(true);
                                  while (!gone.load()) ScheduledSync::yield();
                                }
                              }};

const Scenario waited_by_two{"batch: two threads wait for it", 3, [] {
                               EveryStep told;
                               {
                                 Processor processor{{.max_workers = 1}};
                                 processor.on_progress(std::ref(told),
                                                       Delivery::every().on_caller());
                                 auto batch = processor.start(std::vector<int>{0}, run_item);
                                 const ScheduledThread other([&] {
                                   batch.wait();
                                   told.check_ended(1);
                                 });
                                 batch.wait();
                                 told.check_ended(1);
                               }
                             }};

const Scenario cannot_wait{"batch: a task that waits for its own batch is refused", 3, [] {
                             Processor processor{{.max_workers = 2}};
                             xofn::Batch<void, ScheduledSync>* handle = nullptr;
                             ScheduledSync::atomic<bool> ready{false};
                             auto batch = processor.start(std::vector<int>{0}, [&](int&) {
                               while (!ready.load()) ScheduledSync::yield();
                               handle->wait();
                             });
                             handle = &batch;
                             ready.store(true);
                             const auto report = batch.wait();
                             check(report.failures().size() == 1, "it fails rather than hang");
                           }};

const Scenario read_range{"batch: a range that is read while items run", 3, [] {
                            EveryStep told;
                            std::list<int> items{0, 1};
                            {
                              Processor processor{{.max_workers = 2}};
                              processor.on_progress(std::ref(told));
                              const auto report = processor.run(items, run_item);
                              check_all_settled(report, 2);
                              told.check_ended(2);
                            }
                          }};

/// 0, 1, ..., each of which takes longer to make than a reader reads on.
struct SlowRange {
  struct Iterator {
    using value_type = int;
    using difference_type = std::ptrdiff_t;
    int operator*() const { return i; }
    Iterator& operator++() {
      work_for(200us);
      ++i;
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator&, const Iterator&) = default;
    int i = 0;
  };
  [[nodiscard]] Iterator begin() const { return {}; }
  [[nodiscard]] Iterator end() const { return {size}; }
  int size;
};

const Scenario slow_range_cancelled{"batch: a slow range is cancelled between two readings", 3, [] {
                                      EveryStep told;
                                      {
                                        Processor processor{{.max_workers = 2}};
                                        processor.on_progress(std::ref(told));
                                        auto batch = processor.start(SlowRange{3}, run_item);
                                        const ScheduledThread canceller([&] { batch.cancel(); });
                                        const auto report = batch.wait();
                                        check_all_settled(report, report.progress().total);
                                        told.check_ended(report.progress().completed());
                                      }
                                    }};

const Scenario ends_alone{"batch: cancelled, it ends though nobody waits for it", 3, [] {
                            ScheduledSync::atomic<bool> ended{false};
                            Processor processor{{.max_workers = 1}};
                            processor.on_progress([&](const Progress& p) {
                              if (p.state != xofn::BatchState::running) ended.store(true);
                            });
                            auto batch = processor.start(std::vector<int>{0, 1}, run_item);
                            batch.cancel();
                            while (!ended.load()) ScheduledSync::yield();
                          }};

const Scenario read_cancelled{"batch: a range that is read is cancelled where its reader stops", 3,
                              [] {
                                EveryStep told;
                                {
                                  Processor processor{{.max_workers = 2}};
                                  processor.on_progress(std::ref(told));
                                  auto batch = processor.start(std::list<int>{0, 1}, run_item);
                                  const ScheduledThread canceller([&] { batch.cancel(); });
                                  const auto report = batch.wait();
                                  check_all_settled(report, report.progress().total);
                                  told.check_ended(report.progress().completed());
                                }
                              }};

/// Item 0 runs until item 1 has started: which must not wait for it while a worker is idle.
template <class Range>
void no_hostage() {
  ScheduledSync::atomic<bool> other{false};
  Range items{0, 1};
  {
    Processor processor{{.max_workers = 2}};
    const auto report = processor.run(items, [&](int& item) {
      if (item == 1) other.store(true);
      while (!other.load()) ScheduledSync::yield();
    });
    check_all_settled(report, 2);
  }
}

const Scenario no_hostage_indexed{"batch: no item waits behind a running one", 3,
                                  &no_hostage<std::vector<int>>};
const Scenario no_hostage_read{"batch: no item that is read waits behind a running one", 3,
                               &no_hostage<std::list<int>>};

const Scenario child_cancelled{
    "batch: one that a task runs is cancelled with it", 3, [] {
      ScheduledSync::atomic<bool> was_cancelled{false};
      Pool pool{1};
      Processor processor{pool, {.max_workers = 1}};
      auto batch = processor.start(std::vector<int>{0}, [&](int&, TaskContext& context) {
        const bool is_late = was_cancelled.load();
        std::vector<int> items{0, 1};
        Processor inner{pool, {.max_workers = 1}};
        const auto report = inner.run(items, [&](int&) {
          while (!context.stop_requested()) ScheduledSync::yield();
        });
        check_all_settled(report, 2);
        check(!is_late || report.progress().cancelled != 0, "also if it begins later");
      });
      const ScheduledThread canceller([&] {
        batch.cancel();
        was_cancelled.store(true);
      });
      batch.wait();
    }};

/// The threads of a system that has none left.
struct NoThreads {
  template <class F>
  void execute(F&& /*work*/) {
    throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
  }
};

void cancel_one_that_has_not_started(std::chrono::nanoseconds task_timeout) {
  Processor processor{{.max_workers = 1}};
  auto batch = processor.start(std::vector<int>{0}, [&](int&) {
    NoThreads executor;
    Processor inner{executor, {.max_workers = 1, .task_timeout = task_timeout}};
    const auto report = inner.start(std::vector<int>{0, 1}, run_item).wait();
    check(report.progress().cancelled == 2, "either it has not begun, or it is cancelled");
  });
  const ScheduledThread canceller([&] { batch.cancel(); });
  check_all_settled(batch.wait(), 1);
}

const Scenario not_started{"batch: one that no thread is to be had for may be cancelled meanwhile",
                           3, [] { cancel_one_that_has_not_started(0ns); }};
const Scenario not_started_with_helper{
    "batch: one that only a helper thread is to be had for may be cancelled meanwhile", 3,
    [] { cancel_one_that_has_not_started(1h); }};

const Scenario refused{"batch: a second one while one runs is refused", 3, [] {
                         Processor processor{{.max_workers = 1}};
                         auto batch = processor.start(std::vector<int>{0}, run_item);
                         std::vector<int> items{0};
                         try {
                           processor.run(items, run_item);
                         } catch (const std::logic_error&) {
                         }
                         batch.wait();
                         check(processor.run(items, run_item).all_succeeded(),
                               "and welcome afterwards");
                       }};

const Scenario outlived{"batch: a processor with threads of its own waits for its batch", 3, [] {
                          std::optional<xofn::Batch<void, ScheduledSync>> batch;
                          {
                            Processor processor{{.max_workers = 1}};
                            batch.emplace(processor.start(std::vector<int>{0, 1}, run_item));
                          }
                          check_all_settled(batch->wait(), 2);
                        }};

const Scenario outlived_untold{
    "batch: a processor does not wait for what waiting threads are told", 3, [] {
      EveryStep told;
      std::optional<xofn::Batch<void, ScheduledSync>> batch;
      {
        Processor processor{{.max_workers = 1}};
        processor.on_progress(std::ref(told), Delivery::every().on_caller());
        batch.emplace(processor.start(std::vector<int>{0}, run_item));
      }
      check_all_settled(batch->wait(), 1);
      told.check_ended(1);
    }};

const Scenario pool_runs_all{"thread pool: each function is run once, and what was done is visible",
                             3, [] {
                               Data<int> before;
                               std::vector<Data<int>> runs(3);
                               {
                                 Pool pool{2};
                                 before.write(1);
                                 for (auto& run : runs) {
                                   pool.execute([&] {
                                     check(before.read() == 1, "what the caller did is visible");
                                     run.add(1);
                                   });
                                 }
                               }
                               for (auto& run : runs) check(run.read() == 1, "each is run once");
                             }};

const Scenario pool_from_inside{"thread pool: functions given by its own threads are run", 3, [] {
                                  Data<int> runs;
                                  {
                                    Pool pool{1};
                                    pool.execute([&] {
                                      check(pool.running_in_this_thread(),
                                            "it is one of the pool's");
                                      pool.execute([&] { runs.add(1); });
                                    });
                                    check(!pool.running_in_this_thread(), "this one is not");
                                  }
                                  check(runs.read() == 1, "it is run");
                                }};

}  // namespace schedules::batch_ends_scenarios
