// SPDX-License-Identifier: MIT
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstdint>
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
using support::run_either_way;
using support::wrong_every;
using xofn::Batch;
using xofn::BatchProcessor;
using xofn::BatchState;
using xofn::Delivery;
using xofn::Progress;
using xofn::TaskContext;
using xofn::ThreadPool;
using namespace std::chrono_literals;

// C11, nested. C12, ends.

namespace {

/// A tree of batches on one pool: each item of a batch at `level` > 0 runs a batch of its own.
class Tree {
 public:
  Tree(ThreadPool& pool, unsigned workers, bool by_start)
      : pool_(pool), workers_(workers), by_start_(by_start) {}

  void grow(int level) {
    Recorder recorder;
    BatchProcessor<int> processor{pool_, {.max_workers = workers_}};
    processor.on_progress(recorder.callback());
    const auto report = run_either_way(processor, by_start_, numbers(3), [&](int) {
      if (level > 0) {
        grow(level - 1);
      } else {
        leaves_.fetch_add(1);
      }
    });
    const std::string wrong = wrong_every(recorder, report.progress());
    if (!wrong.empty() || !report.all_succeeded()) failures_.fetch_add(1);
  }

  [[nodiscard]] int leaves() const { return leaves_.load(); }
  [[nodiscard]] int failures() const { return failures_.load(); }

 private:
  ThreadPool& pool_;
  unsigned workers_;
  bool by_start_;
  std::atomic<int> leaves_{0};
  std::atomic<int> failures_{0};
};

}  // namespace

TEST_CASE("C11: a task runs a batch on its own pool, three deep, on pools of any size") {
  const unsigned threads = GENERATE(1u, 2u, 4u);
  const unsigned workers = GENERATE(1u, 2u, 8u);
  const bool by_start = GENERATE(false, true);
  CAPTURE(threads, workers, by_start);
  ThreadPool pool{threads};
  Tree tree(pool, workers, by_start);
  tree.grow(3);
  CHECK(tree.leaves() == 81);
  CHECK(tree.failures() == 0);
}

TEST_CASE("C11: on a pool of one thread nobody else's help is needed") {
  const bool by_start = GENERATE(false, true);
  ThreadPool pool{1};
  Tree tree(pool, 4, by_start);
  std::atomic<bool> done{false};
  pool.execute([&] {  // not from here: from the pool's only thread
    tree.grow(3);
    done.store(true);
  });
  CHECK(eventually([&] { return done.load(); }));
  CHECK(tree.leaves() == 81);
  CHECK(tree.failures() == 0);
}

TEST_CASE("C11: a blocking call in a task works on the batch that it waits for, never on others") {
  const unsigned threads = GENERATE(1u, 2u, 3u);
  const bool by_start = GENERATE(false, true);
  const bool on_caller = GENERATE(false, true);
  CAPTURE(threads, by_start, on_caller);
  thread_local bool inside = false;
  ThreadPool pool{threads};
  std::atomic<int> foreign{0};
  std::atomic<int> leaves{0};
  BatchProcessor<int> outer{pool, {.max_workers = threads + 1}};
  const auto report = outer.run(numbers(rounds(200)), [&](int) {
    if (inside) foreign.fetch_add(1);
    inside = true;
    BatchProcessor<int> inner{pool, {.max_workers = 2}};
    if (on_caller) inner.on_progress([](const Progress&) {}, Delivery::every().on_caller());
    run_either_way(inner, by_start, numbers(5), [&](int) {
      support::work_for(2us);
      leaves.fetch_add(1);
    });
    inside = false;
  });
  CHECK(report.all_succeeded());
  CHECK(foreign.load() == 0);
  CHECK(leaves.load() == 5 * rounds(200));
}

TEST_CASE("C11: a task may wait for a batch that someone else started on its pool") {
  ThreadPool pool{1};
  support::Gate gate;
  BatchProcessor<int> outer{pool, {.max_workers = 1}};
  BatchProcessor<int> other{pool, {.max_workers = 1}};
  std::optional<Batch<int>> shared;
  std::atomic<std::uint64_t> seen{0};
  Batch<void> batch = outer.start(numbers(1), [&](int) {
    gate.wait();
    seen.store(shared->wait().progress().succeeded);
  });
  shared.emplace(other.start(numbers(20), [](int i) { return i; }));  // behind it in the queue
  gate.open();
  CHECK(batch.wait().all_succeeded());
  CHECK(seen.load() == 20);
}

TEST_CASE("C11: many tasks on a small pool each start a batch and wait for it") {
  const unsigned threads = GENERATE(1u, 2u);
  ThreadPool pool{threads};
  std::atomic<int> leaves{0};
  std::atomic<int> wrong{0};
  BatchProcessor<int> outer{pool, {.max_workers = 4}};
  const auto report = outer.run(numbers(50), [&](int) {
    BatchProcessor<int> first{pool, {.max_workers = 2}};
    BatchProcessor<int> second{pool, {.max_workers = 2}};
    Batch<void> one = first.start(numbers(5), [&](int) { leaves.fetch_add(1); });
    Batch<void> two = second.start(numbers(5), [&](int) { leaves.fetch_add(1); });
    if (!two.wait().all_succeeded() || !one.wait().all_succeeded()) wrong.fetch_add(1);
  });
  CHECK(report.all_succeeded());
  CHECK(wrong.load() == 0);
  CHECK(leaves.load() == 500);
}

TEST_CASE("C12: cancel settles at once what has not started, and running items still count") {
  const unsigned workers = GENERATE(1u, 2u, 8u);
  const auto delivery = GENERATE(Delivery::every(), Delivery::every().on_caller());
  Recorder recorder;
  support::Gate gate;
  std::atomic<unsigned> stopped{0};
  BatchProcessor<int> processor{{.max_workers = workers}};
  processor.on_progress(recorder.callback(), delivery);
  Batch<void> batch = processor.start(numbers(100), [&](int i, TaskContext& context) {
    gate.wait();
    if (context.stop_requested()) stopped.fetch_add(1);
#if defined(__cpp_lib_jthread)
    if (!context.stop_token().stop_requested()) stopped.fetch_add(100);
#endif
    if (i == 0) support::fail(i);
  });
  CHECK(eventually([&] { return batch.progress().running == workers; }));
  batch.cancel();
  const Progress now = batch.progress();
  CHECK(now.cancelled == 100 - workers);
  CHECK(now.running == workers);
  CHECK(now.queued() == 0);
  CHECK(now.state == BatchState::cancelled);
  batch.cancel();
  gate.open();
  const auto report = batch.wait();
  const Progress last = report.progress();
  CHECK(last.completed() == workers);
  CHECK(last.failed == 1);
  CHECK(last.cancelled == 100 - workers);
  CHECK(stopped.load() == workers);
  CHECK(wrong_every(recorder, last) == "");
  CHECK_FALSE(gate.expired());
  batch.cancel();
  CHECK(batch.progress() == last);
}

TEST_CASE("C12: a stop token tells what waits on it") {
#if defined(__cpp_lib_jthread)
  std::atomic<bool> told{false};
  std::atomic<bool> waiting{false};
  BatchProcessor<int> processor{{.max_workers = 1}};
  Batch<void> batch = processor.start(numbers(2), [&](int, TaskContext& context) {
    const std::stop_callback callback(context.stop_token(), [&] { told.store(true); });
    waiting.store(true);
    if (!eventually([&] { return told.load(); })) support::fail(0);
  });
  CHECK(eventually([&] { return waiting.load(); }));
  batch.cancel();
  const Progress last = batch.wait().progress();
  CHECK(told.load());
  CHECK(last.succeeded == 1);
  CHECK(last.cancelled == 1);
#endif
}

TEST_CASE("C12: a batch whose items have all started is not cancelled by cancel") {
  support::Gate gate;
  Recorder recorder;
  BatchProcessor<int> processor{{.max_workers = 2}};
  processor.on_progress(recorder.callback());
  Batch<void> batch = processor.start(numbers(2), [&](int) { gate.wait(); });
  CHECK(eventually([&] { return batch.progress().running == 2; }));
  batch.cancel();
  gate.open();
  const Progress last = batch.wait().progress();
  CHECK(last.state == BatchState::finished);
  CHECK(last.completed() == 2);
  CHECK(wrong_every(recorder, last) == "");
}

TEST_CASE("C12: after cancel has returned each worker starts at most one more item") {
  const unsigned workers = GENERATE(1u, 2u, 4u);
  CAPTURE(workers);
  ThreadPool pool{workers};
  for (int round = 0; round < rounds(100); ++round) {
    std::atomic<std::uint64_t> started{0};
    BatchProcessor<int> processor{pool, {.max_workers = workers}};
    Batch<void> batch = processor.start(numbers(50'000), [&](int) { started.fetch_add(1); });
    const auto moment = static_cast<std::uint64_t>(round);
    REQUIRE(eventually([&] { return started.load() >= moment; }));
    batch.cancel();
    const std::uint64_t by_then = started.load();
    const std::uint64_t still_to_come = batch.progress().queued();
    const Progress last = batch.wait().progress();
    REQUIRE(started.load() - by_then <= workers);
    REQUIRE(still_to_come <= workers);  // what a worker was about to start is still queued
    REQUIRE(last.completed() == started.load());
    REQUIRE(last.completed() + last.cancelled == 50'000);
  }
}

TEST_CASE("C12: cancelling from a task or a callback ends the batch") {
  const auto delivery = GENERATE(Delivery::every(), Delivery::latest(0ns),
                                 Delivery::every().on_caller(), Delivery::latest(0ns).on_caller());
  const bool from_task = GENERATE(false, true);
  std::atomic<Batch<void>*> handle{nullptr};
  support::Gate started;
  Recorder recorder;
  BatchProcessor<int> processor{{.max_workers = 2}};
  processor.on_progress(
      [&](const Progress& p) {
        recorder.record(p);
        if (!from_task && handle.load() != nullptr && p.completed() > 0) handle.load()->cancel();
      },
      delivery);
  Batch<void> batch = processor.start(numbers(100'000), [&](int i) {
    started.wait();
    if (from_task && i == 7) handle.load()->cancel();
    support::work_for(20us);
  });
  handle.store(&batch);
  started.open();
  const Progress last = batch.wait().progress();
  CHECK(last.state == BatchState::cancelled);
  CHECK(last.completed() > 0);
  CHECK((delivery.is_every() ? wrong_every(recorder, last)
                             : support::wrong_latest(recorder, last, 100us)) == "");
}

TEST_CASE("C12: a batch that a task runs is cancelled with the task's batch") {
  const bool by_start = GENERATE(false, true);
  const int depth = GENERATE(1, 2, 3);
  CAPTURE(by_start, depth);
  ThreadPool pool{1};
  support::Gate gate;
  std::atomic<bool> running{false};
  std::atomic<int> ran{0};
  std::atomic<std::uint64_t> cancelled{0};
  const auto descend = [&](const auto& self, int level) -> void {
    if (level == 0) {
      running.store(true);
      gate.wait();
      ran.fetch_add(1);
      return;
    }
    BatchProcessor<int> inner{pool, {.max_workers = 1}};
    const auto report =
        run_either_way(inner, by_start, numbers(10), [&](int) { self(self, level - 1); });
    cancelled.fetch_add(report.progress().cancelled);
  };
  BatchProcessor<int> outer{pool, {.max_workers = 1}};
  Batch<void> batch = outer.start(numbers(10), [&](int) { descend(descend, depth); });
  CHECK(eventually([&] { return running.load(); }));
  batch.cancel();
  gate.open();
  const Progress last = batch.wait().progress();
  CHECK(last.succeeded == 1);
  CHECK(last.cancelled == 9);
  CHECK(ran.load() == 1);
  CHECK(cancelled.load() == static_cast<std::uint64_t>(9 * depth));
}

TEST_CASE("C12: a batch that a task runs after its own batch was cancelled does not start") {
  ThreadPool pool{1};
  support::Gate gate;
  std::atomic<int> ran{0};
  BatchProcessor<int> outer{pool, {.max_workers = 1}};
  Batch<void> batch = outer.start(numbers(1), [&](int) {
    gate.wait();
    BatchProcessor<int> inner{pool, {.max_workers = 2}};
    inner.run(numbers(100), [&](int) { ran.fetch_add(1); });
  });
  CHECK(eventually([&] { return batch.progress().running == 1; }));
  batch.cancel();
  gate.open();
  CHECK(batch.wait().progress().succeeded == 1);
  CHECK(ran.load() <= 2);  // each worker the one that it was about to
}

TEST_CASE("C12: N = 0 ends at once with 0/0, told once to each") {
  const auto delivery = GENERATE(Delivery::every(), Delivery::latest(1ms),
                                 Delivery::every().on_caller(), Delivery::latest(1ms).on_caller());
  const bool by_start = GENERATE(false, true);
  Recorder recorder;
  support::CompletionRecorder completions;
  BatchProcessor<int> processor{{.max_workers = 3}};
  processor.on_progress(recorder.callback(), delivery).on_completion(completions.callback());
  const auto report = run_either_way(processor, by_start, numbers(0), [](int) {});
  CHECK(report.progress().state == BatchState::finished);
  CHECK(report.progress().percent() == 100);
  CHECK(recorder.calls().size() == 1);
  CHECK(wrong_every(recorder, report.progress()) == "");
  CHECK(completions.entries().empty());
}
