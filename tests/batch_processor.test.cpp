// SPDX-License-Identifier: MIT
#include <xofn/batch_processor.hpp>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "support/gate.hpp"
#include "support/oracle.hpp"
#include "support/ranges.hpp"
#include "support/work.hpp"

using Catch::Matchers::ContainsSubstring;
using support::Gate;
using support::numbers;
using support::Recorder;
using support::Rendezvous;
using support::run_either_way;
using support::Runs;
using support::wrong_report;
using xofn::Batch;
using xofn::BatchProcessor;
using xofn::BatchReport;
using xofn::Progress;
using xofn::TaskContext;
using xofn::ThreadPool;

TEST_CASE("Processor: each task runs once, its result is in the place of its submission") {
  const unsigned workers = GENERATE(1u, 2u, 3u, 8u, 64u);
  const bool by_start = GENERATE(false, true);
  const int n = GENERATE(1, 2, 7, 1000);
  CAPTURE(workers, by_start, n);
  Runs runs(static_cast<std::size_t>(n));
  BatchProcessor<int> processor{{.max_workers = workers}};
  const BatchReport<int> report = run_either_way(processor, by_start, numbers(n), [&](int i) {
    const auto running = runs.run(i);
    return 3 * i;
  });
  CHECK(wrong_report(report, runs) == "");
  REQUIRE(report.outcomes().size() == static_cast<std::size_t>(n));
  for (int i = 0; i < n; ++i) {
    REQUIRE(report.outcomes()[static_cast<std::size_t>(i)].value() == 3 * i);
  }
}

TEST_CASE("Processor: a task that is callable needs no handler") {
  std::vector<std::function<int()>> jobs;
  for (int i = 0; i < 10; ++i) jobs.emplace_back([i] { return i * i; });
  BatchProcessor<std::function<int()>> processor{{.max_workers = 2}};
  const BatchReport<int> run = processor.run(jobs);
  for (std::size_t i = 0; i < 10; ++i) CHECK(run.outcomes()[i].value() == static_cast<int>(i * i));
  Batch<int> batch = processor.start(std::move(jobs));
  const BatchReport<int> started = batch.wait();
  for (std::size_t i = 0; i < 10; ++i) {
    CHECK(started.outcomes()[i].value() == static_cast<int>(i * i));
  }
}

TEST_CASE("Processor: a callable task may want its context") {
  struct Square {
    std::uint64_t operator()(TaskContext& context) const {
      return context.index() * context.index();
    }
  };
  BatchProcessor<Square> processor{{.max_workers = 2}};
  const BatchReport<std::uint64_t> report = processor.run(std::vector<Square>(5));
  for (std::size_t i = 0; i < 5; ++i) CHECK(report.outcomes()[i].value() == i * i);
}

TEST_CASE("Processor: a handler may want its context, which knows the item") {
  const bool by_start = GENERATE(false, true);
  std::atomic<int> wrong{0};
  BatchProcessor<std::uint64_t> processor{{.max_workers = 3}};
  std::vector<std::uint64_t> items(100);
  for (std::size_t i = 0; i < items.size(); ++i) items[i] = i;
  const auto report =
      run_either_way(processor, by_start, items, [&](std::uint64_t i, TaskContext& context) {
        if (context.index() != i || context.attempt() != 1) wrong.fetch_add(1);
        if (context.stop_requested()) wrong.fetch_add(1);
#if defined(__cpp_lib_jthread)
        if (context.stop_token().stop_requested()) wrong.fetch_add(1);
#endif
      });
  STATIC_REQUIRE(std::is_same_v<decltype(report), const BatchReport<void>>);
  CHECK(wrong.load() == 0);
  CHECK(report.all_succeeded());
}

TEST_CASE("Processor: no more than max_workers tasks run at the same time, and that many do") {
  const unsigned workers = GENERATE(1u, 2u, 3u, 8u);
  const bool by_start = GENERATE(false, true);
  const bool own_threads = GENERATE(false, true);
  CAPTURE(workers, by_start, own_threads);
  ThreadPool pool{12};
  Rendezvous all(workers);
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  const auto handler = [&](int i) {
    const int now = inside.fetch_add(1) + 1;
    for (int seen = most.load(); now > seen && !most.compare_exchange_weak(seen, now);) {
    }
    if (i < static_cast<int>(workers)) all.arrive();
    support::work_for(std::chrono::microseconds{50});
    inside.fetch_sub(1);
  };
  if (own_threads) {
    BatchProcessor<int> processor{{.max_workers = workers}};
    run_either_way(processor, by_start, numbers(200), handler);
  } else {
    BatchProcessor<int> processor{pool, {.max_workers = workers}};
    run_either_way(processor, by_start, numbers(200), handler);
  }
  CHECK_FALSE(all.expired());
  CHECK(most.load() == static_cast<int>(workers));
}

TEST_CASE("Processor: with one worker, run does everything on the calling thread") {
  std::set<std::thread::id> threads;
  BatchProcessor<int> processor{{.max_workers = 1}};
  processor.on_progress([&](const Progress&) { threads.insert(std::this_thread::get_id()); });
  processor.run(numbers(100), [&](int) { threads.insert(std::this_thread::get_id()); });
  CHECK(threads == std::set{std::this_thread::get_id()});
}

TEST_CASE("Processor: the caller of run is one of the workers") {
  Rendezvous all(2);
  std::set<std::thread::id> threads;
  std::mutex mutex;
  BatchProcessor<int> processor{{.max_workers = 2}};
  processor.run(numbers(2), [&](int) {
    all.arrive();
    const std::lock_guard lock(mutex);
    threads.insert(std::this_thread::get_id());
  });
  CHECK_FALSE(all.expired());
  CHECK(threads.size() == 2);
  CHECK(threads.count(std::this_thread::get_id()) == 1);
}

TEST_CASE("Processor: start works on other threads than the caller's") {
  std::atomic<int> here{0};
  const auto caller = std::this_thread::get_id();
  BatchProcessor<int> processor{{.max_workers = 3}};
  Batch<void> batch = processor.start(numbers(100), [&](int) {
    if (std::this_thread::get_id() == caller) here.fetch_add(1);
  });
  CHECK(support::eventually([&] { return batch.progress().completed() == 100; }));
  batch.wait();
  CHECK(here.load() == 0);
}

TEST_CASE("Processor: start returns while the tasks run") {
  Gate gate;
  BatchProcessor<int> processor{{.max_workers = 2}};
  Batch<void> batch = processor.start(numbers(2), [&](int) { gate.wait(); });
  CHECK(batch.progress().completed() == 0);
  CHECK(batch.progress().total == 2);
  gate.open();
  CHECK(batch.wait().all_succeeded());
  CHECK_FALSE(gate.expired());
}

TEST_CASE("Processor: it may be run again and again, by run and by start") {
  Recorder recorder;
  BatchProcessor<int> processor{{.max_workers = 3}};
  int batches = 0;
  processor.on_progress([&](const Progress& p) {
    recorder.record(p);
    batches += support::is_final(p) ? 1 : 0;
  });
  for (int round = 0; round < 20; ++round) {
    const auto report = run_either_way(processor, round % 2 == 0, numbers(50), [](int) {});
    REQUIRE(report.progress().completed() == 50);
  }
  CHECK(batches == 20);
  REQUIRE(recorder.calls().size() == 1000);
  for (std::size_t i = 0; i < 1000; ++i) {
    REQUIRE(recorder.calls()[i].progress.completed() == i % 50 + 1);
  }
}

TEST_CASE("Processor: while a batch runs, a second one and a new callback are refused") {
  Gate gate;
  BatchProcessor<int> processor{{.max_workers = 2}};
  Batch<void> batch = processor.start(numbers(3), [&](int) { gate.wait(); });
  CHECK_THROWS_AS(processor.run(numbers(1), [](int) {}), std::logic_error);
  CHECK_THROWS_AS(processor.start(numbers(1), [](int) {}), std::logic_error);
  CHECK_THROWS_AS(processor.on_progress([](const Progress&) {}), std::logic_error);
  CHECK_THROWS_AS(processor.on_completion([](const xofn::Completion<int>&) {}), std::logic_error);
  gate.open();
  CHECK(batch.wait().progress().succeeded == 3);
  CHECK_NOTHROW(processor.on_progress([](const Progress&) {}));
  CHECK(processor.run(numbers(4), [](int) {}).progress().succeeded == 4);
}

TEST_CASE("Processor: a task that starts a second batch of its own processor is refused") {
  std::atomic<int> refused{0};
  BatchProcessor<int> processor{{.max_workers = 2}};
  const auto report = processor.run(numbers(4), [&](int) {
    try {
      processor.run(numbers(1), [](int) {});
    } catch (const std::logic_error&) {
      refused.fetch_add(1);
    }
  });
  CHECK(report.all_succeeded());
  CHECK(refused.load() == 4);
}

TEST_CASE("Processor: max_workers of 0 means the hardware's number") {
  const auto hardware = std::max(1u, std::thread::hardware_concurrency());
  Rendezvous all(hardware);
  std::atomic<int> inside{0};
  std::atomic<bool> more{false};
  BatchProcessor<int> processor{{}};
  processor.run(numbers(static_cast<int>(hardware)), [&](int) { all.arrive(); });
  CHECK_FALSE(all.expired());
  processor.run(numbers(50 * static_cast<int>(hardware)), [&](int) {
    if (inside.fetch_add(1) >= static_cast<int>(hardware)) more.store(true);
    support::work_for(std::chrono::microseconds{20});
    inside.fetch_sub(1);
  });
  CHECK_FALSE(more.load());
}

TEST_CASE("Processor: an absurd number of workers is refused with its value") {
  const auto with = [](unsigned workers) {
    BatchProcessor<int> processor{{.max_workers = workers}};
  };
  CHECK_NOTHROW(with(65536));
  CHECK_THROWS_AS(with(65537), std::invalid_argument);
  CHECK_THROWS_WITH(with(65537), ContainsSubstring("65537"));
  CHECK_THROWS_WITH(with(4000000000), ContainsSubstring("4000000000"));
  ThreadPool pool{1};
  const auto borrowing = [&] { BatchProcessor<int> processor{pool, {.max_workers = 65537}}; };
  CHECK_THROWS_AS(borrowing(), std::invalid_argument);
}

TEST_CASE("Processor: a range of 2^48 tasks is refused with its size") {
  BatchProcessor<int> processor;
  const support::HugeRange range{std::ptrdiff_t{1} << 48};
  CHECK_THROWS_WITH(processor.run(range, [](int) {}), ContainsSubstring("281474976710656"));
  CHECK(processor.run(numbers(3), [](int) {}).all_succeeded());
}

TEST_CASE("Processor: far more workers than items are no trouble") {
  BatchProcessor<int> processor{{.max_workers = 65536}};
  CHECK(processor.run(numbers(3), [](int i) { return i; }).progress().succeeded == 3);
}

TEST_CASE("Processor: it is neither copied nor moved, a batch is moved, a report copied") {
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<BatchProcessor<int>>);
  STATIC_REQUIRE_FALSE(std::is_move_constructible_v<BatchProcessor<int>>);
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<Batch<int>>);
  STATIC_REQUIRE(std::is_nothrow_move_constructible_v<Batch<int>>);
  STATIC_REQUIRE(std::is_copy_constructible_v<BatchReport<int>>);
  STATIC_REQUIRE(std::is_copy_constructible_v<BatchReport<std::unique_ptr<int>>>);
}

TEST_CASE("Processor: nothing is copied that the user did not copy") {
  struct Counted {
    explicit Counted(std::atomic<int>* counter) : copies(counter) {}
    Counted(const Counted& other) : copies(other.copies) { copies->fetch_add(1); }
    Counted& operator=(const Counted&) = delete;
    Counted(Counted&& other) noexcept = default;
    std::atomic<int>* copies;
  };
  struct Handler : Counted {
    using Counted::Counted;
    void operator()(const Counted&) const {}
  };
  struct Callback : Counted {
    using Counted::Counted;
    void operator()(const Progress&) const {}
  };
  std::atomic<int> copies{0};
  std::vector<Counted> items;
  for (int i = 0; i < 20; ++i) items.emplace_back(&copies);
  copies = 0;
  BatchProcessor<Counted> processor{{.max_workers = 3}};
  processor.on_progress(Callback(&copies));
  const Handler handler(&copies);
  processor.run(items, handler);
  CHECK(copies.load() <= 1);  // of a handler that is an lvalue, which may be kept
  copies = 0;
  processor.run(items, Handler(&copies));
  processor.start(std::move(items), Handler(&copies)).wait();
  CHECK(copies.load() == 0);
}

TEST_CASE("Processor: handlers and callbacks may be move-only") {
  const bool by_start = GENERATE(false, true);
  const auto alive = std::make_shared<int>(1);
  std::atomic<int> sum{0};
  int told = 0;
  {
    BatchProcessor<int> processor{{.max_workers = 2}};
    processor
        .on_progress([&, mine = std::make_unique<std::shared_ptr<int>>(alive)](const Progress&) {
          told += **mine;
        })
        .on_completion([mine = std::make_unique<std::shared_ptr<int>>(alive)](
                           const xofn::Completion<int>&) {});
    auto handler = [&, mine = std::make_unique<std::shared_ptr<int>>(alive)](int i) {
      sum.fetch_add(i * **mine);
    };
    run_either_way(processor, by_start, numbers(11), std::move(handler));
  }
  CHECK(sum.load() == 55);
  CHECK(told == 11);
  CHECK(alive.use_count() == 1);
}
