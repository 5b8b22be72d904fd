// SPDX-License-Identifier: MIT
#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <xofn/batch_processor.hpp>
#include <xofn/testing/contract_checker.hpp>

#include "../support/executors.hpp"
#include "../support/gate.hpp"
#include "../support/oracle.hpp"
#include "../support/work.hpp"

using support::eventually;
using support::Gate;
using support::Recorder;
using support::rounds;
using xofn::Batch;
using xofn::BatchOptions;
using xofn::BatchProcessor;
using xofn::BatchState;
using xofn::Completion;
using xofn::ContractChecker;
using xofn::Delivery;
using xofn::OpenBatch;
using xofn::Progress;
using xofn::StopReason;
using xofn::ThreadPool;
using namespace std::chrono_literals;

namespace {

/// A batch that can be paused has items that stay queued.
template <class Open>
bool is_full(const Open& batch, std::uint64_t limit) {
  return eventually([&] { return batch.progress().queued() >= limit; });
}

}  // namespace

TEST_CASE("an open batch runs what is added and ends when it is closed") {
  const unsigned workers = GENERATE(1U, 2U, 4U);
  Recorder every;
  support::CompletionRecorder completions;
  BatchProcessor<int> processor{{.max_workers = workers}};
  processor.on_progress(every.callback()).on_completion(completions.callback());
  OpenBatch<int, std::string> batch = processor.open([](int i) {
    if (i % 10 == 3) throw std::runtime_error("item");
    return std::to_string(i);
  });
  for (int i = 0; i != 100; ++i) CHECK(batch.add(i));
  CHECK_FALSE(batch.progress().total_is_final);
  CHECK(batch.progress().total == 100);
  batch.close();
  Batch<std::string>& as_batch = batch;  // all of Batch
  const auto report = as_batch.wait();
  CHECK(report.progress().succeeded == 90);
  CHECK(report.progress().failed == 10);
  CHECK(report.progress().state == BatchState::finished);
  CHECK(report.failures().size() == 10);
  for (std::size_t i = 0; i != 100; ++i) {
    if (i % 10 != 3) CHECK(report.outcomes()[i].value() == std::to_string(i));
  }
  CHECK(support::wrong_telling(every, report.progress()).empty());
  CHECK(support::wrong_completions(completions, report).empty());
  processor.open([](int) {}).close();  // and the processor is free again
}

TEST_CASE("an open batch without an item ends at once when it is closed, with 0/0") {
  Recorder every;
  Recorder latest;
  Recorder on_caller;
  BatchProcessor<int> processor{{.max_workers = 2}};
  processor.on_progress(every.callback())
      .on_progress(latest.callback(), Delivery::latest(1ms))
      .on_progress(on_caller.callback(), Delivery::every().on_caller());
  auto batch = processor.open([](int) {});
  CHECK(batch.progress().state == BatchState::running);
  CHECK_FALSE(batch.wait_for(0ns));
  batch.close();
  const auto report = batch.wait();
  CHECK(report.progress().state == BatchState::finished);
  CHECK(report.all_succeeded());
  CHECK(support::wrong_every(every, report.progress()).empty());
  CHECK(support::wrong_every(on_caller, report.progress()).empty());
  CHECK(support::wrong_telling(latest, report.progress()).empty());
}

TEST_CASE("each item of an open batch is told as it settles, and closing it then tells the end") {
  Recorder every;
  support::CompletionRecorder completions;
  const bool with_completions = GENERATE(false, true);
  BatchProcessor<int> processor{{.max_workers = 2}};
  processor.on_progress(every.callback());
  if (with_completions) processor.on_completion(completions.callback());
  auto batch = processor.open([](int) {});
  for (std::uint64_t i = 1; i != 4; ++i) {
    batch.add(0);
    REQUIRE(eventually([&] { return every.told() == i; }));
  }
  batch.close();
  const auto report = batch.wait();
  REQUIRE(every.calls().size() == 4);
  for (std::size_t i = 0; i != 3; ++i) {
    CHECK(every.calls()[i].progress.completed() == i + 1);
    CHECK(every.calls()[i].progress.state == BatchState::running);
    CHECK_FALSE(every.calls()[i].progress.total_is_final);
  }
  CHECK(every.calls()[3].progress == report.progress());
  CHECK(support::wrong_telling(every, report.progress()).empty());
  if (with_completions) CHECK(support::wrong_completions(completions, report).empty());
}

TEST_CASE("an item that settles after an open batch is closed carries the final state") {
  const Delivery delivery = GENERATE(Delivery::every(), Delivery::every().on_caller());
  Recorder every;
  Gate closed;
  BatchProcessor<int> processor{{.max_workers = 2}};
  processor.on_progress(every.callback(), delivery);
  auto batch = processor.open([&](int i) {
    if (i == 2) closed.wait();
  });
  for (int i = 0; i != 3; ++i) batch.add(i);
  batch.close();
  closed.open();
  CHECK(support::wrong_every(every, batch.wait().progress()).empty());
}

TEST_CASE("what is told of an open batch is no breach for a contract checker, a repeated end is") {
  ContractChecker checker;
  BatchProcessor<int> processor{{.max_workers = 2}};
  std::atomic<std::uint64_t> told{0};
  processor.on_progress(std::ref(checker)).on_progress([&](const Progress& p) {
    told = p.completed();
  });
  auto batch = processor.open([](int) {});
  batch.add(1);
  REQUIRE(eventually([&] { return told == 1; }));
  batch.close();
  batch.wait();
  checker.ended();
  INFO(checker.summary());
  CHECK(checker.ok());
  CHECK(checker.calls() == 2);

  ContractChecker strict;
  const Progress end{.total = 1, .succeeded = 1, .state = BatchState::finished};
  strict(end);
  strict(end);
  CHECK(strict.count(xofn::Breach::repeated) == 1);
}

TEST_CASE("several threads add to an open batch while others watch it") {
  const std::size_t limit = GENERATE(std::size_t{0}, std::size_t{5});
  const int adders = 3;
  const int each = rounds(3000);
  Recorder every;
  Recorder latest;
  support::Runs runs(static_cast<std::size_t>(adders * each));
  BatchProcessor<int> processor{{.max_workers = 3, .max_queued = limit}};
  processor.on_progress(every.callback()).on_progress(latest.callback(), Delivery::latest(0ns));
  std::vector<std::atomic<int>> seen(runs.items());
  auto batch = processor.open([&](int i) { seen[static_cast<std::size_t>(i)].fetch_add(1); });
  std::atomic<bool> done{false};
  std::string wrong;
  std::thread watcher([&] {
    Progress before;
    before.total_is_final = false;
    while (!done) {
      const Progress now = batch.progress();
      if (wrong.empty()) wrong = support::wrong_snapshot(now);
      if (wrong.empty()) wrong = support::wrong_step(before, now);
      before = now;
    }
  });
  support::in_parallel(adders, [&](int adder) {
    for (int i = 0; i != each; ++i) batch.add(adder * each + i);
  });
  batch.close();
  const auto report = batch.wait();
  done = true;
  watcher.join();
  CHECK(wrong == "");
  CHECK(report.progress().succeeded == runs.items());
  CHECK(std::all_of(seen.begin(), seen.end(), [](const auto& n) { return n == 1; }));
  CHECK(support::wrong_telling(every, report.progress()).empty());
  CHECK(support::wrong_telling(latest, report.progress()).empty());
}

TEST_CASE("a task that is not added is still the caller's") {
  BatchProcessor<std::unique_ptr<int>> processor{{.max_workers = 1, .max_queued = 1}};
  auto batch = processor.open([](std::unique_ptr<int>& task) { return *task; });
  auto task = std::make_unique<int>(7);
  SECTION("after a cancel") {
    batch.cancel();
    CHECK_FALSE(batch.add(std::move(task)));
  }
  SECTION("after closing") {
    batch.close();
    CHECK_THROWS_AS(batch.add(std::move(task)), std::logic_error);
  }
  SECTION("when it is cancelled while the call is blocked") {
    batch.pause();
    batch.add(std::make_unique<int>(1));
    std::thread other([&] {
      is_full(batch, 1);
      batch.cancel();
    });
    CHECK_FALSE(batch.add(std::move(task)));
    other.join();
  }
  REQUIRE(task != nullptr);
  CHECK(*task == 7);
}

TEST_CASE("what a task's constructor throws comes out of add, and nothing was added") {
  struct Fragile {
    explicit Fragile(int i) : value(i) {
      if (i < 0) throw std::out_of_range("a negative task");
    }
    int value;
  };
  BatchProcessor<Fragile> processor{{.max_workers = 2}};
  auto batch = processor.open([](Fragile& task) { return task.value; });
  CHECK(batch.emplace(1));
  CHECK_THROWS_AS(batch.emplace(-1), std::out_of_range);
  CHECK(batch.progress().total == 1);
  const Fragile two(2);
  CHECK(batch.add(two));
  CHECK(batch.add(Fragile(3)));
  batch.close();
  CHECK(batch.wait().values() == std::vector<int>{1, 2, 3});
}

TEST_CASE("closing and adding in the wrong order") {
  BatchProcessor<int> processor{{.max_workers = 2}};
  auto batch = processor.open([](int i) { return i; });
  batch.add(0);
  SECTION("closed twice is closed once, and adding throws from then on") {
    batch.close();
    batch.close();
    CHECK_THROWS_AS(batch.add(1), std::logic_error);
    CHECK(batch.wait().progress().total == 1);
    CHECK_THROWS_AS(batch.add(1), std::logic_error);
    batch.close();
  }
  SECTION("cancelled, it adds nothing, and closing it is no error") {
    batch.cancel();
    CHECK_FALSE(batch.add(1));
    batch.close();
    CHECK_THROWS_AS(batch.add(1), std::logic_error);
    CHECK(batch.wait().progress().total == 1);
  }
  SECTION("cancelled when all have settled, it is finished") {
    REQUIRE(eventually([&] { return batch.progress().completed() == 1; }));
    batch.cancel();
    batch.cancel();
    const auto report = batch.wait();
    CHECK(report.progress().state == BatchState::finished);
    CHECK(report.stop_reason() == StopReason::cancelled);  // more might have been added
    CHECK_FALSE(report.all_succeeded());
    CHECK_FALSE(batch.add(1));
  }
  SECTION("cancelled when all have settled and it was closed, it has left nothing unrun") {
    REQUIRE(eventually([&] { return batch.progress().completed() == 1; }));
    batch.close();
    batch.cancel();
    CHECK(batch.wait().stop_reason() == StopReason::none);
  }
  SECTION("stopped by its errors, it adds nothing, and says so") {
    auto strict = std::make_unique<BatchProcessor<int>>(
        BatchOptions{.max_workers = 1, .on_error = xofn::ErrorPolicy::stop_on_first()});
    auto failing = strict->open([](int i) { throw i; });
    while (failing.add(1)) {
    }
    const auto report = failing.wait();
    CHECK(report.stop_reason() == StopReason::errors);
    CHECK(report.progress().failed == 1);
    CHECK(report.progress().completed() + report.progress().cancelled == report.progress().total);
  }
}

TEST_CASE("max_queued blocks who adds until items have started") {
  Gate go;
  std::atomic<int> started{0};
  BatchProcessor<int> processor{{.max_workers = 1, .max_queued = 2}};
  auto batch = processor.open([&](int) {
    started.fetch_add(1);
    go.wait();
  });
  std::atomic<int> added{0};
  std::thread adder([&] {
    for (int i = 0; i != 10; ++i) {
      batch.add(i);
      added.fetch_add(1);
    }
    batch.close();
  });
  REQUIRE(eventually([&] { return started == 1 && added == 3; }));
  CHECK(batch.progress().queued() == 2);
  go.open();
  adder.join();
  CHECK(batch.wait().progress().succeeded == 10);
}

TEST_CASE("a blocked add ends when its batch does") {
  BatchProcessor<int> processor{{.max_workers = 1, .max_queued = 1}};
  auto batch = std::make_optional(processor.open([](int) {}));
  batch->pause();
  batch->add(0);
  std::atomic<int> ended{0};  // 1 added, 2 not, 3 threw
  std::thread adder([&] {
    try {
      ended = batch->add(1) ? 1 : 2;
    } catch (const std::logic_error&) {
      ended = 3;
    }
  });
  SECTION("by a cancel: it returns false") {
    batch->cancel();
    adder.join();
    CHECK(ended == 2);
  }
  SECTION("by being closed: it throws") {
    batch->close();
    adder.join();
    CHECK(ended == 3);
    batch->resume();
  }
  SECTION("or goes on when the batch is resumed") {
    batch->resume();
    adder.join();
    CHECK(ended == 1);
    batch->close();
  }
  batch->wait();
}

TEST_CASE("tasks and callbacks of an open batch add to it beyond max_queued") {
  const int from = GENERATE(0, 1, 2, 3);
  CAPTURE(from);
  ThreadPool pool{1};
  BatchProcessor<int> processor{pool, {.max_workers = 1, .max_queued = 1}};
  std::atomic<OpenBatch<int, void>*> handle{nullptr};
  std::atomic<int> budget{20};
  const auto grow = [&](int kind) {
    if (kind != from || !eventually([&] { return handle.load() != nullptr; })) return;
    for (int i = 0; i != 5; ++i) {
      if (budget.fetch_sub(1) > 0) handle.load()->add(i);
    }
    if (budget.load() <= 0) handle.load()->close();
  };
  processor.on_progress([&](const Progress& p) {
    if (p.state == BatchState::running) grow(0);
  });
  processor.on_completion([&](const Completion<int>&) { grow(1); });
  processor.on_progress(
      [&](const Progress& p) {
        if (p.state == BatchState::running) grow(2);
      },
      Delivery::every().on_caller());
  auto batch = processor.open([&](int) { grow(3); });
  handle = &batch;
  batch.add(0);
  const auto report = batch.wait();
  CHECK(report.progress().succeeded == 21);
  // Once closed, an item that is told adds no more: it throws, which its callback or task keeps.
  CHECK(report.progress().total == 21);
}

TEST_CASE("an add that is blocked in a task works on the batch that it adds to, on no other") {
  ThreadPool pool{1};
  BatchProcessor<int> producers{pool, {.max_workers = 1}};
  BatchProcessor<int> others{pool, {.max_workers = 1}};
  BatchProcessor<int> consumers{pool, {.max_workers = 1, .max_queued = 2}};
  std::atomic<bool> producing{false};
  std::atomic<int> strangers{0};
  std::atomic<int> consumed{0};
  auto sink = consumers.open([&](int) { consumed.fetch_add(1); });
  auto producer = producers.open([&](int) {
    producing = true;
    for (int i = 0; i != 50; ++i) sink.add(i);
    producing = false;
  });
  producer.add(0);
  auto other = others.open([&](int) {
    if (producing) strangers.fetch_add(1);
  });
  for (int i = 0; i != 10; ++i) other.add(i);
  producer.close();
  producer.wait();
  sink.close();
  other.close();
  CHECK(sink.wait().progress().succeeded == 50);
  CHECK(other.wait().progress().succeeded == 10);
  CHECK(consumed == 50);
  CHECK(strangers == 0);
}

TEST_CASE("a task whose move constructor adds to the batch holds nobody up") {
  struct Busy {
    Busy(OpenBatch<Busy, int>** h, int d) : handle(h), depth(d) {}
    Busy(Busy&& other) : handle(other.handle), depth(std::exchange(other.depth, 0)) {
      if (depth > 0) (*handle)->emplace(handle, depth - 1);
    }
    OpenBatch<Busy, int>** handle;
    int depth;
  };
  BatchProcessor<Busy> processor{{.max_workers = 2}};
  OpenBatch<Busy, int>* handle = nullptr;
  auto batch = processor.open([](Busy& task) { return task.depth; });
  handle = &batch;
  batch.add(Busy(&handle, 3));
  batch.close();
  CHECK(batch.wait().values() == std::vector<int>{2, 3});
}

TEST_CASE("an open batch that nobody closes ends with its handle") {
  Recorder every;
  BatchProcessor<int> processor{{.max_workers = 1}};
  processor.on_progress(every.callback());
  SECTION("idle") {
    {
      auto batch = processor.open([](int) {});
    }
    CHECK(every.calls().back().progress.state == BatchState::finished);
  }
  SECTION("paused, with items") {
    {
      auto batch = processor.open([](int) {});
      batch.pause();
      for (int i = 0; i != 5; ++i) batch.add(i);
    }
    CHECK(every.calls().back().progress.cancelled == 5);
  }
  SECTION("moved over") {
    BatchProcessor<int> second{{.max_workers = 1}};
    auto batch = processor.open([](int i) { return i; });
    auto other = second.open([](int i) { return i; });
    static_cast<void>(other);
    OpenBatch<int, int> moved = std::move(batch);
    moved.add(4);
    moved.close();
    CHECK(moved.wait().values() == std::vector<int>{4});
  }
}

TEST_CASE("an open batch destroyed by its own callback ends by itself") {
  ThreadPool pool{1};
  std::optional<OpenBatch<int, void>> batch;
  Gate ready;
  std::atomic<bool> ended{false};
  {
    BatchProcessor<int> processor{pool, {.max_workers = 1}};
    processor.on_progress([&](const Progress& p) {
      ready.wait();
      batch.reset();
      if (p.state == BatchState::finished) ended = true;
    });
    batch.emplace(processor.open([](int) {}));
    batch->add(1);
    ready.open();
    CHECK(eventually([&] { return ended.load(); }));
  }
}

TEST_CASE("an open batch that a task opened is cancelled with that task's batch") {
  ThreadPool pool{2};
  BatchProcessor<int> outer{pool, {.max_workers = 1}};
  std::atomic<bool> inside{false};
  auto batch = outer.start(std::vector<int>{0}, [&](int) {
    BatchProcessor<int> inner{pool, {.max_workers = 1, .max_queued = 1}};
    auto open = inner.open([](int) {});
    while (open.add(0)) inside = true;
    const Progress p = open.wait().progress();
    return p.total_is_final && p.completed() + p.cancelled == p.total;
  });
  REQUIRE(eventually([&] { return inside.load(); }));
  batch.cancel();
  CHECK(batch.wait().outcomes()[0].value());
}

TEST_CASE("executors that run at once, throw or drop, under an open batch") {
  const auto feed = [](auto& executor) {
    BatchProcessor<int> processor{executor, {.max_workers = 2, .max_queued = 2}};
    Recorder every;
    processor.on_progress(every.callback());
    auto batch = processor.open([](int) {});
    std::uint64_t added = 0;
    for (int i = 0; i != 20; ++i) added += batch.add(i) ? 1U : 0U;
    batch.close();
    const auto report = batch.wait();
    CHECK(report.progress().total == added);
    CHECK(report.progress().completed() + report.progress().cancelled == added);
    CHECK(support::wrong_telling(every, report.progress()).empty());
    return report.progress();
  };
  SECTION("at once") {
    support::InlineExecutor executor;
    CHECK(feed(executor).succeeded == 20);
  }
  SECTION("throws after a while") {
    const int good = GENERATE(1, 2, 5);
    support::ThrowingExecutor executor(good);
    feed(executor);
  }
  SECTION("throws at once: nothing has begun") {
    support::ThrowingExecutor executor(0);
    BatchProcessor<int> processor{executor};
    CHECK_THROWS_AS(processor.open([](int) {}), std::system_error);
    CHECK_THROWS_AS(processor.open([](int) {}), std::system_error);  // and it is free
  }
  SECTION("drops") {
    const int good = GENERATE(0, 1, 2, 5);
    support::DroppingExecutor executor(good);
    feed(executor);
  }
}

TEST_CASE("tasks of an open batch may be callable themselves, and live until they are told") {
  BatchProcessor<std::function<int()>> processor{{.max_workers = 2}};
  const auto alive = std::make_shared<int>(3);
  std::atomic<long> told_with{0};
  processor.on_completion([&](const Completion<std::function<int()>>&) {
    told_with = std::max(told_with.load(), alive.use_count());
  });
  auto batch = processor.open();
  batch.add([alive] { return *alive; });
  CHECK(eventually([&] { return told_with.load() != 0; }));
  CHECK(told_with >= 2);
  CHECK(eventually([&] { return alive.use_count() == 1; }));
  batch.close();
  CHECK(batch.wait().values() == std::vector<int>{3});
}

TEST_CASE("an open batch is closed, told and destroyed at once, thousands of times") {
  BatchProcessor<int> processor{{.max_workers = 2, .max_queued = 1}};
  auto told = std::make_unique<std::atomic<std::uint64_t>>(0);
  processor.on_progress([&](const Progress& p) { told->store(p.completed()); });
  for (int round = 0; round != rounds(3000); ++round) {
    {
      auto batch = processor.open([](int) {});
      std::thread other([&] {
        batch.add(1);
        batch.close();
      });
      batch.wait();
      other.join();
    }
    CHECK(told->load() == 1);
    told = std::make_unique<std::atomic<std::uint64_t>>(0);
  }
}
