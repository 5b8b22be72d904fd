// SPDX-License-Identifier: MIT
#include <xofn/batch/failed_attempt.hpp>

#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <xofn/batch/failure.hpp>
#include <xofn/batch_processor.hpp>

#include "../support/gate.hpp"
#include "../support/ranges.hpp"
#include "../support/work.hpp"

using support::eventually;
using support::Generator;
using support::Indexed;
using support::numbers;
using support::run_either_way;
using xofn::Batch;
using xofn::BatchProcessor;
using xofn::Completion;
using xofn::FailedAttempt;
using xofn::MemoryBudget;
using xofn::Start;
using xofn::TaskCancelled;
using xofn::TaskContext;
using xofn::TaskTimeout;
using xofn::ThreadPool;
using namespace std::chrono_literals;

namespace {

std::string text_of(const std::exception_ptr& error) {
  return xofn::Failure{.exception = error}.what();
}

struct Told {
  std::uint64_t index;
  int task;
  std::uint32_t attempt;
  std::string error;
  std::optional<std::chrono::nanoseconds> retry_after;
  std::thread::id thread;
};

/// What an on_failed_attempt callback was told; plain, since the sanitizer watches that calls do
/// not overlap.
class FailedAttempts {
 public:
  auto callback() {
    return [this](const FailedAttempt<int>& f) {
      const support::Inside inside(busy_);
      if (!inside.alone) ++overlaps;
      all.push_back({f.index, f.task, f.attempt, text_of(f.error), f.retry_after,
                     std::this_thread::get_id()});
      support::work_for(1us);
    };
  }

  /// Those of one item, in the order of telling.
  [[nodiscard]] std::vector<Told> of(std::uint64_t index) const {
    std::vector<Told> told;
    std::copy_if(all.begin(), all.end(), std::back_inserter(told),
                 [&](const Told& t) { return t.index == index; });
    return told;
  }

  std::vector<Told> all;
  int overlaps = 0;

 private:
  std::atomic<bool> busy_{false};
};

}  // namespace

TEST_CASE("C4: each failed attempt is told once, one at a time, on its thread, before the next") {
  const unsigned workers = GENERATE(1u, 2u, 8u);
  const bool by_start = GENERATE(false, true);
  constexpr std::size_t n = 300;
  FailedAttempts failed;
  std::vector<std::vector<std::thread::id>> threads(n);
  std::vector<std::atomic<std::uint32_t>> told(n);
  std::atomic<int> too_late{0};
  BatchProcessor<int> processor{{.max_workers = workers, .retry = {.max_attempts = 3}}};
  processor.on_failed_attempt(failed.callback())
      .on_failed_attempt([&](const FailedAttempt<int>& f) { told[f.index].fetch_add(1); });
  processor.on_start([&](const Start<int>& s) {
    if (told[s.index].load() != s.attempt - 1) too_late.fetch_add(1);
  });
  processor.on_completion([&](const Completion<int>& c) {
    if (told[c.index].load() != (c.succeeded() ? c.attempts - 1 : c.attempts))
      too_late.fetch_add(1);
  });
  const auto report =
      run_either_way(processor, by_start, numbers(n), [&](int i, TaskContext& context) {
        threads[static_cast<std::size_t>(i)].push_back(std::this_thread::get_id());
        if (context.attempt() <= static_cast<unsigned>(i % 4)) {
          throw std::runtime_error(std::to_string(i) + " busy " +
                                   std::to_string(context.attempt()));
        }
      });
  REQUIRE(report.progress().failed == n / 4);
  CHECK(too_late.load() == 0);
  CHECK(failed.overlaps == 0);
  CHECK(report.callback_error().count == 0);
  for (std::size_t i = 0; i < n; ++i) {
    const std::vector<Told> all = failed.of(i);
    REQUIRE(all.size() == i % 4);
    for (std::size_t k = 0; k < all.size(); ++k) {
      REQUIRE(all[k].task == static_cast<int>(i));
      REQUIRE(all[k].attempt == k + 1);
      REQUIRE(all[k].error == std::to_string(i) + " busy " + std::to_string(k + 1));
      REQUIRE(all[k].retry_after.has_value() == (k + 1 < 3));
      if (all[k].retry_after) REQUIRE(*all[k].retry_after == 0ns);
      REQUIRE(all[k].thread == threads[i][k]);
    }
  }
}

TEST_CASE("Failed attempt: without retries each failure is the last, and told before it counts") {
  const bool by_start = GENERATE(false, true);
  FailedAttempts failed;
  std::atomic<int> counted_before{0};
  BatchProcessor<int> processor{{.max_workers = 2}};
  std::atomic<std::uint64_t> told{0};
  processor.on_failed_attempt(failed.callback())
      .on_failed_attempt([&](const FailedAttempt<int>& f) {
        if (f.will_retry()) counted_before.fetch_add(1000);
        told.fetch_add(1);
      });
  processor.on_progress([&](const xofn::Progress& p) {
    if (p.failed > told.load()) counted_before.fetch_add(1);
  });
  const auto report = run_either_way(processor, by_start, numbers(200), [](int i) {
    if (i % 10 == 7) support::fail(i);
  });
  CHECK(report.progress().failed == 20);
  CHECK(failed.all.size() == 20);
  CHECK(counted_before.load() == 0);
}

TEST_CASE("Failed attempt: what is not retried is said not to be, and how long the others wait") {
  FailedAttempts failed;
  BatchProcessor<int> processor{
      {.max_workers = 2,
       .retry = {
           .max_attempts = 4, .backoff = 2ms, .retry_if = [](const std::exception_ptr& error) {
             return text_of(error) != "hopeless";
           }}}};
  processor.on_failed_attempt(failed.callback());
  const auto report = processor.run(numbers(4), [](int i, TaskContext& context) {
    if (i == 0) throw std::runtime_error("hopeless");
    if (i == 1 && context.attempt() == 2) throw std::runtime_error("hopeless");
    if (i < 3) throw std::runtime_error("busy");
  });
  CHECK(report.progress().failed == 3);
  REQUIRE(failed.of(0).size() == 1);
  CHECK_FALSE(failed.of(0)[0].retry_after.has_value());
  REQUIRE(failed.of(1).size() == 2);
  CHECK(failed.of(1)[0].retry_after.has_value());
  CHECK_FALSE(failed.of(1)[1].retry_after.has_value());
  const auto all = failed.of(2);
  REQUIRE(all.size() == 4);
  for (std::size_t k = 0; k < 3; ++k) {
    REQUIRE(all[k].retry_after.has_value());
    CHECK(*all[k].retry_after <= 2ms * (1 << k));  // a part of it, from a half on
    CHECK(*all[k].retry_after >= 1ms * (1 << k));
  }
  CHECK_FALSE(all[3].retry_after.has_value());
  CHECK(failed.of(3).empty());
}

TEST_CASE("Failed attempt: one that was late failed with a TaskTimeout, whatever it ended as") {
  std::vector<std::pair<std::string, std::string>> errors(4);  // what, and its cause
  BatchProcessor<int> processor{{.max_workers = 2, .task_timeout = 1ms}};
  processor.on_failed_attempt([&](const FailedAttempt<int>& f) {
    std::string cause;
    try {
      std::rethrow_exception(f.error);
    } catch (const TaskTimeout& late) {
      cause = text_of(late.cause());
    } catch (...) {
      cause = "no timeout";
    }
    errors[f.index] = {text_of(f.error), cause};
  });
  std::atomic<bool> stopped{true};
  const auto report = processor.run(numbers(3), [&](int i, TaskContext& context) {
    if (!eventually([&] { return context.stop_requested(); })) stopped = false;
    if (i == 1) throw std::runtime_error("gave up");
    if (i == 2) throw TaskCancelled{};
  });
  REQUIRE(stopped);
  CHECK(report.progress().failed == 3);
  using Catch::Matchers::ContainsSubstring;
  for (std::size_t i = 0; i < 3; ++i) CHECK_THAT(errors[i].first, ContainsSubstring("too late"));
  CHECK(errors[0].second == "no exception");
  CHECK(errors[1].second == "gave up");
  CHECK(errors[2].second == text_of(std::make_exception_ptr(TaskCancelled{})));
}

TEST_CASE("Failed attempt: what is cancelled, or was never begun, has not failed") {
  FailedAttempts failed;
  SECTION("an item that cancels itself") {
    BatchProcessor<int> processor{{.max_workers = 2, .retry = {.max_attempts = 3}}};
    processor.on_failed_attempt(failed.callback());
    const auto report = processor.run(numbers(10), [](int i) {
      if (i == 3) throw TaskCancelled{};
    });
    CHECK(report.progress().cancelled == 1);
    CHECK(failed.all.empty());
  }
  SECTION("an item whose task cannot be made") {
    BatchProcessor<int> processor{{.max_workers = 2}};
    processor.on_failed_attempt(failed.callback());
    const Indexed tasks(10, [](int i) {
      if (i == 3) support::fail(i);
      return i;
    });
    CHECK(processor
              .run(tasks,
                   [](int i) {
                     if (i == 5) support::fail(i);
                   })
              .progress()
              .failed == 2);
    REQUIRE(failed.all.size() == 1);
    CHECK(failed.all[0].index == 5);
  }
  SECTION("an item that needs more memory than there is") {
    MemoryBudget memory{10};
    BatchProcessor<int> processor{{.max_workers = 2, .memory = &memory}};
    processor.on_failed_attempt(failed.callback()).memory_by([](const int& i) { return 4 * i; });
    const auto report = processor.run(numbers(5), [](int i) {
      if (i == 1) support::fail(i);
    });
    CHECK(report.progress().failed == 3);
    REQUIRE(failed.all.size() == 1);
    CHECK(failed.all[0].index == 1);
  }
  SECTION("a batch that goes well, and one without items") {
    BatchProcessor<int> processor{{.max_workers = 2, .retry = {.max_attempts = 3}}};
    processor.on_failed_attempt(failed.callback());
    CHECK(processor.run(numbers(100), [](int) {}).all_succeeded());
    CHECK(processor.run(numbers(0), [](int) {}).all_succeeded());
    CHECK(failed.all.empty());
  }
}

TEST_CASE("C12: an item that was to be retried is cancelled with its batch, and told no more") {
  FailedAttempts failed;
  std::atomic<Batch<void>*> handle{nullptr};
  const auto backoff = GENERATE(0ns, std::chrono::nanoseconds{1h});
  BatchProcessor<int> processor{
      {.max_workers = 1, .retry = {.max_attempts = 3, .backoff = backoff}}};
  processor.on_failed_attempt(failed.callback());
  processor.on_failed_attempt([&](const FailedAttempt<int>&) {
    Batch<void>* batch = nullptr;
    if (eventually([&] { return (batch = handle.load()) != nullptr; })) batch->cancel();
  });
  auto batch = processor.start(numbers(10), [](int i) { support::fail(i); });
  handle.store(&batch);
  const auto report = batch.wait();
  CHECK(report.progress().cancelled == 10);
  REQUIRE(failed.all.size() == 1);
  CHECK(failed.all[0].retry_after.has_value());
  CHECK(report.outcomes()[failed.all[0].index].error() != nullptr);
}

TEST_CASE("C12: attempts that run as their batch is cancelled are told as the last") {
  FailedAttempts failed;
  BatchProcessor<int> processor{{.max_workers = 1, .retry = {.max_attempts = 3}}};
  processor.on_failed_attempt(failed.callback());
  support::Gate begun;
  std::atomic<bool> stopped{true};
  auto batch = processor.start(numbers(10), [&](int i, TaskContext& context) {
    begun.open();
    if (!eventually([&] { return context.stop_requested(); })) stopped = false;
    support::fail(i);
  });
  begun.wait();
  batch.cancel();
  const auto report = batch.wait();
  CHECK(stopped);
  CHECK(report.progress().failed == 1);
  REQUIRE(failed.all.size() == 1);
  CHECK_FALSE(failed.all[0].retry_after.has_value());
}

TEST_CASE("C9: what an on_failed_attempt callback throws is kept, and changes no item") {
  BatchProcessor<int> processor{{.max_workers = 2, .retry = {.max_attempts = 2}}};
  std::atomic<int> others{0};
  processor.on_failed_attempt([](const FailedAttempt<int>& f) {
    if (f.index == 1) throw TaskCancelled{};
    std::rethrow_exception(f.error);
  });
  processor.on_failed_attempt([&](const FailedAttempt<int>&) { others.fetch_add(1); });
  const auto report = processor.run(numbers(10), [](int i, TaskContext& context) {
    if (i < 5 || context.attempt() == 1) support::fail(i);
  });
  CHECK(report.progress().failed == 5);
  CHECK(report.progress().succeeded == 5);
  CHECK(report.callback_error().count == 15);
  CHECK(others.load() == 15);
}

TEST_CASE(
    "C10, C11: an on_failed_attempt callback runs another batch, whose failures are its own") {
  std::atomic<int> inner{0};
  std::atomic<int> refused{0};
  std::atomic<Batch<void>*> handle{nullptr};
  ThreadPool pool{1};
  FailedAttempts failed;
  BatchProcessor<int> processor{pool, {.max_workers = 1, .retry = {.max_attempts = 2}}};
  processor.on_failed_attempt(failed.callback());
  processor.on_failed_attempt([&](const FailedAttempt<int>&) {
    BatchProcessor<int> other{pool};
    other.on_failed_attempt([&](const FailedAttempt<int>&) { inner.fetch_add(1); });
    other.run(numbers(3), [](int i) { support::fail(i); });
    Batch<void>* batch = nullptr;
    if (!eventually([&] { return (batch = handle.load()) != nullptr; })) return;
    try {
      batch->wait();
    } catch (const std::system_error& error) {
      if (error.code() == std::errc::resource_deadlock_would_occur) refused.fetch_add(1);
    }
  });
  auto batch = processor.start(numbers(5), [](int i) { support::fail(i); });
  handle.store(&batch);
  CHECK(batch.wait().progress().failed == 5);
  CHECK(failed.all.size() == 10);
  CHECK(inner.load() == 30);
  CHECK(refused.load() == 10);
}

TEST_CASE("Failed attempt: the task is told as the attempt has left it, wherever it comes from") {
  std::vector<std::pair<std::uint64_t, bool>> told;  // which, and whether it had been moved from
  const unsigned attempts = GENERATE(1u, 2u);
  using Task = std::unique_ptr<int>;
  BatchProcessor<Task> processor{{.max_workers = 2, .retry = {.max_attempts = attempts}}};
  processor.on_failed_attempt(
      [&](const FailedAttempt<Task>& f) { told.emplace_back(f.index, f.task == nullptr); });
  const auto handler = [](Task& task) {
    if (task != nullptr && *task % 2 == 0) return;
    const Task taken = std::move(task);
    throw std::runtime_error("broken");
  };
  SECTION("made by a range that is indexed") {
    processor.run(Indexed(10, [](int i) { return std::make_unique<int>(i); }), handler);
  }
  SECTION("read from a range") {
    processor.run(Generator(10, [](int i) { return std::make_unique<int>(i); }), handler);
  }
  SECTION("in place") {
    std::vector<Task> tasks;
    for (int i = 0; i < 10; ++i) tasks.push_back(std::make_unique<int>(i));
    processor.run(tasks, handler);
  }
  SECTION("added") {
    auto batch = processor.open(handler);
    for (int i = 0; i < 10; ++i) batch.add(std::make_unique<int>(i));
    batch.close();
    batch.wait();
  }
  REQUIRE(told.size() == 5 * attempts);
  for (const auto& [index, moved] : told) {
    CHECK(index % 2 == 1);
    CHECK(moved);
  }
}

TEST_CASE("C6: nothing is told after run() has returned") {
  for (int round = 0; round < support::rounds(300); ++round) {
    auto told = std::make_unique<int>(0);
    BatchProcessor<int> processor{{.max_workers = 4, .retry = {.max_attempts = 2}}};
    processor.on_failed_attempt([counter = told.get()](const FailedAttempt<int>&) { ++*counter; });
    processor.run(numbers(8), [](int i) { support::fail(i); });
    const int before = *told;
    told.reset();  // whoever is told now writes to what is gone
    REQUIRE(before == 16);
  }
}

TEST_CASE("Failed attempt: callbacks are not registered while a batch runs") {
  BatchProcessor<int> processor{{.max_workers = 1}};
  support::Gate gate;
  auto batch = processor.start(numbers(1), [&](int) { gate.wait(); });
  CHECK_THROWS_AS(processor.on_failed_attempt([](const FailedAttempt<int>&) {}), std::logic_error);
  gate.open();
  batch.wait();
}
