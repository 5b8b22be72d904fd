// SPDX-License-Identifier: MIT
#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include <xofn/batch_processor.hpp>

#include "support/gate.hpp"
#include "support/oracle.hpp"
#include "support/work.hpp"

using support::eventually;
using support::numbers;
using support::Recorder;
using support::rounds;
using support::run_either_way;
using support::Runs;
using support::wrong_every;
using support::wrong_report;
using xofn::Batch;
using xofn::BatchProcessor;
using xofn::BatchState;
using xofn::Progress;
using xofn::ThreadPool;
using namespace std::chrono_literals;

// C1, once: each item settles exactly once. C2, every step: 1, 2, ..., N, in time.

namespace {

enum class Work { nothing, a_microsecond, mixed };

void work(Work kind, int item) {
  if (kind == Work::a_microsecond) support::work_for(1us);
  if (kind == Work::mixed && item % 16 == 0) support::work_for(5us);
}

}  // namespace

TEST_CASE("C1, C2: every step is told once and in order, each item settles once") {
  const unsigned workers = GENERATE(1u, 2u, 3u, 8u, 64u);
  const Work kind = GENERATE(Work::nothing, Work::a_microsecond, Work::mixed);
  const bool throwing = GENERATE(false, true);
  const bool by_start = GENERATE(false, true);
  CAPTURE(workers, kind, throwing, by_start);
  const int n = throwing ? rounds(1000) : rounds(5000);
  Runs runs(static_cast<std::size_t>(n));
  Recorder recorder;
  support::CompletionRecorder completions;
  BatchProcessor<int> processor{{.max_workers = workers}};
  processor.on_progress(recorder.callback()).on_completion(completions.callback());
  const auto report = run_either_way(processor, by_start, numbers(n), [&](int i) {
    const auto running = runs.run(i);
    work(kind, i);
    if (throwing && i % 5 < 3) support::fail(i);
  });
  recorder.close();
  const Progress last = report.progress();
  CHECK(last.completed() == static_cast<std::uint64_t>(n));
  CHECK(last.state == BatchState::finished);
  CHECK(wrong_every(recorder, last) == "");
  CHECK(wrong_completions(completions, report) == "");
  CHECK(wrong_report(report, runs) == "");
}

TEST_CASE("C2: 100,000 items of nothing are told in order") {
  const unsigned workers = GENERATE(2u, 8u);
  const int n = rounds(100'000);
  Recorder recorder;
  ThreadPool pool{workers};
  BatchProcessor<int> processor{pool, {.max_workers = workers}};
  processor.on_progress(recorder.callback());
  const auto report = processor.run(numbers(n), [](int) {});
  CHECK(wrong_every(recorder, report.progress()) == "");
  CHECK(recorder.calls().size() == static_cast<std::size_t>(n));
}

TEST_CASE("C2: several callbacks for every step are each told every step") {
  Recorder recorders[3];
  BatchProcessor<int> processor{{.max_workers = 3}};
  for (Recorder& recorder : recorders) processor.on_progress(recorder.callback());
  const auto report = processor.run(numbers(2000), [](int) {});
  for (const Recorder& recorder : recorders) {
    CHECK(wrong_every(recorder, report.progress()) == "");
  }
}

TEST_CASE("C2: a slow callback makes nobody skip, nor the workers wait") {
  const bool by_start = GENERATE(false, true);
  Recorder recorder;
  Runs runs(200);
  std::atomic<bool> waited_for{false};
  BatchProcessor<int> processor{{.max_workers = 3}};
  processor.on_progress([&](const Progress& p) {
    recorder.record(p);
    // The first call lasts until every item has run, on the other workers.
    if (p.completed() == 1) waited_for = eventually([&] { return runs.all_ended() == 200; });
  });
  const auto report = run_either_way(processor, by_start, numbers(200), [&](int i) {
    const auto running = runs.run(i);
    support::work_for(2us);
  });
  CHECK(waited_for.load());
  CHECK(wrong_every(recorder, report.progress()) == "");
}

TEST_CASE("C2: a slow callback on a worker that has more to do gives that to the others") {
  // Items of nothing come in runs: while the teller is in its callback its run must go on
  // elsewhere.
  const unsigned workers = GENERATE(2u, 4u);
  const std::uint64_t at = GENERATE(as<std::uint64_t>{}, 1, 2, 10, 100, 500);
  CAPTURE(workers, at);
  constexpr std::uint64_t n = 1000;
  Runs runs(n);
  std::atomic<bool> all_ran{false};
  BatchProcessor<int> processor{{.max_workers = workers}};
  processor.on_progress([&](const Progress& p) {
    if (p.completed() == at) all_ran = eventually([&] { return runs.all_ended() == n; });
  });
  processor.run(numbers(n), [&](int i) { const auto running = runs.run(i); });
  CHECK(all_ran.load());
}

TEST_CASE("C2: an item of a microsecond or more is told as it settles") {
  const unsigned workers = GENERATE(1u, 2u, 3u, 8u);
  const auto length = GENERATE(20us, 1'000us);
  const bool by_start = GENERATE(false, true);
  CAPTURE(workers, length.count(), by_start);
  const int n = length == 20us ? 200 : 30;
  Recorder recorder;
  std::atomic<std::uint64_t> started{0};
  std::atomic<int> untold{0};
  BatchProcessor<int> processor{{.max_workers = workers}};
  processor.on_progress(recorder.callback());
  const auto report = run_either_way(processor, by_start, numbers(n), [&](int) {
    // All that started before, but those that the other workers are in, have settled. They must be
    // told although this item and the others go on until they are.
    const std::uint64_t before = started.fetch_add(1, std::memory_order_relaxed);
    support::work_for(length);
    if (untold.load(std::memory_order_relaxed) > 0) return;
    if (!eventually([&] { return recorder.told() + workers > before; })) untold.fetch_add(1);
  });
  CHECK(untold.load() == 0);
  CHECK(wrong_every(recorder, report.progress()) == "");
}

TEST_CASE("C2: a long item is told as it settles, also behind items of nothing") {
  const unsigned workers = GENERATE(1u, 2u, 3u);
  const int short_ones = GENERATE(1, 10, 100, 1000, 1003);
  const bool completions = GENERATE(false, true);
  const bool by_start = GENERATE(false, true);
  CAPTURE(workers, short_ones, completions, by_start);
  const int n = short_ones + 20;
  Recorder recorder;
  std::atomic<std::uint64_t> started{0};
  std::atomic<int> untold{0};
  BatchProcessor<int> processor{{.max_workers = workers}};
  processor.on_progress(recorder.callback());
  if (completions) processor.on_completion([](const xofn::Completion<int>&) {});
  const auto report = run_either_way(processor, by_start, numbers(n), [&](int i) {
    const std::uint64_t before = started.fetch_add(1, std::memory_order_relaxed);
    if (i < short_ones) return;
    support::work_for(100us);
    // A long item that settled has told all that settled before it; but for the items of nothing
    // next to those that run, all before this one have.
    if (i < short_ones + static_cast<int>(workers) || untold.load() > 0) return;
    if (!eventually([&] { return recorder.told() + workers > before; })) untold.fetch_add(1);
  });
  CHECK(untold.load() == 0);
  CHECK(wrong_every(recorder, report.progress()) == "");
}

TEST_CASE("C2: items of nothing are told when others settle, though one goes on for ever") {
  const unsigned workers = GENERATE(2u, 3u, 8u);
  const int position = GENERATE(0, 1, 5, 50, 400);
  const bool by_start = GENERATE(false, true);
  const bool completions = GENERATE(false, true);
  CAPTURE(workers, position, by_start, completions);
  constexpr int n = 1000;
  Recorder recorder;
  std::atomic<bool> begun{false};
  std::atomic<int> untold{0};
  BatchProcessor<int> processor{{.max_workers = workers}};
  processor.on_progress(recorder.callback());
  if (completions) processor.on_completion([](const xofn::Completion<int>&) {});
  const auto report = run_either_way(processor, by_start, numbers(n), [&](int i) {
    if (i == position) {
      begun.store(true);
      if (!eventually([&] { return recorder.told() == n - 1; })) untold.fetch_add(1);
    } else if (i == n - 1) {
      if (!eventually([&] { return begun.load(); })) untold.fetch_add(1);
    }
  });
  CHECK(untold.load() == 0);
  CHECK(wrong_every(recorder, report.progress()) == "");
}

TEST_CASE("C1: what is running is not counted as done") {
  const unsigned workers = GENERATE(1u, 2u, 8u);
  const bool failing = GENERATE(false, true);
  support::Gate gate;
  BatchProcessor<int> processor{{.max_workers = workers}};
  Batch<void> batch = processor.start(numbers(20), [&](int i) {
    gate.wait();
    if (failing) support::fail(i);
  });
  CHECK(eventually([&] { return batch.progress().running == workers; }));
  const Progress now = batch.progress();
  CHECK(now.completed() == 0);
  CHECK(now.running == workers);
  CHECK(now.queued() == 20 - workers);
  CHECK(support::wrong_snapshot(now) == "");
  gate.open();
  const Progress last = batch.wait().progress();
  CHECK(last.completed() == 20);
  CHECK(last.failed == (failing ? 20 : 0));
  CHECK_FALSE(gate.expired());
}

TEST_CASE("C1, C12: each item settles once while a batch is cancelled from every side") {
  const unsigned workers = GENERATE(1u, 2u, 3u, 8u);
  const int how = GENERATE(0, 1, 2);
  CAPTURE(workers, how);
  constexpr int n = 300;
  ThreadPool pool{workers};
  for (int round = 0; round < rounds(100); ++round) {
    Runs runs(n);
    Recorder recorder;
    std::atomic<Batch<int>*> handle{nullptr};
    const auto cancel = [&] {
      if (Batch<int>* batch = handle.load()) batch->cancel();
    };
    const int moment = round * n / rounds(100);
    BatchProcessor<int> processor{pool, {.max_workers = workers}};
    processor.on_progress([&](const Progress& p) {
      recorder.record(p);
      if (how == 0 && p.completed() >= static_cast<std::uint64_t>(moment)) cancel();
    });
    Batch<int> batch = processor.start(numbers(n), [&](int i) {
      const auto running = runs.run(i);
      if (how == 1 && i >= moment) cancel();
      work(Work::mixed, i);
      if (i % 9 == 0) support::fail(i);
      return i;
    });
    handle.store(&batch);
    if (how == 2) {
      support::in_parallel(2, [&](int) { cancel(); });
    }
    const auto report = batch.wait();
    REQUIRE(wrong_report(report, runs) == "");
    REQUIRE(wrong_every(recorder, report.progress()) == "");
  }
}
