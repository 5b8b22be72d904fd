// SPDX-License-Identifier: MIT
#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <xofn/batch_processor.hpp>

#include "../support/gate.hpp"
#include "../support/oracle.hpp"
#include "../support/outcomes.hpp"
#include "../support/ranges.hpp"
#include "../support/recorder.hpp"
#include "../support/scale.hpp"
#include "../support/work.hpp"

using support::eventually;
using support::Gate;
using support::numbers;
using support::Recorder;
using support::rounds;
using support::wrong_every;
using xofn::Batch;
using xofn::BatchProcessor;
using xofn::BatchReport;
using xofn::BatchState;
using xofn::CompletedItem;
using xofn::Completion;
using xofn::CompletionStream;
using xofn::Delivery;
using xofn::Order;
using xofn::Progress;
using xofn::TaskContext;
using xofn::ThreadPool;
using namespace std::chrono_literals;

static_assert(std::ranges::input_range<CompletionStream<int>>);
static_assert(std::ranges::input_range<CompletionStream<void>>);
static_assert(!std::ranges::forward_range<CompletionStream<int>>);
static_assert(std::is_same_v<std::ranges::range_reference_t<CompletionStream<std::string>>,
                             CompletedItem<std::string>&>);

namespace {

/// What is wrong with the items that came out of a stream: each completed one once, X = k.
template <class R>
std::string wrong_stream(const support::CompletionRecorder& taken, const BatchReport<R>& report,
                         Order order = Order::completion) {
  if (std::string wrong = support::wrong_completions(taken, report); !wrong.empty()) return wrong;
  for (std::size_t k = 1; order == Order::submission && k < taken.entries().size(); ++k) {
    const auto index = taken.entries()[k].index;
    if (index < taken.entries()[k - 1].index) return "not in order: " + std::to_string(index);
  }
  return {};
}

template <class B>
std::vector<std::uint64_t> take(B& batch, std::size_t most = ~std::size_t{0}) {
  std::vector<std::uint64_t> indices;
  if (most == 0) return indices;
  for (auto& done : batch.completions()) {
    indices.push_back(done.index);
    if (indices.size() == most) break;
  }
  return indices;
}

std::errc refused(std::function<void()> wait) {
  try {
    wait();
  } catch (const std::system_error& error) {
    return static_cast<std::errc>(error.code().value());
  }
  return {};
}

}  // namespace

TEST_CASE("Stream: each completed item comes once, with all that is known of it") {
  const unsigned workers = GENERATE(1U, 2U, 4U);
  const auto order = GENERATE(Order::completion, Order::submission);
  const auto length = GENERATE(0ns, 2us);
  const bool told = GENERATE(false, true);
  const int n = 300;
  Recorder every;
  support::CompletionRecorder completions, taken;
  BatchProcessor<int> processor{
      {.max_workers = workers, .order = order, .retry = {.max_attempts = 2}}};
  if (told) processor.on_progress(every.callback()).on_completion(completions.callback());
  auto batch = processor.start(numbers(n), [&](int i, TaskContext& context) {
    if (i % 3 == 0) support::work_for(length);
    if (i % 60 == 59) support::fail(i);
    if (i % 45 == 7 && context.attempt() == 1) support::fail(i);
    return std::to_string(i);
  });
  int wrong_values = 0;
  for (CompletedItem<std::string>& done : batch.completions()) {
    taken.record(done);
    if (done.outcome.succeeded() && done.outcome.value() != std::to_string(done.index)) {
      ++wrong_values;
    }
  }
  const auto report = batch.wait();
  CHECK(wrong_values == 0);
  CHECK(wrong_stream(taken, report, order) == "");
  CHECK(taken.entries().back().progress.state == BatchState::finished);
  if (!told) return;
  CHECK(wrong_every(every, report.progress()) == "");
  CHECK(wrong_stream(completions, report, order) == "");
  bool same = true;
  for (std::size_t k = 0; k < taken.entries().size(); ++k) {
    same = same && taken.entries()[k].index == completions.entries()[k].index;
  }
  CHECK(same);
}

TEST_CASE("Stream: an item comes out while the others run, also by one worker") {
  const int told = GENERATE(0, 1, 2);
  Gate second;
  std::vector<std::uint64_t> completed;
  BatchProcessor<int> processor{{.max_workers = 1}};
  if (told == 1) processor.on_progress([](const Progress&) {});
  if (told == 2) processor.on_completion([](const Completion<int>&) {});
  auto batch = processor.start(numbers(2), [&](int i) {
    support::work_for(2us);
    if (i == 1) second.wait();
  });
  for (auto& done : batch.completions()) {
    completed.push_back(done.progress.completed());
    second.open();
  }
  CHECK(!second.expired());
  CHECK(completed == std::vector<std::uint64_t>{1, 2});
}

TEST_CASE("Stream: the worker goes on while the body of the loop runs") {
  std::atomic<int> begun{0};
  bool all_begun = false;
  BatchProcessor<int> processor{{.max_workers = 1}};
  auto batch = processor.start(numbers(10), [&](int) { begun.fetch_add(1); });
  for (auto& done : batch.completions()) {
    if (done.progress.completed() == 1) all_begun = eventually([&] { return begun == 10; });
  }
  CHECK(all_begun);
}

TEST_CASE("Stream: begun late, it has what has completed before, in the order in which it did") {
  const auto order = GENERATE(Order::completion, Order::submission);
  const bool told = GENERATE(false, true);
  std::atomic<int> ended{0};
  BatchProcessor<int> processor{{.max_workers = 2, .order = order}};
  if (told) processor.on_completion([](const Completion<int>&) {});
  auto batch = processor.start(numbers(4), [&](int i) {
    if (i == 0) static_cast<void>(eventually([&] { return ended == 3; }));
    support::work_for(50us);
    ended.fetch_add(1);
    if (i == 2) support::fail(2);
  });
  const auto report = batch.wait();
  support::CompletionRecorder taken;
  for (auto& done : batch.completions()) taken.record(done);
  CHECK(wrong_stream(taken, report, order) == "");
  CHECK(taken.entries().back().index == (order == Order::completion ? 0 : 3));
  CHECK(take(batch).empty());
}

TEST_CASE("Stream: begun late, it has the short ones around a failed one, each as it ended") {
  const int n = 1000;
  support::CompletionRecorder taken;
  std::vector<std::string> texts;
  BatchProcessor<int> processor{{.max_workers = 2}};
  auto batch = processor.start(numbers(n), [](int i) {
    if (i % 25 == 24) throw std::runtime_error(std::to_string(i));
  });
  const auto report = batch.wait();
  int wrong = 0;
  for (auto& done : batch.completions()) {
    taken.record(done);
    try {
      done.outcome.value();
    } catch (const std::runtime_error& error) {
      if (error.what() != std::to_string(done.index)) ++wrong;
    }
  }
  CHECK(wrong == 0);
  CHECK(wrong_stream(taken, report) == "");
}

TEST_CASE("Stream: short items come out with another worker's, though theirs is held up") {
  const int held = 300 + GENERATE(0, 1, 2, 3);
  const int last = 999;
  Gate watched;
  std::atomic<bool> is_watched{false}, is_held{false};
  std::atomic<int> taken{0};
  bool all_but_one = false;
  BatchProcessor<int> processor{{.max_workers = 2}};
  auto batch = processor.start(numbers(last + 1), [&](int i) {
    if (!is_watched.load(std::memory_order_relaxed)) watched.wait();  // short ones are to be short
    if (i == last) static_cast<void>(eventually([&] { return is_held.load(); }));
    if (i != held) return;
    is_held = true;
    all_but_one = eventually([&] { return taken == last; });
  });
  auto stream = batch.completions();
  is_watched = true;
  watched.open();
  for (auto& done : stream) {
    if (!done.outcome.failed()) taken.fetch_add(1);
  }
  CHECK(all_but_one);
}

TEST_CASE("Stream: items that wait for a slot and for memory come out as they complete") {
  const auto order = GENERATE(Order::completion, Order::submission);
  xofn::ResourceSlots slots{{"a", 1}, {"b", 1}};
  xofn::MemoryBudget memory{3};
  support::CompletionRecorder taken;
  BatchProcessor<int> processor{
      {.max_workers = 4, .order = order, .slots = &slots, .memory = &memory}};
  processor.memory_by([](int i) { return 1 + i % 4; });  // each fourth needs more than there is
  auto batch = processor.start(numbers(200), [](int i) { return i; });
  for (auto& done : batch.completions()) taken.record(done);
  const auto report = batch.wait();
  CHECK(report.progress().succeeded == 150);
  CHECK(report.progress().failed == 50);
  CHECK(wrong_stream(taken, report, order) == "");
  CHECK(slots.in_use() + memory.in_use() == 0);
}

TEST_CASE("Stream: the loop may be left, and a later one goes on") {
  const auto order = GENERATE(Order::completion, Order::submission);
  const bool ended = GENERATE(false, true);
  const int n = 20;
  BatchProcessor<int> processor{{.max_workers = 2, .order = order}};
  auto batch = processor.start(numbers(n), [](int i) {
    if (i % 2 == 0) support::work_for(3us);
    return std::make_unique<int>(i);
  });
  std::vector<std::uint64_t> taken = take(batch, 7);
  if (ended) batch.wait();
  const auto more = take(batch, 5);
  taken.insert(taken.end(), more.begin(), more.end());
  const auto rest = take(batch);
  taken.insert(taken.end(), rest.begin(), rest.end());
  std::sort(taken.begin(), taken.end());
  std::vector<std::uint64_t> all;
  for (std::uint64_t i = 0; i < n; ++i) all.push_back(i);
  CHECK(taken == all);
  int sum = 0;
  for (const auto& value : batch.wait().values()) sum += *value;
  CHECK(sum == n * (n - 1) / 2);
}

TEST_CASE("Stream: a batch whose loop was left early is cancelled and destroyed as any other") {
  for (int round = 0; round < rounds(100); ++round) {
    BatchProcessor<int> processor{{.max_workers = 2}};
    auto batch = processor.start(numbers(50), [](int i) {
      support::work_for(1us);
      return i;
    });
    for (auto& done : batch.completions()) {
      if (done.progress.completed() == 3) break;
    }
    if (round % 2 == 0) batch.cancel();
  }
}

TEST_CASE("Stream: a result may be taken out, and then is gone from the report") {
  BatchProcessor<int> processor{{.max_workers = 2}};
  auto batch = processor.start(numbers(10), [](int i) { return std::make_unique<int>(i); });
  int sum = 0;
  for (auto& done : batch.completions()) {
    const std::unique_ptr<int> mine = std::move(done.outcome).value();
    sum += *mine;
  }
  CHECK(sum == 45);
  const auto report = batch.wait();
  CHECK(report.all_succeeded());
  for (const auto& value : report.values()) CHECK(value == nullptr);
}

TEST_CASE("Stream: results that cannot be made by default, or moved twice, come out") {
  struct Awkward {
    explicit Awkward(int i) : number(i) {}
    Awkward(Awkward&&) = default;
    Awkward& operator=(Awkward&&) = delete;
    int number;
  };
  BatchProcessor<int> processor{{.max_workers = 2}};
  auto batch = processor.start(numbers(5), [](int i) { return Awkward(i); });
  int sum = 0;
  for (auto& done : batch.completions()) sum += done.outcome.value().number;
  CHECK(sum == 10);
}

TEST_CASE("Stream: of items without a result it says how each has ended") {
  support::CompletionRecorder taken;
  BatchProcessor<int> processor{{.max_workers = 2}};
  auto batch = processor.start(numbers(30), [](int i) {
    if (i % 3 == 1) throw std::runtime_error("item " + std::to_string(i));
  });
  std::vector<std::string> texts;
  for (auto& done : batch.completions()) {
    taken.record(done);
    try {
      done.outcome.value();
    } catch (const std::runtime_error& error) {
      texts.emplace_back(error.what());
      if (texts.back() != "item " + std::to_string(done.index)) texts.emplace_back("another's");
    }
  }
  CHECK(texts.size() == 10);
  CHECK(wrong_stream(taken, batch.wait()) == "");
}

TEST_CASE("Stream: one at a time") {
  Gate go;
  BatchProcessor<int> processor{{.max_workers = 1}};
  auto batch = processor.start(numbers(3), [&](int) { go.wait(); });
  {
    auto stream = batch.completions();
    CHECK_THROWS_AS(batch.completions(), std::logic_error);
    go.open();
    auto it = stream.begin();
    CHECK(it->index == 0);
    CHECK(stream.begin()->index == 0);
    CHECK_THROWS_AS(batch.completions(), std::logic_error);
  }
  CHECK(take(batch) == std::vector<std::uint64_t>{1, 2});
}

TEST_CASE("Stream, C12: what is cancelled does not come, and the loop ends") {
  const auto order = GENERATE(Order::completion, Order::submission);
  support::CompletionRecorder taken;
  BatchProcessor<int> processor{{.max_workers = 2, .order = order}};
  auto batch = processor.start(numbers(200), [](int i) {
    support::work_for(2us);
    if (i == 5) throw xofn::TaskCancelled{};
  });
  for (auto& done : batch.completions()) {
    taken.record(done);
    if (done.progress.completed() == 10) batch.cancel();
  }
  const auto report = batch.wait();
  CHECK(report.progress().state == BatchState::cancelled);
  CHECK(wrong_stream(taken, report, order) == "");
}

TEST_CASE("Stream: a paused batch gives what has completed, and goes on when it is resumed") {
  support::CompletionRecorder taken;
  std::optional<std::thread> resumer;
  BatchProcessor<int> processor{{.max_workers = 2}};
  auto batch = processor.start(numbers(40), [](int) { support::work_for(2us); });
  for (auto& done : batch.completions()) {
    taken.record(done);
    if (done.progress.completed() != 5) continue;
    batch.pause();
    resumer.emplace([&] {
      static_cast<void>(eventually([&] { return batch.progress().running == 0; }));
      batch.resume();
    });
  }
  resumer->join();
  CHECK(wrong_stream(taken, batch.wait()) == "");
}

TEST_CASE("Stream: iterating tells callbacks that are told on the caller, and ends when all are") {
  Recorder every, latest;
  const auto here = std::this_thread::get_id();
  BatchProcessor<int> processor{{.max_workers = 2}};
  processor.on_progress(every.callback(), Delivery::every().on_caller())
      .on_progress(latest.callback(), Delivery::latest(0ns).on_caller());
  auto batch = processor.start(numbers(50), [](int i) { return i; });
  std::size_t taken = 0;
  for (auto& done : batch.completions()) taken += done.outcome.succeeded() ? 1U : 0U;
  every.close();
  latest.close();
  const auto report = batch.wait();
  CHECK(taken == 50);
  CHECK(wrong_every(every, report.progress()) == "");
  CHECK(every.only_on(here));
  CHECK(latest.only_on(here));
}

TEST_CASE("Stream: a batch that grows gives its items while it does") {
  const auto order = GENERATE(Order::completion, Order::submission);
  support::CompletionRecorder taken;
  BatchProcessor<int> processor{{.max_workers = 2, .order = order}};
  auto batch = processor.open([](int i) { return i; });
  batch.add(0);
  for (auto& done : batch.completions()) {
    taken.record(done);
    if (done.index < 50) {
      batch.add(static_cast<int>(done.index) + 1);
    } else {
      batch.close();
    }
  }
  const auto report = batch.wait();
  CHECK(report.progress().total == 51);
  CHECK(support::wrong_completions(taken, report) == "");
}

TEST_CASE("Stream: a range that is read comes out as it is") {
  const auto order = GENERATE(Order::completion, Order::submission);
  const bool told = GENERATE(false, true);
  support::CompletionRecorder completions, taken;
  BatchProcessor<int> processor{{.max_workers = 2, .order = order}};
  if (told) processor.on_completion(completions.callback());
  auto batch = processor.start(support::Generator(200, [](int i) { return i; }), [](int i) {
    if (i % 5 == 0) support::work_for(3us);
  });
  for (auto& done : batch.completions()) taken.record(done);
  CHECK(wrong_stream(taken, batch.wait(), order) == "");
}

TEST_CASE("Stream: an item carries what those that have come out weigh") {
  const auto order = GENERATE(Order::completion, Order::submission);
  std::uint64_t sum = 0;
  bool exact = true;
  BatchProcessor<int> processor{{.max_workers = 2, .order = order}};
  processor.weigh_by([](const int& i) { return i + 1; });
  auto batch = processor.start(numbers(60), [](int i) { return i; });
  for (auto& done : batch.completions()) {
    sum += done.index + 1;
    exact = exact && done.progress.weight_completed == sum && done.progress.weight_total == 1830;
  }
  CHECK(exact);
  CHECK(sum == 1830);
}

TEST_CASE("Stream, C10: from the batch's own tasks and callbacks it is refused") {
  std::atomic<Batch<void>*> handle{nullptr};
  std::vector<std::errc> errors(2);
  const auto iterate = [&] {
    static_cast<void>(eventually([&] { return handle.load() != nullptr; }));
    return refused([&] { take(*handle.load()); });
  };
  BatchProcessor<int> processor{{.max_workers = 1}};
  processor.on_progress([&](const Progress& p) {
    if (p.completed() == 1) errors[0] = iterate();
  });
  auto batch = processor.start(numbers(2), [&](int i) {
    if (i == 1) errors[1] = iterate();
  });
  handle = &batch;
  CHECK(take(batch).size() == 2);
  CHECK(errors == std::vector<std::errc>(2, std::errc::resource_deadlock_would_occur));
}

TEST_CASE("Stream, C11: a task iterates over a batch on the one thread that it runs on") {
  ThreadPool pool{1};
  const bool reads = GENERATE(false, true);
  std::vector<std::size_t> taken(3);
  BatchProcessor<int> processor{pool, {.max_workers = 2}};
  processor
      .run(numbers(3),
           [&](int i) {
             BatchProcessor<int> inner{pool, {.max_workers = 2}};
             const auto handler = [](int) {};
             auto batch =
                 reads ? inner.start(support::Generator(10, [](int k) { return k; }), handler)
                       : inner.start(numbers(10), handler);
             taken[static_cast<std::size_t>(i)] = take(batch).size();
           })
      .throw_if_failed();
  CHECK(taken == std::vector<std::size_t>(3, 10));
}

TEST_CASE("Stream: a thread of the executor iterates over a batch there") {
  ThreadPool pool{1};
  Gate done;
  std::size_t taken = 0;
  pool.execute([&] {
    BatchProcessor<int> processor{pool, {.max_workers = 2}};
    auto batch = processor.start(numbers(10), [](int) {});
    taken = take(batch).size();
    done.open();
  });
  CHECK(done.wait());
  CHECK(taken == 10);
}

TEST_CASE("Stream: another thread may wait for the batch meanwhile") {
  for (int round = 0; round < rounds(50); ++round) {
    BatchProcessor<int> processor{{.max_workers = 2}};
    Recorder told;
    processor.on_progress(told.callback(), Delivery::every().on_caller());
    auto batch = processor.start(numbers(30), [](int i) { return i; });
    std::thread waiter([&] { batch.wait(); });
    const auto taken = take(batch).size();
    waiter.join();
    REQUIRE(taken == 30);
  }
}

TEST_CASE("Stream: of a batch without items nothing comes, and one handed on still gives all") {
  BatchProcessor<int> processor{{.max_workers = 1}};
  {
    auto batch = processor.start(numbers(0), [](int) {});
    CHECK(take(batch).empty());
  }
  auto first = processor.start(numbers(3), [](int) {});
  auto batch = std::move(first);
  CHECK(take(batch).size() == 3);
}

TEST_CASE("Stream, C9: callbacks that throw take nothing from it") {
  BatchProcessor<int> processor{{.max_workers = 2}};
  processor.on_completion([](const Completion<int>&) { throw std::runtime_error("callback"); })
      .on_progress([](const Progress&) { throw std::runtime_error("callback"); });
  auto batch = processor.start(numbers(20), [](int) {});
  CHECK(take(batch).size() == 20);
  CHECK(batch.wait().callback_error().count == 40);
}
