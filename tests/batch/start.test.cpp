// SPDX-License-Identifier: MIT
#include <xofn/batch/start.hpp>

#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

#include <xofn/batch_processor.hpp>

#include "../support/gate.hpp"
#include "../support/ranges.hpp"
#include "../support/work.hpp"

using support::eventually;
using support::Indexed;
using support::numbers;
using support::run_either_way;
using xofn::Batch;
using xofn::BatchProcessor;
using xofn::Completion;
using xofn::Start;
using xofn::TaskContext;
using xofn::ThreadPool;
using namespace std::chrono_literals;

namespace {

struct Told {
  std::uint64_t index;
  int task;
  std::uint32_t attempt;
  std::thread::id thread;
};

/// What an on_start callback was told; plain, since the sanitizer watches that calls do not
/// overlap.
class Starts {
 public:
  auto callback() {
    return [this](const Start<int>& s) {
      const support::Inside inside(busy_);
      if (!inside.alone) ++overlaps;
      all.push_back({s.index, s.task, s.attempt, std::this_thread::get_id()});
      support::work_for(1us);
    };
  }

  [[nodiscard]] std::size_t of(std::uint64_t index) const {
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [&](const Told& t) { return t.index == index; }));
  }

  std::vector<Told> all;
  int overlaps = 0;

 private:
  std::atomic<bool> busy_{false};
};

}  // namespace

TEST_CASE("C4: each start is told once, one at a time, on the thread of the item and before it") {
  const unsigned workers = GENERATE(1u, 2u, 8u);
  const bool by_start = GENERATE(false, true);
  constexpr int n = 500;
  Starts starts;
  std::vector<std::atomic<int>> begun(n);
  std::vector<std::thread::id> threads(n);
  std::atomic<int> too_late{0};
  BatchProcessor<int> processor{{.max_workers = workers}};
  std::atomic<int> wrong_totals{0};
  processor.on_start(starts.callback()).on_start([&](const Start<int>& s) {
    if (begun[s.index].fetch_add(1) != 0) too_late.fetch_add(1);
    if (s.total != n) wrong_totals.fetch_add(1);
  });
  processor.on_completion([&](const Completion<int>& c) {
    if (begun[c.index].load() != 2) too_late.fetch_add(1);
  });
  const auto report = run_either_way(processor, by_start, numbers(n), [&](int i) {
    if (begun[static_cast<std::size_t>(i)].fetch_add(1) != 1) too_late.fetch_add(1);
    threads[static_cast<std::size_t>(i)] = std::this_thread::get_id();
  });
  REQUIRE(report.all_succeeded());
  CHECK(too_late.load() == 0);
  CHECK(wrong_totals.load() == 0);
  CHECK(starts.overlaps == 0);
  REQUIRE(starts.all.size() == n);
  for (const Told& told : starts.all) {
    REQUIRE(starts.of(told.index) == 1);
    REQUIRE(told.task == static_cast<int>(told.index));
    REQUIRE(told.attempt == 1);
    REQUIRE(told.thread == threads[told.index]);
  }
}

TEST_CASE("Start: each attempt at an item is told") {
  Starts starts;
  BatchProcessor<int> processor{{.max_workers = 2, .retry = {.max_attempts = 3}}};
  processor.on_start(starts.callback());
  const auto report = processor.run(numbers(20), [](int i, TaskContext& context) {
    if (i % 2 == 0 && context.attempt() < 3) throw std::runtime_error("busy");
  });
  REQUIRE(report.all_succeeded());
  for (std::uint64_t i = 0; i < 20; ++i) {
    REQUIRE(starts.of(i) == (i % 2 == 0 ? 3 : 1));
    std::uint32_t attempt = 0;
    for (const Told& told : starts.all) {
      if (told.index == i) REQUIRE(told.attempt == ++attempt);
    }
  }
}

TEST_CASE("Start: an item is counted as running when its start is told") {
  std::atomic<int> wrong{0};
  std::atomic<const Batch<void>*> handle{nullptr};
  BatchProcessor<int> processor{{.max_workers = 2}};
  processor.on_start([&](const Start<int>&) {
    const Batch<void>* batch = nullptr;
    if (!eventually([&] { return (batch = handle.load()) != nullptr; })) return;
    if (batch->progress().running == 0) wrong.fetch_add(1);
  });
  auto batch = processor.start(numbers(50), [](int) {});
  handle.store(&batch);
  CHECK(batch.wait().all_succeeded());
  CHECK(wrong.load() == 0);
}

TEST_CASE("C9: what an on_start callback throws is kept, and fails no item") {
  BatchProcessor<int> processor{{.max_workers = 2}};
  processor.on_start([](const Start<int>& s) {
    if (s.index % 2 == 0) throw std::runtime_error("start");
    if (s.index == 1) throw xofn::TaskCancelled{};
  });
  const auto report = processor.run(numbers(10), [](int) {});
  CHECK(report.all_succeeded());
  CHECK(report.callback_error().count == 6);
}

TEST_CASE("C10: an on_start callback cancels its batch, and runs another") {
  int inner = 0;
  std::atomic<int> refused{0};
  std::atomic<Batch<void>*> handle{nullptr};
  ThreadPool pool{1};
  BatchProcessor<int> processor{pool, {.max_workers = 1}};
  processor.on_start([&](const Start<int>& s) {
    Batch<void>* batch = nullptr;
    if (!eventually([&] { return (batch = handle.load()) != nullptr; })) return;
    BatchProcessor<int> other{pool};
    inner += static_cast<int>(other.run(numbers(3), [](int) {}).progress().succeeded);
    try {
      batch->wait();
    } catch (const std::system_error& error) {
      if (error.code() == std::errc::resource_deadlock_would_occur) refused.fetch_add(1);
    }
    if (s.index == 4) batch->cancel();
  });
  auto batch = processor.start(numbers(100), [](int) {});
  handle.store(&batch);
  const auto report = batch.wait();
  CHECK(report.progress().succeeded == 5);
  CHECK(report.progress().cancelled == 95);
  CHECK(inner == 15);
  CHECK(refused.load() == 5);
}

TEST_CASE("Start: what does not begin is not told") {
  Starts starts;
  BatchProcessor<int> processor{{.max_workers = 2}};
  processor.on_start(starts.callback());
  SECTION("the items of a batch that is cancelled at once") {
    auto batch = processor.start(numbers(1000), [](int) { support::work_for(10us); });
    batch.cancel();
    const auto progress = batch.wait().progress();
    CHECK(starts.all.size() == progress.completed());
  }
  SECTION("an item whose task cannot be made") {
    const Indexed tasks(10, [](int i) {
      if (i == 3) support::fail(i);
      return i;
    });
    CHECK(processor.run(tasks, [](int) {}).progress().failed == 1);
    CHECK(starts.all.size() == 9);
    CHECK(starts.of(3) == 0);
  }
  SECTION("a batch without items") {
    processor.run(numbers(0), [](int) {});
    CHECK(starts.all.empty());
  }
}

TEST_CASE("Start: callbacks are not registered while a batch runs") {
  BatchProcessor<int> processor{{.max_workers = 1}};
  support::Gate gate;
  auto batch = processor.start(numbers(1), [&](int) { gate.wait(); });
  CHECK_THROWS_AS(processor.on_start([](const Start<int>&) {}), std::logic_error);
  gate.open();
  batch.wait();
}
