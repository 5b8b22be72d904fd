// SPDX-License-Identifier: MIT
#include <xofn/batch/resource_slots.hpp>

#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <xofn/batch_processor.hpp>

#include "../support/executors.hpp"
#include "../support/gate.hpp"
#include "../support/held.hpp"
#include "../support/work.hpp"

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;
using support::eventually;
using support::Gate;
using support::Held;
using support::Holder;
using support::numbers;
using support::Recorder;
using support::Rendezvous;
using support::rounds;
using support::Runs;
using support::wrong_every;
using support::wrong_report;
using xofn::BatchProcessor;
using xofn::BatchReport;
using xofn::BatchState;
using xofn::Progress;
using xofn::ResourceSlots;
using xofn::TaskContext;
using xofn::ThreadPool;
using namespace std::chrono_literals;

namespace {

std::string refusal(const std::vector<ResourceSlots::Resource>& resources) {
  try {
    const ResourceSlots slots(resources);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "not refused";
}

/// Keeps count of how often it is asked for a thread.
class CountingExecutor {
 public:
  template <class F>
  void execute(F&& f) {
    calls_.fetch_add(1);
    threads_.execute(std::forward<F>(f));
  }

  [[nodiscard]] int calls() const { return calls_.load(); }

 private:
  std::atomic<int> calls_{0};
  support::ThreadPerCall threads_;
};

}  // namespace

TEST_CASE("resources that make no sense are refused, with what is wrong in the text") {
  CHECK_THAT(refusal({}), ContainsSubstring("no resources"));
  CHECK_THAT(refusal({{"cuda:0", 2}, {"cuda:1", 0}}), ContainsSubstring("0 slots of cuda:1"));
  CHECK_THAT(refusal({{"cuda:0", 2}, {"cuda:0", 1}}), ContainsSubstring("cuda:0 twice"));
  CHECK_THAT(refusal({{"", 2}}), ContainsSubstring("without a name"));
}

TEST_CASE("slots can be counted, of all resources and of one") {
  ResourceSlots gpus{{"cuda:0", 2}, {"cuda:1", ~0U}, {"cuda:2"}};
  CHECK(gpus.capacity() == std::uint64_t{~0U} + 3);
  CHECK(gpus.capacity("cuda:0") == 2);
  CHECK(gpus.capacity("cuda:2") == 1);
  CHECK(gpus.in_use() == 0);
  {
    const Holder one({.max_workers = 1, .slots = &gpus});
    const Holder two({.max_workers = 1, .slots = &gpus});
    CHECK(gpus.in_use() == 2);
    CHECK(gpus.in_use("cuda:0") == 1);
    CHECK(gpus.in_use("cuda:1") == 1);
  }
  CHECK(gpus.in_use() == 0);
  CHECK(gpus.in_use("cuda:1") == 0);
  CHECK_THROWS_MATCHES(gpus.in_use("cuda:7"), std::out_of_range,
                       MessageMatches(ContainsSubstring("cuda:7")));
  CHECK_THROWS_AS(gpus.capacity("cuda"), std::out_of_range);
}

TEST_CASE("an item knows its slot, and no resource has more items than slots") {
  ResourceSlots gpus{{"a", 2}, {"b", 3}};
  Held a(2);
  Held b(3);
  std::atomic<int> nameless{0};
  Runs runs(500);
  Recorder told;
  BatchProcessor<int> processor{{.max_workers = 8, .slots = &gpus}};
  processor.on_progress(told.callback());
  const auto report = processor.run(numbers(500), [&](int i, TaskContext& context) {
    const auto running = runs.run(i);
    const auto held = (context.slot() == "a" ? a : b).hold();
    if (context.slot() != "a" && context.slot() != "b") nameless.fetch_add(1);
    if (i % 3 == 0) support::work_for(10us);
    if (i % 50 == 0) support::fail(i);
  });
  CHECK(wrong_report(report, runs) == "");
  CHECK(wrong_every(told, report.progress()) == "");
  CHECK_FALSE(a.was_exceeded());
  CHECK_FALSE(b.was_exceeded());
  CHECK(nameless == 0);
  CHECK(gpus.in_use() == 0);
}

TEST_CASE("without slots an item's slot has no name") {
  std::atomic<int> named{0};
  BatchProcessor<int> processor{{.max_workers = 2}};
  processor.run(numbers(10), [&](int, TaskContext& context) {
    if (!context.slot().empty()) named.fetch_add(1);
  });
  CHECK(named == 0);
}

TEST_CASE("C13: items run on all slots at once, the least used resource first") {
  ResourceSlots gpus{{"a", 1}, {"b", 3}};
  std::vector<std::string> names(4);
  Rendezvous all(4);
  BatchProcessor<int> processor{{.max_workers = 6, .slots = &gpus}};
  const auto report = processor.run(numbers(4), [&](int i, TaskContext& context) {
    names[static_cast<std::size_t>(i)] = context.slot();
    all.arrive();
  });
  CHECK_FALSE(all.expired());
  CHECK(report.all_succeeded());
  CHECK(names == std::vector<std::string>{"a", "b", "b", "b"});
}

TEST_CASE("C13: slots that come free are used though another item runs on") {
  ResourceSlots gpus{{"a", 2}};
  Gate others;
  std::atomic<int> left{19};
  BatchProcessor<int> processor{{.max_workers = 4, .slots = &gpus}};
  const auto report = processor.run(numbers(20), [&](int i) {
    if (i == 0) return void(others.wait());
    if (left.fetch_sub(1) == 1) others.open();
  });
  CHECK(report.all_succeeded());
  CHECK_FALSE(others.expired());
}

TEST_CASE("no thread waits for a slot: the pool's does other work meanwhile") {
  ResourceSlots gpus{{"a", 1}};
  ThreadPool pool{1};
  Runs runs(3);
  std::optional<Holder> holder(std::in_place, xofn::BatchOptions{.max_workers = 1, .slots = &gpus});
  BatchProcessor<int> waiting{pool, {.max_workers = 1, .slots = &gpus}};
  auto batch = waiting.start(numbers(3), [&](int i) { const auto running = runs.run(i); });
  BatchProcessor<int> other{pool, {.max_workers = 1}};
  CHECK(other.start(numbers(10), [](int) {}).wait().all_succeeded());
  const Progress waits = batch.progress();
  CHECK(waits.running == 0);
  CHECK(waits.queued() == 3);
  CHECK(waits.state == BatchState::running);
  CHECK(runs.all_begun() == 0);
  holder.reset();
  CHECK(wrong_report(batch.wait(), runs) == "");
}

TEST_CASE("a batch that waits for a slot asks for no thread before there is one") {
  ResourceSlots gpus{{"a", 1}};
  CountingExecutor executor;
  std::optional<Holder> holder(std::in_place, xofn::BatchOptions{.max_workers = 1, .slots = &gpus});
  BatchProcessor<int> processor{executor, {.max_workers = 3, .slots = &gpus}};
  auto batch = processor.start(numbers(9), [](int) {});
  // Its workers come, find that the first item has to wait, and go.
  CHECK_FALSE(batch.wait_for(20ms));
  const int asked = executor.calls();
  CHECK(asked <= 3);
  CHECK_FALSE(batch.wait_for(20ms));
  CHECK(executor.calls() == asked);
  holder.reset();
  CHECK(batch.wait().all_succeeded());
}

TEST_CASE("batches of different processors and pools share slots") {
  const int n = rounds(400);
  ResourceSlots gpus{{"a", 2}, {"b", 1}};
  Held all(3);
  ThreadPool pool{3};
  BatchProcessor<int> one{pool, {.max_workers = 3, .slots = &gpus}};
  BatchProcessor<int> two{pool, {.max_workers = 2, .slots = &gpus}};
  BatchProcessor<int> three{{.max_workers = 3, .slots = &gpus}};
  BatchProcessor<int> without{pool, {.max_workers = 3}};
  const auto item = [&](int i) {
    const auto held = all.hold();
    if (i % 4 == 0) support::work_for(5us);
  };
  auto a = one.start(numbers(n), item);
  auto b = two.start(numbers(n), item);
  auto c = three.start(numbers(n), item);
  auto d = without.start(numbers(n), [](int) {});
  CHECK(a.wait().all_succeeded());
  CHECK(b.wait().all_succeeded());
  CHECK(c.wait().all_succeeded());
  CHECK(d.wait().all_succeeded());
  CHECK_FALSE(all.was_exceeded());
  CHECK(gpus.in_use() == 0);
}

TEST_CASE("a batch that is cancelled while it waits for a slot ends at once") {
  ResourceSlots gpus{{"a", 1}};
  Runs runs(5);
  Recorder told;
  const Holder holder({.max_workers = 1, .slots = &gpus});
  BatchProcessor<int> processor{{.max_workers = 2, .slots = &gpus}};
  processor.on_progress(told.callback());
  auto batch = processor.start(numbers(5), [&](int i) { const auto running = runs.run(i); });
  const bool has_tried = GENERATE(false, true);
  if (has_tried) batch.wait_for(5ms);
  batch.cancel();
  const auto report = batch.wait();  // though the slot is still held
  CHECK(report.progress().cancelled == 5);
  CHECK(wrong_report(report, runs) == "");
  CHECK(wrong_every(told, report.progress()) == "");
  CHECK(gpus.in_use() == 1);
}

TEST_CASE("a batch that was destroyed while it waited keeps nobody waiting") {
  ResourceSlots gpus{{"a", 1}};
  std::optional<Holder> holder(std::in_place, xofn::BatchOptions{.max_workers = 1, .slots = &gpus});
  BatchProcessor<int> one{{.max_workers = 1, .slots = &gpus}};
  BatchProcessor<int> two{{.max_workers = 1, .slots = &gpus}};
  std::optional first(one.start(numbers(2), [](int) {}));
  first->wait_for(5ms);
  auto second = two.start(numbers(2), [](int) {});
  second.wait_for(5ms);
  first.reset();
  holder.reset();
  CHECK(second.wait().all_succeeded());
}

TEST_CASE("a batch that is paused while it waits keeps nobody waiting, and waits again later") {
  ResourceSlots gpus{{"a", 1}};
  Runs runs(4);
  std::optional<Holder> holder(std::in_place, xofn::BatchOptions{.max_workers = 1, .slots = &gpus});
  BatchProcessor<int> processor{{.max_workers = 2, .slots = &gpus}};
  auto paused = processor.start(numbers(4), [&](int i) { const auto running = runs.run(i); });
  paused.wait_for(5ms);
  paused.pause();
  paused.pause();
  CHECK(paused.progress().state == BatchState::paused);
  BatchProcessor<int> other{{.max_workers = 1, .slots = &gpus}};
  auto behind = other.start(numbers(4), [](int) {});
  behind.wait_for(5ms);
  holder.reset();
  CHECK(behind.wait().all_succeeded());
  CHECK(runs.all_begun() == 0);
  SECTION("goes on where it was") {
    holder.emplace(xofn::BatchOptions{.max_workers = 1, .slots = &gpus});
    paused.resume();
    CHECK_FALSE(paused.wait_for(5ms));
    holder.reset();
    CHECK(wrong_report(paused.wait(), runs) == "");
    CHECK(runs.all_begun() == 4);
  }
  SECTION("is cancelled") {
    paused.cancel();
    CHECK(paused.wait().progress().cancelled == 4);
  }
}

TEST_CASE("an item that waits for its retry holds no slot") {
  ResourceSlots gpus{{"a", 1}};
  std::atomic<int> begun{0};
  BatchProcessor<int> processor{
      {.max_workers = 2, .retry = {.max_attempts = 2, .backoff = 24h}, .slots = &gpus}};
  auto batch = processor.start(numbers(3), [&](int i) {
    begun.fetch_add(1);
    if (i == 0) throw i;
  });
  CHECK(eventually([&] { return batch.progress().succeeded == 2; }));
  CHECK(gpus.in_use() == 0);
  batch.cancel();
  CHECK(batch.wait().progress().cancelled == 1);
  CHECK(begun == 3);
}

TEST_CASE("an item that is tried again has a slot each time") {
  const int n = rounds(200);
  ResourceSlots gpus{{"a", 1}, {"b", 1}};
  Held all(2);
  std::atomic<int> begun{0};
  const auto backoff = GENERATE(0ns, 20us);
  BatchProcessor<int> processor{
      {.max_workers = 3, .retry = {.max_attempts = 3, .backoff = backoff}, .slots = &gpus}};
  const auto report = processor.run(numbers(n), [&](int i, TaskContext& context) {
    const auto held = all.hold();
    begun.fetch_add(context.slot().empty() ? 1000000 : 1);
    if (context.attempt() <= static_cast<unsigned>(i % 3)) throw i;
  });
  CHECK(report.all_succeeded());
  CHECK_FALSE(all.was_exceeded());
  CHECK(begun == n + n / 3 + (n % 3 > 1 ? 1 : 0) + 2 * (n / 3));
}

TEST_CASE("items that are added wait for slots") {
  ResourceSlots gpus{{"a", 1}};
  Held all(1);
  std::optional<Holder> holder(std::in_place, xofn::BatchOptions{.max_workers = 1, .slots = &gpus});
  BatchProcessor<int> processor{{.max_workers = 2, .max_queued = 2, .slots = &gpus}};
  auto batch = processor.open([&](int) { const auto held = all.hold(); });
  CHECK(batch.add(0));
  batch.wait_for(5ms);
  CHECK(batch.add(1));
  CHECK(batch.progress().queued() == 2);
  std::thread adder([&] {
    for (int i = 2; i < 20; ++i) batch.add(i);  // blocked: the one that waits has not started
    batch.close();
  });
  holder.reset();
  adder.join();
  const auto report = batch.wait();
  CHECK(report.progress().succeeded == 20);
  CHECK_FALSE(all.was_exceeded());
}

TEST_CASE("a range is read no further while the next item waits") {
  ResourceSlots gpus{{"a", 1}};
  std::atomic<int> read{0};
  std::optional<Holder> holder(std::in_place, xofn::BatchOptions{.max_workers = 1, .slots = &gpus});
  BatchProcessor<int> processor{{.max_workers = 1, .slots = &gpus}};
  auto batch = processor.start(support::Generator(1000,
                                                  [&](int i) {
                                                    read.fetch_add(1);
                                                    support::work_for(50us);
                                                    return i;
                                                  }),
                               [](int) {});
  batch.wait_for(20ms);
  CHECK(read < 100);
  holder.reset();
  CHECK(batch.wait().progress().succeeded == 1000);
}

TEST_CASE("a batch that its errors stop gives its slots back") {
  ResourceSlots gpus{{"a", 1}, {"b", 1}};
  BatchProcessor<int> processor{
      {.max_workers = 3, .on_error = xofn::ErrorPolicy::stop_on_first(), .slots = &gpus}};
  for (int round = 0; round < rounds(100); ++round) {
    const auto report = processor.run(numbers(10), [](int i) {
      if (i == 3) throw i;
    });
    REQUIRE(report.progress().failed == 1);
    REQUIRE(report.progress().queued() == 0);
  }
  CHECK(gpus.in_use() == 0);
}

TEST_CASE("slots on executors that misbehave") {
  ResourceSlots gpus{{"a", 1}};
  SECTION("one that runs what it is given at once") {
    support::InlineExecutor executor;
    std::optional<Holder> holder(std::in_place,
                                 xofn::BatchOptions{.max_workers = 1, .slots = &gpus});
    BatchProcessor<int> one{executor, {.max_workers = 2, .slots = &gpus}};
    BatchProcessor<int> two{executor, {.max_workers = 2, .slots = &gpus}};
    Held all(1);
    auto first = one.start(numbers(20), [&](int) { const auto held = all.hold(); });
    auto second = two.start(numbers(20), [&](int) { const auto held = all.hold(); });
    holder.reset();
    CHECK(first.wait().all_succeeded());
    CHECK(second.wait().all_succeeded());
    CHECK_FALSE(all.was_exceeded());
  }
  SECTION("one that has only so many threads to give") {
    support::ThrowingExecutor executor(1);
    std::optional<Holder> holder(std::in_place,
                                 xofn::BatchOptions{.max_workers = 1, .slots = &gpus});
    BatchProcessor<int> processor{executor, {.max_workers = 2, .slots = &gpus}};
    auto batch = processor.start(numbers(3), [](int) {});
    batch.wait_for(5ms);
    holder.reset();
    // Nobody comes any more, unless the first has not even been yet.
    CHECK(batch.wait().progress().queued() == 0);
  }
}

TEST_CASE("what an item waits for its slot is no part of its time") {
  ResourceSlots slots{{"a", 1}};
  Holder holder({.slots = &slots});
  BatchProcessor<int> processor{{.max_workers = 1, .task_timeout = 100ms, .slots = &slots}};
  std::atomic<bool> was_late{false};
  auto batch = processor.start(
      numbers(1), [&](int, TaskContext& context) { was_late = context.stop_requested(); });
  CHECK_FALSE(batch.wait_for(150ms));
  const auto begin = std::chrono::steady_clock::now();
  holder.let_go();
  const auto report = batch.wait();
  // The machine may be slow, but no item is late without having taken its time.
  const bool may_be_late = std::chrono::steady_clock::now() - begin >= 100ms;
  CHECK((report.all_succeeded() || may_be_late));
  CHECK((!was_late.load() || may_be_late));
}
