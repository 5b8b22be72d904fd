// SPDX-License-Identifier: MIT
#include <pthread.h>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <version>

#include <xofn/batch_processor.hpp>

#include "../support/executors.hpp"
#include "../support/gate.hpp"
#include "../support/trial.hpp"
#include "../support/work.hpp"

using support::numbers;
using support::Recorder;
using support::rounds;
using support::Trial;
using support::wrong_every;
using support::wrong_latest;
using support::wrong_report;
using xofn::Batch;
using xofn::BatchProcessor;
using xofn::BatchReport;
using xofn::Delivery;
using xofn::Progress;
using xofn::ThreadPool;
using namespace std::chrono_literals;

TEST_CASE("Executors: a pool of any size serves any number of workers") {
  const unsigned threads = GENERATE(1u, 2u, 8u);
  const unsigned workers = GENERATE(1u, 2u, 3u, 64u);
  CAPTURE(threads, workers);
  ThreadPool pool{threads};
  CHECK(Trial{}.wrong_run(pool, workers) == "");
  CHECK(Trial{}.wrong_start(pool, workers) == "");
}

TEST_CASE("Executors: one that runs at once, on the thread that asks") {
  const unsigned workers = GENERATE(1u, 3u);
  const support::InlineExecutor executor;
  CHECK(Trial{}.wrong_run(executor, workers) == "");
  CHECK(Trial{}.wrong_start(executor, workers) == "");
}

TEST_CASE("Executors: a thread for each call") {
  const unsigned workers = GENERATE(1u, 3u, 8u);
  support::ThreadPerCall executor;
  CHECK(Trial{}.wrong_run(executor, workers) == "");
  CHECK(Trial{}.wrong_start(executor, workers) == "");
}

TEST_CASE("Executors: run goes on with the threads there are, at the least the caller") {
  const int good = GENERATE(0, 1, 2);
  support::ThrowingExecutor executor(good);
  CHECK(Trial{}.wrong_run(executor, 4) == "");
}

TEST_CASE("Executors: start goes on with the threads there are") {
  const int good = GENERATE(1, 2);
  support::ThrowingExecutor executor(good);
  CHECK(Trial{}.wrong_start(executor, 4) == "");
}

TEST_CASE("Executors: start without a thread throws and nothing has run or been told") {
  for (int round = 0; round < rounds(200); ++round) {
    support::ThrowingExecutor executor(0);
    Trial trial;
    REQUIRE_THROWS_AS(trial.wrong_start(executor, 4), std::system_error);
    REQUIRE(trial.runs.all_begun() == 0);
    REQUIRE(trial.every.calls().empty());
    REQUIRE(trial.latest.calls().empty());
    REQUIRE(trial.caller.calls().empty());
  }
}

TEST_CASE("C3: the latest state is told while start runs the batch on the calling thread") {
  const support::InlineExecutor executor;
  Recorder recorder;
  BatchProcessor<int> processor{executor, {.max_workers = 1}};
  processor.on_progress(recorder.callback(), Delivery::latest(0ns));
  std::atomic<bool> told{false};
  Batch<void> batch = processor.start(numbers(3), [&](int i) {
    if (i == 2) told.store(support::eventually([&] { return recorder.told() == 2; }));
  });
  CHECK(told.load());
  CHECK(wrong_latest(recorder, batch.wait().progress(), 100us) == "");
}

TEST_CASE("Executors: a processor whose start has failed can be run afterwards") {
  support::ThrowingExecutor executor(0);
  BatchProcessor<int> processor{executor, {.max_workers = 3}};
  CHECK_THROWS_AS(processor.start(numbers(10), [](int) {}), std::system_error);
  CHECK(processor.run(numbers(10), [](int) {}).progress().succeeded == 10);
}

TEST_CASE("Executors: one that drops what it is given loses nothing and hangs nobody") {
  const int good = GENERATE(0, 1, 2);
  CAPTURE(good);
  support::DroppingExecutor executor(good);
  CHECK(Trial{}.wrong_run(executor, 4) == "");
  support::DroppingExecutor another(good);
  Trial trial;
  try {
    CHECK(trial.wrong_start(another, 4) == "");
  } catch (const std::system_error&) {
    CHECK(good == 0);
    CHECK(trial.runs.all_begun() == 0);
  }
}

TEST_CASE("Executors: run does not wait for one that is late, which may come after everything") {
  const bool run_late = GENERATE(false, true);
  support::DelayingExecutor executor;
  {
    Trial trial;
    BatchProcessor<int> processor{executor, {.max_workers = 4}};
    processor.on_progress(trial.every.callback());
    const auto report = processor.run(numbers(100), trial.handler());
    CHECK(wrong_report(report, trial.runs) == "");
    CHECK(wrong_every(trial.every, report.progress()) == "");
  }
  if (run_late) {
    executor.run_all();
  } else {
    executor.drop_all();
  }
  CHECK(executor.pending() == 0);
}

TEST_CASE("Executors: a batch that was started waits for one that is late") {
  const bool on_caller = GENERATE(false, true);
  support::DelayingExecutor executor;
  Trial trial;
  BatchProcessor<int> processor{executor, {.max_workers = 3}};
  processor.on_progress(trial.every.callback(),
                        on_caller ? Delivery::every().on_caller() : Delivery::every());
  Batch<int> batch = processor.start(numbers(100), trial.handler());
  CHECK(batch.progress().completed() == 0);
  std::thread later([&] {
    for (int i = 0; i < 100; ++i) std::this_thread::yield();
    executor.run_all();
  });
  const auto report = batch.wait();
  later.join();
  CHECK(wrong_report(report, trial.runs) == "");
  CHECK(wrong_every(trial.every, report.progress()) == "");
  CHECK(report.progress().completed() == 100);
}

TEST_CASE("Executors: a batch whose every worker is dropped while it is waited for ends") {
  for (int round = 0; round < rounds(100); ++round) {
    support::DelayingExecutor executor;
    Trial trial;
    BatchProcessor<int> processor{executor, {.max_workers = 3}};
    processor.on_progress(trial.every.callback());
    Batch<int> batch = processor.start(numbers(100), trial.handler());
    std::thread later([&] {
      for (int i = 0; i < round; ++i) std::this_thread::yield();
      executor.drop_all();
    });
    const auto report = batch.wait();
    later.join();
    REQUIRE(report.progress().total == 100);
    REQUIRE(wrong_report(report, trial.runs) == "");
    REQUIRE(wrong_every(trial.every, report.progress()) == "");
  }
}

TEST_CASE("C12: cancel ends a batch that no worker has come to yet") {
  const bool on_caller = GENERATE(false, true);
  const bool drop = GENERATE(false, true);
  support::DelayingExecutor executor;
  Trial trial;
  std::optional<BatchProcessor<int>> processor;
  processor.emplace(executor, xofn::BatchOptions{.max_workers = 3});
  processor->on_progress(trial.every.callback(),
                         on_caller ? Delivery::every().on_caller() : Delivery::every());
  {
    Batch<int> batch = processor->start(numbers(100), trial.handler());
    batch.cancel();
    CHECK(batch.progress().cancelled == 100);
    const auto report = batch.wait();
    CHECK(report.progress().cancelled == 100);
    CHECK(wrong_every(trial.every, report.progress()) == "");
  }
  { const Batch<int> thrown_away = processor->start(numbers(100), trial.handler()); }
  processor.reset();
  if (drop) {
    executor.drop_all();
  } else {
    executor.run_all();
  }
  CHECK(trial.runs.all_begun() == 0);
}

TEST_CASE("Executors: a pool that is busy with one batch comes to the next") {
  ThreadPool pool{1};
  support::Gate gate;
  BatchProcessor<int> first{pool, {.max_workers = 1}};
  BatchProcessor<int> second{pool, {.max_workers = 1}};
  Batch<void> one = first.start(numbers(2), [&](int) { gate.wait(); });
  Batch<void> two = second.start(numbers(50), [](int) {});
  CHECK(two.progress().completed() == 0);
  gate.open();
  CHECK(two.wait().progress().succeeded == 50);
  CHECK(one.wait().progress().succeeded == 2);
  CHECK_FALSE(gate.expired());
}

TEST_CASE("Executors: many batches share a pool, each told its own") {
  ThreadPool pool{3};
  std::vector<std::string> wrong(4);
  support::in_parallel(4, [&](int number) {
    for (int round = 0; round < rounds(30); ++round) {
      std::string& mine = wrong[static_cast<std::size_t>(number)];
      Trial trial;
      if (mine.empty()) {
        mine = round % 2 == 0 ? trial.wrong_run(pool, 3) : trial.wrong_start(pool, 3);
      }
    }
  });
  CHECK(wrong == std::vector<std::string>(4));
}

#if defined(__GLIBC__) && !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
namespace {

/// While it lives the system has no thread to give: no stack is as large as is asked for.
class NoThreads {
 public:
  NoThreads() {
    pthread_attr_t none;
    pthread_attr_init(&none);
    pthread_getattr_default_np(&before_);
    pthread_attr_setstacksize(&none, std::size_t{1} << 47);
    pthread_setattr_default_np(&none);
    pthread_attr_destroy(&none);
  }
  NoThreads(const NoThreads&) = delete;
  NoThreads& operator=(const NoThreads&) = delete;
  ~NoThreads() {
    pthread_setattr_default_np(&before_);
    pthread_attr_destroy(&before_);
  }

 private:
  pthread_attr_t before_;
};

}  // namespace

TEST_CASE("Executors: run goes on with the caller where the system has no threads") {
  Trial trial;
  BatchProcessor<int> processor{{.max_workers = 4}};
  processor.on_progress(trial.every.callback());
  const auto report = [&] {
    const NoThreads none;
    REQUIRE_THROWS_AS(std::thread([] {}), std::system_error);
    return processor.run(numbers(100), trial.handler());
  }();
  CHECK(wrong_report(report, trial.runs) == "");
  CHECK(wrong_every(trial.every, report.progress()) == "");
  CHECK(report.progress().completed() == 100);
  CHECK(processor.run(numbers(50), [](int) {}).progress().succeeded == 50);
}

TEST_CASE("Executors: items are tried again even without a thread to be had") {
  BatchProcessor<int> processor{{.retry = {.max_attempts = 3, .backoff = 1ms}}};
  const NoThreads none;
  const auto report = processor.run(numbers(5), [](int, xofn::TaskContext& context) {
    if (context.attempt() < 3) throw 1;
  });
  CHECK(report.progress().succeeded == 5);
  CHECK(report.progress().retried == 10);
}

TEST_CASE("Executors: start throws where the system has no threads, and nothing has run") {
  Trial trial;
  BatchProcessor<int> processor{{.max_workers = 4}};
  trial.watch(processor);
  {
    const NoThreads none;
    CHECK_THROWS_AS(processor.start(numbers(100), trial.handler()), std::system_error);
  }
  CHECK(trial.runs.all_begun() == 0);
  CHECK(trial.every.calls().empty());
  CHECK(processor.start(numbers(50), [](int) {}).wait().progress().succeeded == 50);
}

TEST_CASE("Executors: the latest state and the caller are told even without a thread to be had") {
  Trial trial;
  BatchProcessor<int> processor{{.max_workers = 4}};
  trial.watch(processor);
  std::optional<BatchReport<int>> report;
  {
    const NoThreads none;
    report = processor.run(numbers(100), trial.handler());
  }
  CHECK(trial.wrong(*report) == "");
}
#endif
#ifdef __cpp_lib_jthread
TEST_CASE("Executors: start goes on if a stopped token has sent for the one thread there is") {
  std::stop_source source;
  source.request_stop();
  support::ThrowingExecutor executor{1};
  BatchProcessor<int> processor{executor, {.max_workers = 2, .stop = source.get_token()}};
  auto batch = processor.start(numbers(3), [](int) {});
  CHECK(batch.wait().progress().cancelled == 3);
}

TEST_CASE("Executors: start throws without a thread, though a stopped token has cancelled it") {
  std::stop_source source;
  source.request_stop();
  support::ThrowingExecutor executor{0};
  std::atomic<int> ran{0};
  BatchProcessor<int> processor{executor, {.max_workers = 2, .stop = source.get_token()}};
  CHECK_THROWS_AS(processor.start(numbers(3), [&](int) { ++ran; }), std::system_error);
  CHECK(ran == 0);
  CHECK(processor.run(numbers(3), [&](int) { ++ran; }).progress().cancelled == 3);
}
#endif

namespace {

/// Has threads, and answers nothing that it is asked.
struct Unanswering {
  ThreadPool pool{2};

  template <class F>
  void execute(F&& f) {
    pool.execute(std::forward<F>(f));
  }
  [[noreturn]] static bool running_in_this_thread() { throw 1; }
  [[noreturn]] static bool has_waiting() { throw 1; }
  [[noreturn]] static void withdraw(const void*) { throw 1; }
};

}  // namespace

TEST_CASE("Executors: one that throws when it is asked something has no answer") {
  Unanswering executor;
  CHECK(Trial{}.wrong_run(executor, 2) == "");
  CHECK(Trial{}.wrong_start(executor, 2) == "");
}
