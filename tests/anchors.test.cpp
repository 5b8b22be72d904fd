// SPDX-License-Identifier: MIT
#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <xofn/batch_processor.hpp>
#include <xofn/progress_tracker.hpp>
#include <xofn/testing/contract_checker.hpp>

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
using xofn::Batch;
using xofn::BatchProcessor;
using xofn::BatchState;
using xofn::ContractChecker;
using xofn::Delivery;
using xofn::Progress;
using xofn::ProgressTracker;
using xofn::ThreadPool;
using namespace std::chrono_literals;

// Wrong X of N that others have shipped, each named after the public thread where it was reported.

namespace {

/// What a program prints that shows every step, made by several workers at once.
std::vector<std::string> lines(int n) {
  std::vector<std::string> printed;
  BatchProcessor<int> processor{{.max_workers = 8}};
  processor.on_progress([&](const Progress& p) { printed.push_back(to_string(p)); });
  processor.run(numbers(n), [](int) {});
  return printed;
}

}  // namespace

TEST_CASE("Azure/azure-sdk-for-net#47539: the number of files does not jump around") {
  const int n = rounds(20'000);
  ContractChecker checker;
  BatchProcessor<int> processor{{.max_workers = 8}};
  processor.on_progress(std::ref(checker));
  processor.run(numbers(n), [](int) {});
  checker.ended();
  CHECK(checker.summary() == std::to_string(n) + " calls: nothing broken");
}

TEST_CASE("ninja-build/ninja#1142: no line is printed twice and none is skipped") {
  const auto printed = lines(206);
  REQUIRE(printed.size() == 206);
  for (std::size_t i = 0; i < 206; ++i) CHECK(printed[i] == std::to_string(i + 1) + "/206");
}

TEST_CASE("ninja-build/ninja#638: X never exceeds N, also while N grows") {
  std::atomic<int> beyond{0};
  ContractChecker checker;
  BatchProcessor<int> processor{{.max_workers = 4}};
  processor.on_progress(std::ref(checker));
  Batch<void> batch =
      processor.start(support::Generator(6509, [](int i) { return i; }), [](int) {});
  for (Progress now = batch.progress(); !support::is_final(now); now = batch.progress()) {
    beyond += now.completed() > now.total ? 1 : 0;
  }
  batch.wait();
  checker.ended();
  CHECK(beyond.load() == 0);
  CHECK(checker.summary() == "6509 calls: nothing broken");
}

TEST_CASE("ninja-build/ninja#1336: the last line is N/N") {
  for (int n = 1; n < rounds(200); ++n) {
    const auto printed = lines(n);
    REQUIRE(printed.back() == std::to_string(n) + '/' + std::to_string(n));
  }
}

TEST_CASE("jemalloc/jemalloc#1372: the percentage never falls") {
  int highest = 0;
  int falls = 0;
  ProgressTracker tracker{1000};
  tracker.on_progress([&](const Progress& p) {
    falls += p.percent() < highest ? 1 : 0;
    highest = p.percent();
  });
  support::in_parallel(4, [&](int) {
    for (int i = 0; i < 250; ++i) tracker.succeed();
  });
  tracker.wait();
  CHECK(falls == 0);
  CHECK(highest == 100);
}

TEST_CASE("console-rs/indicatif#323: an item that runs is not counted, however many are started") {
  support::Gate gate;
  BatchProcessor<int> processor{{.max_workers = 4}};
  Batch<void> batch = processor.start(numbers(4), [&](int) { gate.wait(); });
  CHECK(eventually([&] { return batch.progress().running == 4; }));
  CHECK(batch.progress().completed() == 0);
  CHECK(batch.progress().percent() == 0);
  gate.open();
  CHECK(batch.wait().progress().percent() == 100);
}

TEST_CASE("tqdm/tqdm#1565: one slow first item does not freeze the count") {
  Recorder recorder;
  std::atomic<bool> frozen{false};
  BatchProcessor<int> processor{{.max_workers = 2}};
  processor.on_progress(recorder.callback());
  processor.run(numbers(100), [&](int i) {
    if (i == 0) frozen = !eventually([&] { return recorder.told() == 99; });
    if (i == 99) support::work_for(20us);
  });
  CHECK_FALSE(frozen.load());
}

TEST_CASE("tqdm/tqdm#1791: items are counted, not the runs that they are claimed in") {
  for (const int n : {1, 7, 100, 101, 1000}) CHECK(lines(n).size() == static_cast<std::size_t>(n));
}

TEST_CASE("joblib/joblib#327: never done 3 out of 2") {
  std::atomic<int> beyond{0};
  BatchProcessor<int> processor{{.max_workers = 3}};
  for (int round = 0; round < rounds(200); ++round) {
    Batch<void> batch = processor.start(numbers(2), [](int) {});
    for (Progress now = batch.progress(); !support::is_final(now); now = batch.progress()) {
      beyond += now.completed() > now.total || now.completed() + now.running > 2 ? 1 : 0;
    }
    REQUIRE(batch.wait().progress().completed() == 2);
  }
  CHECK(beyond.load() == 0);
}

TEST_CASE("RPCS3/rpcs3#14531: done and total are read as one") {
  ProgressTracker tracker{1};
  std::atomic<bool> over{false};
  std::string wrong;
  std::thread reader([&] {
    while (!over.load() && wrong.empty()) wrong = support::wrong_snapshot(tracker.progress());
  });
  for (int i = 0; i < rounds(100'000); ++i) {
    tracker.add_total(1);  // there are always one or two left
    tracker.succeed();
  }
  over.store(true);
  reader.join();
  CHECK(wrong == "");
}

TEST_CASE("p-ranav/indicators#98: 100 percent is shown once, and 53 of 100 is 53 percent") {
  int complete = 0;
  std::vector<int> shown;
  BatchProcessor<int> processor{{.max_workers = 2}};
  processor.on_progress([&](const Progress& p) {
    complete += p.percent() == 100 ? 1 : 0;
    shown.push_back(p.percent());
  });
  processor.run(numbers(100), [](int) {});
  CHECK(complete == 1);
  REQUIRE(shown.size() == 100);
  for (int x = 1; x <= 100; ++x) CHECK(shown[static_cast<std::size_t>(x - 1)] == x);
}

TEST_CASE("microsoft/vs-streamjsonrpc#473, sshnet/SSH.NET#207: no call after the call returned") {
  for (int round = 0; round < rounds(500); ++round) {
    std::optional<Recorder> recorder;
    recorder.emplace();
    BatchProcessor<int> processor{{.max_workers = 2}};
    processor.on_progress([&](const Progress& p) { recorder.value().record(p); })
        .on_progress([&](const Progress&) { static_cast<void>(recorder.value().made()); },
                     Delivery::latest(0ns));
    const auto report = processor.run(numbers(10), [](int) {});
    const std::string wrong = wrong_every(*recorder, report.progress());
    recorder.reset();  // a call from here on would find nothing
    REQUIRE(wrong == "");
    REQUIRE_FALSE(report.callback_error());
  }
}

TEST_CASE("NET Progress: a handler is never called concurrently with itself") {
  ContractChecker every;
  ContractChecker latest{Delivery::latest(0ns)};
  std::vector<Progress> shown;  // plain: the sanitizer sees calls that are not ordered
  BatchProcessor<int> processor{{.max_workers = 8}};
  processor.on_progress(every.around([&](const Progress& p) { shown.push_back(p); }))
      .on_progress(latest.around([](const Progress&) { support::work_for(5us); }),
                   Delivery::latest(0ns));
  processor.run(numbers(rounds(5000)), [](int) {});
  every.ended();
  latest.ended();
  CHECK(every.summary().ends_with("nothing broken"));
  CHECK(latest.summary().ends_with("nothing broken"));
}

TEST_CASE("martius-lab/cluster_utils#132, learningequality/kolibri#6177: failed items count") {
  Recorder recorder;
  BatchProcessor<int> processor{{.max_workers = 4}};
  processor.on_progress(recorder.callback());
  const auto report = processor.run(numbers(100), [](int i) { support::fail(i); });
  CHECK(to_string(report.progress()) == "100/100");
  CHECK(report.progress().failed == 100);
  CHECK(wrong_every(recorder, report.progress()) == "");
}

TEST_CASE(
    "llvm/llvm-project#86888, xrootd/xrootd#216, FreeCAD/FreeCAD#32553: no lock is held "
    "while the user's code is called") {
  // The classic: the callback takes a lock that a thread holds which is inside the library.
  std::mutex users;
  std::atomic<int> told{0};
  BatchProcessor<int> processor{{.max_workers = 3}};
  processor.on_progress([&](const Progress&) {
    const std::lock_guard lock(users);
    told.fetch_add(1);
  });
  std::optional<Batch<void>> batch;
  {
    const std::lock_guard lock(users);
    batch.emplace(processor.start(numbers(20), [](int) { support::work_for(5us); }));
    CHECK(eventually([&] { return batch->progress().completed() >= 1; }));
    static_cast<void>(batch->progress());
    batch->pump();
    batch->cancel();
  }
  batch->wait();
  CHECK(told.load() >= 1);
}

TEST_CASE("bshoshany/thread-pool#95, #142: nested use does not deadlock") {
  ThreadPool pool{2};
  std::atomic<int> leaves{0};
  BatchProcessor<int> outer{pool, {.max_workers = 2}};
  outer.run(numbers(20), [&](int) {
    BatchProcessor<int> inner{pool, {.max_workers = 2}};
    Batch<void> batch = inner.start(numbers(10), [&](int) { leaves.fetch_add(1); });
    batch.wait();
  });
  CHECK(leaves.load() == 200);
}

TEST_CASE("taskflow/taskflow#698: after cancel one can tell how many") {
  std::atomic<std::uint64_t> ran{0};
  BatchProcessor<int> processor{{.max_workers = 2}};
  Batch<void> batch = processor.start(numbers(100'000), [&](int) {
    support::work_for(1us);
    ran.fetch_add(1);
  });
  CHECK(eventually([&] { return ran.load() > 50; }));
  batch.cancel();
  const Progress last = batch.wait().progress();
  CHECK(last.succeeded == ran.load());
  CHECK(last.cancelled == 100'000 - ran.load());
}

TEST_CASE("Taskflow: one throw among 10,000 items stops none of the others") {
  const int n = rounds(10'000);
  Runs runs(static_cast<std::size_t>(n));
  BatchProcessor<int> processor{{.max_workers = 4}};
  const auto report = processor.run(numbers(n), [&](int i) {
    const auto running = runs.run(i);
    if (i == 3) throw std::runtime_error("three");
  });
  CHECK(runs.all_ended() == static_cast<std::uint64_t>(n));
  CHECK(report.progress().failed == 1);
  CHECK(report.failures().front().what() == "three");
}

TEST_CASE("Boost.Asio, OpenMP: a task that throws does not end the program") {
  struct NoException {};
  BatchProcessor<int> processor{{.max_workers = 2}};
  Batch<void> batch = processor.start(numbers(10), [](int) { throw NoException{}; });
  const auto report = batch.wait();
  CHECK(report.progress().failed == 10);
  CHECK_THROWS_AS(report.throw_if_failed(), NoException);
}

TEST_CASE("QFutureWatcher: a change is told though nothing follows, and the end after a cancel") {
  Recorder recorder;
  std::atomic<bool> flushed{false};
  BatchProcessor<int> processor{{.max_workers = 1}};
  processor.on_progress(recorder.callback(), Delivery::latest(10ms));
  Batch<void> batch = processor.start(numbers(100), [&](int i, xofn::TaskContext& context) {
    if (i == 0) return;
    flushed = eventually([&] { return recorder.told() == 1; });
    static_cast<void>(eventually([&] { return context.stop_requested(); }));
  });
  CHECK(eventually([&] { return recorder.told() == 1; }));
  batch.cancel();
  const auto report = batch.wait();
  CHECK(flushed.load());
  CHECK(report.progress().state == BatchState::cancelled);
  CHECK(wrong_latest(recorder, report.progress(), 10ms) == "");
}

TEST_CASE("bazelbuild/bazel#3582: while the total grows nothing claims to be complete") {
  Recorder recorder;
  ProgressTracker tracker{1};
  tracker.on_progress(recorder.callback());
  for (int i = 0; i < 100; ++i) {
    tracker.add_total(1);
    tracker.succeed();
  }
  tracker.succeed();
  tracker.wait();
  CHECK(wrong_every(recorder, tracker.progress()) == "");
  for (std::size_t i = 0; i < 100; ++i) CHECK(recorder.calls()[i].progress.percent() < 100);
  CHECK(recorder.calls().back().progress.percent() == 100);
}

TEST_CASE("facebookincubator/dispenso Latch: whatever settles the last items wakes who waits") {
  const std::uint64_t total = GENERATE(as<std::uint64_t>{}, 1, 2, 5);
  const int how = GENERATE(0, 1, 2, 3);
  CAPTURE(total, how);
  ProgressTracker tracker{total};
  std::atomic<bool> woken{false};
  std::thread waiter([&] {
    tracker.wait();
    woken.store(true);
  });
  if (how == 0) tracker.succeed(total);
  if (how == 1) tracker.fail(total);
  if (how == 2) tracker.cancel_rest();
  if (how == 3) {
    for (std::uint64_t i = 0; i < total; ++i) tracker.succeed(1);
  }
  CHECK(eventually([&] { return woken.load(); }));
  waiter.join();
}
