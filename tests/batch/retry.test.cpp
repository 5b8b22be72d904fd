// SPDX-License-Identifier: MIT
#include <xofn/batch/retry_policy.hpp>

#include <algorithm>
#include <atomic>
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <xofn/batch/backoff.hpp>
#include <xofn/batch_processor.hpp>

#include "../support/executors.hpp"
#include "../support/gate.hpp"
#include "../support/shaky_sync.hpp"
#include "../support/work.hpp"

using support::eventually;
using support::numbers;
using support::Recorder;
using support::rounds;
using support::run_either_way;
using support::wrong_every;
using support::wrong_latest;
using support::wrong_snapshot;
using xofn::BatchProcessor;
using xofn::BatchState;
using xofn::Completion;
using xofn::Delivery;
using xofn::ErrorPolicy;
using xofn::Progress;
using xofn::RetryPolicy;
using xofn::TaskCancelled;
using xofn::TaskContext;
using xofn::ThreadPool;
using namespace std::chrono_literals;

namespace {

constexpr unsigned no_end = std::numeric_limits<unsigned>::max();

template <class Sync = xofn::StdSync>
xofn::BasicBatchOptions<Sync> tried(unsigned attempts, std::chrono::nanoseconds backoff = 0ns,
                                    unsigned workers = 3) {
  return {.max_workers = workers, .retry = {.max_attempts = attempts, .backoff = backoff}};
}

/// What an exception says.
std::string text(const std::exception_ptr& error) { return xofn::Failure{0, error}.what(); }

/// A range that makes its elements as it is asked for them, and counts how often.
auto made(int n, std::atomic<int>& times) {
  return support::Indexed(n, [&times](int i) {
    times.fetch_add(1);
    return std::make_shared<int>(i);
  });
}

}  // namespace

TEST_CASE("Retry: an item that fails is tried again, and settles once") {
  const auto backoff = GENERATE(0ns, 1us, 1ms);
  const bool by_start = GENERATE(false, true);
  CAPTURE(backoff.count(), by_start);
  Recorder every;
  Recorder latest;
  support::CompletionRecorder completions;
  BatchProcessor<int> processor{tried(4, backoff)};
  processor.on_completion(completions.callback());
  processor.on_progress(every.callback());
  processor.on_progress(latest.callback(), Delivery::latest(1ms));
  // Item i fails i % 6 times: 4 and 5 of each 6 never succeed.
  const auto report =
      run_either_way(processor, by_start, numbers(60), [](int i, TaskContext& context) {
        const auto attempt = static_cast<int>(context.attempt());
        if (attempt <= i % 6) throw std::runtime_error("attempt " + std::to_string(attempt));
        return i;
      });
  const Progress last = report.progress();
  CHECK(wrong_every(every, last).empty());
  CHECK(wrong_latest(latest, last, 1ms).empty());
  CHECK(last.succeeded == 40);
  CHECK(last.failed == 20);
  CHECK(last.retried == 10 * (1 + 2 + 3 + 3 + 3));
  for (unsigned i = 0; i < 60; ++i) {
    const unsigned attempts = std::min(i % 6 + 1, 4U);
    CHECK(report.attempts(i) == attempts);
    CHECK(report.outcomes()[i].succeeded() == (i % 6 < 4));
  }
  REQUIRE(report.failures().size() == 20);
  for (const auto& failure : report.failures()) {
    CHECK(failure.attempts == 4);
    CHECK(failure.what() == "attempt 4");
  }
  REQUIRE(completions.entries().size() == 60);
  for (const auto& entry : completions.entries()) {
    CHECK(entry.attempts == report.attempts(entry.index));
  }
}

TEST_CASE("Retry: nothing is tried again unless asked for") {
  BatchProcessor<int> processor{{.max_workers = 2}};
  std::atomic<int> runs{0};
  const auto report = processor.run(numbers(3), [&](int, TaskContext& context) {
    runs.fetch_add(1);
    if (context.attempt() == 1) throw 1;
  });
  CHECK(runs == 3);
  CHECK(report.progress().failed == 3);
  CHECK(report.progress().retried == 0);
  CHECK(report.attempts(2) == 1);
}

TEST_CASE("Retry: a policy that makes no sense is refused, with its value") {
  using Catch::Matchers::ContainsSubstring;
  using Catch::Matchers::MessageMatches;
  CHECK_THROWS_MATCHES((BatchProcessor<int>{tried(0)}), std::invalid_argument,
                       MessageMatches(ContainsSubstring("max_attempts is 0")));
  CHECK_THROWS_MATCHES((BatchProcessor<int>{tried(2, -3ns)}), std::invalid_argument,
                       MessageMatches(ContainsSubstring("-3 ns")));
}

TEST_CASE("Retry: the policy asks which exceptions are worth it") {
  const auto is_transient = [](const std::exception_ptr& error) {
    return text(error) == "transient";
  };
  BatchProcessor<int> processor{
      {.max_workers = 2, .retry = {.max_attempts = 3, .retry_if = is_transient}}};
  const auto report = processor.run(
      numbers(2), [](int i) { throw std::runtime_error(i == 0 ? "transient" : "for good"); });
  CHECK(report.attempts(0) == 3);
  CHECK(report.attempts(1) == 1);
  CHECK(report.failures().size() == 2);
  CHECK_FALSE(report.callback_error());
}

TEST_CASE("Retry: a policy that throws says no, and the item fails with what the task threw") {
  const bool rethrows = GENERATE(false, true);
  BatchProcessor<int> processor{
      {.max_workers = 2,
       .retry = {.max_attempts = 3,
                 .retry_if = [rethrows](const std::exception_ptr& error) -> bool {
                   if (rethrows) std::rethrow_exception(error);
                   throw std::logic_error("the policy's own");
                 }}}};
  const auto report =
      processor.run(numbers(4), [](int) { throw std::runtime_error("the task's"); });
  REQUIRE(report.failures().size() == 4);
  for (const auto& failure : report.failures()) CHECK(failure.what() == "the task's");
  CHECK(report.progress().retried == 0);
  CHECK(report.callback_error().count == (rethrows ? 0 : 4));
  if (!rethrows) CHECK(text(report.callback_error().first) == "the policy's own");
}

TEST_CASE("Retry: an item that waits holds no worker") {
  // One worker: were it held, the items behind would wait.
  BatchProcessor<int> processor{tried(2, std::chrono::hours{1}, 1)};
  auto batch = processor.start(numbers(50), [](int i) {
    if (i == 0) throw 1;
  });
  CHECK(eventually([&] { return batch.progress().succeeded == 49; }));
  CHECK(batch.progress().retried == 1);
  CHECK(batch.progress().queued() == 1);
  batch.cancel();
  CHECK(batch.wait().progress().cancelled == 1);
}

TEST_CASE("Retry: items whose time has come are run by all workers that are idle") {
  support::Rendezvous together{3};
  BatchProcessor<int> processor{tried(2, GENERATE(0ns, 1ms))};
  const bool by_start = GENERATE(false, true);
  // Not next to each other, so that they are not claimed as one run of items.
  const auto report =
      run_either_way(processor, by_start, numbers(6), [&](int i, TaskContext& context) {
        if (i % 2 == 1) return;
        if (context.attempt() == 1) throw 1;
        together.arrive();
      });
  CHECK_FALSE(together.expired());
  CHECK(report.all_succeeded());
}

TEST_CASE("C13: an item whose time has come does not wait behind a running one") {
  support::Gate tried_again;
  BatchProcessor<int> processor{tried(2, 5ms, 2)};
  const auto report = processor
                          .start(numbers(2),
                                 [&](int i, TaskContext& context) {
                                   if (i == 1) return void(tried_again.wait());
                                   if (context.attempt() == 1) throw 1;
                                   tried_again.open();
                                 })
                          .wait();
  CHECK(report.all_succeeded());
  CHECK_FALSE(tried_again.expired());
}

TEST_CASE("Retry: a wait lies between half the backoff and all of it, and doubles") {
  using Clock = std::chrono::steady_clock;
  std::vector<Clock::time_point> ends;
  std::vector<Clock::duration> waits;
  BatchProcessor<int> processor{tried(4, 4ms, 1)};
  processor.run(numbers(1), [&](int) {
    if (!ends.empty()) waits.push_back(Clock::now() - ends.back());
    ends.push_back(Clock::now());
    throw 1;
  });
  REQUIRE(waits.size() == 3);
  CHECK(waits[0] >= 2ms);
  CHECK(waits[1] >= 4ms);
  CHECK(waits[2] >= 8ms);
}

TEST_CASE("Retry: waits are cut at random, double up to a minute, and never overflow") {
  using xofn::detail::Backoff;
  const auto first = GENERATE(0ns, 1ns, 3ns, 1000000ns, 59000000000ns, 60000000000ns,
                              7200000000000ns, std::chrono::nanoseconds::max());
  Backoff waits(first, 1);
  Backoff same(first, 1);
  bool differ = false;
  for (const std::uint32_t retry : {1U, 2U, 3U, 10U, 64U, 100U, 4'000'000'000U}) {
    std::chrono::nanoseconds whole = first;
    for (std::uint32_t i = 1; i < retry && i < 100 && whole < 1min; ++i) {
      whole = std::min<std::chrono::nanoseconds>(2 * whole, 1min);
    }
    for (int i = 0; i < 100; ++i) {
      const auto wait = waits.before(retry);
      CHECK(wait <= whole);
      CHECK(wait >= whole / 2);
      CHECK(wait == same.before(retry));
      differ = differ || (wait != whole && wait != whole / 2);
    }
  }
  CHECK(differ == (first > 0ns));
}

TEST_CASE("Retry: cancelling settles an item that waits at once, and keeps its last exception") {
  const bool with_result = GENERATE(false, true);
  Recorder every;
  const auto check = [&](auto handler) {
    BatchProcessor<int> processor{tried(no_end, std::chrono::hours{1}, 2)};
    processor.on_progress(every.callback());
    auto batch = processor.start(numbers(3), handler);
    REQUIRE(eventually([&] { return batch.progress().retried == 2; }));
    REQUIRE(eventually([&] { return batch.progress().completed() == 1; }));
    const Progress now = batch.progress();
    CHECK(now.queued() == 2);
    CHECK(now.running == 0);
    batch.cancel();
    // by whoever was about to have it wait
    CHECK(eventually([&] { return batch.progress().cancelled == 2; }));
    const auto report = batch.wait();
    CHECK(report.progress().state == BatchState::cancelled);
    CHECK(report.failures().empty());
    for (const unsigned i : {0U, 1U}) {
      CHECK(report.outcomes()[i].cancelled());
      CHECK_FALSE(report.outcomes()[i].failed());
      CHECK(text(report.outcomes()[i].error()) == "item " + std::to_string(i));
      CHECK_THROWS_AS(report.outcomes()[i].value(), std::logic_error);
      CHECK(report.attempts(i) == 1);
    }
    CHECK(report.outcomes()[2].error() == nullptr);
    CHECK(wrong_every(every, report.progress()).empty());
  };
  const auto fail = [](int i) {
    if (i != 2) throw std::runtime_error("item " + std::to_string(i));
    return i;
  };
  if (with_result) {
    check(fail);
  } else {
    check([fail](int i) { fail(i); });
  }
}

TEST_CASE("Retry: a cancelled item that was never begun has no attempts and no error") {
  BatchProcessor<int> processor{
      {.max_workers = 1, .on_error = ErrorPolicy::stop_on_first(), .retry = {.max_attempts = 2}}};
  const auto report = processor.run(numbers(2), [](int) { throw 1; });
  CHECK(report.attempts(0) == 2);
  CHECK(report.outcomes()[0].failed());
  CHECK(report.attempts(1) == 0);
  CHECK(report.outcomes()[1].cancelled());
  CHECK(report.outcomes()[1].error() == nullptr);
}

TEST_CASE("Retry: what wants to be cancelled is not tried again") {
  BatchProcessor<int> processor{tried(5)};
  const auto report = processor.run(numbers(2), [](int i, TaskContext& context) {
    if (i == 1 && context.attempt() == 1) throw std::runtime_error("first");
    throw TaskCancelled();
  });
  CHECK(report.progress().cancelled == 2);
  CHECK(report.attempts(0) == 1);
  CHECK(report.outcomes()[0].error() == nullptr);
  CHECK(report.attempts(1) == 2);
  CHECK(text(report.outcomes()[1].error()) == "first");
}

TEST_CASE("Retry: an item that fails after the batch was cancelled has failed") {
  support::Gate cancelled;
  std::atomic<bool> begun{false};
  BatchProcessor<int> processor{tried(no_end, GENERATE(0ns, 1ms), 1)};
  auto batch = processor.start(numbers(2), [&](int) {
    begun = true;
    cancelled.wait();
    throw 1;
  });
  REQUIRE(eventually([&] { return begun.load(); }));
  batch.cancel();
  cancelled.open();
  const auto report = batch.wait();
  CHECK(report.progress().failed == 1);
  CHECK(report.progress().cancelled == 1);
  CHECK(report.progress().retried == 0);
}

TEST_CASE("Retry: an error policy sees items that have failed for good, not attempts") {
  BatchProcessor<int> processor{
      {.max_workers = 1, .on_error = ErrorPolicy::stop_after(2), .retry = {.max_attempts = 3}}};
  const auto report = processor.run(numbers(10), [](int i, TaskContext& context) {
    if (i >= 4 || context.attempt() < 3) throw 1;
  });
  CHECK(report.progress().succeeded == 4);
  CHECK(report.progress().failed == 2);
  CHECK(report.progress().cancelled == 4);
}

TEST_CASE("Retry: an item whose time comes in a pause waits for its end") {
  std::atomic<int> runs{0};
  BatchProcessor<int> processor{tried(2, GENERATE(0ns, 2ms), 2)};
  support::Gate paused;
  auto batch = processor.start(numbers(1), [&](int, TaskContext& context) {
    runs.fetch_add(1);
    if (context.attempt() > 1) return;
    paused.wait();
    throw 1;
  });
  REQUIRE(eventually([&] { return runs == 1; }));
  batch.pause();
  paused.open();
  REQUIRE(eventually([&] { return batch.progress().retried == 1; }));
  CHECK_FALSE(batch.wait_for(10ms));
  CHECK(runs == 1);
  CHECK(batch.progress().state == BatchState::paused);
  CHECK(batch.progress().queued() == 1);
  batch.resume();
  CHECK(batch.wait().all_succeeded());
}

TEST_CASE("Retry: pausing and resuming all the time loses no item") {
  BatchProcessor<int> processor{tried(3, 50us)};
  for (int round = 0; round < rounds(50); ++round) {
    auto batch = processor.start(numbers(40), [](int, TaskContext& context) {
      if (context.attempt() < 3) throw 1;
    });
    while (!batch.wait_for(20us)) {
      batch.pause();
      batch.resume();
    }
    const auto report = batch.wait();
    REQUIRE(report.all_succeeded());
    REQUIRE(report.progress().retried == 80);
  }
}

TEST_CASE("Retry: a task is made once, and lives until its item has settled") {
  std::atomic<int> times{0};
  const bool tells = GENERATE(false, true);
  BatchProcessor<std::shared_ptr<int>> processor{tried(3, GENERATE(0ns, 1ms))};
  std::atomic<int> told{0};
  if (tells) {
    processor.on_completion(
        [&](const Completion<std::shared_ptr<int>>& c) { told.fetch_add(*c.task); });
  }
  const auto range = made(10, times);
  const auto report = processor.run(range, [](std::shared_ptr<int>& task, TaskContext& context) {
    ++*task;  // the next attempt sees it
    if (context.attempt() < 3) throw 1;
    return *task;
  });
  CHECK(report.all_succeeded());
  CHECK(times == 10);
  int i = 0;
  for (const int value : report.values()) CHECK(value == i++ + 3);
  CHECK(told == (tells ? 45 + 30 : 0));
}

TEST_CASE("Retry: a task that cannot be made is tried again") {
  std::atomic<int> times{0};
  const support::Indexed range(1, [&](int i) {
    if (times.fetch_add(1) == 0) throw std::runtime_error("not yet");
    return std::make_unique<int>(i);
  });
  BatchProcessor<std::unique_ptr<int>> processor{tried(2)};
  const auto report = processor.run(range, [](const std::unique_ptr<int>& i) { return *i; });
  CHECK(report.all_succeeded());
  CHECK(report.attempts(0) == 2);
}

TEST_CASE("Retry: tasks of items that were cancelled while they waited are destroyed") {
  std::atomic<int> times{0};
  std::weak_ptr<int> task;
  {
    BatchProcessor<std::shared_ptr<int>> processor{tried(2, std::chrono::hours{1}, 1)};
    auto batch = processor.start(made(1, times), [&](std::shared_ptr<int>& made_task) {
      task = made_task;
      throw 1;
    });
    REQUIRE(eventually([&] { return batch.progress().retried == 1; }));
    CHECK_FALSE(task.expired());
    batch.cancel();
    batch.wait();
  }
  CHECK(task.expired());
}

TEST_CASE("Retry: ranges that are read, and short items by the thousand") {
  const int n = 20'000;
  BatchProcessor<int> processor{tried(2, GENERATE(0ns, 10us))};
  std::atomic<std::uint64_t> sum{0};
  const auto handler = [&](int i, TaskContext& context) {
    if (i % 10 == 0 && context.attempt() == 1) throw 1;
    sum.fetch_add(static_cast<std::uint64_t>(i), std::memory_order_relaxed);
  };
  if (GENERATE(false, true)) {
    support::Generator read(n, [](int i) { return i; });
    CHECK(processor.run(read, handler).progress().retried == n / 10);
  } else {
    CHECK(processor.run(numbers(n), handler).progress().retried == n / 10);
  }
  CHECK(sum == std::uint64_t{n} * (n - 1) / 2);
}

TEST_CASE("C1: snapshots count each item once while items are put back all the time") {
  BatchProcessor<int, support::ShakySync> processor{tried<support::ShakySync>(no_end)};
  for (int round = 0; round < rounds(20); ++round) {
    auto batch = processor.start(numbers(5), [](int, TaskContext& context) {
      if (context.attempt() < 100) throw 1;
    });
    std::string wrong;
    Progress before = batch.progress();
    while (wrong.empty() && !support::is_final(before)) {
      const Progress now = batch.progress();
      wrong = wrong_snapshot(now);
      if (wrong.empty()) wrong = support::wrong_step(before, now);
      if (now.retried < before.retried) wrong = "the retries fall";
      before = now;
    }
    CHECK(wrong == "");
    CHECK(batch.wait().progress().retried == 5 * 99);
  }
}

TEST_CASE("C11: items are tried again in a batch that a task runs on a pool of one thread") {
  ThreadPool pool{1};
  BatchProcessor<int> outer{pool, tried(2, 1ms, 2)};
  const auto report = outer.run(numbers(3), [&](int, TaskContext& context) {
    BatchProcessor<int> inner{pool, tried(3, 1ms, 2)};
    const bool all = inner
                         .run(numbers(3),
                              [](int, TaskContext& c) {
                                if (c.attempt() < 3) throw 1;
                              })
                         .all_succeeded();
    if (!all) throw std::logic_error("inside");
    if (context.attempt() == 1) throw 1;
  });
  CHECK(report.all_succeeded());
  CHECK(report.progress().retried == 3);
}

TEST_CASE("Retry: callbacks and tasks may steer a batch that tries items again") {
  BatchProcessor<int> processor{tried(3, 100us)};
  xofn::Batch<void>* handle = nullptr;
  support::Gate ready;
  processor.on_progress([&](const Progress& p) {
    ready.wait();
    handle->pause();
    handle->resume();
    if (p.completed() == 5) handle->cancel();
  });
  auto batch = processor.start(numbers(20), [&](int, TaskContext& context) {
    ready.wait();
    if (context.attempt() == 1) handle->pause();
    handle->resume();
    if (context.attempt() < 3) throw 1;
  });
  handle = &batch;
  ready.open();
  const Progress last = batch.wait().progress();
  CHECK(wrong_snapshot(last).empty());
  CHECK(last.completed() >= 5);
  CHECK(last.completed() + last.cancelled == 20);
}

TEST_CASE("Retry: on an executor that runs things at once, on whatever thread") {
  support::InlineExecutor executor;
  BatchProcessor<int> processor{executor, tried(3, GENERATE(0ns, 1ms), 2)};
  const bool by_start = GENERATE(false, true);
  const auto report =
      run_either_way(processor, by_start, numbers(5), [](int, TaskContext& context) {
        if (context.attempt() < 3) throw 1;
      });
  CHECK(report.all_succeeded());
  CHECK(report.progress().retried == 10);
}

TEMPLATE_TEST_CASE("Retry: an executor that gives no thread when the time has come ends the batch",
                   "", support::ThrowingExecutor, support::DroppingExecutor) {
  TestType executor{1};
  BatchProcessor<int> processor{executor, tried(2, 500ms, 1)};  // its thread has left before
  const auto report = processor.start(numbers(1), [](int) { throw 1; }).wait();
  CHECK(report.progress().cancelled == 1);
  CHECK(report.stop_reason() == xofn::StopReason::deserted);
  CHECK(report.attempts(0) == 1);
}

TEST_CASE("Retry: told on the caller, who only tells") {
  Recorder every;
  BatchProcessor<int> processor{tried(3, GENERATE(0ns, 1ms))};
  processor.on_progress(every.callback(), Delivery::every().on_caller());
  const auto report = processor.run(numbers(5), [](int, TaskContext& context) {
    if (context.attempt() < 3) throw 1;
  });
  CHECK(report.all_succeeded());
  CHECK(wrong_every(every, report.progress()).empty());
}

TEST_CASE("Retry: a batch that is destroyed does not wait for items that wait") {
  BatchProcessor<int> processor{tried(2, std::chrono::hours{1}, 2)};
  for (int round = 0; round < rounds(100); ++round) {
    auto batch = processor.start(numbers(2), [](int) { throw 1; });
    if (round % 2 == 0) CHECK(eventually([&] { return batch.progress().retried != 0; }));
  }
}
TEST_CASE("Retry: an item is tried again in time though a callback takes long") {
  std::atomic<bool> is_tried_again{false};
  bool tried_meanwhile = false;
  BatchProcessor<int> processor{tried(2, 1ms)};
  processor.on_progress(
      [&](const Progress& p) {
        if (p.completed() == 0) tried_meanwhile = eventually([&] { return is_tried_again.load(); });
      },
      Delivery::latest());
  processor.run(numbers(1), [&](int, TaskContext& context) {
    if (context.attempt() == 1) throw 1;
    is_tried_again = true;
  });
  CHECK(tried_meanwhile);
}
