// SPDX-License-Identifier: MIT
#include <array>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <deque>
#include <forward_list>
#include <functional>
#include <iterator>
#include <list>
#include <map>
#include <memory>
#include <ranges>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include <xofn/batch_processor.hpp>

#include "../support/gate.hpp"
#include "../support/ranges.hpp"
#include "../support/work.hpp"

using support::Generator;
using support::Indexed;
using support::numbers;
using support::Recorder;
using support::wrong_every;
using xofn::BatchProcessor;
using xofn::BatchReport;
using xofn::Progress;

namespace {

/// Runs a range that holds 0, 1, ..., n - 1 and says what is wrong with what came of it. Each item
/// is handed to a handler as it is and by the context's index.
template <class Task = int, class Range>
std::string wrong_range(Range&& range, int n, bool by_start = false) {
  Recorder recorder;
  support::CompletionRecorder completions;
  BatchProcessor<Task> processor{{.max_workers = 3}};
  processor.on_progress(recorder.callback()).on_completion(completions.callback());
  const auto handler = [](const Task& task, xofn::TaskContext& context) {
    return static_cast<std::uint64_t>(task) == context.index() ? static_cast<int>(task) : -1;
  };
  const BatchReport<int> report = [&] {
    if constexpr (!std::is_lvalue_reference_v<Range>) {
      if (by_start) return processor.start(std::forward<Range>(range), handler).wait();
    }
    return processor.run(std::forward<Range>(range), handler);
  }();
  const Progress last = report.progress();
  if (last.completed() != static_cast<std::uint64_t>(n)) return support::describe(last);
  if (std::string wrong = wrong_every(recorder, last); !wrong.empty()) return wrong;
  if (std::string wrong = wrong_completions(completions, report); !wrong.empty()) return wrong;
  for (int i = 0; i < n; ++i) {
    if (report.outcomes()[static_cast<std::size_t>(i)].value() != i) {
      return "item " + std::to_string(i) + " has the result of another";
    }
  }
  return report.all_succeeded() ? "" : "not all succeeded";
}

std::string both_ways(auto make, int n) {
  const std::string by_run = wrong_range(make(), n);
  return by_run.empty() ? wrong_range(make(), n, true) : by_run;
}

}  // namespace

TEST_CASE("Ranges: sized ranges with random access") {
  const auto all = numbers(200);
  CHECK(both_ways([&] { return all; }, 200) == "");
  CHECK(wrong_range(all, 200) == "");
  auto writable = all;
  CHECK(wrong_range(writable, 200) == "");
  CHECK(both_ways([&] { return std::deque<int>(all.begin(), all.end()); }, 200) == "");
  CHECK(both_ways([] { return std::array{0, 1, 2, 3, 4}; }, 5) == "");
  CHECK(both_ways([&] { return std::span(all); }, 200) == "");
  const int plain[] = {0, 1, 2, 3};
  CHECK(wrong_range(plain, 4) == "");
  CHECK(both_ways([] { return Indexed(200, [](int i) { return i; }); }, 200) == "");
}

TEST_CASE("Ranges: ranges that are read one by one") {
  const auto all = numbers(200);
  CHECK(both_ways([&] { return std::list<int>(all.begin(), all.end()); }, 200) == "");
  CHECK(both_ways([&] { return std::forward_list<int>(all.begin(), all.end()); }, 200) == "");
  CHECK(both_ways([&] { return std::set<int>(all.begin(), all.end()); }, 200) == "");
  CHECK(both_ways([&] { return Generator(200, [](int i) { return i; }); }, 200) == "");
  const std::list<int> constant(all.begin(), all.end());
  CHECK(wrong_range(constant, 200) == "");
  Generator lvalue(200, [](int i) { return i; });
  CHECK(wrong_range(lvalue, 200) == "");
}

TEST_CASE("Ranges: the lines of a stream") {
  std::string text;
  for (int i = 0; i < 100; ++i) text += std::to_string(i) + ' ';
  std::istringstream in(text);
  struct Numbers {
    std::istream* in;
    [[nodiscard]] auto begin() const { return std::istream_iterator<int>(*in); }
    [[nodiscard]] auto end() const { return std::istream_iterator<int>(); }
  };
  CHECK(wrong_range(Numbers{&in}, 100) == "");
  std::istringstream again(text);
  CHECK(wrong_range(Numbers{&again}, 100, true) == "");
}

TEST_CASE("Ranges: pairs of a map") {
  std::map<std::string, int> map{{"a", 1}, {"b", 2}, {"c", 3}};
  using Entry = std::map<std::string, int>::value_type;
  BatchProcessor<Entry> processor{{.max_workers = 2}};
  const auto handler = [](const Entry& entry) {
    return entry.first + std::to_string(entry.second);
  };
  CHECK(processor.run(map, handler).values().begin() != processor.run(map, handler).values().end());
  const BatchReport<std::string> report = processor.start(std::move(map), handler).wait();
  CHECK(report.outcomes()[0].value() == "a1");
  CHECK(report.outcomes()[2].value() == "c3");
}

TEST_CASE("Ranges: a vector of bools, whose elements are proxies") {
  const bool by_start = GENERATE(false, true);
  std::vector<bool> bits(1000);
  for (std::size_t i = 0; i < bits.size(); i += 3) bits[i] = true;
  BatchProcessor<bool> processor{{.max_workers = 3}};
  const auto report =
      support::run_either_way(processor, by_start, bits, [](bool bit) { return bit; });
  REQUIRE(report.outcomes().size() == 1000);
  for (std::size_t i = 0; i < 1000; ++i) REQUIRE(report.outcomes()[i].value() == (i % 3 == 0));
}

TEST_CASE("Ranges: an empty one ends at once with 0/0") {
  CHECK(both_ways([] { return std::vector<int>{}; }, 0) == "");
  CHECK(both_ways([] { return std::list<int>{}; }, 0) == "");
  CHECK(both_ways([] { return std::array<int, 0>{}; }, 0) == "");
  CHECK(both_ways([] { return Generator(0, [](int i) { return i; }); }, 0) == "");
}

TEST_CASE("Ranges: one of a single item") {
  CHECK(both_ways([] { return std::vector{0}; }, 1) == "");
  CHECK(both_ways([] { return std::list{0}; }, 1) == "");
  CHECK(both_ways([] { return Generator(1, [](int i) { return i; }); }, 1) == "");
}

TEST_CASE("Ranges: move-only tasks, used in place, taken from a list and made on the way") {
  using Owned = std::unique_ptr<int>;
  BatchProcessor<Owned> processor{{.max_workers = 3}};
  const auto handler = [](const Owned& task) { return *task; };
  const auto sum = [](const BatchReport<int>& report) {
    int total = 0;
    for (const auto& outcome : report.outcomes()) total += outcome.value();
    return total;
  };
  std::vector<Owned> vector;
  std::list<Owned> list;
  for (int i = 0; i < 100; ++i) {
    vector.push_back(std::make_unique<int>(i));
    list.push_back(std::make_unique<int>(i));
  }
  const int* first = vector.front().get();
  CHECK(sum(processor.run(vector, handler)) == 4950);
  CHECK(vector.front().get() == first);
  CHECK(sum(processor.start(std::move(vector), handler).wait()) == 4950);
  CHECK(sum(processor.start(std::move(list), handler).wait()) == 4950);
  const auto make = [](int i) { return std::make_unique<int>(i); };
  CHECK(sum(processor.run(Generator(100, make), handler)) == 4950);
  CHECK(sum(processor.start(Generator(100, make), handler).wait()) == 4950);
}

TEST_CASE("Ranges: move-only tasks that are callable") {
  struct Task {
    std::unique_ptr<int> number;
    int operator()() const { return *number; }
  };
  BatchProcessor<Task> processor{{.max_workers = 2}};
  std::vector<Task> tasks;
  for (int i = 0; i < 10; ++i) tasks.push_back({std::make_unique<int>(i)});
  CHECK(processor.run(tasks).outcomes()[7].value() == 7);
  CHECK(processor.start(std::move(tasks)).wait().outcomes()[7].value() == 7);
  Generator generator(10, [](int i) { return Task{std::make_unique<int>(i)}; });
  CHECK(processor.run(generator).outcomes()[7].value() == 7);
}

TEST_CASE("Ranges: an element made on the way lives until it has been told, and is freed after") {
  const bool by_start = GENERATE(false, true);
  struct Tracked {
    explicit Tracked(int i, std::atomic<int>& count) : number(i), alive(&count) { ++*alive; }
    Tracked(Tracked&& other) noexcept : number(other.number), alive(other.alive) { ++*alive; }
    ~Tracked() {
      number = -1;
      --*alive;
    }
    Tracked& operator=(Tracked&&) = delete;
    int number;
    std::atomic<int>* alive;
  };
  std::atomic<int> alive{0};
  std::atomic<int> dead{0};
  {
    BatchProcessor<Tracked> processor{{.max_workers = 3}};
    processor.on_completion([&](const xofn::Completion<Tracked>& c) {
      if (static_cast<std::uint64_t>(c.task.number) != c.index) dead.fetch_add(1);
    });
    const auto report = support::run_either_way(
        processor, by_start, Generator(500, [&](int i) { return Tracked(i, alive); }),
        [&](const Tracked& task) {
          if (task.number < 0) dead.fetch_add(1);
        });
    CHECK(report.progress().succeeded == 500);
  }
  CHECK(dead.load() == 0);
  CHECK(alive.load() == 0);
}

TEST_CASE("Ranges: an item whose element is not to be had has failed, and is told to nobody") {
  const auto all = numbers(10);
  const Indexed tasks(10, [&](int i) -> const int& {
    if (i % 4 == 3) support::fail(i);
    return all[static_cast<std::size_t>(i)];
  });
  BatchProcessor<int> processor{{.max_workers = 2}};
  int completions = 0;
  Recorder told;
  processor.on_completion([&](const auto&) { ++completions; }).on_progress(told.callback());
  const auto report = processor.run(tasks, [](int) {});
  CHECK(report.progress().failed == 2);
  CHECK(completions == 8);
  CHECK(wrong_every(told, report.progress()) == "");
}

TEST_CASE("Ranges: a sized one is used in place") {
  std::vector<std::string> words{"a", "b", "c"};
  std::atomic<int> elsewhere{0};
  BatchProcessor<std::string> processor{{.max_workers = 2}};
  processor.on_completion([&](const xofn::Completion<std::string>& c) {
    if (&c.task != &words[c.index]) elsewhere.fetch_add(1);
  });
  processor.run(words, [&](const std::string& word, xofn::TaskContext& context) {
    if (&word != &words[context.index()]) elsewhere.fetch_add(1);
  });
  CHECK(elsewhere.load() == 0);
}

TEST_CASE("Ranges: N is final from the start where the range knows its size") {
  Recorder recorder;
  BatchProcessor<int> processor{{.max_workers = 2}};
  processor.on_progress(recorder.callback());
  processor.run(numbers(100), [](int) {});
  REQUIRE(recorder.calls().size() == 100);
  for (const auto& call : recorder.calls()) {
    REQUIRE(call.progress.total == 100);
    REQUIRE(call.progress.total_is_final);
  }
}
