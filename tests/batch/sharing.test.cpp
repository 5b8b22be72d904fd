// SPDX-License-Identifier: MIT
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <xofn/batch_processor.hpp>

#include "../support/executors.hpp"
#include "../support/gate.hpp"
#include "../support/work.hpp"

#if defined(__linux__)
#include <filesystem>
#endif

using support::eventually;
using support::numbers;
using support::Recorder;
using support::rounds;
using support::wrong_every;
using xofn::Batch;
using xofn::BatchProcessor;
using xofn::Delivery;
using xofn::Progress;
using xofn::ThreadPool;
using namespace std::chrono_literals;

// One pool, many batches.

TEST_CASE("Sharing: a batch of ten is not starved by a batch of a million on the same pool") {
  const unsigned threads = GENERATE(1u, 2u);
  CAPTURE(threads);
  const int many = rounds(1'000'000);
  ThreadPool pool{threads};
  std::atomic<bool> both{false};
  std::atomic<bool> ten_are_told{false};
  std::atomic<bool> starved{false};
  BatchProcessor<int> large{pool, {.max_workers = threads}};
  BatchProcessor<int> small{pool, {.max_workers = threads}};
  Batch<void> million = large.start(numbers(many), [&](int i) {
    while (!both.load()) std::this_thread::yield();
    support::work_for(100ns);
    // A thread that runs the ten may have lost its processor, but not until the half of a million.
    if (i < many / 2 || ten_are_told.load() || starved.load()) return;
    if (!eventually([&] { return ten_are_told.load(); })) starved.store(true);
  });
  CHECK(eventually([&] { return million.progress().running == threads; }));
  small.on_progress([&](const Progress& p) {
    if (p.completed() == 10) ten_are_told.store(true);
  });
  Batch<void> ten = small.start(numbers(10), [](int) {});
  both.store(true);
  CHECK(ten.wait().all_succeeded());
  CHECK(million.wait().all_succeeded());
  CHECK_FALSE(starved.load());
}

TEST_CASE("Sharing: batches get the one thread in turn, and each is told its every step") {
  constexpr std::size_t batches = 3;
  ThreadPool pool{1};
  support::Gate gate;
  std::vector<std::size_t> turns;  // of the pool's only thread
  std::vector<std::unique_ptr<BatchProcessor<int>>> processors;
  std::vector<Recorder> recorders(batches);
  std::vector<Batch<void>> running;
  for (std::size_t number = 0; number < batches; ++number) {
    processors.push_back(
        std::make_unique<BatchProcessor<int>>(pool, xofn::BatchOptions{.max_workers = 1}));
    processors.back()->on_progress(recorders[number].callback());
    running.push_back(processors.back()->start(numbers(20), [&, number](int) {
      gate.wait();
      support::work_for(1ms);
      if (turns.empty() || turns.back() != number) turns.push_back(number);
    }));
  }
  gate.open();
  for (std::size_t number = 0; number < batches; ++number) {
    CHECK(wrong_every(recorders[number], running[number].wait().progress()) == "");
  }
  // However long an item takes, a turn is at least one of twenty and at most about five.
  CHECK(turns.size() >= 3 * batches);
  for (std::size_t turn = 0; turn < 3 * batches; ++turn) CHECK(turns[turn] == turn % batches);
}

TEST_CASE("Sharing: who does not say that others wait is asked for a thread once") {
  support::ThreadPerCall executor;
  BatchProcessor<int> processor{executor, {.max_workers = 1}};
  processor.start(numbers(15), [](int) { support::work_for(1ms); }).wait();
  CHECK(executor.calls() == 1);
}

TEST_CASE("ThreadPool: it says whether functions wait for a thread") {
  ThreadPool pool{1};
  support::Gate gate;
  CHECK_FALSE(pool.has_waiting());
  pool.execute([&] { gate.wait(); });
  CHECK(eventually([&] { return !pool.has_waiting(); }));
  pool.execute([] {});
  CHECK(pool.has_waiting());
  gate.open();
  CHECK(eventually([&] { return !pool.has_waiting(); }));
}

namespace {

/// Says that others wait for its threads; after the first `good` calls it takes no more, by
/// throwing or by dropping what it is given.
class Contended {
 public:
  Contended(int good, bool drops) : good_(good), drops_(drops) {}

  template <class F>
  void execute(F&& f) {
    if (good_.fetch_sub(1) > 0) return threads_.execute(std::forward<F>(f));
    if (!drops_) throw std::system_error(std::make_error_code(std::errc::not_enough_memory));
    const support::Job dropped(std::forward<F>(f));
  }
  [[nodiscard]] bool has_waiting() const { return true; }

 private:
  std::atomic<int> good_;
  const bool drops_;
  support::ThreadPerCall threads_;
};

}  // namespace

TEST_CASE("Sharing: a worker that cannot get in line again goes on, and nothing is lost") {
  const int good = GENERATE(1, 2, 3);
  const bool drops = GENERATE(false, true);
  const unsigned workers = GENERATE(1u, 2u);
  CAPTURE(good, drops, workers);
  Contended executor(good, drops);
  Recorder recorder;
  BatchProcessor<int> processor{executor, {.max_workers = workers}};
  processor.on_progress(recorder.callback());
  const auto report = processor.start(numbers(15), [](int) { support::work_for(2ms); }).wait();
  CHECK(report.all_succeeded());
  CHECK(wrong_every(recorder, report.progress()) == "");
}

TEST_CASE("C12: a batch that waits for its turn can be paused, resumed and cancelled") {
  ThreadPool pool{1};
  support::Gate gate;
  std::atomic<bool> steered{false};
  BatchProcessor<int> first{pool, {.max_workers = 1}};
  BatchProcessor<int> second{pool, {.max_workers = 1}};
  Batch<void> one = first.start(numbers(1000), [&](int) {
    gate.wait();
    if (!steered.load()) support::work_for(1ms);
  });
  Batch<void> two = second.start(numbers(1000), [&](int i) {
    support::work_for(1ms);
    while (i > 500 && !steered.load()) std::this_thread::yield();
  });
  gate.open();
  CHECK(
      eventually([&] { return one.progress().completed() > 0 && two.progress().completed() > 0; }));
  one.pause();
  one.resume();
  two.cancel();
  steered.store(true);
  const Progress last = two.wait().progress();
  CHECK(last.cancelled > 0);
  CHECK(last.completed() + last.cancelled == 1000);
  CHECK(one.wait().all_succeeded());
}

#if defined(__linux__)
namespace {

/// How many threads of this process have a name.
std::ptrdiff_t threads_called(const std::string& name) {
  std::ptrdiff_t threads = 0;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string called;
    std::getline(std::ifstream(thread.path() / "comm"), called);
    threads += called == name ? 1 : 0;
  }
  return threads;
}

}  // namespace

TEST_CASE("ThreadPool: a debugger sees each thread by its name, and a batch's helper too") {
  ThreadPool pool{3};
  support::Gate gate;
  BatchProcessor<int> processor{pool, {.max_workers = 1}};
  processor.on_progress([](const Progress&) {}, Delivery::latest());
  Batch<void> batch = processor.start(numbers(1), [&](int) { gate.wait(); });
  for (const char* name : {"xofn 0", "xofn 1", "xofn 2", "xofn helper"}) {
    CAPTURE(name);
    CHECK(eventually([&] { return threads_called(name) == 1; }));
  }
  gate.open();
  CHECK(batch.wait().all_succeeded());
}
#endif
