// SPDX-License-Identifier: MIT
// Batches that end short: by a token, by their own tasks, by their executor; and waits that do.
#include <xofn/batch/stop_reason.hpp>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <vector>
#include <version>

#include <xofn/batch_processor.hpp>

#include "../support/executors.hpp"
#include "../support/gate.hpp"
#include "../support/work.hpp"

using support::eventually;
using support::Gate;
using support::numbers;
using support::Recorder;
using support::rounds;
using support::Runs;
using support::wrong_completions;
using support::wrong_every;
using support::wrong_latest;
using support::wrong_report;
using xofn::Batch;
using xofn::BatchProcessor;
using xofn::BatchState;
using xofn::Delivery;
using xofn::Progress;
using xofn::StopReason;
using xofn::TaskCancelled;
using xofn::TaskContext;
using xofn::ThreadPool;
using namespace std::chrono_literals;

#ifdef __cpp_lib_jthread
TEST_CASE("Stop token: one that was requested before stops the batch before anything starts") {
  const bool by_start = GENERATE(false, true);
  const bool unsized = GENERATE(false, true);
  CAPTURE(by_start, unsized);
  std::stop_source source;
  source.request_stop();
  Runs runs(50);
  Recorder every;
  Recorder latest;
  BatchProcessor<int> processor{{.max_workers = 2, .stop = source.get_token()}};
  processor.on_progress(every.callback()).on_progress(latest.callback(), Delivery::latest(1ms));
  const auto handler = [&](int i) { const auto running = runs.run(i); };
  auto make = [](int i) { return i; };
  const auto report =
      unsized ? support::run_either_way(processor, by_start,
                                        support::Generator<decltype(make)>(50, make), handler)
              : support::run_either_way(processor, by_start, numbers(50), handler);
  CHECK(wrong_report(report, runs) == "");
  CHECK(wrong_every(every, report.progress()) == "");
  CHECK(wrong_latest(latest, report.progress(), 1ms) == "");
  CHECK(runs.all_begun() == 0);
  CHECK(report.progress().total == (unsized ? 0 : 50));
  CHECK(report.stop_reason() == StopReason::cancelled);
  CHECK_FALSE(report.all_succeeded());
}

TEST_CASE("Stop token: requested by a task, a callback or another thread it cancels the batch") {
  const int from = GENERATE(0, 1, 2, 3);
  const bool by_start = GENERATE(false, true);
  CAPTURE(from, by_start);
  for (int round = 0; round < rounds(50); ++round) {
    std::stop_source source;
    Runs runs(500);
    Recorder every;
    std::atomic<bool> seen{from != 0};
    Gate begun;
    BatchProcessor<int> processor{{.max_workers = 2, .stop = source.get_token()}};
    processor
        .on_progress([&](const Progress& p) {
          if (from == 1 && p.completed() == 3) source.request_stop();
          every.record(p);
        })
        .on_progress(
            [&](const Progress&) {
              if (from == 2) source.request_stop();
            },
            Delivery::latest(0ns));
    std::thread other([&] {
      begun.wait();
      if (from == 3) source.request_stop();
    });
    const auto report = support::run_either_way(
        processor, by_start, numbers(500), [&](int i, TaskContext& context) {
          const auto running = runs.run(i);
          begun.open();
          support::work_for(20us);
          if (from == 0 && i == 3) {
            source.request_stop();
            seen.store(context.stop_requested() && context.stop_token().stop_requested());
          }
        });
    begun.open();
    other.join();
    REQUIRE(seen.load());
    REQUIRE(wrong_report(report, runs) == "");
    REQUIRE(wrong_every(every, report.progress()) == "");
    const bool cancelled = report.progress().cancelled != 0;
    REQUIRE(report.stop_reason() == (cancelled ? StopReason::cancelled : StopReason::none));
    if (from == 0 || from == 1) REQUIRE(cancelled);
  }
}

TEST_CASE("Stop token: requested after the end it changes nothing") {
  std::stop_source source;
  BatchProcessor<int> processor{{.max_workers = 2, .stop = source.get_token()}};
  std::optional<Batch<void>> batch = processor.start(numbers(5), [](int) {});
  const auto report = batch->wait();
  source.request_stop();
  CHECK(batch->progress() == report.progress());
  CHECK(batch->wait().stop_reason() == StopReason::none);
  batch.reset();
  CHECK(processor.run(numbers(5), [](int) {}).progress().cancelled == 5);
}

TEST_CASE("Stop token: one token stops many batches, also those that are paused") {
  std::stop_source source;
  ThreadPool pool{2};
  const xofn::BatchOptions options{.max_workers = 2, .stop = source.get_token()};
  BatchProcessor<int> first{pool, options};
  BatchProcessor<int> second{pool, options};
  Gate gate;
  Batch<void> one = first.start(numbers(100), [&](int) { gate.wait(); });
  Batch<void> two = second.start(numbers(100), [](int) {});
  one.pause();
  two.pause();
  source.request_stop();
  CHECK(one.progress().queued() == 0);
  CHECK(two.progress().queued() == 0);
  gate.open();
  CHECK(one.wait().stop_reason() == StopReason::cancelled);
  CHECK(support::is_final(two.wait().progress()));
}

TEST_CASE("C6: a batch may be destroyed while its token is requested") {
  for (int round = 0; round < rounds(300); ++round) {
    std::stop_source source;
    BatchProcessor<int> processor{{.max_workers = 2, .stop = source.get_token()}};
    std::thread other([&] { source.request_stop(); });
    {
      const Batch<void> batch = processor.start(numbers(10), [](int) {});
    }
    other.join();
  }
}
#endif

TEST_CASE("TaskCancelled: it settles the item as cancelled, which does not count in X") {
  const unsigned workers = GENERATE(1u, 3u);
  const bool by_start = GENERATE(false, true);
  Runs runs(90);
  Recorder every;
  Recorder latest;
  Recorder caller;
  support::CompletionRecorder completions;
  BatchProcessor<int> processor{{.max_workers = workers}};
  processor.on_progress(every.callback())
      .on_progress(latest.callback(), Delivery::latest(1ms))
      .on_progress(caller.callback(), Delivery::every().on_caller())
      .on_completion(completions.callback());
  const auto report = support::run_either_way(processor, by_start, numbers(90), [&](int i) {
    const auto running = runs.run(i);
    if (i % 3 == 0) throw TaskCancelled{};
    if (i % 3 == 1) support::fail(i);
    return i;
  });
  const Progress& last = report.progress();
  CHECK(last.succeeded == 30);
  CHECK(last.failed == 30);
  CHECK(last.cancelled == 30);
  CHECK(last.completed() == 60);
  CHECK(last.state == BatchState::cancelled);
  CHECK(report.failures().size() == 30);
  CHECK(report.stop_reason() == StopReason::none);
  CHECK_FALSE(report.all_succeeded());
  for (std::size_t i = 0; i < 90; ++i) {
    CHECK(report.outcomes()[i].cancelled() == (i % 3 == 0));
    CHECK(report.outcomes()[i].succeeded() == (i % 3 == 2));
    CHECK(runs.ended(i) == 1);
  }
  CHECK(wrong_every(every, last) == "");
  CHECK(wrong_latest(latest, last, 1ms) == "");
  CHECK(wrong_every(caller, last) == "");
  CHECK(wrong_completions(completions, report) == "");
}

TEST_CASE("TaskCancelled: who catches it in the task can say what it is") {
  CHECK(std::string(TaskCancelled{}.what()) == "xofn: the task was cancelled");
}

TEST_CASE("TaskCancelled: thrown by a running item of a batch that was cancelled") {
  const bool unsized = GENERATE(false, true);
  Recorder every;
  Gate started;
  Gate cancelled;
  BatchProcessor<int> processor{{.max_workers = 2}};
  processor.on_progress(every.callback());
  auto make = [](int i) { return i; };
  const auto handler = [&](int, TaskContext& context) {
    started.open();
    cancelled.wait();
    if (context.stop_requested()) throw TaskCancelled{};
  };
  Batch<void> batch = unsized
                          ? processor.start(support::Generator<decltype(make)>(50, make), handler)
                          : processor.start(numbers(50), handler);
  REQUIRE(started.wait());
  batch.cancel();
  cancelled.open();
  const auto report = batch.wait();
  CHECK(report.progress().completed() == 0);
  CHECK(report.progress().cancelled == report.progress().total);
  CHECK(report.stop_reason() == StopReason::cancelled);
  CHECK(report.failures().empty());
  CHECK(wrong_every(every, report.progress()) == "");
}

TEST_CASE("TaskCancelled: by every item, and of a nested batch only there") {
  ThreadPool pool{1};
  Recorder every;
  BatchProcessor<int> outer{pool, {.max_workers = 2}};
  outer.on_progress(every.callback());
  std::atomic<std::uint64_t> cancelled{0};
  const auto report = outer.run(numbers(4), [&](int) {
    BatchProcessor<int> inner{pool, {.max_workers = 2}};
    cancelled += inner.run(numbers(5), [](int) { throw TaskCancelled{}; }).progress().cancelled;
  });
  CHECK(report.all_succeeded());
  CHECK(cancelled == 20);
  CHECK(wrong_every(every, report.progress()) == "");
}

TEST_CASE("Stop reason: none where every item was run, also after a cancel too late") {
  Gate gate;
  BatchProcessor<int> processor{{.max_workers = 2}};
  std::atomic<int> begun{0};
  Batch<void> batch = processor.start(numbers(2), [&](int) {
    ++begun;
    gate.wait();
  });
  REQUIRE(eventually([&] { return begun == 2; }));
  batch.cancel();
  gate.open();
  const auto report = batch.wait();
  CHECK(report.stop_reason() == StopReason::none);
  CHECK(report.all_succeeded());
  CHECK(report.progress().state == BatchState::finished);
}

TEST_CASE(
    "Stop reason: a range that was not read to its end was not run, whatever was read of it") {
  const bool paused = GENERATE(false, true);
  CAPTURE(paused);
  Runs runs(3);
  Recorder every;
  every.expect_pauses();
  Gate reading;
  auto make = [](int i) { return i; };
  support::Generator<decltype(make)> tasks(3, make);
  Gate cancelled;
  tasks.at_next = [&](int i) {
    if (i != 1) return;
    reading.open();
    cancelled.wait();
  };
  BatchProcessor<int> processor{{.max_workers = 2}};
  processor.on_progress(every.callback());
  Batch<void> batch =
      processor.start(std::move(tasks), [&](int i) { const auto running = runs.run(i); });
  REQUIRE(reading.wait());
  REQUIRE(eventually([&] { return batch.progress().completed() == 2; }));
  if (paused) batch.pause();
  batch.cancel();
  cancelled.open();
  const auto report = batch.wait();
  CHECK(report.progress().completed() == 2);
  CHECK_FALSE(report.all_succeeded());
  CHECK(report.stop_reason() == StopReason::cancelled);
  CHECK(wrong_report(report, runs) == "");
  CHECK(wrong_every(every, report.progress()) == "");
}

TEST_CASE("Stop reason: a range that nobody was there to read says so") {
  support::DelayingExecutor executor;
  auto make = [](int i) { return i; };
  BatchProcessor<int> processor{executor, {.max_workers = 2}};
  Batch<void> batch = processor.start(support::Generator<decltype(make)>(3, make), [](int) {});
  executor.drop_all();
  const auto report = batch.wait();
  CHECK(report.progress().total == 0);
  CHECK(report.progress().state == BatchState::finished);
  CHECK_FALSE(report.all_succeeded());
  CHECK(report.stop_reason() == StopReason::deserted);
}

TEST_CASE("Stop reason: none for a range that threw, which has an error of its own") {
  auto make = [](int i) { return i; };
  support::Generator<decltype(make)> tasks(5, make);
  tasks.at_next = [](int i) {
    if (i == 2) throw std::runtime_error("no more");
  };
  BatchProcessor<int> processor{{.max_workers = 2}};
  const auto report = processor.run(tasks, [](int) {});
  CHECK(report.progress().succeeded == 3);
  CHECK(report.range_error() != nullptr);
  CHECK(report.stop_reason() == StopReason::none);
  CHECK_FALSE(report.all_succeeded());
}

TEST_CASE("Stop reason: deserted where the executor drops all that it was given") {
  support::DelayingExecutor executor;
  BatchProcessor<int> processor{executor, {.max_workers = 2}};
  Batch<void> batch = processor.start(numbers(10), [](int) {});
  executor.drop_all();
  const auto report = batch.wait();
  CHECK(report.progress().cancelled == 10);
  CHECK(report.stop_reason() == StopReason::deserted);
}

TEST_CASE("Stop reason: the first of several stands") {
  Gate gate;
  BatchProcessor<int> processor{{.max_workers = 1, .on_error = xofn::ErrorPolicy::stop_on_first()}};
  Gate started;
  Batch<void> batch = processor.start(numbers(10), [&](int i) {
    started.open();
    gate.wait();
    support::fail(i);
  });
  REQUIRE(started.wait());
  batch.cancel();
  gate.open();
  const auto report = batch.wait();
  CHECK(report.progress().failed == 1);
  CHECK(report.stop_reason() == StopReason::cancelled);
  for (const auto reason :
       {StopReason::none, StopReason::cancelled, StopReason::errors, StopReason::deserted}) {
    CHECK(std::string(to_string(reason)) != "unknown");
  }
  CHECK(std::string(to_string(static_cast<StopReason>(99))) == "unknown");
}

TEST_CASE("Stop reason: a batch under a task is cancelled with it") {
  ThreadPool pool{2};
  Gate inside;
  StopReason reason = StopReason::none;
  BatchProcessor<int> outer{pool, {.max_workers = 2}};
  Batch<void> batch = outer.start(numbers(1), [&](int) {
    BatchProcessor<int> inner{pool, {.max_workers = 1}};
    reason = inner
                 .run(numbers(1'000'000),
                      [&](int) {
                        inside.open();
                        support::work_for(100us);
                      })
                 .stop_reason();
  });
  REQUIRE(inside.wait());
  batch.cancel();
  CHECK(batch.wait().stop_reason() == StopReason::none);  // its only item had started
  CHECK(reason == StopReason::cancelled);
}

TEST_CASE("Batch: a timed wait says whether the batch has ended, and may be repeated") {
  Gate gate;
  Recorder every;
  BatchProcessor<int> processor{{.max_workers = 2}};
  processor.on_progress(every.callback());
  Batch<void> batch = processor.start(numbers(10), [&](int) { gate.wait(); });
  CHECK_FALSE(batch.wait_for(0s));
  CHECK_FALSE(batch.wait_for(-1s));
  CHECK_FALSE(batch.wait_for(std::chrono::hours::min()));
  CHECK_FALSE(batch.wait_for(std::chrono::duration<double>(std::nan(""))));
  CHECK_FALSE(batch.wait_for(std::chrono::duration<double>(-HUGE_VAL)));
  CHECK_FALSE(batch.wait_until(std::chrono::system_clock::now() - 1h));
  CHECK_FALSE(batch.wait_until(std::chrono::steady_clock::time_point::min()));
  const auto begin = std::chrono::steady_clock::now();
  CHECK_FALSE(batch.wait_for(3ms));
  CHECK(std::chrono::steady_clock::now() - begin >= 3ms);
  CHECK_FALSE(batch.wait_until(std::chrono::system_clock::now() + 2ms));
  CHECK_FALSE(batch.wait_until(std::chrono::high_resolution_clock::now() + 2ms));
  gate.open();
  const int way = GENERATE(0, 1, 2, 3, 4);
  CAPTURE(way);
  if (way == 0) CHECK(batch.wait_for(std::chrono::hours::max()));
  if (way == 1) CHECK(batch.wait_for(std::chrono::duration<double>(HUGE_VAL)));
  if (way == 2) CHECK(batch.wait_until(std::chrono::steady_clock::time_point::max()));
  if (way == 3) CHECK(batch.wait_until(std::chrono::system_clock::now() + 24h));
  const auto report = batch.wait();
  CHECK(report.all_succeeded());
  CHECK(batch.wait_for(0s));
  CHECK(batch.wait_for(-1s));
  CHECK(batch.wait_until(std::chrono::system_clock::time_point::min()));
  CHECK(wrong_every(every, report.progress()) == "");
}

TEST_CASE("C11: a timed wait inside a task works on its batch, on a pool of one thread") {
  ThreadPool pool{1};
  BatchProcessor<int> outer{pool, {.max_workers = 1}};
  Runs runs(200);
  bool too_soon = true;
  bool in_time = false;
  int waits = 0;
  std::string wrong = "nothing has run";
  const auto report = outer
                          .start(numbers(1),
                                 [&](int) {
                                   BatchProcessor<int> inner{pool, {.max_workers = 2}};
                                   Batch<void> batch = inner.start(numbers(200), [&](int i) {
                                     const auto running = runs.run(i);
                                     support::work_for(20us);
                                   });
                                   too_soon = batch.wait_for(0s);
                                   while (!batch.wait_for(100us)) ++waits;
                                   in_time = batch.wait_for(0s);
                                   wrong = wrong_report(batch.wait(), runs);
                                 })
                          .wait();
  CHECK(report.all_succeeded());
  CHECK_FALSE(too_soon);
  CHECK(waits > 0);
  CHECK(in_time);
  CHECK(wrong == "");
}

TEST_CASE("C10: a timed wait for its own batch is refused inside a task") {
  std::atomic<Batch<void>*> handle{nullptr};
  BatchProcessor<int> processor{{.max_workers = 1}};
  Batch<void> batch = processor.start(numbers(1), [&](int) {
    if (eventually([&] { return handle.load() != nullptr; })) {
      static_cast<void>(handle.load()->wait_for(1s));
    }
  });
  handle.store(&batch);
  const auto report = batch.wait();
  CHECK(report.progress().failed == 1);
  CHECK_THROWS_AS(report.throw_if_failed(), std::system_error);
}

TEST_CASE("Batch: a timed wait tells on_caller callbacks what is pending") {
  Gate gate;
  Recorder every;
  BatchProcessor<int> processor{{.max_workers = 1}};
  processor.on_progress(every.callback(), Delivery::every().on_caller());
  Batch<void> batch = processor.start(numbers(10), [&](int i) {
    if (i == 5) gate.wait();
  });
  REQUIRE(eventually([&] { return batch.progress().completed() == 5; }));
  CHECK_FALSE(batch.wait_for(0s));
  CHECK(every.told() == 5);
  gate.open();
  CHECK(wrong_every(every, batch.wait().progress()) == "");
}

TEST_CASE("Batch: a wait until the end of time, by a clock of any precision") {
  using Seconds = std::chrono::time_point<std::chrono::system_clock, std::chrono::seconds>;
  Gate gate;
  BatchProcessor<int> processor{{.max_workers = 1}};
  auto batch = processor.start(numbers(1), [&](int) { gate.wait(); });
  CHECK_FALSE(batch.wait_until(Seconds::min()));
  CHECK_FALSE(batch.wait_until(std::chrono::steady_clock::time_point::min()));
  gate.open();
  CHECK(batch.wait_until(Seconds::max()));
  CHECK(batch.wait_until(std::chrono::system_clock::time_point::max()));
}

#ifdef __cpp_lib_jthread
TEST_CASE("C10: what a stop token calls cannot wait for the batch, whoever has cancelled it") {
  std::optional<Batch<void>> batch;
  Gate emplaced;
  std::atomic<bool> listens{false};
  std::atomic<bool> is_refused{false};
  std::atomic<bool> was_called{false};
  BatchProcessor<int> processor{{.max_workers = 1}};
  batch.emplace(processor.start(numbers(1), [&](int, TaskContext& context) {
    emplaced.wait();
    const std::stop_callback stopped(context.stop_token(), [&] {
      try {
        batch->wait_for(5s);
      } catch (const std::system_error& error) {
        is_refused = error.code() == std::errc::resource_deadlock_would_occur;
      }
      was_called = true;
    });
    listens = true;
    static_cast<void>(eventually([&] { return was_called.load(); }));
  }));
  emplaced.open();
  REQUIRE(eventually([&] { return listens.load(); }));
  batch->cancel();
  batch->wait();
  CHECK(is_refused);
}
#endif

TEST_CASE("Batch: it has the name that its options give it") {
  BatchProcessor<int> named{{.max_workers = 1, .name = "clips"}};
  BatchProcessor<int> nameless{{.max_workers = 1}};
  Batch<void> batch = named.start(numbers(3), [](int) {});
  CHECK(batch.name() == "clips");
  CHECK(nameless.start(numbers(3), [](int) {}).name().empty());
  batch.wait();
  CHECK(batch.name() == "clips");
}
