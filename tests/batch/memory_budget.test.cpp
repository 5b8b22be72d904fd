// SPDX-License-Identifier: MIT
#include <xofn/batch/memory_budget.hpp>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <chrono>
#include <cstdint>
#include <limits>
#include <list>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <xofn/batch/memory_exceeded.hpp>
#include <xofn/batch_processor.hpp>

#include "../support/gate.hpp"
#include "../support/held.hpp"
#include "../support/work.hpp"

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;
using support::eventually;
using support::Held;
using support::Holder;
using support::numbers;
using support::Recorder;
using support::rounds;
using support::wrong_every;
using xofn::BatchProcessor;
using xofn::Completion;
using xofn::MemoryBudget;
using xofn::MemoryExceeded;
using xofn::Progress;
using xofn::ResourceSlots;
using xofn::ThreadPool;
using namespace std::chrono_literals;

namespace {

std::uint64_t itself(const int& i) { return static_cast<std::uint64_t>(i); }

}  // namespace

TEST_CASE("a budget below 0 is refused, and a huge one is none") {
  CHECK_THROWS_MATCHES(MemoryBudget(-1), std::invalid_argument,
                       MessageMatches(ContainsSubstring("a budget of -1")));
  CHECK(MemoryBudget(std::numeric_limits<std::uint64_t>::max()).capacity() ==
        std::numeric_limits<std::uint64_t>::max());
  CHECK(MemoryBudget{24ULL << 30}.capacity() == 25769803776);
  CHECK(MemoryBudget(0).in_use() == 0);
}

TEST_CASE("items that run never need more together than there is") {
  const int n = rounds(500);
  MemoryBudget vram{10};
  Held all(10);
  BatchProcessor<int> one{{.max_workers = 6, .memory = &vram}};
  BatchProcessor<int> two{{.max_workers = 2, .memory = &vram}};
  const auto need = [](int i) { return i % 11; };
  one.memory_by(need);
  two.memory_by(need);
  const auto item = [&](int i) {
    const auto held = all.hold(i % 11);
    if (i % 3 == 0) support::work_for(5us);
  };
  auto a = one.start(numbers(n), item);
  auto b = two.start(numbers(n), item);
  CHECK(a.wait().all_succeeded());
  CHECK(b.wait().all_succeeded());
  CHECK_FALSE(all.was_exceeded());
  CHECK(vram.in_use() == 0);
}

TEST_CASE("with a budget of zero an item that needs any fails, and the others run") {
  MemoryBudget none{0};
  Recorder told;
  std::vector<std::uint64_t> completed;
  BatchProcessor<int> processor{{.max_workers = 2, .memory = &none}};
  processor.memory_by(itself)
      .on_progress(told.callback())
      .on_completion([&](const Completion<int>& c) { completed.push_back(c.index); });
  const auto report = processor.run(std::vector<int>{0, 1, 0, 2, 0}, [](int) {});
  CHECK(report.progress().succeeded == 3);
  CHECK(report.progress().failed == 2);
  CHECK(completed.size() == 5);
  CHECK(wrong_every(told, report.progress()) == "");
  REQUIRE(report.failures().size() == 2);
  CHECK(report.failures()[0].index == 1);
  CHECK(report.failures()[1].index == 3);
}

TEST_CASE("an item that needs more than there is fails at once, with both figures") {
  MemoryBudget vram{10};
  std::optional<Holder> holder(std::in_place, xofn::BatchOptions{.max_workers = 1, .memory = &vram},
                               10);
  std::atomic<int> begun{0};
  BatchProcessor<int> processor{
      {.max_workers = 1, .retry = {.max_attempts = 5, .backoff = 24h}, .memory = &vram}};
  processor.memory_by(itself);
  auto batch = processor.start(std::vector<int>{11, 3}, [&](int) { begun.fetch_add(1); });
  CHECK(eventually([&] { return batch.progress().failed == 1; }));  // and is not tried again
  CHECK(begun == 0);
  holder.reset();
  const auto report = batch.wait();
  CHECK(begun == 1);
  REQUIRE(report.failures().size() == 1);
  CHECK(report.failures()[0].what() == "xofn: an item needs 11 of a memory budget of 10");
  try {
    std::rethrow_exception(report.failures()[0].exception);
  } catch (const MemoryExceeded& error) {
    CHECK(error.need() == 11);
    CHECK(error.most() == 10);
  }
}

TEST_CASE("an item that is too big holds no slot and waits for none") {
  ResourceSlots gpus{{"a", 1}};
  MemoryBudget vram{10};
  const Holder holder({.max_workers = 1, .slots = &gpus});
  BatchProcessor<int> processor{{.max_workers = 1, .slots = &gpus, .memory = &vram}};
  processor.memory_by(itself);
  auto batch = processor.start(std::vector<int>{11, 12}, [](int) {});
  CHECK(batch.wait().progress().failed == 2);
}

TEST_CASE("what stops a batch counts items that are too big") {
  MemoryBudget vram{10};
  BatchProcessor<int> processor{
      {.max_workers = 1, .on_error = xofn::ErrorPolicy::stop_on_first(), .memory = &vram}};
  processor.memory_by(itself);
  const auto report = processor.run(std::vector<int>{1, 11, 2, 3}, [](int) {});
  CHECK(report.progress().succeeded == 1);
  CHECK(report.progress().failed == 1);
  CHECK(report.progress().cancelled == 2);
}

TEST_CASE("a big item is not starved by small ones behind it") {
  MemoryBudget vram{4};
  std::atomic<bool> big_has_run{false};
  std::atomic<int> too_early{0};
  BatchProcessor<int> processor{{.max_workers = 4, .memory = &vram}};
  processor.memory_by([](int i) { return i == 10 ? 4 : 1; });
  processor.run(numbers(200), [&](int i) {
    if (i == 10) big_has_run.store(true);
    if (i > 10 && !big_has_run.load()) too_early.fetch_add(1);
  });
  CHECK(big_has_run);
  CHECK(too_early == 0);
}

TEST_CASE("a big item is not starved by the small ones of another batch") {
  MemoryBudget vram{4};
  std::atomic<bool> big_has_run{false};
  std::atomic<int> begun{0};
  const auto end_of_patience = std::chrono::steady_clock::now() + support::patience();
  BatchProcessor<int> small{
      {.max_workers = 2, .on_error = xofn::ErrorPolicy::stop_on_first(), .memory = &vram}};
  small.memory_by([](int) { return 1; });
  // Each stays until the next has begun, if one does: there is never room for the big one unless
  // one is made to wait for it.
  auto stream = small.start(support::Generator(2'000'000'000, [](int i) { return i; }), [&](int) {
    const int own = begun.fetch_add(1) + 1;
    const auto now = std::chrono::steady_clock::now();
    if (now > end_of_patience) throw std::runtime_error("the big one is starved");
    while (!big_has_run && begun <= own && std::chrono::steady_clock::now() < now + 1ms) {
      std::this_thread::yield();
    }
  });
  CHECK(eventually([&] { return begun > 2; }));
  BatchProcessor<int> big{{.max_workers = 1, .memory = &vram}};
  big.memory_by([](int) { return 4; });
  const auto report = big.run(std::vector<int>{0}, [&](int) { big_has_run = true; });
  CHECK(report.all_succeeded());
  stream.cancel();
  CHECK(stream.wait().progress().failed == 0);
}

TEST_CASE("needs are asked for once an item, before N shows it") {
  MemoryBudget vram{100};
  std::atomic<int> asked{0};
  std::atomic<int> too_late{0};
  BatchProcessor<int> processor{{.max_workers = 3, .memory = &vram}};
  processor.memory_by([&](const int& i) {
    asked.fetch_add(1);
    return i % 10;
  });
  processor.on_progress([&](const Progress& p) {
    if (static_cast<std::uint64_t>(asked) < p.total) too_late.fetch_add(1);
  });
  const auto fails_at_first = [](int i, xofn::TaskContext& context) {
    if (context.attempt() == 1 && i % 7 == 0) throw i;
  };
  SECTION("of an array") {
    CHECK(processor.run(numbers(50), fails_at_first).progress().total == 50);
  }
  SECTION("of a range that is read") {
    const auto items = numbers(50);
    processor.run(std::list<int>(items.begin(), items.end()), fails_at_first);
  }
  SECTION("of proxies") {
    processor.run(support::Indexed(50, [](int i) { return i; }), fails_at_first);
  }
  SECTION("of an open batch") {
    auto batch = processor.open(fails_at_first);
    for (int i = 0; i != 50; ++i) batch.add(i);
    batch.close();
    batch.wait();
  }
  CHECK(asked == 50);
  CHECK(too_late == 0);
}

TEST_CASE("a need that cannot be told adds nothing") {
  MemoryBudget vram{100};
  std::atomic<int> begun{0};
  BatchProcessor<int> processor{{.max_workers = 2, .memory = &vram}};
  processor.weigh_by([](int) { return 1; });
  const bool throws = GENERATE(false, true);
  processor.memory_by([throws](const int& i) {
    if (i == 3 && throws) throw std::runtime_error("no idea");
    return i == 3 ? -7 : 1;
  });
  const auto item = [&](int) { begun.fetch_add(1); };
  const std::string text = throws ? "no idea" : "memory_by: a need of -7";
  const auto wrong = MessageMatches(ContainsSubstring(text));
  SECTION("of an array") {
    CHECK_THROWS_MATCHES(processor.run(numbers(5), item), std::exception, wrong);
    CHECK_THROWS_MATCHES(processor.start(numbers(5), item), std::exception, wrong);
    CHECK(begun == 0);
  }
  SECTION("of a range that is read") {
    const auto items = numbers(5);
    const auto report = processor.run(std::list<int>(items.begin(), items.end()), item);
    CHECK(report.progress().total == 3);
    CHECK(report.progress().weight_total == 3);
    CHECK(report.range_error() != nullptr);
  }
  SECTION("of an open batch") {
    auto batch = processor.open(item);
    batch.add(1);
    CHECK_THROWS_MATCHES(batch.add(3), std::exception, wrong);
    batch.add(2);
    batch.close();
    const auto report = batch.wait();
    CHECK(report.progress().succeeded == 2);
    CHECK(report.progress().weight_total == 2);
  }
}

TEST_CASE("a budget without needs is refused, and needs without a budget are not asked for") {
  MemoryBudget vram{100};
  BatchProcessor<int> processor{{.max_workers = 1, .memory = &vram}};
  const auto item = [](int) {};
  const auto wrong = MessageMatches(ContainsSubstring("memory_by"));
  CHECK_THROWS_MATCHES(processor.run(numbers(2), item), std::logic_error, wrong);
  CHECK_THROWS_MATCHES(processor.start(numbers(2), item), std::logic_error, wrong);
  CHECK_THROWS_MATCHES(processor.open(item), std::logic_error, wrong);
  std::atomic<int> asked{0};
  const auto need = [&](int) {
    asked.fetch_add(1);
    return 1;
  };
  CHECK(processor.memory_by(need).run(numbers(2), item).all_succeeded());
  CHECK(asked == 2);
  BatchProcessor<int> without{{.max_workers = 1}};
  CHECK(without.memory_by(need).run(numbers(2), item).all_succeeded());
  CHECK(asked == 2);
}

TEST_CASE("needs may not change while a batch runs") {
  MemoryBudget vram{100};
  BatchProcessor<int> processor{{.max_workers = 1, .memory = &vram}};
  processor.memory_by(itself);
  auto batch = processor.open([](int) {});
  CHECK_THROWS_AS(processor.memory_by(itself), std::logic_error);
  batch.close();
  batch.wait();
  processor.memory_by(itself);
}

TEST_CASE("items hold a slot and memory, or neither") {
  const int n = rounds(300);
  ResourceSlots gpus{{"a", 2}};
  MemoryBudget vram{4};
  Held slots(2);
  Held memory(4);
  BatchProcessor<int> both{{.max_workers = 3, .slots = &gpus, .memory = &vram}};
  BatchProcessor<int> one{{.max_workers = 3, .memory = &vram}};
  BatchProcessor<int> other{{.max_workers = 2, .slots = &gpus}};
  const auto need = [](int i) { return 1 + i % 4; };
  both.memory_by(need);
  one.memory_by(need);
  const auto work = [](int i) {
    if (i % 5 == 0) support::work_for(5us);
  };
  auto a = both.start(numbers(n), [&](int i) {
    const auto slot = slots.hold();
    const auto bytes = memory.hold(1 + i % 4);
    work(i);
  });
  auto b = one.start(numbers(n), [&](int i) {
    const auto bytes = memory.hold(1 + i % 4);
    work(i);
  });
  auto c = other.start(numbers(n), [&](int i) {
    const auto slot = slots.hold();
    work(i);
  });
  CHECK(a.wait().all_succeeded());
  CHECK(b.wait().all_succeeded());
  CHECK(c.wait().all_succeeded());
  CHECK_FALSE(slots.was_exceeded());
  CHECK_FALSE(memory.was_exceeded());
  CHECK(gpus.in_use() + vram.in_use() == 0);
}

TEST_CASE("while an item waits for memory its slot is for others") {
  ResourceSlots gpus{{"a", 1}};
  MemoryBudget vram{4};
  std::optional<Holder> holder(std::in_place, xofn::BatchOptions{.max_workers = 1, .memory = &vram},
                               2);
  BatchProcessor<int> both{{.max_workers = 1, .slots = &gpus, .memory = &vram}};
  both.memory_by([](int) { return 4; });
  auto batch = both.start(numbers(2), [](int) {});
  batch.wait_for(5ms);
  CHECK(gpus.in_use() == 0);
  CHECK(vram.in_use() == 2);
  holder.reset();
  CHECK(batch.wait().all_succeeded());
}
