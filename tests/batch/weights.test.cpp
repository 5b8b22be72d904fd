// SPDX-License-Identifier: MIT
#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <list>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <xofn/batch/item_weight.hpp>
#include <xofn/batch_processor.hpp>

#include "../support/gate.hpp"
#include "../support/oracle.hpp"
#include "../support/work.hpp"

using support::eventually;
using support::Gate;
using support::numbers;
using support::Recorder;
using support::rounds;
using xofn::BatchProcessor;
using xofn::BatchState;
using xofn::Completion;
using xofn::Delivery;
using xofn::Progress;
using xofn::TaskContext;
using xofn::ThreadPool;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t most_weight = std::numeric_limits<std::uint64_t>::max();

/// What may be wrong with the weights that one reader sees.
std::string wrong_weights(const Progress& before, const Progress& now) {
  const std::string text = std::to_string(now.weight_completed) + " of " +
                           std::to_string(now.weight_total) + " at " + support::describe(now);
  if (now.weight_completed > now.weight_total) return "more than all: " + text;
  if (now.weight_completed < before.weight_completed) return "it falls: " + text;
  if (now.weight_total < before.weight_total) return "the total falls: " + text;
  if (now.state == BatchState::finished && now.weight_completed != now.weight_total) {
    return "not exact at N/N: " + text;
  }
  return {};
}

std::string wrong_weights(const Recorder& recorder) {
  Progress before;
  for (const auto& call : recorder.calls()) {
    if (std::string wrong = wrong_weights(before, call.progress); !wrong.empty()) return wrong;
    before = call.progress;
  }
  return {};
}

std::uint64_t weigh_item(const int& i) { return static_cast<std::uint64_t>(i) * 10; }

}  // namespace

TEST_CASE("each step that is told weighs what the items that it tells do") {
  const unsigned workers = GENERATE(1U, 2U, 4U);
  const auto work = GENERATE(0ns, 2us);
  const int n = 200;
  Recorder every;
  Recorder second;
  Recorder on_caller;
  Recorder latest;
  std::vector<std::uint64_t> sums{0};
  BatchProcessor<int> processor{{.max_workers = workers}};
  processor.weigh_by(weigh_item)
      .on_completion([&](const Completion<int>& c) {
        sums.push_back(sums.back() + weigh_item(c.task));
        if (c.progress.weight_completed != sums.back()) sums.push_back(most_weight);
      })
      .on_progress(every.callback())
      .on_progress(second.callback())
      .on_progress(on_caller.callback(), Delivery::every().on_caller())
      .on_progress(latest.callback(), Delivery::latest(0ns));
  const auto fail = [&](int i) {
    if (work != 0ns) support::work_for(work);
    if (i % 7 == 0) throw i;
  };
  const std::uint64_t all = 10 * n * (n - 1) / 2;
  const auto check = [&](const Progress& end) {
    CHECK(end.weight_total == all);
    CHECK(end.weight_completed == all);
    REQUIRE(sums.size() == n + 1);
    for (const Recorder* recorder : {&every, &second, &on_caller}) {
      CHECK(support::wrong_telling(*recorder, end).empty());
      REQUIRE(recorder->calls().size() >= n);
      for (const auto& call : recorder->calls()) {
        REQUIRE(call.progress.weight_completed == sums[call.progress.completed()]);
      }
      CHECK(wrong_weights(*recorder) == "");
    }
    CHECK(wrong_weights(latest) == "");
  };
  SECTION("of an array") { check(processor.run(numbers(n), fail).progress()); }
  SECTION("of a range that is read") {
    const auto items = numbers(n);
    check(processor.run(std::list<int>(items.begin(), items.end()), fail).progress());
  }
  SECTION("of an open batch") {
    auto batch = processor.open(fail);
    for (int i = 0; i != n; ++i) batch.add(i);
    batch.close();
    check(batch.wait().progress());
  }
}

TEST_CASE("steps weigh what their items do where nobody asks which they are") {
  const Delivery delivery = GENERATE(Delivery::every(), Delivery::every().on_caller());
  Recorder every;
  BatchProcessor<int> processor{{.max_workers = 1}};
  processor.weigh_by(weigh_item).on_progress(every.callback(), delivery);
  const auto report = processor.run(numbers(100), [](int) {});
  CHECK(support::wrong_every(every, report.progress()).empty());
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i != 100; ++i) {
    sum += 10 * i;  // one worker, so the steps are in the order of submission
    CHECK(every.calls()[i].progress.weight_completed == sum);
    CHECK(every.calls()[i].progress.weight_total == 49500);
  }
}

TEST_CASE("steps that are told on the caller with their weights do not wait for the end") {
  Recorder on_caller;
  BatchProcessor<int> processor{{.max_workers = 1}};
  processor.weigh_by(weigh_item).on_progress(on_caller.callback(), Delivery::every().on_caller());
  std::atomic<bool> told{true};
  processor.run(numbers(4), [&](int i) {
    told = told && eventually([&] { return on_caller.told() == static_cast<std::uint64_t>(i); });
    support::work_for(2us);  // shorter ones may be told later
  });
  CHECK(told);
}

TEST_CASE("a running item's part is told to those who are told the latest state") {
  const Delivery delivery = GENERATE(Delivery::latest(100us), Delivery::latest(100us).on_caller());
  std::atomic<std::uint64_t> told{0};
  Recorder latest;
  Recorder every;
  BatchProcessor<int> processor{{.max_workers = 2}};
  processor.weigh_by([](int) { return 1000; })
      .on_progress(latest.callback(), delivery)
      .on_progress([&](const Progress& p) { told = p.weight_completed; }, delivery)
      .on_progress(every.callback());
  std::atomic<bool> seen{true};
  const auto report = processor.run(std::vector<int>{0}, [&](int, TaskContext& context) {
    for (std::uint64_t part = 100; part <= 900; part += 100) {
      context.advance(100);
      seen = seen && eventually([&] { return told == part; });
    }
  });
  CHECK(seen);
  CHECK(report.progress().weight_completed == 1000);
  CHECK(latest.calls().size() >= 10);
  CHECK(wrong_weights(latest) == "");
  REQUIRE(every.calls().size() == 1);  // a part is no step
  CHECK(every.calls()[0].progress.weight_completed == 1000);
}

TEST_CASE("what an item reports is clamped to its weight") {
  BatchProcessor<int> processor{{.max_workers = 1}};
  const auto check = [](const Progress& now, std::uint64_t part) {
    return now.weight_completed == part && now.completed() == 0;
  };
  std::atomic<xofn::Batch<bool>*> handle{nullptr};
  const auto handler = [&](int, TaskContext& context) {
    if (!eventually([&] { return handle.load() != nullptr; })) return false;
    auto& batch = *handle.load();
    const std::uint64_t weight = batch.progress().weight_total;
    context.advance(0);
    bool good = check(batch.progress(), 0);
    context.advance(weight / 4);
    good = good && check(batch.progress(), weight / 4);
    context.advance(weight - weight / 4);
    good = good && check(batch.progress(), weight);
    context.advance(1);
    context.advance(most_weight);
    return good && check(batch.progress(), weight);
  };
  const std::uint64_t weight =
      GENERATE(std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1000}, most_weight);
  processor.weigh_by([weight](int) { return weight; });
  auto batch = processor.start(std::vector<int>{0}, handler);
  handle = &batch;
  const auto report = batch.wait();
  CHECK(report.outcomes()[0].value());
  CHECK(report.progress().weight_completed == weight);
  CHECK(report.progress().weight_total == weight);
}

TEST_CASE("an item that is tried again keeps the most that an attempt has reported") {
  BatchProcessor<int> processor{{.max_workers = 1, .retry = {.max_attempts = 2}}};
  processor.weigh_by([](int) { return 10; });
  std::atomic<xofn::Batch<void>*> handle{nullptr};
  std::vector<std::uint64_t> seen;  // one worker
  xofn::Batch<void> batch = processor.start(std::vector<int>{0}, [&](int, TaskContext& context) {
    if (!eventually([&] { return handle.load() != nullptr; })) return;
    const auto see = [&] { seen.push_back(handle.load()->progress().weight_completed); };
    see();
    context.advance(context.attempt() == 1 ? 6 : 4);
    see();
    if (context.attempt() == 1) throw std::runtime_error("the first attempt");
    context.advance(3);
    see();
  });
  handle = &batch;
  const auto report = batch.wait();
  CHECK(seen == std::vector<std::uint64_t>{0, 6, 6, 6, 7});
  CHECK(report.progress().weight_completed == 10);
  CHECK(report.progress().retried == 1);
}

TEST_CASE("several threads report parts of one item, and others watch") {
  const int threads = 3;
  const int each = rounds(10000);
  BatchProcessor<int> processor{{.max_workers = 2}};
  processor.weigh_by([&](int) { return threads * each; });
  support::Gate looked;
  std::atomic<int> reported{0};
  auto batch = processor.start(numbers(4), [&](int, TaskContext& context) {
    support::in_parallel(threads, [&](int) {
      for (int i = 0; i != each; ++i) context.advance(1);
    });
    ++reported;
    looked.wait();
  });
  CHECK(eventually([&] { return reported == 2; }));
  CHECK(batch.progress().weight_completed == static_cast<std::uint64_t>(2 * threads * each));
  looked.open();
  Progress before;
  std::string wrong;
  do {
    const Progress now = batch.progress();
    if (wrong.empty()) wrong = wrong_weights(before, now);
    if (wrong.empty()) wrong = support::wrong_snapshot(now);
    before = now;
  } while (before.state == BatchState::running);
  CHECK(wrong == "");
  CHECK(batch.wait().progress().weight_completed == static_cast<std::uint64_t>(4 * threads * each));
}

TEST_CASE("an item that is not weighed has nothing to report") {
  BatchProcessor<int> processor{{.max_workers = 2}};
  const auto report =
      processor.run(numbers(3), [](int, TaskContext& context) { context.advance(5); });
  CHECK(report.progress().weight_completed == 0);
  CHECK(report.progress().weight_total == 0);
  CHECK(report.progress().succeeded == 3);
}

TEST_CASE("cancelled items weigh in the total, and what they had reported stays") {
  Recorder every;
  Recorder latest;
  BatchProcessor<int> processor{{.max_workers = 1}};
  processor.weigh_by([](int) { return 100; })
      .on_progress(every.callback())
      .on_progress(latest.callback(), Delivery::latest(0ns));
  SECTION("by their own wish") {
    const auto report = processor.run(numbers(3), [](int i, TaskContext& context) {
      context.advance(30);
      if (i == 1) throw xofn::TaskCancelled();
    });
    CHECK(report.progress().weight_completed == 230);
    CHECK(report.progress().weight_total == 300);
  }
  SECTION("before they start") {
    const xofn::BatchReport<void> report = [&] {
      auto batch = processor.start(numbers(3), [](int) {});
      batch.cancel();
      return batch.wait();
    }();
    CHECK(report.progress().weight_completed == 100 * report.progress().completed());
    CHECK(report.progress().weight_total == 300);
  }
  CHECK(wrong_weights(every) == "");
  CHECK(wrong_weights(latest) == "");
}

TEST_CASE("items are weighed once each, in the order of submission, before N shows them") {
  std::vector<int> weighed;
  std::atomic<bool> early{true};
  BatchProcessor<int> processor{{.max_workers = 2}};
  processor.weigh_by([&](const int& i) {
    weighed.push_back(i);
    return 1;
  });
  SECTION("all of an array before the first runs") {
    processor.run(numbers(50), [&](int) { early = early && weighed.size() == 50; });
  }
  SECTION("of a range whose elements are made, which are made once") {
    int made = 0;
    support::Indexed range(50, [&made](int i) {
      ++made;
      return i;
    });
    std::atomic<std::uint64_t> told{0};
    const bool tells = GENERATE(false, true);
    if (tells) {
      processor.on_completion(
          [&](const Completion<int>& c) { told += c.task == static_cast<int>(c.index) ? 1U : 0U; });
    }
    const auto report = processor.run(range, [](int& i) { return i; });
    CHECK(made == 50);
    CHECK(report.values().begin() != report.values().end());
    CHECK(report.outcomes()[49].value() == 49);
    CHECK(told == (tells ? 50 : 0));
  }
  SECTION("of a range that is read, each before it runs") {
    std::atomic<int> count{0};
    processor.weigh_by([&](const int& i) {
      weighed.push_back(i);
      ++count;
      return 1;
    });
    support::Generator range(50, [](int i) { return i; });
    processor.run(range, [&](int i) { early = early && count > i; });
  }
  SECTION("of an open batch") {
    auto batch = processor.open([](int) {});
    for (int i = 0; i != 50; ++i) {
      batch.add(i);
      early = early && batch.progress().weight_total == static_cast<std::uint64_t>(i + 1);
    }
    batch.close();
    batch.wait();
  }
  CHECK(early);
  CHECK(weighed == numbers(50));
}

TEST_CASE("tasks that are made to be weighed are destroyed once, whatever becomes of them") {
  const auto alive = std::make_shared<int>(0);
  struct Held {
    Held(int v, std::shared_ptr<int> a) : value(v), alive(std::move(a)) {}
    int value;
    std::shared_ptr<int> alive;
  };
  support::Indexed range(20, [&](int i) { return Held(i, alive); });
  BatchProcessor<Held> processor{{.max_workers = 1}};
  const int way = GENERATE(0, 1, 2);
  processor.weigh_by([&](const Held& task) {
    if (way == 1 && task.value == 10) throw std::runtime_error("too heavy");
    return task.value;
  });
  if (way == 1) {
    CHECK_THROWS_AS(processor.run(range, [](Held&) {}), std::runtime_error);
  } else {
    const auto report = processor.run(range, [&](Held& task) {
      if (way == 2 && task.value == 5) throw xofn::TaskCancelled();
    });
    CHECK(report.progress().total == 20);
  }
  CHECK(alive.use_count() == 1);
}

TEST_CASE("what the weight throws comes out of the call that adds, and nothing was added") {
  std::atomic<int> ran{0};
  const auto count = [&](int) { ran.fetch_add(1); };
  BatchProcessor<int> processor{{.max_workers = 2}};
  processor.weigh_by([](const int& i) {
    if (i == 2) throw std::domain_error("weightless");
    return 1;
  });
  SECTION("run") {
    CHECK_THROWS_AS(processor.run(numbers(5), count), std::domain_error);
    CHECK(ran == 0);
    CHECK(processor.run(numbers(2), count).progress().weight_completed == 2);  // and it is free
  }
  SECTION("start") {
    CHECK_THROWS_AS(processor.start(numbers(5), count), std::domain_error);
    CHECK(ran == 0);
  }
  SECTION("add") {
    auto batch = processor.open(count);
    batch.add(1);
    CHECK_THROWS_AS(batch.add(2), std::domain_error);
    CHECK(batch.progress().total == 1);
    CHECK(batch.progress().weight_total == 1);
    batch.add(3);
    batch.close();
    CHECK(batch.wait().progress().weight_completed == 2);
  }
  SECTION("a range that is read ends there") {
    const auto report = processor.run(support::Generator(5, [](int i) { return i; }), count);
    CHECK(report.progress().total == 2);
    CHECK(report.progress().weight_total == 2);
    CHECK_THROWS_AS(std::rethrow_exception(report.range_error()), std::domain_error);
    CHECK(ran == 2);
  }
}

TEST_CASE("weights below 0 or above 2^64 - 1 together are refused") {
  BatchProcessor<int> processor{{.max_workers = 2}};
  SECTION("below 0") {
    processor.weigh_by([](int i) { return -i; });
    CHECK_THROWS_AS(processor.run(numbers(3), [](int) {}), std::invalid_argument);
  }
  SECTION("above all") {
    processor.weigh_by([](int i) { return i == 0 ? most_weight - 1 : std::uint64_t{1}; });
    CHECK(processor.run(numbers(2), [](int) {}).progress().weight_completed == most_weight);
    CHECK_THROWS_AS(processor.run(numbers(3), [](int) {}), std::overflow_error);
    auto batch = processor.open([](int) {});
    batch.add(0);
    batch.add(1);
    CHECK_THROWS_AS(batch.add(1), std::overflow_error);
    CHECK(batch.progress().total == 2);
    batch.close();
    CHECK(batch.wait().progress().weight_completed == most_weight);
  }
  SECTION("all 0 is no error") {
    processor.weigh_by([](int) { return 0; });
    CHECK(processor.run(numbers(3), [](int) {}).progress().weight_total == 0);
  }
}

TEST_CASE("weigh_by is for a processor that runs nothing, and the last counts") {
  BatchProcessor<int> processor{{.max_workers = 1}};
  processor.weigh_by([](int) { return 1; }).weigh_by([](int) { return 2; });
  auto batch = processor.open([](int) {});
  CHECK_THROWS_AS(processor.weigh_by([](int) { return 3; }), std::logic_error);
  batch.add(1);
  batch.close();
  CHECK(batch.wait().progress().weight_completed == 2);
  BatchProcessor<int>* self = &processor;
  processor.weigh_by([self](int) {
    self->run(numbers(1), [](int) {});
    return 1;
  });
  CHECK_THROWS_AS(processor.run(numbers(1), [](int) {}), std::logic_error);
}

TEST_CASE("weights are right while a batch is paused and cancelled by others") {
  for (int round = 0; round != rounds(200); ++round) {
    Recorder every;
    Recorder latest;
    BatchProcessor<int> processor{{.max_workers = 3}};
    processor.weigh_by(weigh_item)
        .on_progress(every.callback())
        .on_progress(latest.callback(), Delivery::latest(0ns));
    auto batch = processor.start(numbers(200), [](int i, TaskContext& context) {
      context.advance(static_cast<std::uint64_t>(i) * 5);
    });
    std::thread other([&] {
      batch.pause();
      batch.resume();
      if (round % 2 == 0) batch.cancel();
    });
    const auto report = batch.wait();
    other.join();
    CHECK(report.progress().weight_total == 199000);
    std::uint64_t least = 0;
    for (std::size_t i = 0; i != 200; ++i) {
      if (report.outcomes()[i].succeeded()) least += 10 * i;
    }
    CHECK(report.progress().weight_completed == least);
    CHECK(wrong_weights(every) == "");
    CHECK(wrong_weights(latest) == "");
  }
}

TEST_CASE("an item that is tried again counts what it reports beyond the attempts before") {
  using Worker = xofn::detail::Worker<>;
  using Item = xofn::detail::ItemWeight<>;
  std::vector<Worker> workers(2);
  xofn::detail::Weights<> weights(2);
  weights.grow(2);
  weights.add(0, 100);
  weights.add(1, 7);
  const auto completed = [&] {
    Progress now;
    weights.add_completed(now, workers);
    weights.add_total(now);
    CHECK(now.weight_total == 107);
    return now.weight_completed;
  };
  {
    Item first(weights, workers[0], 0);
    first.advance(60);
    first.put_off();
  }
  {
    Item between(weights, workers[0], 1);
    between.complete();
  }
  CHECK(completed() == 67);
  {
    Item second(weights, workers[1], 0, 2);
    second.advance(10);
    CHECK(completed() == 67);
    second.put_off();  // it has not got as far
  }
  {
    Item third(weights, workers[1], 0, 3);
    third.advance(59);
    CHECK(completed() == 67);
    third.advance(2);
    CHECK(completed() == 68);
    third.complete();
  }
  CHECK(completed() == 107);
}
