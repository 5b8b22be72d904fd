// SPDX-License-Identifier: MIT
#include <xofn/batch/batch.hpp>

#include <algorithm>
#include <atomic>
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>

#include <xofn/batch_processor.hpp>

#include "../support/executors.hpp"
#include "../support/gate.hpp"
#include "../support/shaky_sync.hpp"
#include "../support/work.hpp"

using support::eventually;
using support::Gate;
using support::numbers;
using support::Recorder;
using support::rounds;
using support::Runs;
using support::wrong_every;
using support::wrong_latest;
using support::wrong_report;
using xofn::Batch;
using xofn::BatchProcessor;
using xofn::BatchReport;
using xofn::BatchState;
using xofn::Delivery;
using xofn::Progress;
using xofn::ThreadPool;
using namespace std::chrono_literals;

namespace {

/// Callbacks of every kind on a batch that is paused, and what is wrong with what they were told.
struct Watch {
  Recorder every;
  Recorder latest;
  Recorder caller;

  explicit Watch(BatchProcessor<int>& processor) {
    for (Recorder* r : {&every, &latest, &caller}) r->expect_pauses();
    processor.on_progress(every.callback())
        .on_progress(latest.callback(), Delivery::latest(1ms))
        .on_progress(caller.callback(), Delivery::latest(1ms).on_caller());
  }

  std::string wrong(const BatchReport<void>& report, const Runs& runs) {
    const Progress last = report.progress();
    for (std::string text : {wrong_report(report, runs), wrong_every(every, last),
                             wrong_latest(latest, last, 1ms), wrong_latest(caller, last, 1ms)}) {
      if (!text.empty()) return text;
    }
    return {};
  }
};

/// Returns once each thread of a pool has left what it was at.
void let_all_pass(ThreadPool& pool) {
  auto all = std::make_shared<support::Rendezvous>(pool.size() + 1);
  for (std::size_t i = 0; i < pool.size(); ++i) pool.execute([all] { all->arrive(); });
  REQUIRE(all->arrive());
}

bool is_at_rest(const Progress& p) { return p.state == BatchState::paused && p.running == 0; }

/// Counts how often the library looks at the clock, as it does whenever it wakes to look for news.
struct CountingSync : xofn::StdSync {
  struct clock {
    using duration = std::chrono::steady_clock::duration;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::steady_clock::time_point;
    static time_point now() noexcept {
      readings.fetch_add(1, std::memory_order_relaxed);
      return std::chrono::steady_clock::now();
    }
    static inline std::atomic<std::uint64_t> readings{0};
  };
};

}  // namespace

TEST_CASE("C12: while a batch is paused no item starts, and running ones go on and count") {
  ThreadPool pool{2};
  Runs runs(100);
  Gate gate;
  BatchProcessor<int> processor{pool, {.max_workers = 2}};
  Watch watch(processor);
  Batch<void> batch = processor.start(numbers(100), [&](int i) {
    const auto running = runs.run(i);
    if (i < 2) gate.wait();
  });
  REQUIRE(eventually([&] { return runs.all_begun() == 2; }));
  batch.pause();
  CHECK(batch.progress().state == BatchState::paused);
  CHECK(batch.progress().running == 2);
  CHECK(batch.progress().queued() == 98);
  gate.open();
  CHECK(eventually([&] { return batch.progress().completed() == 2; }));
  CHECK(eventually([&] { return watch.every.told() == 2; }));
  CHECK(eventually([&] { return watch.latest.told() == 2; }));
  let_all_pass(pool);
  CHECK(runs.all_begun() == 2);
  CHECK(is_at_rest(batch.progress()));
  CHECK(watch.every.state() == BatchState::paused);
  CHECK(eventually([&] { return watch.latest.state() == BatchState::paused; }));
  batch.resume();
  CHECK(watch.wrong(batch.wait(), runs) == "");
  CHECK(batch.progress().succeeded == 100);
  CHECK_FALSE(gate.expired());
}

TEMPLATE_TEST_CASE_SIG("C12: after pause each worker starts at most the one item it was about to",
                       "", ((bool shaky), shaky), false, true) {
  using Sync = std::conditional_t<shaky, support::ShakySync, xofn::StdSync>;
  xofn::BasicThreadPool<Sync> pool{2};
  BatchProcessor<int, Sync> processor{pool, {.max_workers = 2}};
  std::uint64_t most = 0;
  for (int round = 0; round < rounds(20); ++round) {
    Runs all(5'000);
    auto batch = processor.start(numbers(5'000), [&](int i) { const auto running = all.run(i); });
    for (int pause = 0; pause < 20; ++pause) {
      batch.pause();
      const auto begun = all.all_begun();
      REQUIRE(eventually([&] { return batch.progress().running == 0; }));
      for (int i = 0; i < 20; ++i) std::this_thread::yield();
      most = std::max(most, all.all_begun() - begun);
      batch.resume();
      for (int i = 0; i < round; ++i) std::this_thread::yield();
    }
    REQUIRE(wrong_report(batch.wait(), all) == "");
  }
  CHECK(most <= 2);
}

TEST_CASE("C3: pausing and resuming are told though nothing completes") {
  const bool on_caller = GENERATE(false, true);
  const auto delivery = on_caller ? Delivery::latest(1ms).on_caller() : Delivery::latest(1ms);
  CAPTURE(on_caller);
  ThreadPool pool{1};
  Recorder recorder;
  recorder.expect_pauses();
  Gate gate;
  BatchProcessor<int> processor{pool, {.max_workers = 1}};
  processor.on_progress(recorder.callback(), delivery);
  Batch<void> batch = processor.start(numbers(3), [&](int) { gate.wait(); });
  const auto told = [&](BatchState state) {
    return eventually([&] {
      batch.pump();
      return recorder.made() > 0 && recorder.state() == state;
    });
  };
  CHECK(told(BatchState::running));
  for (int round = 0; round < 3; ++round) {
    batch.pause();
    CHECK(told(BatchState::paused));
    batch.resume();
    CHECK(told(BatchState::running));
  }
  gate.open();
  CHECK(wrong_latest(recorder, batch.wait().progress(), 1ms) == "");
}

TEST_CASE("C3: what completes while a batch is paused is told within an interval") {
  const bool on_caller = GENERATE(false, true);
  const auto delivery = on_caller ? Delivery::latest(1ms).on_caller() : Delivery::latest(1ms);
  for (int round = 0; round < rounds(50); ++round) {
    Recorder recorder;
    recorder.expect_pauses();
    BatchProcessor<int> processor{{.max_workers = 2}};
    processor.on_progress(recorder.callback(), delivery);
    Batch<void> batch = processor.start(numbers(1000), [](int) { support::work_for(5us); });
    std::thread waiting([&] { batch.wait(); });
    for (int i = 0; i < round; ++i) std::this_thread::yield();
    batch.pause();
    const bool all_told = eventually([&] {
      const Progress p = batch.progress();
      return p.running == 0 && recorder.made() > 0 && recorder.told() == p.completed() &&
             recorder.state() == p.state;
    });
    batch.resume();
    waiting.join();
    REQUIRE(all_told);
    REQUIRE(wrong_latest(recorder, batch.progress(), 1ms) == "");
  }
}

TEST_CASE("Pause: a batch that is paused uses no processor") {
  BatchProcessor<int, CountingSync> processor{{.max_workers = 2}};
  processor.on_progress([](const Progress&) {}, Delivery::latest(100us))
      .on_progress([](const Progress&) {}, Delivery::latest(200us).on_caller())
      .on_progress([](const Progress&) {}, Delivery::every().on_caller());
  Gate gate;
  auto batch = processor.start(numbers(10'000), [&](int i) {
    if (i >= 5'000) gate.wait();
    support::work_for(2us);
  });
  std::thread waiting([&] { batch.wait(); });
  batch.pause();
  gate.open();
  CHECK(eventually([&] { return is_at_rest(batch.progress()); }));
  const auto& readings = CountingSync::clock::readings;
  const auto quiet_for = [&](std::chrono::milliseconds time) {
    const auto before = readings.load();
    std::this_thread::sleep_for(time);
    return readings.load() == before;
  };
  CHECK(eventually([&] { return quiet_for(20ms); }));
  batch.resume();
  waiting.join();
  CHECK(batch.progress().succeeded == 10'000);
}

TEST_CASE("C3: a heartbeat beats while a batch is paused") {
  Recorder recorder;
  recorder.expect_pauses();
  ThreadPool pool{1};
  BatchProcessor<int> processor{pool, {.max_workers = 1}};
  processor.on_progress(recorder.callback(), Delivery::latest(1ms).at_least_every(2ms));
  Gate gate;
  Batch<void> batch = processor.start(numbers(1000), [&](int i) {
    if (i >= 500) gate.wait();
    support::work_for(10us);
  });
  batch.pause();
  gate.open();
  CHECK(eventually([&] { return is_at_rest(batch.progress()); }));
  const auto before = recorder.made();
  CHECK(eventually([&] { return recorder.made() > before + 5; }));
  batch.resume();
  CHECK(batch.wait().progress().succeeded == 1000);
  CHECK(recorder.overlaps() == 0);
}

TEST_CASE("C12: a batch that is paused can be cancelled") {
  Runs runs(100);
  BatchProcessor<int> processor{{.max_workers = 2}};
  Watch watch(processor);
  Gate gate;
  Batch<void> batch = processor.start(numbers(100), [&](int i) {
    const auto running = runs.run(i);
    gate.wait();
  });
  REQUIRE(eventually([&] { return runs.all_begun() == 2; }));
  batch.pause();
  batch.cancel();
  CHECK(batch.progress().cancelled == 98);
  CHECK(batch.progress().state == BatchState::cancelled);
  gate.open();
  batch.pause();
  batch.resume();
  const auto report = batch.wait();
  CHECK(watch.wrong(report, runs) == "");
  CHECK(report.progress().completed() == 2);
  CHECK(report.stop_reason() == xofn::StopReason::cancelled);
}

TEST_CASE("Pause: the handle of a paused batch may be destroyed") {
  const bool from_task = GENERATE(false, true);
  for (int round = 0; round < rounds(50); ++round) {
    Runs runs(100);
    Recorder every;
    every.expect_pauses();
    BatchProcessor<int> processor{{.max_workers = 2}};
    processor.on_progress(every.callback());
    {
      std::atomic<Batch<void>*> handle{nullptr};
      Batch<void> batch = processor.start(numbers(100), [&](int i) {
        const auto running = runs.run(i);
        if (i == 3 && from_task) {
          if (eventually([&] { return handle.load() != nullptr; })) handle.load()->pause();
        }
      });
      handle.store(&batch);
      if (!from_task) batch.pause();
      if (from_task) {
        REQUIRE(eventually([&] { return batch.progress().state == BatchState::paused; }));
      }
    }
    every.close();
    REQUIRE(support::is_final(every.calls().back().progress));
    REQUIRE(wrong_every(every, every.calls().back().progress) == "");
    REQUIRE(every.calls().back().progress.completed() == runs.all_ended());
  }
}

TEST_CASE("Pause: a batch may be paused before any of it has started") {
  support::DelayingExecutor executor;
  Runs runs(10);
  BatchProcessor<int> processor{executor, {.max_workers = 2}};
  Watch watch(processor);
  Batch<void> batch =
      processor.start(numbers(10), [&](int i) { const auto running = runs.run(i); });
  batch.pause();
  executor.run_all();
  CHECK(runs.all_begun() == 0);
  CHECK(is_at_rest(batch.progress()));
  CHECK(executor.pending() == 0);
  batch.resume();
  CHECK(executor.pending() >= 1);
  executor.run_all();
  CHECK(eventually([&] {
    executor.run_all();
    return batch.progress().completed() == 10;
  }));
  CHECK(watch.wrong(batch.wait(), runs) == "");
}

TEST_CASE("Pause: twice is once, and without a pause or after the end it does nothing") {
  Runs runs(20);
  BatchProcessor<int> processor{{.max_workers = 2}};
  Watch watch(processor);
  Batch<void> batch =
      processor.start(numbers(20), [&](int i) { const auto running = runs.run(i); });
  batch.resume();
  batch.pause();
  batch.pause();
  batch.resume();
  batch.resume();
  const auto report = batch.wait();
  CHECK(watch.wrong(report, runs) == "");
  batch.pause();
  CHECK(batch.progress() == report.progress());
  CHECK(batch.progress().state == BatchState::finished);
  batch.resume();
  CHECK(batch.wait().progress() == report.progress());
  BatchProcessor<int> none;
  Batch<void> empty = none.start(numbers(0), [](int) {});
  empty.pause();
  CHECK(empty.wait().progress().state == BatchState::finished);
}

TEST_CASE("Pause: a batch all of whose items have started ends though it is paused") {
  Runs runs(2);
  Gate gate;
  BatchProcessor<int> processor{{.max_workers = 2}};
  Watch watch(processor);
  Batch<void> batch = processor.start(numbers(2), [&](int i) {
    const auto running = runs.run(i);
    gate.wait();
  });
  REQUIRE(eventually([&] { return runs.all_begun() == 2; }));
  batch.pause();
  gate.open();
  CHECK(watch.wrong(batch.wait(), runs) == "");
  CHECK(batch.progress().state == BatchState::finished);
}

TEST_CASE("C10: a callback pauses its batch and a task resumes it") {
  const auto delivery = GENERATE(Delivery::every(), Delivery::latest(0ns));
  CAPTURE(delivery.is_every());
  Runs runs(100);
  std::atomic<Batch<void>*> handle{nullptr};
  Gate begun;  // by item 0: a pause before that would have nobody to end it
  std::atomic<bool> resumed{false};
  BatchProcessor<int> processor{{.max_workers = 2}};
  Watch watch(processor);
  processor.on_progress(
      [&](const Progress& p) {
        if (p.completed() == 0 || resumed.load()) return;
        if (eventually([&] { return handle.load() != nullptr; })) handle.load()->pause();
      },
      delivery);
  Batch<void> batch = processor.start(numbers(100), [&](int i) {
    const auto running = runs.run(i);
    if (i != 0) {
      begun.wait();
      return support::work_for(10us);
    }
    begun.open();
    if (!eventually([&] { return handle.load() != nullptr; })) return;
    if (eventually([&] { return handle.load()->progress().state == BatchState::paused; })) {
      resumed.store(true);
      handle.load()->resume();
    }
  });
  handle.store(&batch);
  // Not before the task has seen the pause; after that, a call that began earlier may pause again.
  CHECK(eventually([&] {
    if (resumed.load()) batch.resume();
    return batch.wait_for(1ms);
  }));
  CHECK(watch.wrong(batch.wait(), runs) == "");
  CHECK(resumed.load());
}

TEST_CASE("Pause: a batch over a range of unknown length stops reading, and goes on") {
  Runs runs(2000);
  std::atomic<int> read{0};
  auto make = [&](int i) {
    read.fetch_add(1);
    return i;
  };
  ThreadPool pool{2};
  BatchProcessor<int> processor{pool, {.max_workers = 2}};
  Watch watch(processor);
  Batch<void> batch = processor.start(support::Generator<decltype(make)>(2000, make), [&](int i) {
    const auto running = runs.run(i);
    support::work_for(10us);
  });
  for (int round = 0; round < 5; ++round) {
    batch.pause();
    CHECK(eventually([&] { return batch.progress().running == 0; }));
    let_all_pass(pool);
    const int so_far = read.load();
    const auto begun = runs.all_begun();
    let_all_pass(pool);
    CHECK(read.load() == so_far);
    CHECK(runs.all_begun() == begun);
    batch.resume();
  }
  const auto report = batch.wait();
  CHECK(watch.wrong(report, runs) == "");
  CHECK(report.progress().succeeded == 2000);
  CHECK(report.all_succeeded());
}

TEST_CASE("Pause: a batch whose range is still read is paused and cancelled") {
  for (int round = 0; round < rounds(50); ++round) {
    Runs runs(2000);
    auto make = [](int i) { return i; };
    BatchProcessor<int> processor{{.max_workers = 2}};
    Watch watch(processor);
    Batch<void> batch = processor.start(support::Generator<decltype(make)>(2000, make), [&](int i) {
      const auto running = runs.run(i);
      support::work_for(5us);
    });
    for (int i = 0; i < round; ++i) std::this_thread::yield();
    batch.pause();
    batch.cancel();
    REQUIRE(watch.wrong(batch.wait(), runs) == "");
  }
}

TEST_CASE("Pause: a paused batch gives its threads back") {
  ThreadPool pool{1};
  BatchProcessor<int> first{pool, {.max_workers = 1}};
  BatchProcessor<int> second{pool, {.max_workers = 1}};
  Gate gate;
  Batch<void> one = first.start(numbers(10), [&](int) { gate.wait(); });
  one.pause();
  gate.open();
  Batch<void> two = second.start(numbers(50), [](int) {});
  CHECK(two.wait().progress().succeeded == 50);
  CHECK(one.progress().state == BatchState::paused);
  CHECK(one.progress().completed() <= 1);
  one.resume();
  CHECK(one.wait().progress().succeeded == 10);
  CHECK_FALSE(gate.expired());
}

TEST_CASE("Pause: a thread of the pool may resume a batch and wait for it") {
  ThreadPool pool{1};
  BatchProcessor<int> first{pool, {.max_workers = 1}};
  Runs runs(10);
  Watch watch(first);
  Batch<void> batch = first.start(numbers(10), [&](int i) { const auto running = runs.run(i); });
  batch.pause();
  BatchProcessor<int> second{pool, {.max_workers = 1}};
  std::optional<BatchReport<void>> report;
  CHECK(second
            .start(numbers(1),
                   [&](int) {
                     batch.resume();
                     report = batch.wait();
                   })
            .wait()
            .all_succeeded());
  CHECK(watch.wrong(*report, runs) == "");
}

TEST_CASE("C11: a nested batch is paused and resumed on a pool of one thread") {
  ThreadPool pool{1};
  Runs runs(20);
  std::atomic<Batch<void>*> inner{nullptr};
  std::string wrong = "nothing has run";
  BatchProcessor<int> outer{pool, {.max_workers = 1}};
  Batch<void> batch = outer.start(numbers(2), [&](int i) {
    if (i != 0) return;
    BatchProcessor<int> processor{pool, {.max_workers = 2}};
    Watch watch(processor);
    Batch<void> nested =
        processor.start(numbers(20), [&](int item) { const auto running = runs.run(item); });
    nested.pause();
    inner.store(&nested);
    wrong = watch.wrong(nested.wait(), runs);
  });
  REQUIRE(eventually([&] { return inner.load() != nullptr; }));
  batch.pause();  // does not pause what its items run
  inner.load()->resume();
  CHECK(eventually([&] { return batch.progress().completed() == 1; }));
  CHECK(batch.progress().state == BatchState::paused);
  batch.resume();
  CHECK(batch.wait().progress().succeeded == 2);
  CHECK(wrong == "");
}

TEST_CASE("C12: a nested batch that is paused is cancelled with the task that runs it") {
  ThreadPool pool{1};
  std::atomic<bool> paused{false};
  BatchProcessor<int> outer{pool, {.max_workers = 1}};
  xofn::StopReason reason = xofn::StopReason::none;
  Batch<void> batch = outer.start(numbers(2), [&](int) {
    BatchProcessor<int> processor{pool, {.max_workers = 2}};
    Batch<void> nested = processor.start(numbers(20), [](int) {});
    nested.pause();
    paused.store(true);
    reason = nested.wait().stop_reason();
  });
  REQUIRE(eventually([&] { return paused.load(); }));
  batch.cancel();
  CHECK(batch.wait().progress().completed() == 1);
  CHECK(reason == xofn::StopReason::cancelled);
}

TEST_CASE("Pause: the thread that waits is told on_caller what a paused batch has done") {
  for (const unsigned workers : {1u, 2u}) {
    Runs runs(200);
    Recorder every;
    every.expect_pauses();
    BatchProcessor<int> processor{{.max_workers = workers}};
    processor.on_progress(every.callback(), Delivery::every().on_caller());
    Watch watch(processor);
    Batch<void> batch = processor.start(numbers(200), [&](int i) {
      const auto running = runs.run(i);
      support::work_for(10us);
    });
    bool told = false;
    std::thread steering([&] {
      batch.pause();
      told = eventually([&] {
        const Progress p = batch.progress();
        return p.running == 0 && every.told() == p.completed();
      });
      batch.resume();
    });
    const auto report = batch.wait();
    steering.join();
    CHECK(told);
    CHECK(watch.wrong(report, runs) == "");
    CHECK(wrong_every(every, report.progress()) == "");
  }
}

TEST_CASE("C1: threads pause, resume and cancel as they like, and each item settles once") {
  const bool unsized = GENERATE(false, true);
  const bool cancels = GENERATE(false, true);
  CAPTURE(unsized, cancels);
  for (int round = 0; round < rounds(40); ++round) {
    constexpr int items = 3000;
    Runs runs(items);
    BatchProcessor<int> processor{{.max_workers = 3}};
    Watch watch(processor);
    const auto handler = [&](int i) {
      const auto running = runs.run(i);
      if (i % 7 == 0) support::fail(i);
    };
    auto make = [](int i) { return i; };
    Batch<void> batch =
        unsized ? processor.start(support::Generator<decltype(make)>(items, make), handler)
                : processor.start(numbers(items), handler);
    support::in_parallel(3, [&](int number) {
      for (int i = 0; i < 30; ++i) {
        batch.pause();
        if (number == 0) static_cast<void>(batch.wait_for(10us));
        batch.resume();
      }
      if (cancels && number == 2) batch.cancel();
    });
    const auto report = batch.wait();
    REQUIRE(watch.wrong(report, runs) == "");
    if (!cancels) REQUIRE(report.progress().completed() == items);
  }
}
