// SPDX-License-Identifier: MIT
// Batches that try failed items again, and that end late ones; also cancelled and paused meanwhile.
#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <vector>
#include <xofn/batch_processor.hpp>

#include "../oracle.hpp"
#include "../scenario.hpp"

namespace schedules::retry_scenarios {

using namespace std::chrono_literals;
using xofn::Completion;
using xofn::Delivery;
using xofn::Progress;
using xofn::TaskContext;

using Processor = xofn::BatchProcessor<int, ScheduledSync>;
using Pool = xofn::BasicThreadPool<ScheduledSync>;
using BatchOptions = xofn::BasicBatchOptions<ScheduledSync>;

BatchOptions tried(unsigned attempts, std::chrono::nanoseconds backoff, unsigned workers = 2) {
  return {.max_workers = workers, .retry = {.max_attempts = attempts, .backoff = backoff}};
}

/// Item 0 fails the first time.
void fail_once(int& item, TaskContext& context) {
  work_for(2us);
  if (item == 0 && context.attempt() == 1) throw std::runtime_error("the first attempt");
}

template <class Report>
void check_settled(const Report& report, std::uint64_t total) {
  const Progress& p = report.progress();
  check(p.succeeded + p.failed + p.cancelled == total && p.total == total, "all have settled");
  std::uint64_t cancelled = 0;
  for (std::uint64_t i = 0; i != total; ++i) {
    const auto& outcome = report.outcomes()[i];
    const std::uint32_t attempts = report.attempts(i);
    cancelled += outcome.cancelled() ? 1U : 0U;
    check(attempts != 0 || outcome.cancelled(), "what completed was begun");
    check(!outcome.cancelled() || (attempts != 0) == (outcome.error() != nullptr),
          "a cancelled item keeps what its last attempt failed with");
  }
  check(cancelled == p.cancelled, "the outcomes are those that were counted");
}

const Scenario at_once{
    "retry: an item that failed is run again, and no step is told twice", 3, [] {
      EveryStep told;
      std::vector<int> items{0, 1};
      std::array<Data<int>, 2> runs;  // an attempt sees what the one before did
      {
        Processor processor{tried(2, 0ns)};
        processor.on_progress(std::ref(told));
        const auto report = processor.run(items, [&](int& item, TaskContext& context) {
          auto& run = runs[static_cast<std::size_t>(item)];
          run.add(1);
          check(run.read() == static_cast<int>(context.attempt()), "the attempts are counted");
          fail_once(item, context);
        });
        check_settled(report, 2);
        check(report.all_succeeded() && report.progress().retried == 1,
              "the second attempt counts");
        told.check_ended(2);
      }
    }};

const Scenario watched{
    "retry: a snapshot counts an item once, whichever worker has it", 3, [] {
      {
        Processor processor{tried(3, 0ns)};
        auto batch = processor.start(std::vector<int>{0}, [](int&, TaskContext& context) {
          here();
          if (context.attempt() < 3) throw 1;
        });
        const ScheduledThread reader([&] {
          Progress before;
          for (int i = 0; i != 3; ++i) {
            const Progress now = batch.progress();
            check_snapshot(now);
            check(now.queued() <= 1, "what is queued is part of the total");
            check(now.retried >= before.retried, "the retries never fall");
            check(now.succeeded == 0 || now.retried == 2, "the final state counts all retries");
            before = now;
            here();
          }
        });
        check(batch.wait().attempts(0) == 3, "three attempts");
      }
    }};

const Scenario backed_off{
    "retry: an item that waits holds no worker, and is run when its time has come", 3, [] {
      EveryStep told;
      LatestState latest;
      {
        Processor processor{tried(2, 10us, 1)};
        processor.on_progress(std::ref(told));
        processor.on_progress(std::ref(latest), Delivery::latest(1ms));
        const auto report = processor.start(std::vector<int>{0, 1}, fail_once).wait();
        check(report.all_succeeded() && report.attempts(0) == 2, "the second attempt counts");
        told.check_ended(2);
        latest.check_ended(2);
      }
    }};

const Scenario cancelled{"retry: cancelled while an item may wait for it", 3, [] {
                           EveryStep told;
                           {
                             Processor processor{tried(2, 1h, 1)};
                             processor.on_progress(std::ref(told));
                             auto batch = processor.start(std::vector<int>{0, 1}, fail_once);
                             const ScheduledThread canceller([&] { batch.cancel(); });
                             const auto report = batch.wait();
                             check_settled(report, 2);
                             told.check_ended(report.progress().completed());
                           }
                         }};

const Scenario cancelled_at_once{
    "retry: cancelled while an item is put back", 3, [] {
      {
        Processor processor{tried(2, 0ns)};
        auto batch = processor.start(std::vector<int>{0, 1}, fail_once);
        const ScheduledThread canceller([&] { batch.cancel(); });
        check_settled(batch.wait(), 2);
      }
    }};

const Scenario due_cancelled{
    "retry: cancelled while an item's time comes", 3, [] {
      {
        Processor processor{tried(2, 10ns, 1)};
        auto batch = processor.start(std::vector<int>{0}, fail_once);
        const ScheduledThread canceller([&] {
          while (batch.progress().retried == 0 && batch.progress().completed() == 0) {
            ScheduledSync::yield();
          }
          batch.cancel();
        });
        check_settled(batch.wait(), 1);
      }
    }};

const Scenario paused{"retry: an item whose time comes in a pause waits for its end", 3, [] {
                        EveryStep told;
                        {
                          Processor processor{tried(2, 10us, 1)};
                          processor.on_progress(std::ref(told));
                          auto batch = processor.start(std::vector<int>{0, 1}, fail_once);
                          const ScheduledThread pauser([&] {
                            batch.pause();
                            here();
                            batch.resume();
                          });
                          check(batch.wait().all_succeeded(), "all succeed");
                          told.check_ended(2);
                        }
                      }};

const Scenario paused_again{"retry: pausing again while items are claimed that were put back", 3,
                            [] {
                              {
                                Processor processor{tried(2, 0ns)};
                                auto batch = processor.start(std::vector<int>{0, 1}, fail_once);
                                for (int i = 0; i != 2; ++i) {
                                  batch.pause();
                                  batch.resume();
                                }
                                check(batch.wait().all_succeeded(), "all succeed");
                              }
                            }};

const Scenario without_helper{
    "retry: the system has no thread, and the caller serves the timers too", 3, [] {
      Scheduler::instance().limit_threads(1);
      EveryStep told;
      LatestState latest;
      std::vector<int> items{0, 1};
      {
        Processor processor{tried(3, 10us)};
        processor.on_progress(std::ref(told));
        processor.on_progress(std::ref(latest), Delivery::latest(1ms));
        check(processor.run(items, fail_once).all_succeeded(), "all succeed");
        told.check_ended(2);
        latest.check_ended(2);
      }
    }};

const Scenario nested{"retry: in a batch that a task runs on the pool of one thread", 3, [] {
                        std::vector<int> items{0};
                        std::vector<int> inner_items{0, 1};
                        {
                          Pool pool{1};
                          Processor processor{pool, {.max_workers = 1}};
                          const auto report = processor.run(items, [&](int&) {
                            Processor inner{pool, tried(2, 10us)};
                            check(inner.run(inner_items, fail_once).all_succeeded(), "inside");
                          });
                          check(report.all_succeeded(), "all succeed");
                        }
                      }};

/// Takes time, and lets others see that it has passed.
void pass_time() {
  work_for(300us);
  ScheduledSync::yield();
}

/// The first attempt of all runs until it is to stop, or takes its time and is not told; the second
/// must not learn of that.
class Late {
 public:
  explicit Late(bool waits = true) : waits_(waits) {}

  void operator()(int&, TaskContext& context) {
    if (ended_.read() == ScheduledClock::time_point{}) {
      for (int i = 0; waits_ ? !context.stop_requested() : i != 4; ++i) pass_time();
      ended_.write(ScheduledClock::now());
    } else if (context.stop_requested()) {  // time passes as it likes
      check(ScheduledClock::now() - ended_.read() >= 1ms, "its time is its own");
    }
  }

 private:
  const bool waits_;
  Data<ScheduledClock::time_point> ended_;
};

template <class Report>
void check_timed_out(const Report& report, std::uint64_t i) {
  try {
    report.outcomes()[i].value();
    check(false, "an item that ends late has failed");
  } catch (const xofn::TaskTimeout& error) {
    check(error.duration() >= 1ms, "with the time that it took");
  }
}

const Scenario timed_out{
    "timeout: an item learns that its time is up, the next one is not told", 3, [] {
      EveryStep told;
      Late late;
      {
        Processor processor{{.max_workers = 1, .task_timeout = 1ms}};
        processor.on_progress(std::ref(told));
        const auto report = processor.start(std::vector<int>{0, 1}, std::ref(late)).wait();
        check_settled(report, 2);
        check_timed_out(report, 0);
        told.check_ended(2);
      }
    }};

const Scenario just_late{
    "timeout: an item that ends just as its time is up leaves nothing to the next", 3, [] {
      Late late{false};
      {
        Processor processor{{.max_workers = 1, .task_timeout = 1ms}};
        const auto report = processor.start(std::vector<int>{0, 1}, std::ref(late)).wait();
        check_settled(report, 2);
        check_timed_out(report, 0);
      }
    }};

#ifdef __cpp_lib_jthread
const Scenario token_fires{
    "timeout: a stop token fires at the deadline or when it is cancelled", 3, [] {
      {
        Processor processor{{.max_workers = 1, .task_timeout = 1ms}};
        auto batch = processor.start(std::vector<int>{0}, [](int&, TaskContext& context) {
          ScheduledSync::atomic<bool> stopped{false};
          const std::stop_callback callback(context.stop_token(), [&] { stopped.store(true); });
          while (!stopped.load()) pass_time();
        });
        const ScheduledThread canceller([&] { batch.cancel(); });
        check_settled(batch.wait(), 1);
      }
    }};
#endif

const Scenario late_again{
    "timeout: each attempt has a deadline of its own, also over a pause", 3, [] {
      Late late;
      {
        Processor processor{
            {.max_workers = 1, .retry = {.max_attempts = 2, .backoff = 10us}, .task_timeout = 1ms}};
        auto batch = processor.start(std::vector<int>{0}, std::ref(late));
        const ScheduledThread pauser([&] {
          batch.pause();
          batch.resume();
        });
        const auto report = batch.wait();
        check_settled(report, 1);
        check(report.attempts(0) == 2, "it is tried twice");
      }
    }};

const Scenario late_without_helper{
    "timeout: without a thread to tell it, a late item fails", 3, [] {
      Scheduler::instance().limit_threads(1);
      std::vector<int> items{0};
      {
        Processor processor{{.max_workers = 2, .task_timeout = 1ms}};
        const auto report = processor.run(items, [](int&) { work_for(2ms); });
        check_timed_out(report, 0);
      }
    }};

}  // namespace schedules::retry_scenarios
