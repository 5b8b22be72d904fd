// SPDX-License-Identifier: MIT
#include <xofn/batch/report.hpp>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <iterator>
#include <memory>
#include <numeric>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include <xofn/batch_processor.hpp>

#include "../support/gate.hpp"
#include "../support/work.hpp"

using support::numbers;
using support::run_either_way;
using support::Runs;
using support::wrong_report;
using xofn::Batch;
using xofn::BatchProcessor;
using xofn::BatchReport;
using xofn::BatchState;
using xofn::Outcome;

namespace {

/// A result that cannot be made from nothing nor copied.
class Ticket {
 public:
  explicit Ticket(int number) : number_(std::make_unique<int>(number)) {}
  [[nodiscard]] int number() const { return *number_; }

 private:
  std::unique_ptr<int> number_;
};

/// The report of ten items.
template <class Handler>
auto ten(Handler handler, bool by_start = false) {
  BatchProcessor<int> processor{{.max_workers = 3}};
  return run_either_way(processor, by_start, numbers(10), handler);
}

}  // namespace

TEST_CASE("Report: a result may be move-only and without a default") {
  const bool by_start = GENERATE(false, true);
  BatchReport<Ticket> report = ten([](int i) { return Ticket(i); }, by_start);
  for (int i = 0; i < 10; ++i) {
    CHECK(report.outcomes()[static_cast<std::size_t>(i)].value().number() == i);
  }
  const std::vector<Ticket> tickets = std::move(report).values();
  REQUIRE(tickets.size() == 10);
  CHECK(tickets[7].number() == 7);
}

TEST_CASE("Report: a result may be a bool, an optional, a pointer or an exception") {
  CHECK(ten([](int i) { return i == 4; }).outcomes()[4].value());
  CHECK_FALSE(ten([](int i) { return i == 4; }).outcomes()[5].value());
  CHECK(ten([](int i) { return std::optional<int>(i); }).outcomes()[4].value() == 4);
  CHECK(ten([](int) -> int* { return nullptr; }).outcomes()[4].value() == nullptr);
  const auto report = ten([](int) { return std::make_exception_ptr(1); });
  CHECK(report.all_succeeded());
  CHECK(report.outcomes()[4].value() != nullptr);
}

TEST_CASE("Report: a const result is a result") {
  const auto report = ten([](int i) -> const std::string { return std::to_string(i); });
  CHECK(report.outcomes()[3].value() == "3");
}

TEST_CASE("Report: values are those that succeeded, in the order of submission") {
  BatchReport<int> report = ten([](int i) {
    if (i % 4 == 1) support::fail(i);
    return i;
  });
  std::vector<int> seen;
  for (int& value : report.values()) seen.push_back(value);
  CHECK(seen == std::vector{0, 2, 3, 4, 6, 7, 8});
  const auto& view = report.values();
  CHECK(std::vector<int>(view.begin(), view.end()) == seen);
  CHECK(std::distance(view.begin(), view.end()) == 7);
  STATIC_REQUIRE(std::ranges::forward_range<decltype(report.values())>);
  STATIC_REQUIRE(std::is_same_v<decltype(*report.values().begin()), int&>);
  STATIC_REQUIRE(std::is_same_v<decltype(std::move(report).values()), std::vector<int>>);
  CHECK(std::move(report).values() == seen);
}

TEST_CASE("Report: values of a batch without one that succeeded are none") {
  BatchReport<int> failed = ten([](int i) -> int { support::fail(i); });
  CHECK(failed.values().begin() == failed.values().end());
  CHECK(std::move(failed).values().empty());
  BatchProcessor<int> processor{{.max_workers = 2}};
  auto empty = processor.run(std::vector<int>{}, [](int i) { return i; });
  CHECK(empty.values().begin() == empty.values().end());
  CHECK(empty.outcomes().size() == 0);
  CHECK(empty.outcomes().begin() == empty.outcomes().end());
  CHECK(empty.all_succeeded());
}

TEST_CASE("Report: an outcome is one of three, and its value is there only if it succeeded") {
  support::Gate gate;
  BatchProcessor<int> processor{{.max_workers = 2}};
  Batch<int> batch = processor.start(numbers(5), [&](int i) {
    gate.wait();
    if (i == 1) throw std::runtime_error("one");
    return 10 * i;
  });
  REQUIRE(support::eventually([&] { return batch.progress().running == 2; }));
  batch.cancel();
  gate.open();
  const BatchReport<int> report = batch.wait();
  REQUIRE(report.outcomes().size() == 5);
  const auto& outcomes = report.outcomes();
  CHECK(outcomes[0].succeeded());
  CHECK(outcomes[0].value() == 0);
  CHECK(outcomes[0].error() == nullptr);
  CHECK(outcomes[1].failed());
  CHECK_THROWS_WITH(outcomes[1].value(), "one");
  CHECK_THROWS_AS(std::rethrow_exception(outcomes[1].error()), std::runtime_error);
  CHECK(outcomes[4].cancelled());
  CHECK_THROWS_AS(outcomes[4].value(), std::logic_error);
  CHECK(outcomes[4].error() == nullptr);
  CHECK_FALSE(report.all_succeeded());
  CHECK(report.progress().state == BatchState::cancelled);
}

TEST_CASE("Report: outcomes without a result say as much") {
  BatchReport<void> report = ten([](int i) {
    if (i == 6) throw std::runtime_error("six");
  });
  STATIC_REQUIRE(
      std::is_same_v<std::remove_cvref_t<decltype(report.outcomes()[0])>, Outcome<void>>);
  CHECK(report.outcomes().size() == 10);
  CHECK(report.outcomes()[5].succeeded());
  CHECK_NOTHROW(report.outcomes()[5].value());
  CHECK(report.outcomes()[6].failed());
  CHECK_THROWS_WITH(report.outcomes()[6].value(), "six");
  std::size_t failed = 0;
  for (const auto& outcome : report.outcomes()) failed += outcome.failed() ? 1U : 0U;
  CHECK(failed == 1);
}

TEST_CASE("Report: of items without a result it is known which were cancelled") {
  support::Gate gate;
  BatchProcessor<int> processor{{.max_workers = 1}};
  Batch<void> batch = processor.start(numbers(4), [&](int) { gate.wait(); });
  batch.cancel();
  gate.open();
  const BatchReport<void> report = batch.wait();
  REQUIRE(report.progress().cancelled >= 3);
  CHECK(report.outcomes()[3].cancelled());
  CHECK(report.outcomes()[3].error() == nullptr);
  CHECK_THROWS_AS(report.outcomes()[3].value(), std::logic_error);
}

TEST_CASE("Report: an outcome is a cancelled item's unless it is made another's") {
  CHECK(Outcome<int>().cancelled());
  CHECK(Outcome<void>().cancelled());
}

TEST_CASE("Report: outcomes are read from the front, from the back and by index alike") {
  const BatchReport<int> report = ten([](int i) { return i; });
  const auto& outcomes = report.outcomes();
  STATIC_REQUIRE(std::ranges::random_access_range<decltype(outcomes)>);
  int next = 0;
  for (const auto& outcome : outcomes) CHECK(outcome.value() == next++);
  CHECK(next == 10);
  CHECK(outcomes.end() - outcomes.begin() == 10);
  CHECK((*(outcomes.begin() + 3)).value() == 3);
  CHECK(outcomes.begin()[9].value() == 9);
  CHECK(outcomes.begin() < outcomes.end());
  CHECK(2 + outcomes.begin() >= outcomes.begin() + 2);
}

TEST_CASE("C8: every failure is kept with its index, whatever was thrown") {
  const unsigned workers = GENERATE(1u, 3u, 8u);
  Runs runs(300);
  BatchProcessor<int> processor{{.max_workers = workers}};
  const auto report = processor.run(numbers(300), [&](int i) {
    const auto running = runs.run(i);
    if (i % 2 == 0) support::fail(i);
    return i;
  });
  CHECK(wrong_report(report, runs) == "");
  REQUIRE(report.failures().size() == 150);
  CHECK(report.failures()[3].index == 6);
  CHECK(report.failures()[3].what() == "item 6");
  CHECK_FALSE(report.failures()[2].what().empty());  // 4 was thrown
  CHECK_THROWS_AS(std::rethrow_exception(report.failures()[2].exception), int);
  CHECK_THROWS_AS(std::rethrow_exception(report.failures()[1].exception), const char*);
  const xofn::Failure text{.exception = std::make_exception_ptr(std::string("a text"))};
  CHECK(text.what() == "a text");
  CHECK(xofn::Failure{}.what() == "no exception");
}

TEST_CASE("Report: throw_if_failed throws the failure with the lowest index") {
  const auto failing = ten([](int i) {
    if (i == 8) throw std::runtime_error("eight");
    if (i == 3) {
      support::work_for(std::chrono::milliseconds{1});
      throw std::out_of_range("three");
    }
  });
  CHECK_THROWS_AS(failing.throw_if_failed(), std::out_of_range);
  CHECK_THROWS_WITH(failing.throw_if_failed(), "three");
  CHECK_NOTHROW(ten([](int) {}).throw_if_failed());
}

TEST_CASE("Report: a batch that was cancelled has no failure to throw, but has not succeeded") {
  support::Gate gate;
  BatchProcessor<int> processor{{.max_workers = 1}};
  Batch<void> batch = processor.start(numbers(3), [&](int) { gate.wait(); });
  batch.cancel();
  gate.open();
  const auto report = batch.wait();
  CHECK_NOTHROW(report.throw_if_failed());
  CHECK_FALSE(report.all_succeeded());
  CHECK(report.failures().empty());
}

TEST_CASE("Report: copies share what they report, and outlive the batch and the processor") {
  std::optional<BatchReport<std::string>> kept;
  {
    BatchProcessor<int> processor{{.max_workers = 2}};
    Batch<std::string> batch = processor.start(numbers(3), [](int i) {
      if (i == 1) support::fail(i);
      return std::string(100, static_cast<char>('a' + i));
    });
    const BatchReport<std::string> first = batch.wait();
    const BatchReport<std::string> second = batch.wait();
    CHECK(&first.outcomes()[0].value() == &second.outcomes()[0].value());
    kept = first;
  }
  CHECK(kept->outcomes()[2].value() == std::string(100, 'c'));
  CHECK(kept->failures().size() == 1);
  CHECK(kept->progress().completed() == 3);
}

TEST_CASE("Report: without an error of a callback or the range there is none") {
  const auto report = ten([](int i) { return i; });
  CHECK_FALSE(report.callback_error());
  CHECK(report.callback_error().count == 0);
  CHECK(report.callback_error().first == nullptr);
  CHECK(report.range_error() == nullptr);
}
