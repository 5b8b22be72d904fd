// SPDX-License-Identifier: MIT
#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <xofn/batch/submission_order.hpp>
#include <xofn/batch_processor.hpp>
#include <xofn/delivery/completion_order.hpp>

#include "../support/gate.hpp"
#include "../support/oracle.hpp"
#include "../support/outcomes.hpp"
#include "../support/ranges.hpp"
#include "../support/recorder.hpp"
#include "../support/scale.hpp"
#include "../support/work.hpp"

using support::CompletionRecorder;
using support::eventually;
using support::Gate;
using support::numbers;
using support::Recorder;
using support::wrong_completions;
using support::wrong_every;
using xofn::BatchOptions;
using xofn::BatchProcessor;
using xofn::BatchReport;
using xofn::Completion;
using xofn::Order;
using xofn::Progress;
using xofn::TaskCancelled;
using xofn::TaskContext;
using namespace std::chrono_literals;

namespace {

/// What is wrong with completions in the order of submission.
template <class R>
std::string wrong_order(const CompletionRecorder& recorder, const BatchReport<R>& report) {
  if (std::string wrong = wrong_completions(recorder, report); !wrong.empty()) return wrong;
  std::size_t k = 0;
  for (std::uint64_t i = 0; i < report.progress().total; ++i) {
    if (report.outcomes()[i].cancelled()) continue;
    const std::uint64_t told = recorder.entries()[k++].index;
    if (told != i) return "item " + std::to_string(told) + " in the turn of " + std::to_string(i);
  }
  return {};
}

std::vector<std::uint64_t> indices(const CompletionRecorder& recorder) {
  std::vector<std::uint64_t> all;
  for (const auto& entry : recorder.entries()) all.push_back(entry.index);
  return all;
}

const BatchOptions in_order{.max_workers = 3, .order = Order::submission};

}  // namespace

TEST_CASE("Order: completions wait for their turn, while on_progress counts what has settled") {
  CHECK(BatchOptions{}.order == Order::completion);
  const int n = 50;
  Recorder every;
  CompletionRecorder completions;
  std::atomic<int> completed{0};
  int completed_too_soon = -1;
  bool counted = false;
  BatchProcessor<int> processor{in_order};
  processor.on_progress(every.callback()).on_completion([&](const Completion<int>& c) {
    completions.record(c);
    completed.fetch_add(1);
  });
  const auto report = processor.run(numbers(n), [&](int i) {
    if (i == 0) {
      counted = eventually([&] { return every.told() == n - 1; });
      completed_too_soon = completed.load();
    }
    if (i % 7 == 3) support::fail(i);
    return i;
  });
  CHECK(counted);
  CHECK(completed_too_soon == 0);
  CHECK(wrong_every(every, report.progress()) == "");
  CHECK(wrong_order(completions, report) == "");
}

TEST_CASE("Order: as items complete, they are told so, and the first comes last if it ends last") {
  CompletionRecorder completions;
  std::atomic<int> told{0};
  BatchProcessor<int> processor{{.max_workers = 2, .order = Order::completion}};
  processor.on_completion([&](const Completion<int>& c) {
    completions.record(c);
    told.fetch_add(1);
  });
  processor.run(numbers(4), [&](int i) {
    if (i == 0) static_cast<void>(eventually([&] { return told.load() == 3; }));
  });
  CHECK(indices(completions) == std::vector<std::uint64_t>{1, 2, 3, 0});
}

TEST_CASE("Order: many items of any length, by any number of workers, are told in order") {
  const unsigned workers = GENERATE(1U, 2U, 4U);
  const auto length = GENERATE(0ns, 2us);
  const bool by_start = GENERATE(false, true);
  const int n = 500;
  Recorder every;
  Recorder second;
  CompletionRecorder completions;
  BatchProcessor<int> processor{{.max_workers = workers, .order = Order::submission}};
  processor.on_progress(every.callback())
      .on_completion(completions.callback())
      .on_progress(second.callback());
  const auto report = support::run_either_way(processor, by_start, numbers(n), [&](int i) {
    if (i % 3 == 0) support::work_for(length);
    if (i % 50 == 49) support::fail(i);
    return i;
  });
  CHECK(wrong_order(completions, report) == "");
  CHECK(wrong_every(every, report.progress()) == "");
  CHECK(wrong_every(second, report.progress()) == "");
}

TEST_CASE("Order, C4: a completion comes before the step with which its turn came") {
  struct Event {
    bool is_step;
    std::uint64_t index;
    std::uint64_t x;
  };
  std::vector<Event> events;
  std::atomic<std::uint64_t> told{0};
  BatchProcessor<int> processor{in_order};
  processor
      .on_progress([&](const Progress& p) {
        events.push_back({true, 0, p.completed()});
        told.store(p.completed());
      })
      .on_completion([&](const Completion<int>& c) {
        events.push_back({false, c.index, c.progress.completed()});
      });
  // 1 and 2 settle before 0, then 4 before 3.
  processor.run(numbers(5), [&](int i) {
    if (i == 0) static_cast<void>(eventually([&] { return told.load() >= 2; }));
    if (i == 3) static_cast<void>(eventually([&] { return told.load() >= 4; }));
  });
  std::vector<std::string> texts;
  for (const Event& e : events) {
    texts.push_back(e.is_step ? std::to_string(e.x)
                              : std::to_string(e.index) + " makes " + std::to_string(e.x));
  }
  // 4 may have settled before 0.
  const std::vector<std::string> before{"1", "2", "0 makes 1", "1 makes 2", "2 makes 3",
                                        "3", "4", "3 makes 4", "4 makes 5", "5"};
  const std::vector<std::string> after{"1",         "2", "3",         "0 makes 1", "1 makes 2",
                                       "2 makes 3", "4", "3 makes 4", "4 makes 5", "5"};
  CHECK((texts == before || texts == after));
}

TEST_CASE("Order: an item that cancels itself is passed over at once") {
  Recorder every;
  CompletionRecorder completions;
  std::atomic<int> completed{0};
  std::atomic<bool> both_told{false};
  BatchProcessor<int> processor{in_order};
  processor.on_progress(every.callback()).on_completion([&](const Completion<int>& c) {
    completions.record(c);
    completed.fetch_add(1);
  });
  const auto report = processor.run(numbers(4), [&](int i) {
    support::work_for(2us);  // shorter ones may be told later
    if (i == 3) both_told = eventually([&] { return completed.load() == 2; });
    if (i == 1) {
      static_cast<void>(eventually([&] { return every.told() == 2; }));
      throw TaskCancelled{};
    }
  });
  CHECK(both_told);
  CHECK(indices(completions) == std::vector<std::uint64_t>{0, 2, 3});
  CHECK(wrong_order(completions, report) == "");
  CHECK(wrong_every(every, report.progress()) == "");
}

TEST_CASE("Order: items that are cancelled before others complete are passed over") {
  const int n = 100;
  Recorder every;
  CompletionRecorder completions;
  xofn::Batch<void>* handle = nullptr;
  Gate started;
  BatchProcessor<int> processor{in_order};
  processor.on_progress(every.callback()).on_completion(completions.callback());
  auto batch = processor.start(numbers(n), [&](int i, TaskContext& context) {
    started.wait();
    if (i == 20) handle->cancel();
    if (i == 19) {
      static_cast<void>(eventually([&] { return context.stop_requested(); }));
      throw TaskCancelled{};
    }
  });
  handle = &batch;
  started.open();
  const auto report = batch.wait();
  CHECK(report.progress().state == xofn::BatchState::cancelled);
  CHECK(report.outcomes()[19].cancelled());
  CHECK(wrong_order(completions, report) == "");
  CHECK(wrong_every(every, report.progress()) == "");
}

TEST_CASE("Order: cancelled items that lie together are passed over together") {
  xofn::detail::CompletedItems completed[2] = {};
  xofn::detail::CompletedItems cancelled{};
  cancelled.first = 1;
  cancelled.count = 3;
  cancelled.cancelled = true;
  std::vector<std::uint64_t> told;
  xofn::detail::SubmissionOrder order(2);
  const auto take_turns = [&](std::uint64_t available) {
    order.take_turns(available, [&](std::uint64_t i, const auto&) { told.push_back(i); });
  };
  order.grow(3);
  order.settle(0, completed[0]);
  take_turns(3);
  order.grow(5);
  order.settle(4, completed[1]);
  take_turns(5);
  CHECK(told == std::vector<std::uint64_t>{0});
  order.settle(1, cancelled);
  take_turns(5);
  CHECK(told == std::vector<std::uint64_t>{0, 4});
}

TEST_CASE("Order: later items wait for one that is tried again") {
  const auto backoff = GENERATE(0ns, 200us);
  Recorder every;
  CompletionRecorder completions;
  BatchProcessor<int> processor{{.max_workers = 3,
                                 .order = Order::submission,
                                 .retry = {.max_attempts = 4, .backoff = backoff}}};
  processor.on_progress(every.callback()).on_completion(completions.callback());
  const auto report = processor.run(numbers(30), [&](int i, TaskContext& context) {
    if (i % 10 == 0 && context.attempt() < 3) support::fail(i);
    if (i == 5) support::fail(i);
  });
  CHECK(wrong_order(completions, report) == "");
  CHECK(completions.entries()[0].attempts == 3);
  CHECK(completions.entries()[5].attempts == 4);
  CHECK(wrong_every(every, report.progress()) == "");
}

TEST_CASE("Order: one that waits for its retry when the batch is cancelled is passed over") {
  Recorder every;
  CompletionRecorder completions;
  BatchProcessor<int> processor{{.max_workers = 2,
                                 .order = Order::submission,
                                 .retry = {.max_attempts = 2, .backoff = std::chrono::hours{1}}}};
  processor.on_progress(every.callback()).on_completion(completions.callback());
  auto batch = processor.start(numbers(10), [&](int i, TaskContext& context) {
    if (i == 2 && context.attempt() == 1) throw std::runtime_error("later");
  });
  CHECK(eventually([&] { return every.told() == 9 && batch.progress().retried == 1; }));
  batch.cancel();
  const auto report = batch.wait();
  CHECK(report.progress().cancelled == 1);
  CHECK(indices(completions) == std::vector<std::uint64_t>{0, 1, 3, 4, 5, 6, 7, 8, 9});
  CHECK(wrong_order(completions, report) == "");
  CHECK(wrong_every(every, report.progress()) == "");
}

TEST_CASE("Order: items of a range that is read, and of one that grows, are told in order") {
  const int n = 200;
  Recorder every;
  CompletionRecorder completions;
  BatchProcessor<int> processor{in_order};
  processor.on_progress(every.callback()).on_completion(completions.callback());
  const auto handler = [](int i) {
    if (i % 5 == 0) support::work_for(3us);
    if (i % 40 == 39) support::fail(i);
  };

  SECTION("read") {
    const auto report = processor.run(support::Generator(n, [](int i) { return i; }), handler);
    CHECK(wrong_order(completions, report) == "");
    CHECK(wrong_every(every, report.progress()) == "");
  }
  SECTION("read, and cancelled by a task") {
    std::atomic<xofn::Batch<void>*> handle{nullptr};
    auto batch = processor.start(support::Generator(n, [](int i) { return i; }), [&](int i) {
      handler(i);
      if (i != 60) return;
      static_cast<void>(eventually([&] { return handle.load() != nullptr; }));
      handle.load()->cancel();
    });
    handle = &batch;
    const auto report = batch.wait();
    CHECK(wrong_order(completions, report) == "");
  }
  SECTION("added") {
    auto batch = processor.open(handler);
    for (int i = 0; i < n; ++i) batch.add(i);
    batch.close();
    const auto report = batch.wait();
    CHECK(report.progress().total == static_cast<std::uint64_t>(n));
    CHECK(wrong_order(completions, report) == "");
  }
}

TEST_CASE("Order: an open batch tells an item in its turn though it may be the last") {
  std::atomic<int> told{0};
  BatchProcessor<int> processor{in_order};
  processor.on_completion([&](const Completion<int>&) { told.fetch_add(1); });
  auto batch = processor.open([](int) {});
  batch.add(0);
  CHECK(eventually([&] { return told.load() == 1; }));
  batch.add(1);
  CHECK(eventually([&] { return told.load() == 2; }));
  batch.close();
  batch.wait();
  CHECK(told.load() == 2);
}

TEST_CASE("Order: a completion carries what the items told so far weigh") {
  std::vector<std::uint64_t> weights;
  Progress last;
  BatchProcessor<int> processor{in_order};
  processor.weigh_by([](const int& i) { return i + 1; })
      .on_completion([&](const Completion<int>& c) {
        weights.push_back(c.progress.weight_completed);
        last = c.progress;
      });
  processor.run(numbers(40), [&](int i) {
    if (i % 4 == 0) support::work_for(5us);
  });
  std::vector<std::uint64_t> expected;
  for (std::uint64_t i = 1; i <= 40; ++i) expected.push_back(i * (i + 1) / 2);
  CHECK(weights == expected);
  CHECK(last.state == xofn::BatchState::finished);
  CHECK(last.weight_completed == last.weight_total);
}

TEST_CASE("Order: a task that was made for its item lives until its turn") {
  const int n = 30;
  std::vector<std::string> tasks;
  std::atomic<int> ended{0};
  BatchProcessor<std::string> processor{in_order};
  processor.on_completion([&](const Completion<std::string>& c) { tasks.push_back(c.task); });
  const auto name = [](int i) {
    return "a name too long to be stored in place " + std::to_string(i);
  };
  processor.run(support::Indexed(n, name), [&](const std::string& task) {
    if (task == name(0)) static_cast<void>(eventually([&] { return ended.load() == n - 1; }));
    ended.fetch_add(1);
  });
  std::vector<std::string> expected;
  for (int i = 0; i < n; ++i) expected.push_back(name(i));
  CHECK(tasks == expected);
}

TEST_CASE("Order, C9: a completion callback that throws holds back nothing") {
  CompletionRecorder completions;
  BatchProcessor<int> processor{in_order};
  processor
      .on_completion([](const Completion<int>& c) {
        if (c.index % 2 == 0) throw std::runtime_error("callback");
      })
      .on_completion(completions.callback());
  const auto report = processor.run(numbers(20), [](int) { support::work_for(2us); });
  CHECK(report.callback_error().count == 10);
  CHECK(wrong_order(completions, report) == "");
}

TEST_CASE("Order, C11: batches within the tasks of one that is told in order are so themselves") {
  xofn::ThreadPool pool{1};
  CompletionRecorder completions;
  std::vector<std::string> wrong(5);
  BatchProcessor<int> processor{pool, in_order};
  processor.on_completion(completions.callback());
  const auto report = processor.run(numbers(5), [&](int i) {
    CompletionRecorder told;
    BatchProcessor<int> inner{pool, in_order};
    inner.on_completion(told.callback());
    wrong[static_cast<std::size_t>(i)] =
        wrong_order(told, inner.run(numbers(10), [](int) { support::work_for(1us); }));
  });
  CHECK(wrong_order(completions, report) == "");
  CHECK(wrong == std::vector<std::string>(5));
}
