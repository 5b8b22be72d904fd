// SPDX-License-Identifier: MIT
// Batches with limits that tasks and callbacks run.
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <xofn/batch/memory_exceeded.hpp>
#include <xofn/batch_processor.hpp>

#include "../support/gate.hpp"
#include "../support/held.hpp"
#include "../support/work.hpp"

using support::eventually;
using support::Gate;
using support::Held;
using support::Holder;
using support::numbers;
using support::Rendezvous;
using support::rounds;
using xofn::Batch;
using xofn::BatchOptions;
using xofn::BatchProcessor;
using xofn::MemoryBudget;
using xofn::ResourceSlots;
using xofn::TaskContext;
using xofn::ThreadPool;
using namespace std::chrono_literals;

namespace {

std::uint64_t one(const int&) { return 1; }

}  // namespace

TEST_CASE("C11: batches nest to any depth on one slot, on as few threads as there may be") {
  const unsigned threads = GENERATE(1U, 3U);
  const int depth = GENERATE(1, 2, 4);
  ResourceSlots gpus{{"a", 1}};
  MemoryBudget vram{8};
  ThreadPool pool{threads};
  Held leaves(1);
  std::atomic<int> run{0};
  std::atomic<int> unnamed{0};
  const BatchOptions options{.max_workers = threads, .slots = &gpus, .memory = &vram};
  const std::function<void(int)> nest = [&](int left) {
    BatchProcessor<int> processor{pool, options};
    processor.memory_by([left](int) { return left + 1; });
    const auto report = processor.run(numbers(3), [&](int i, TaskContext& context) {
      if (context.slot() != "a") unnamed.fetch_add(1);
      if (left != 0) return nest(left - 1);
      const auto held = leaves.hold();
      run.fetch_add(1);
      if (i == 1) support::work_for(2us);
    });
    if (!report.all_succeeded()) unnamed.fetch_add(1);
  };
  nest(depth);
  int expected = 3;
  for (int i = 0; i < depth; ++i) expected *= 3;
  CHECK(run == expected);
  CHECK(unnamed == 0);
  CHECK_FALSE(leaves.was_exceeded());
  CHECK(gpus.in_use() + vram.in_use() == 0);
}

TEST_CASE("an inner item runs on what is lent to it, and more run when there is room") {
  ResourceSlots gpus{{"a", 3}};
  Held all(3);
  Rendezvous inside(3);
  BatchProcessor<int> outer{{.max_workers = 1, .slots = &gpus}};
  outer.run(numbers(1), [&](int) {
    BatchProcessor<int> inner{{.max_workers = 5, .slots = &gpus}};
    inner.run(numbers(9), [&](int i) {
      const auto held = all.hold();
      if (i < 3) inside.arrive();  // all three, with the one on loan
    });
  });
  CHECK_FALSE(inside.expired());
  CHECK_FALSE(all.was_exceeded());
  CHECK(gpus.in_use() == 0);
}

TEST_CASE("an inner item may need as much memory as the one that it runs under, and no more") {
  MemoryBudget vram{10};
  std::vector<std::string> failures;
  BatchProcessor<int> outer{{.max_workers = 1, .memory = &vram}};
  outer.memory_by([](int need) { return need; });
  const auto report = outer.run(std::vector<int>{10, 4, 0}, [&](int holds) {
    BatchProcessor<int> inner{{.max_workers = 2, .memory = &vram}};
    inner.memory_by([](int need) { return need; });
    const auto inside = inner.run(std::vector<int>{4, 6, 0}, [](int) {});
    for (const auto& failure : inside.failures()) {
      failures.push_back(std::to_string(holds) + ": " + failure.what());
    }
  });
  CHECK(report.all_succeeded());
  CHECK(failures == std::vector<std::string>{"4: xofn: an item needs 6 of a memory budget of 4"});
}

TEST_CASE("one whose thread may be needed passes by a batch for which there is no thread") {
  ResourceSlots gpus{{"a", 1}};
  ThreadPool pool{1};
  std::optional<Holder> holder(std::in_place, BatchOptions{.max_workers = 1, .slots = &gpus});
  BatchProcessor<int> first{pool, {.max_workers = 1, .slots = &gpus}};
  auto before = first.start(numbers(2), [](int) {});
  BatchProcessor<int> without{pool, {.max_workers = 1}};
  Gate inside;
  auto outer = without.start(numbers(1), [&](int) {
    // The first has been here, and waits: its thread is this one.
    inside.open();
    BatchProcessor<int> inner{pool, {.max_workers = 1, .slots = &gpus}};
    inner.run(numbers(3), [](int) {});
  });
  CHECK(inside.wait());
  holder.reset();
  CHECK(outer.wait_for(std::chrono::seconds{60}));
  CHECK(before.wait().all_succeeded());
}

TEST_CASE("one under an item that others wait for does not wait behind them") {
  ResourceSlots gpus{{"a", 1}};
  MemoryBudget vram{4};
  Gate go;
  BatchProcessor<int> holds_slot{{.max_workers = 1, .slots = &gpus}};
  auto outer = holds_slot.start(numbers(1), [&](int) {
    go.wait();
    BatchProcessor<int> inner{{.max_workers = 1, .memory = &vram}};
    inner.memory_by(one);
    inner.run(numbers(3), [](int) {});
  });
  REQUIRE(eventually([&] { return gpus.in_use() == 1; }));
  BatchProcessor<int> both{{.max_workers = 1, .slots = &gpus, .memory = &vram}};
  both.memory_by(one);
  auto waiting = both.start(numbers(2), [](int) {});
  waiting.wait_for(5ms);  // it is first in both queues, most likely
  go.open();
  CHECK(outer.wait_for(std::chrono::seconds{60}));
  CHECK(waiting.wait().all_succeeded());
}

TEST_CASE("a callback may run a batch on the limits of its own") {
  ResourceSlots gpus{{"a", 1}};
  ThreadPool pool{2};
  std::atomic<int> run{0};
  const auto tell = [&](const auto&) {
    BatchProcessor<int> inner{pool, {.max_workers = 2, .slots = &gpus}};
    inner.run(numbers(2), [&](int) { run.fetch_add(1); });
  };
  BatchProcessor<int> processor{pool, {.max_workers = 2, .slots = &gpus}};
  const bool on_caller = GENERATE(false, true);
  if (on_caller) {
    processor.on_progress(tell, xofn::Delivery::every().on_caller());
  } else {
    processor.on_progress(tell).on_completion(tell);
  }
  CHECK(processor.run(numbers(5), [](int) {}).callback_error().count == 0);
  CHECK(run == (on_caller ? 10 : 20));
  CHECK(gpus.in_use() == 0);
}

TEST_CASE("a range may run a batch on the limits of the one that reads it") {
  ResourceSlots gpus{{"a", 1}};
  std::atomic<int> run{0};
  support::Generator range(5, [](int i) { return i; });
  range.at_next = [&](int) {
    BatchProcessor<int> inner{{.max_workers = 2, .slots = &gpus}};
    inner.run(numbers(2), [&](int) { run.fetch_add(1); });
  };
  BatchProcessor<int> processor{{.max_workers = 2, .slots = &gpus}};
  CHECK(processor.run(range, [](int) {}).all_succeeded());
  CHECK(run == 10);
}

TEST_CASE("what an inner item has on loan stays in use when the outer one ends") {
  ResourceSlots gpus{{"a", 1}};
  Gate go;
  std::optional<Batch<void>> left;
  BatchProcessor<int> inner{{.max_workers = 1, .slots = &gpus}};
  std::string late;
  {
    BatchProcessor<int> outer{{.max_workers = 1, .slots = &gpus}};
    outer.run(numbers(1), [&](int) {
      left.emplace(inner.start(numbers(3), [&](int i, TaskContext& context) {
        if (i == 0) go.wait();
        late += context.slot();
      }));
      static_cast<void>(eventually([&] { return left->progress().running == 1; }));
    });
  }
  CHECK(gpus.in_use() == 1);
  BatchProcessor<int> other{{.max_workers = 1, .slots = &gpus}};
  auto next = other.start(numbers(1), [](int) {});
  CHECK_FALSE(next.wait_for(5ms));
  go.open();
  CHECK(next.wait().all_succeeded());
  CHECK(left->wait().all_succeeded());
  CHECK(late == "aaa");
  CHECK(gpus.in_use() == 0);
}

TEST_CASE("C12: an inner batch that waits for a slot is cancelled with the outer one") {
  ResourceSlots inner_slots{{"a", 1}};
  const Holder holder({.max_workers = 1, .slots = &inner_slots});
  std::atomic<std::uint64_t> cancelled{0};
  Gate inside;
  BatchProcessor<int> outer{{.max_workers = 1}};
  auto batch = outer.start(numbers(2), [&](int) {
    BatchProcessor<int> inner{{.max_workers = 1, .slots = &inner_slots}};
    auto waiting = inner.start(numbers(4), [](int) {});
    waiting.wait_for(2ms);
    inside.open();
    cancelled += waiting.wait().progress().cancelled;
  });
  inside.wait();
  batch.cancel();
  CHECK(batch.wait().progress().succeeded == 1);
  CHECK(cancelled == 4);
}

TEST_CASE("slots and memory are shared by nested batches of several threads") {
  const int n = rounds(60);
  ResourceSlots gpus{{"a", 2}, {"b", 1}};
  MemoryBudget vram{6};
  Held slots(3);
  Held memory(6);
  ThreadPool pool{3};
  std::atomic<int> wrong{0};
  const auto leaf = [&](int) {
    const auto slot = slots.hold();
    const auto bytes = memory.hold(2);
  };
  // Some hold limits themselves and lend them, some do not.
  const auto run_outer = [&](const BatchOptions& options) {
    BatchProcessor<int> outer{pool, options};
    outer.memory_by([](int) { return 2; });
    const auto report = outer.run(numbers(n), [&](int) {
      BatchProcessor<int> inner{pool, {.max_workers = 2, .slots = &gpus, .memory = &vram}};
      inner.memory_by([](int) { return 2; });
      if (!inner.run(numbers(3), leaf).all_succeeded()) wrong.fetch_add(1);
    });
    if (!report.all_succeeded()) wrong.fetch_add(1);
  };
  support::in_parallel(3, [&](int i) {
    BatchOptions options{.max_workers = 2};
    if (i != 0) options.slots = &gpus;
    if (i == 2) options.memory = &vram;
    run_outer(options);
  });
  CHECK(wrong == 0);
  CHECK_FALSE(slots.was_exceeded());
  CHECK_FALSE(memory.was_exceeded());
  CHECK(gpus.in_use() + vram.in_use() == 0);
}
