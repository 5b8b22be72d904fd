// SPDX-License-Identifier: MIT
#include <xofn/batch/task_timeout.hpp>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <chrono>
#include <exception>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <version>

#include <xofn/batch_processor.hpp>

#include "../support/executors.hpp"
#include "../support/gate.hpp"
#include "../support/work.hpp"

using support::eventually;
using support::numbers;
using support::Recorder;
using support::rounds;
using support::run_either_way;
using support::wrong_every;
using support::wrong_latest;
using xofn::BatchProcessor;
using xofn::Delivery;
using xofn::Progress;
using xofn::TaskCancelled;
using xofn::TaskContext;
using xofn::TaskTimeout;
using xofn::ThreadPool;
using namespace std::chrono_literals;

namespace {

/// What an item failed with, if that was that it ended late.
std::unique_ptr<TaskTimeout> timeout(const std::exception_ptr& error) {
  if (error == nullptr) return nullptr;
  try {
    std::rethrow_exception(error);
  } catch (const TaskTimeout& late) {
    return std::make_unique<TaskTimeout>(late);
  } catch (...) {
    return nullptr;
  }
}

/// Runs until the item is told to stop; false if it never is.
bool until_stopped(const TaskContext& context) {
  return eventually([&] { return context.stop_requested(); });
}

}  // namespace

TEST_CASE("Timeout: an item learns that its time is up, and fails with its duration") {
  const bool by_start = GENERATE(false, true);
  Recorder every;
  Recorder latest;
  BatchProcessor<int> processor{{.max_workers = 3, .task_timeout = 5ms}};
  processor.on_progress(every.callback());
  processor.on_progress(latest.callback(), Delivery::latest(1ms));
  std::atomic<bool> told{true};
  const auto report =
      run_either_way(processor, by_start, numbers(30), [&](int i, TaskContext& context) {
        if (i % 10 == 3 && !until_stopped(context)) told = false;
        return std::make_unique<int>(i);  // too late for an item that was told to stop
      });
  CHECK(told);
  CHECK(wrong_every(every, report.progress()).empty());
  CHECK(wrong_latest(latest, report.progress(), 1ms).empty());
  for (unsigned i = 0; i < 30; ++i) {
    const auto late = timeout(report.outcomes()[i].error());
    // The machine may be slow, but no item is late without having taken its time.
    if (i % 10 == 3) REQUIRE(late != nullptr);
    if (late == nullptr) continue;
    CHECK(late->duration() >= 5ms);
    CHECK(late->cause() == nullptr);
    CHECK(std::string(late->what()).find("too late") != std::string::npos);
  }
}

TEST_CASE("Timeout: an item that ends late has failed, however it ends, and keeps what it threw") {
  BatchProcessor<int> processor{{.max_workers = 2, .task_timeout = 1ms}};
  const auto report = processor.run(numbers(3), [](int i, TaskContext& context) {
    until_stopped(context);
    if (i == 1) throw std::runtime_error("its own");
    if (i == 2) throw TaskCancelled();
  });
  CHECK(report.progress().failed == 3);
  REQUIRE(report.failures().size() == 3);
  for (const auto& failure : report.failures()) {
    const auto late = timeout(failure.exception);
    REQUIRE(late != nullptr);
    CHECK((late->cause() == nullptr) == (failure.index == 0));
  }
  const auto cause = timeout(report.failures()[1].exception)->cause();
  CHECK_THROWS_AS(std::rethrow_exception(cause), std::runtime_error);
}

TEST_CASE("Timeout: an item that asks for nothing is late all the same") {
  BatchProcessor<int> processor{{.max_workers = 2, .task_timeout = 1ms}};
  const auto report = processor.run(numbers(2), [](int i) {
    if (i == 0) support::work_for(2ms);
  });
  CHECK(timeout(report.outcomes()[0].error()) != nullptr);
}

TEST_CASE("Timeout: time that does not end, and the least there is") {
  const auto never = GENERATE(0ns, std::chrono::nanoseconds::max(), 8760h * 250);
  BatchProcessor<int> untimed{{.max_workers = 2, .task_timeout = never}};
  CHECK(untimed.run(numbers(100), [](int) {}).all_succeeded());
  CHECK(untimed
            .start(numbers(2),
                   [](int, TaskContext& context) {
                     if (context.stop_requested()) throw 1;
                   })
            .wait()
            .all_succeeded());
  BatchProcessor<int> hasty{{.max_workers = 2, .task_timeout = 1ns}};
  const auto report = hasty.run(numbers(1000), [](int) { support::work_for(1us); });
  CHECK(report.progress().failed == 1000);
}

TEST_CASE("Timeout: below 0 is refused, with its value") {
  using Catch::Matchers::ContainsSubstring;
  using Catch::Matchers::MessageMatches;
  CHECK_THROWS_MATCHES((BatchProcessor<int>{{.task_timeout = -1ns}}), std::invalid_argument,
                       MessageMatches(ContainsSubstring("-1 ns")));
}

TEST_CASE("Timeout: each attempt has a time of its own") {
  BatchProcessor<int> processor{{.max_workers = 2,
                                 .retry = {.max_attempts = 3, .backoff = GENERATE(0ns, 1ms)},
                                 .task_timeout = 20ms}};
  const auto report = processor.run(numbers(2), [](int, TaskContext& context) {
    if (context.attempt() == 1) {
      until_stopped(context);
    } else if (context.attempt() == 2) {
      throw std::runtime_error("once more");
    }
    return context.attempt();
  });
  CHECK(report.progress().retried == 4);
  for (unsigned i = 0; i < 2; ++i) {
    CHECK(report.attempts(i) == 3);
    // On a slow machine the last one may be late as well, by its own time.
    const auto& outcome = report.outcomes()[i];
    if (outcome.succeeded()) continue;
    REQUIRE(timeout(outcome.error()) != nullptr);
    CHECK(timeout(outcome.error())->duration() >= 20ms);
  }
}

TEST_CASE("Timeout: the policy may ask whether an attempt was late") {
  const auto is_late = [](const std::exception_ptr& error) { return timeout(error) != nullptr; };
  BatchProcessor<int> processor{
      {.max_workers = 2, .retry = {.max_attempts = 2, .retry_if = is_late}, .task_timeout = 20ms}};
  const auto report = processor.run(numbers(2), [](int i, TaskContext& context) {
    if (i == 1) throw 1;
    until_stopped(context);
  });
  CHECK(report.attempts(0) == 2);
  CHECK((report.attempts(1) == 1 || timeout(report.outcomes()[1].error()) != nullptr));
}

TEST_CASE("Timeout: an item is told in a pause as well, and counts as it ends") {
  BatchProcessor<int> processor{{.max_workers = 2, .task_timeout = 5ms}};
  std::atomic<bool> begun{false};
  auto batch = processor.start(numbers(1), [&](int, TaskContext& context) {
    begun = true;
    until_stopped(context);
  });
  REQUIRE(eventually([&] { return begun.load(); }));
  batch.pause();
  CHECK(eventually([&] { return batch.progress().failed == 1; }));
  CHECK(timeout(batch.wait().failures().at(0).exception) != nullptr);
}

TEST_CASE("Timeout: cancelling tells a running item before its time is up") {
  BatchProcessor<int> processor{{.max_workers = 1, .task_timeout = std::chrono::hours{1}}};
  std::atomic<bool> begun{false};
  auto batch = processor.start(numbers(2), [&](int, TaskContext& context) {
    begun = true;
    until_stopped(context);
  });
  REQUIRE(eventually([&] { return begun.load(); }));
  batch.cancel();
  const auto report = batch.wait();
  CHECK(report.progress().succeeded == 1);
  CHECK(report.progress().cancelled == 1);
}

TEST_CASE("Timeout: an item is told within its time while all others are short") {
  // Whoever looks after deadlines must not sleep past one that begins meanwhile.
  BatchProcessor<int> processor{{.max_workers = 2, .task_timeout = 10ms}};
  std::atomic<int> lost{0};
  for (int round = 0; round < rounds(20); ++round) {
    const auto report = processor.run(numbers(200), [&](int i, TaskContext& context) {
      if (i == 100 && !until_stopped(context)) lost.fetch_add(1);
    });
    CHECK(timeout(report.outcomes()[100].error()) != nullptr);
  }
  CHECK(lost == 0);
}

TEST_CASE("Timeout: in a batch that a task runs, on a pool of one thread") {
  ThreadPool pool{1};
  BatchProcessor<int> outer{pool, {.max_workers = 1, .task_timeout = std::chrono::hours{1}}};
  const auto report = outer.run(numbers(1), [&](int) {
    BatchProcessor<int> inner{pool, {.max_workers = 1, .task_timeout = 2ms}};
    const auto inside = inner.run(
        numbers(2), [](int, TaskContext& context) { return until_stopped(context) ? 1 : 0; });
    if (inside.progress().failed != 2) throw std::logic_error("inside");
  });
  CHECK(report.all_succeeded());
}

TEST_CASE("Timeout: on an executor that runs things at once, started and run") {
  support::InlineExecutor executor;
  BatchProcessor<int> processor{executor, {.max_workers = 2, .task_timeout = 2ms}};
  const auto report = run_either_way(processor, GENERATE(false, true), numbers(2),
                                     [](int, TaskContext& c) { until_stopped(c); });
  CHECK(report.progress().failed == 2);
}

#ifdef __cpp_lib_jthread

TEST_CASE("Timeout: a stop token fires at the deadline, without a lock of ours") {
  BatchProcessor<int> processor{{.max_workers = 2, .task_timeout = 5ms}};
  xofn::Batch<void>* handle = nullptr;
  support::Gate ready;
  std::atomic<int> calls{0};
  auto batch = processor.start(numbers(3), [&](int, TaskContext& context) {
    ready.wait();
    std::atomic<bool> called{false};
    const std::stop_callback callback(context.stop_token(), [&] {
      calls.fetch_add(1);
      handle->pause();  // anything goes but waiting for the batch
      handle->resume();
      static_cast<void>(context.stop_token());
      static_cast<void>(handle->progress());
      called = true;
    });
    static_cast<void>(eventually([&] { return called.load(); }));
  });
  handle = &batch;
  ready.open();
  const auto report = batch.wait();
  CHECK(report.progress().failed == 3);
  CHECK(calls == 3);
}

TEST_CASE("Timeout: a stop token fires when the batch is cancelled, and not for another item") {
  BatchProcessor<int> processor{{.max_workers = 1, .task_timeout = std::chrono::hours{1}}};
  std::stop_token first;
  std::atomic<bool> begun{false};
  std::atomic<bool> called{false};
  std::atomic<bool> seen{false};
  auto batch = processor.start(numbers(2), [&](int i, TaskContext& context) {
    if (i == 0) return void(first = context.stop_token());
    const std::stop_callback callback(context.stop_token(), [&] { called = true; });
    begun = true;
    static_cast<void>(eventually([&] { return called.load(); }));
    seen = context.stop_token().stop_requested();
  });
  REQUIRE(eventually([&] { return begun.load(); }));
  CHECK_FALSE(called);
  batch.cancel();
  CHECK(batch.wait().all_succeeded());
  CHECK(called);
  CHECK(seen);
  CHECK_FALSE(first.stop_requested());
}

TEST_CASE("Timeout: a token asked for too late has fired") {
  BatchProcessor<int> processor{{.max_workers = 1, .task_timeout = 2ms}};
  std::atomic<bool> fired{false};
  processor.run(numbers(1), [&](int, TaskContext& context) {
    until_stopped(context);
    fired = context.stop_token().stop_requested();
  });
  CHECK(fired);
}

#endif
TEST_CASE("Timeout: an item is told in time though a callback takes long") {
  std::atomic<bool> is_told{false};
  bool told_meanwhile = false;
  BatchProcessor<int> processor{{.max_workers = 1, .task_timeout = 1ms}};
  processor.on_progress(
      [&](const Progress& p) {
        if (p.completed() == 0) told_meanwhile = eventually([&] { return is_told.load(); });
      },
      Delivery::latest());
  processor.run(numbers(1), [&](int, TaskContext& context) { is_told = until_stopped(context); });
  CHECK(told_meanwhile);
}
