// SPDX-License-Identifier: MIT
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cstdint>
#include <memory>
#include <optional>
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
using support::Runs;
using support::wrong_every;
using support::wrong_latest;
using support::wrong_report;
using xofn::Batch;
using xofn::BatchProcessor;
using xofn::Completion;
using xofn::Delivery;
using xofn::Progress;
using namespace std::chrono_literals;

// C7, one snapshot. C8, isolated failure. C9, isolated callback.

TEST_CASE("C7: a batch is read at any time, by several threads, without a figure out of place") {
  const unsigned workers = GENERATE(1u, 2u, 8u);
  const bool cancelled = GENERATE(false, true);
  CAPTURE(workers, cancelled);
  const int n = rounds(30'000);
  std::atomic<std::uint64_t> told{0};
  std::atomic<std::uint64_t> ended{0};
  std::atomic<bool> over{false};
  std::vector<std::string> wrong(3);
  BatchProcessor<int> processor{{.max_workers = workers}};
  processor.on_progress([&](const Progress& p) { told.store(p.completed()); });
  Batch<void> batch = processor.start(numbers(n), [&](int i) {
    struct Count {
      ~Count() { counter.fetch_add(1); }
      std::atomic<std::uint64_t>& counter;
    } count{ended};
    if (i % 5 == 0) support::work_for(1us);
    if (i % 100 == 0) support::fail(i);
  });
  support::in_parallel(4, [&](int number) {
    if (number == 3) {
      if (cancelled && eventually([&] { return told.load() > 100; })) batch.cancel();
      batch.wait();
      over.store(true);
      return;
    }
    std::string& mine = wrong[static_cast<std::size_t>(number)];
    Progress before = batch.progress();
    for (bool last = false; mine.empty() && !last;) {
      last = over.load();
      const std::uint64_t at_least = told.load();
      const Progress now = batch.progress();
      const std::uint64_t at_most = ended.load();
      mine = support::wrong_snapshot(now);
      if (mine.empty()) mine = support::wrong_step(before, now);
      if (mine.empty() && now.completed() < at_least) mine = "X is behind a call already made";
      if (mine.empty() && now.completed() > at_most) mine = "X counts items that have not ended";
      if (mine.empty() && now.running > workers) mine = "more run than there are workers";
      if (mine.empty() && last && !support::is_final(now)) mine = "not final after wait";
      before = now;
    }
  });
  CHECK(wrong == std::vector<std::string>(3));
}

TEST_CASE("C7: a callback that reads its batch never finds it behind what it is told") {
  const auto delivery = GENERATE(Delivery::every(), Delivery::latest(0ns),
                                 Delivery::every().on_caller(), Delivery::latest(0ns).on_caller());
  std::atomic<Batch<void>*> handle{nullptr};
  std::string wrong;
  BatchProcessor<int> processor{{.max_workers = 3}};
  processor.on_progress(
      [&](const Progress& p) {
        Batch<void>* const batch = handle.load();
        if (batch == nullptr || !wrong.empty()) return;
        const Progress now = batch->progress();
        wrong = support::wrong_snapshot(now);
        if (wrong.empty() && now.completed() < p.completed()) wrong = "X is behind the call";
        if (wrong.empty() && now.total < p.total) wrong = "N is behind the call";
      },
      delivery);
  Batch<void> batch = processor.start(numbers(2000), [](int) {});
  handle.store(&batch);
  batch.wait();
  CHECK(wrong == "");
}

TEST_CASE("C8: a failing item stops no other, whatever it throws and however many fail") {
  const unsigned workers = GENERATE(1u, 3u, 64u);
  const int every_nth = GENERATE(1, 2, 50);
  Runs runs(500);
  Recorder recorder;
  BatchProcessor<int> processor{{.max_workers = workers}};
  processor.on_progress(recorder.callback());
  const auto report = processor.run(numbers(500), [&](int i) {
    const auto running = runs.run(i);
    if (i % every_nth == 0) support::fail(i);
  });
  CHECK(report.progress().failed == static_cast<std::uint64_t>(500 / every_nth));
  CHECK(wrong_report(report, runs) == "");
  CHECK(wrong_every(recorder, report.progress()) == "");
}

TEST_CASE("C8: an exception that is destroyed late and a result that throws when it is moved") {
  struct Awkward {
    Awkward() = default;
    Awkward(Awkward&&) { throw std::runtime_error("moved"); }
  };
  BatchProcessor<int> processor{{.max_workers = 2}};
  const auto report = processor.run(numbers(10), [](int i) {
    std::optional<Awkward> result;
    result.emplace();
    if (i % 2 == 0) return Awkward(std::move(*result));
    return Awkward();
  });
  CHECK(report.progress().completed() == 10);
  CHECK(report.progress().failed >= 5);
}

TEST_CASE("C9: a callback that throws is kept and counted, and every step is told all the same") {
  const auto delivery =
      GENERATE(Delivery::every(), Delivery::latest(200us), Delivery::every().on_caller(),
               Delivery::latest(200us).on_caller());
  const unsigned workers = GENERATE(1u, 3u);
  CAPTURE(delivery.is_every(), delivery.is_on_caller(), workers);
  Runs runs(200);
  Recorder recorder;
  BatchProcessor<int> processor{{.max_workers = workers}};
  processor.on_progress(
      [&](const Progress& p) {
        recorder.record(p);
        if (recorder.made() == 1) throw std::runtime_error("the first");
        support::fail(static_cast<int>(recorder.made()));
      },
      delivery);
  const auto report = processor.run(numbers(200), [&](int i) {
    const auto running = runs.run(i);
    support::work_for(5us);
  });
  CHECK(wrong_report(report, runs) == "");
  CHECK(report.all_succeeded());
  CHECK((delivery.is_every() ? wrong_every(recorder, report.progress())
                             : wrong_latest(recorder, report.progress(), 200us)) == "");
  CHECK(report.callback_error());
  CHECK(report.callback_error().count == recorder.calls().size());
  CHECK_THROWS_WITH(std::rethrow_exception(report.callback_error().first), "the first");
}

TEST_CASE("C9: a completion that throws keeps no step from being told, nor the other callbacks") {
  Recorder before, after;
  support::CompletionRecorder completions;
  BatchProcessor<int> processor{{.max_workers = 3}};
  processor.on_completion([](const Completion<int>&) { throw 1; })
      .on_progress(before.callback())
      .on_progress([](const Progress&) { throw "text"; })
      .on_completion(completions.callback())
      .on_progress(after.callback());
  const auto report = processor.run(numbers(500), [](int i) {
    if (i % 2 == 0) support::fail(i);
  });
  CHECK(wrong_every(before, report.progress()) == "");
  CHECK(wrong_every(after, report.progress()) == "");
  CHECK(wrong_completions(completions, report) == "");
  CHECK(report.callback_error().count == 1000);
  CHECK(report.progress().succeeded == 250);
}

TEST_CASE("C9: what callbacks threw in one batch is not held against the next") {
  bool throwing = true;
  BatchProcessor<int> processor{{.max_workers = 2}};
  processor.on_progress([&](const Progress&) {
    if (throwing) throw 1;
  });
  CHECK(processor.run(numbers(3), [](int) {}).callback_error().count == 3);
  throwing = false;
  CHECK_FALSE(processor.run(numbers(3), [](int) {}).callback_error());
}
