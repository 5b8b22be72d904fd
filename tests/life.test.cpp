// SPDX-License-Identifier: MIT
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <xofn/batch_processor.hpp>
#include <xofn/progress_tracker.hpp>

#include "support/executors.hpp"
#include "support/gate.hpp"
#include "support/work.hpp"

using support::numbers;
using support::rounds;
using xofn::Batch;
using xofn::BatchProcessor;
using xofn::Delivery;
using xofn::Progress;
using xofn::ProgressTracker;
using xofn::ThreadPool;
using namespace std::chrono_literals;

// Destroyed at once: when a call that waits returns, everything may be thrown away. What is left
// of it in some thread is for the sanitizers to see; that the figures are right is checked here.

namespace {

constexpr int many = 10'000;

/// What callbacks and tasks use, freed the moment it is allowed.
struct State {
  std::vector<int> written = std::vector<int>(4);
  std::uint64_t told = 0;
};

Delivery delivery_of(int round) {
  switch (round % 4) {
    case 0:
      return Delivery::every();
    case 1:
      return Delivery::latest(0ns);
    case 2:
      return Delivery::every().on_caller();
    default:
      return Delivery::latest(0ns).on_caller();
  }
}

/// One batch of up to four items, of which nothing is left when it returns.
template <class Way>
bool one_batch(ThreadPool& pool, int round, Way way) {
  auto state = std::make_unique<State>();
  auto processor =
      std::make_unique<BatchProcessor<int>>(pool, xofn::BatchOptions{.max_workers = 3});
  processor->on_progress([s = state.get()](const Progress& p) { s->told = p.completed(); },
                         delivery_of(round));
  const auto handler = [s = state.get()](int i) {
    s->written[static_cast<std::size_t>(i)] = i + 1;
  };
  const int n = round % 5;
  const std::uint64_t x = way(*processor, numbers(n), handler);
  processor.reset();
  const bool right = state->told == x;
  state.reset();
  return right;
}

}  // namespace

TEST_CASE("Life: everything may be destroyed as soon as run returns, 10,000 times") {
  ThreadPool pool{2};
  int wrong = 0;
  for (int round = 0; round < many; ++round) {
    wrong += one_batch(pool, round,
                       [](auto& processor, auto items, auto handler) {
                         return processor.run(items, handler).progress().completed();
                       })
                 ? 0
                 : 1;
  }
  CHECK(wrong == 0);
}

TEST_CASE("Life: everything may be destroyed as soon as wait returns, 10,000 times") {
  ThreadPool pool{2};
  int wrong = 0;
  for (int round = 0; round < many; ++round) {
    wrong +=
        one_batch(pool, round,
                  [](auto& processor, auto items, auto handler) {
                    return processor.start(std::move(items), handler).wait().progress().completed();
                  })
            ? 0
            : 1;
  }
  CHECK(wrong == 0);
}

TEST_CASE("Life: everything may be destroyed with the batch that runs, 10,000 times") {
  ThreadPool pool{2};
  for (int round = 0; round < many; ++round) {
    one_batch(pool, round, [](auto& processor, auto items, auto handler) {
      const Batch<void> thrown_away = processor.start(std::move(items), handler);
      return std::uint64_t{0};
    });
  }
  SUCCEED();
}

TEST_CASE("Life: a processor with threads of its own is destroyed at once") {
  const bool by_start = GENERATE(false, true);
  int wrong = 0;
  for (int round = 0; round < rounds(2000); ++round) {
    auto state = std::make_unique<State>();
    {
      BatchProcessor<int> processor{{.max_workers = 2}};
      processor.on_progress([s = state.get()](const Progress& p) { s->told = p.completed(); },
                            delivery_of(round));
      const auto handler = [s = state.get()](int i) {
        s->written[static_cast<std::size_t>(i)] = 1;
      };
      support::run_either_way(processor, by_start, numbers(3), handler);
    }
    wrong += state->told == 3 ? 0 : 1;
  }
  CHECK(wrong == 0);
}

TEST_CASE("Life: a batch, its processor and its pool are destroyed in this order, at any moment") {
  for (int round = 0; round < rounds(1000); ++round) {
    ThreadPool pool{2};
    std::vector<int> written(50);
    BatchProcessor<int> processor{pool, {.max_workers = 2}};
    processor.on_progress([](const Progress&) {}, delivery_of(round));
    const Batch<void> batch =
        processor.start(numbers(50), [&](int i) { written[static_cast<std::size_t>(i)] = 1; });
    for (int i = 0; i < round % 100; ++i) static_cast<void>(batch.progress());
  }
  SUCCEED();
}

TEST_CASE("Life: a batch whose workers are late leaves them nothing to trip over") {
  for (int round = 0; round < rounds(300); ++round) {
    support::DelayingExecutor executor;
    std::thread late;
    {
      auto state = std::make_unique<State>();
      BatchProcessor<int> processor{executor, {.max_workers = 3}};
      processor.on_progress([s = state.get()](const Progress& p) { s->told = p.completed(); });
      Batch<void> batch = processor.start(
          numbers(4), [s = state.get()](int i) { s->written[static_cast<std::size_t>(i)] = 1; });
      late = std::thread([&] { executor.run_all(); });
      if (round % 3 == 0) batch.cancel();
      if (round % 3 == 1) batch.wait();
    }
    late.join();
  }
  SUCCEED();
}

TEST_CASE("Life: a tracker is destroyed as soon as wait returns, 10,000 times") {
  constexpr int threads = 3;
  std::atomic<ProgressTracker*> slots[threads] = {};
  std::atomic<bool> over{false};
  std::vector<std::thread> updaters;
  for (int number = 0; number < threads; ++number) {
    updaters.emplace_back([&, number] {
      std::atomic<ProgressTracker*>& slot = slots[number];
      while (!over.load()) {
        if (ProgressTracker* const tracker = slot.exchange(nullptr)) {
          number == 0 ? tracker->fail() : tracker->succeed();
        } else {
          std::this_thread::yield();
        }
      }
    });
  }
  int wrong = 0;
  for (int round = 0; round < many; ++round) {
    auto state = std::make_unique<State>();
    auto tracker = std::make_unique<ProgressTracker>(threads);
    tracker->on_progress([s = state.get()](const Progress& p) { s->told = p.completed(); },
                         delivery_of(round));
    for (auto& slot : slots) slot.store(tracker.get());
    tracker->wait();
    tracker.reset();
    wrong += state->told == threads ? 0 : 1;
    state.reset();
  }
  over.store(true);
  for (std::thread& updater : updaters) updater.join();
  CHECK(wrong == 0);
}

TEST_CASE("Life: a tracker that is cancelled is destroyed as soon as wait returns") {
  for (int round = 0; round < rounds(3000); ++round) {
    auto tracker = std::make_unique<ProgressTracker>(3);
    int calls = 0;
    tracker->on_progress([&](const Progress&) { ++calls; }, delivery_of(round));
    std::thread other([&] { tracker->cancel_rest(); });
    tracker->wait();
    const int at_the_end = calls;
    other.join();
    tracker.reset();
    REQUIRE(calls == at_the_end);
  }
}
