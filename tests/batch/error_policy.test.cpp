// SPDX-License-Identifier: MIT
#include <xofn/batch/error_policy.hpp>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>

#include <xofn/batch_processor.hpp>

#include "../support/gate.hpp"
#include "../support/work.hpp"

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;
using support::eventually;
using support::numbers;
using support::Recorder;
using support::rounds;
using support::Runs;
using support::wrong_completions;
using support::wrong_every;
using support::wrong_report;
using xofn::BatchProcessor;
using xofn::BatchReport;
using xofn::ErrorPolicy;
using xofn::Progress;
using xofn::StopReason;

namespace {

/// A batch whose items fail where `fails(i)` says so, with its report and what is wrong with it.
struct PolicyTrial {
  explicit PolicyTrial(int items) : runs(static_cast<std::size_t>(items)) {}

  template <class Fails>
  BatchReport<void> run(ErrorPolicy policy, unsigned workers, Fails fails, bool by_start = false) {
    Recorder every;
    support::CompletionRecorder completions;
    BatchProcessor<int> processor{{.max_workers = workers, .on_error = policy}};
    processor.on_progress(every.callback()).on_completion(completions.callback());
    const auto handler = [&](int i) {
      const auto running = runs.run(i);
      if (fails(i)) support::fail(i);
    };
    auto report = support::run_either_way(processor, by_start,
                                          numbers(static_cast<int>(runs.items())), handler);
    for (std::string text : {wrong_report(report, runs), wrong_every(every, report.progress()),
                             wrong_completions(completions, report)}) {
      if (!text.empty()) wrong += text + '\n';
    }
    return report;
  }

  Runs runs;
  std::string wrong;
};

Progress settled(std::uint64_t succeeded, std::uint64_t failed) {
  Progress p;
  p.total = 1000;
  p.succeeded = succeeded;
  p.failed = failed;
  return p;
}

}  // namespace

TEST_CASE("ErrorPolicy: collect_all, the default, stops nothing") {
  CHECK(xofn::BatchOptions{}.on_error == ErrorPolicy::collect_all());
  PolicyTrial trial(100);
  const auto report = trial.run(ErrorPolicy::collect_all(), 3, [](int) { return true; });
  CHECK(trial.wrong == "");
  CHECK(report.progress().failed == 100);
  CHECK(report.stop_reason() == StopReason::none);
}

TEST_CASE("ErrorPolicy: stop_on_first with one worker runs nothing after the failure") {
  const bool by_start = GENERATE(false, true);
  PolicyTrial trial(100);
  const auto report = trial.run(
      ErrorPolicy::stop_on_first(), 1, [](int i) { return i == 30; }, by_start);
  CHECK(trial.wrong == "");
  CHECK(report.progress().succeeded == 30);
  CHECK(report.progress().failed == 1);
  CHECK(report.progress().cancelled == 69);
  CHECK(report.stop_reason() == StopReason::errors);
  CHECK_FALSE(report.all_succeeded());
}

TEST_CASE("ErrorPolicy: stop_after(k) stops at the k-th failure, and runs items go on") {
  const unsigned workers = GENERATE(1u, 2u, 4u);
  const std::uint64_t k = GENERATE(1u, 2u, 5u, 40u);
  CAPTURE(workers, k);
  for (int round = 0; round < rounds(50); ++round) {
    PolicyTrial trial(3000);
    const auto report =
        trial.run(ErrorPolicy::stop_after(k), workers, [](int i) { return i % 3 == 0; });
    REQUIRE(trial.wrong == "");
    REQUIRE(report.progress().failed >= k);
    REQUIRE(report.progress().failed < k + workers);  // those that were running
    REQUIRE(report.stop_reason() == StopReason::errors);
  }
}

TEST_CASE("ErrorPolicy: nothing starts once the failure that stops has settled") {
  constexpr unsigned workers = 3;
  for (int round = 0; round < rounds(50); ++round) {
    Runs runs(100);
    support::Rendezvous all(workers);
    std::atomic<xofn::Batch<void>*> handle{nullptr};
    BatchProcessor<int> processor{
        {.max_workers = workers, .on_error = ErrorPolicy::stop_after(workers)}};
    auto batch = processor.start(numbers(100), [&](int i) {
      const auto running = runs.run(i);
      if (i < 3) {
        all.arrive();  // all fail at once: whoever settles last sees the failures of all
        support::fail(i);
      }
      static_cast<void>(eventually(
          [&] { return handle.load() != nullptr && handle.load()->progress().queued() == 0; }));
    });
    handle.store(&batch);
    const auto report = batch.wait();
    REQUIRE(wrong_report(report, runs) == "");
    REQUIRE(report.progress().failed == workers);
    REQUIRE(report.progress().succeeded < workers);
    REQUIRE(report.stop_reason() == StopReason::errors);
    REQUIRE_FALSE(all.expired());
  }
}

TEST_CASE("ErrorPolicy: fewer failures than it bears, or the last item's, leave nothing unrun") {
  PolicyTrial fewer(100);
  CHECK(fewer.run(ErrorPolicy::stop_after(11), 3, [](int i) { return i % 10 == 0; })
            .progress()
            .completed() == 100);
  CHECK(fewer.wrong == "");
  PolicyTrial last(10);
  const auto report = last.run(ErrorPolicy::stop_on_first(), 1, [](int i) { return i == 9; });
  CHECK(last.wrong == "");
  CHECK(report.progress().state == xofn::BatchState::finished);
  CHECK(report.stop_reason() == StopReason::none);
  PolicyTrial huge(10);
  CHECK(huge.run(ErrorPolicy::stop_after(std::numeric_limits<std::uint64_t>::max()), 2,
                 [](int) { return true; })
            .progress()
            .failed == 10);
}

TEST_CASE("ErrorPolicy: stop_above stops once too large a part of enough items has failed") {
  SECTION("as soon as there are enough") {
    PolicyTrial trial(100);
    const auto report = trial.run(ErrorPolicy::stop_above(0.5, 10), 1, [](int) { return true; });
    CHECK(trial.wrong == "");
    CHECK(report.progress().failed == 10);
    CHECK(report.stop_reason() == StopReason::errors);
  }
  SECTION("also by an item that succeeded, being the one that makes them enough") {
    PolicyTrial trial(100);
    const auto report = trial.run(ErrorPolicy::stop_above(0.5, 10), 1, [](int i) { return i < 6; });
    CHECK(trial.wrong == "");
    CHECK(report.progress().completed() == 10);
    CHECK(report.stop_reason() == StopReason::errors);
  }
  SECTION("not by as many as it names") {
    PolicyTrial trial(100);
    const auto report =
        trial.run(ErrorPolicy::stop_above(0.5, 2), 1, [](int i) { return i % 2 == 1; });
    CHECK(trial.wrong == "");
    CHECK(report.progress().completed() == 100);
  }
  SECTION("a fraction of 0 by the first") {
    PolicyTrial trial(100);
    const auto report = trial.run(ErrorPolicy::stop_above(0), 1, [](int i) { return i == 50; });
    CHECK(trial.wrong == "");
    CHECK(report.progress().completed() == 51);
  }
  SECTION("with several workers") {
    for (int round = 0; round < rounds(50); ++round) {
      PolicyTrial trial(2000);
      const auto report =
          trial.run(ErrorPolicy::stop_above(0.2, 100), 3, [](int i) { return i % 4 == 0; });
      REQUIRE(trial.wrong == "");
      REQUIRE(report.progress().completed() >= 100);
      REQUIRE(report.progress().completed() < 2000);
      REQUIRE(report.stop_reason() == StopReason::errors);
    }
  }
}

TEST_CASE("ErrorPolicy: it stops a range of unknown length, of which nothing more is read") {
  Runs runs(1000);
  std::atomic<bool> told{false};
  auto make = [](int i) { return i; };
  BatchProcessor<int> processor{{.max_workers = 2, .on_error = ErrorPolicy::stop_on_first()}};
  processor.on_progress([&](const Progress& p) {
    if (p.failed != 0) told.store(true);
  });
  support::Generator<decltype(make)> tasks(1000, make);
  tasks.at_next = [&](int i) {
    if (i == 500) static_cast<void>(eventually([&] { return told.load(); }));
  };
  const auto report = processor.run(tasks, [&](int i) {
    const auto running = runs.run(i);
    if (i == 5) support::fail(i);
  });
  CHECK(wrong_report(report, runs) == "");
  CHECK(report.progress().total <= 502);
  CHECK(report.progress().failed == 1);
  CHECK(report.stop_reason() == StopReason::errors);
}

TEST_CASE("ErrorPolicy: a nested batch stops alone, and its failures are not its task's") {
  xofn::ThreadPool pool{1};
  BatchProcessor<int> outer{pool, {.max_workers = 1, .on_error = ErrorPolicy::stop_on_first()}};
  int stopped = 0;
  const auto report =
      outer
          .start(numbers(3),
                 [&](int) {
                   BatchProcessor<int> inner{
                       pool, {.max_workers = 1, .on_error = ErrorPolicy::stop_on_first()}};
                   const auto nested = inner.run(numbers(5), [](int i) { support::fail(i); });
                   stopped += nested.progress().cancelled == 4 ? 1 : 0;
                 })
          .wait();
  CHECK(report.all_succeeded());
  CHECK(stopped == 3);
}

TEST_CASE("ErrorPolicy: an item that is cancelled is no failure") {
  BatchProcessor<int> processor{{.max_workers = 1, .on_error = ErrorPolicy::stop_on_first()}};
  const auto report = processor.run(numbers(5), [](int) { throw xofn::TaskCancelled{}; });
  CHECK(report.progress().cancelled == 5);
  CHECK(report.stop_reason() == StopReason::none);
}

TEST_CASE("ErrorPolicy: what is no policy is refused with its value") {
  CHECK_THROWS_MATCHES(ErrorPolicy::stop_after(0), std::invalid_argument,
                       MessageMatches(ContainsSubstring("0 failures")));
  for (const double fraction : {-0.25, 1.0, 1.5, std::nan(""), HUGE_VAL}) {
    CAPTURE(fraction);
    CHECK_THROWS_MATCHES(ErrorPolicy::stop_above(fraction, 1), std::invalid_argument,
                         MessageMatches(ContainsSubstring(std::to_string(fraction))));
  }
  CHECK_NOTHROW(ErrorPolicy::stop_above(0, 0));
}

TEST_CASE("ErrorPolicy: what stops a batch is said of its figures") {
  CHECK_FALSE(ErrorPolicy::collect_all().stops(settled(0, 1000)));
  CHECK_FALSE(ErrorPolicy::stop_after(3).stops(settled(500, 2)));
  CHECK(ErrorPolicy::stop_after(3).stops(settled(500, 3)));
  CHECK_FALSE(ErrorPolicy::stop_above(0.5, 10).stops(settled(0, 9)));
  CHECK_FALSE(ErrorPolicy::stop_above(0.5, 10).stops(settled(5, 5)));
  CHECK(ErrorPolicy::stop_above(0.5, 10).stops(settled(4, 6)));
  CHECK_FALSE(ErrorPolicy::stop_above(0, 0).stops(settled(0, 0)));
}
