// SPDX-License-Identifier: MIT
#include <xofn/testing/contract_checker.hpp>

#include <atomic>
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstdint>
#include <functional>
#include <limits>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include <xofn/batch_processor.hpp>
#include <xofn/progress_tracker.hpp>

#include "../support/gate.hpp"
#include "../support/ranges.hpp"
#include "../support/shaky_sync.hpp"

using support::eventually;
using support::Gate;
using support::in_parallel;
using support::rounds;
using xofn::Breach;
using xofn::breaches;
using xofn::ContractChecker;
using xofn::Delivery;
using xofn::Progress;
using xofn::Violation;

namespace {

using Counts = std::vector<std::uint64_t>;

/// How often each breach was found, in the order of `Breach`.
template <class Checker>
Counts counts(const Checker& checker) {
  Counts all;
  for (const Breach breach : breaches) all.push_back(checker.count(breach));
  return all;
}

const Counts none(breaches.size());

/// `times` of one breach and none of the others.
Counts only(Breach breach, std::uint64_t times) {
  Counts all = none;
  all[static_cast<std::size_t>(breach)] = times;
  return all;
}

/// Has one thread tell these X of `total`, and then the end.
void tell(ContractChecker& checker, std::uint64_t total, const std::vector<std::uint64_t>& xs) {
  for (const std::uint64_t x : xs) checker(x, total);
  checker.ended();
}

std::string in_words(const Violation& violation) {
  std::ostringstream text;
  text << violation;
  return text.str();
}

}  // namespace

TEST_CASE("Checker: every step from 1 or from 0 to N breaks nothing") {
  const bool from_zero = GENERATE(false, true);
  ContractChecker checker;
  if (from_zero) checker(0, 3);
  tell(checker, 3, {1, 2, 3});
  CHECK(checker.ok());
  CHECK(counts(checker) == none);
  CHECK(checker.violations().empty());
  CHECK(checker.calls() == (from_zero ? 4 : 3));
}

TEST_CASE("Checker: a step that is skipped is lost") {
  ContractChecker checker;
  tell(checker, 5, {1, 3, 5});
  CHECK(counts(checker) == only(Breach::lost, 2));
  CHECK(checker.violations() == std::vector<Violation>{{Breach::lost, 1, 3, 5},  //
                                                       {Breach::lost, 3, 5, 5}});
}

TEST_CASE("Checker: the first steps can be lost too") {
  ContractChecker checker;
  tell(checker, 3, {2, 3});
  CHECK(counts(checker) == only(Breach::lost, 1));
}

TEST_CASE("Checker: the same step again is repeated, also 0 and N") {
  const std::uint64_t x = GENERATE(as<std::uint64_t>{}, 0, 1, 2, 3);
  ContractChecker checker;
  for (std::uint64_t step = 0; step <= 3; ++step) {
    checker(step, 3);
    if (step == x) checker(step, 3);
  }
  checker.ended();
  CHECK(counts(checker) == only(Breach::repeated, 1));
  CHECK(checker.violations() == std::vector<Violation>{{Breach::repeated, x, x, 3}});
}

TEST_CASE("Checker: an X that falls runs backward") {
  ContractChecker checker;
  tell(checker, 3, {1, 2, 1, 2, 3});
  CHECK(counts(checker) == only(Breach::backward, 1));
  CHECK(checker.violations() == std::vector<Violation>{{Breach::backward, 2, 1, 3}});
}

TEST_CASE("Checker: two steps the wrong way round are seen as somebody who looks sees them") {
  ContractChecker checker;
  tell(checker, 4, {2, 1, 3, 4});
  CHECK(checker.count(Breach::lost) == 2);  // 2 after nothing, 3 after 1
  CHECK(checker.count(Breach::backward) == 1);
  CHECK(checker.count(Breach::repeated) == 0);
}

TEST_CASE("Checker: X above N") {
  ContractChecker checker;
  for (std::uint64_t x = 1; x <= 3; ++x) checker(x, 2);
  checker.ended_at(3);
  CHECK(counts(checker) == only(Breach::beyond_total, 1));
  CHECK(checker.violations() == std::vector<Violation>{{Breach::beyond_total, 2, 3, 2}});
}

TEST_CASE("Checker: a negative X is a huge one") {
  ContractChecker checker;
  checker(-1, 2);
  CHECK(checker.count(Breach::beyond_total) == 1);
}

TEST_CASE("Checker: an end short of N/N, and one after which X has fallen") {
  const bool falls = GENERATE(false, true);
  ContractChecker checker;
  tell(checker, 3,
       falls ? std::vector<std::uint64_t>{1, 2, 3, 2} : std::vector<std::uint64_t>{1, 2});
  CHECK(checker.count(Breach::never_complete) == 1);
  CHECK(checker.count(Breach::backward) == (falls ? 1 : 0));
  CHECK(checker.violations().back() == Violation{Breach::never_complete, 3, 2, 3});
}

TEST_CASE("Checker: silence is no N/N, unless the batch is known to have come to nothing") {
  ContractChecker checker;
  checker.ended();
  CHECK(counts(checker) == only(Breach::never_complete, 1));
  ContractChecker empty;
  empty.ended_at(0);
  CHECK(empty.ok());
  ContractChecker silent;
  silent.ended_at(1);
  CHECK(counts(silent) == only(Breach::never_complete, 1));
}

TEST_CASE("Checker: 0/0 is N/N, once") {
  ContractChecker checker;
  tell(checker, 0, {0});
  CHECK(checker.ok());
  ContractChecker twice;
  tell(twice, 0, {0, 0});
  CHECK(counts(twice) == only(Breach::repeated, 1));
}

TEST_CASE("Checker: the largest numbers there are") {
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  ContractChecker checker{Delivery::latest()};
  tell(checker, most, {0, most - 1, most});
  CHECK(checker.ok());
  ContractChecker repeated;
  tell(repeated, most, {most, most, most - 1});
  CHECK(repeated.count(Breach::lost) == 1);
  CHECK(repeated.count(Breach::repeated) == 1);
  CHECK(repeated.count(Breach::backward) == 1);
  CHECK(repeated.count(Breach::never_complete) == 1);
}

TEST_CASE("Checker: a batch that was cancelled ends where it came to") {
  ContractChecker checker;
  checker(1, 5);
  checker(2, 5);
  checker.ended_at(2);
  CHECK(checker.ok());
  ContractChecker wrong;
  wrong(1, 5);
  wrong.ended_at(2);
  CHECK(counts(wrong) == only(Breach::never_complete, 1));
}

TEST_CASE("Checker: N may grow, and is judged with the X that it came with") {
  ContractChecker checker;
  for (std::uint64_t x = 1; x <= 10; ++x) checker(x, x + (x < 10 ? 1 : 0));
  checker.ended();
  CHECK(checker.ok());
  ContractChecker unfinished;  // as N grew with the last step
  unfinished(1, 1);
  unfinished(2, 3);
  unfinished.ended();
  CHECK(counts(unfinished) == only(Breach::never_complete, 1));
}

TEST_CASE("Checker: the latest state may skip and repeat, but not fall nor stop short") {
  ContractChecker checker{Delivery::latest()};
  tell(checker, 9, {0, 0, 4, 4, 9});
  CHECK(checker.ok());
  ContractChecker wrong{Delivery::latest()};
  tell(wrong, 9, {0, 4, 3, 10, 8});
  CHECK(counts(wrong) == Counts{0, 0, 2, 0, 1, 1, 0});
}

TEST_CASE("Checker: a call after the end is late, and no more") {
  ContractChecker checker;
  tell(checker, 2, {1, 2});
  CHECK(checker.ok());
  checker(2, 2);
  checker(7, 2);
  CHECK(counts(checker) == only(Breach::late, 2));
  CHECK(checker.violations().front() == Violation{Breach::late, 2, 2, 2});
  CHECK(checker.calls() == 2);
  checker.ended();  // said once and for all
  CHECK(counts(checker) == only(Breach::late, 2));
}

TEST_CASE("Checker: a call that has not returned at the end is late") {
  ContractChecker checker;
  Gate gate;
  std::thread reporter([&] { checker.around([&](int, int) { gate.wait(); })(1, 1); });
  CHECK(eventually([&] { return checker.calls() == 1; }));
  checker.ended();
  gate.open();
  reporter.join();
  CHECK(counts(checker) == only(Breach::late, 1));
}

TEST_CASE("Checker: two calls at once overlap, however they are made") {
  ContractChecker checker;
  Gate gate;
  auto slow = checker.around([&](int x, int) {
    if (x == 1) gate.wait();
  });
  std::thread reporter([&] { slow(1, 3); });
  CHECK(eventually([&] { return checker.calls() == 1; }));
  SECTION("around the same callback") { slow(2, 3); }
  SECTION("without a callback") { checker(2, 3); }
  gate.open();
  reporter.join();
  checker(3, 3);
  checker.ended();
  CHECK(counts(checker) == only(Breach::overlapping, 1));
  CHECK(checker.violations() == std::vector<Violation>{{Breach::overlapping, 1, 2, 3}});
}

TEST_CASE("Checker: a call from within a call overlaps it") {
  ContractChecker checker;
  checker.around([&](int, int) { checker(2, 2); })(1, 2);
  checker.ended();
  CHECK(counts(checker) == only(Breach::overlapping, 1));
}

TEST_CASE("Checker: a callback that throws has returned") {
  ContractChecker checker;
  auto throws = checker.around([](int, int) { throw std::runtime_error("callback"); });
  CHECK_THROWS_AS(throws(1, 2), std::runtime_error);
  CHECK_THROWS_AS(throws(2, 2), std::runtime_error);
  checker.ended();
  CHECK(checker.ok());
}

TEST_CASE("Checker: violations are counted without end, and the first four of a kind kept") {
  ContractChecker checker;
  for (int i = 0; i < 1000; ++i) checker(7, 3);
  CHECK(checker.count(Breach::beyond_total) == 1000);
  CHECK(checker.count(Breach::repeated) == 999);
  CHECK(checker.count(Breach::lost) == 1);
  CHECK(checker.violations().size() == 4 + 4 + 1);
}

TEST_CASE("Checker: the summary is one line, with an example of each") {
  ContractChecker checker;
  CHECK(checker.summary() == "0 calls: nothing broken");
  checker(1, 5);
  CHECK(checker.summary() == "1 call: nothing broken");
  for (const int x : {3, 5, 4, 4, 6}) checker(x, 5);
  checker.ended();
  checker(6, 5);
  CHECK(checker.summary() ==
        "6 calls: 3 lost (3/5 after 1, ...), 1 repeated (4/5 after 4), 1 backward (4/5 after 5), "
        "1 X > N (6/5), never N/N (6/5 at the end instead of 5), 1 late (6/5 after the end)");
  std::ostringstream text;
  text << checker;
  CHECK(text.str() == checker.summary());
}

TEST_CASE("Checker: every breach has its words") {
  CHECK(in_words({Breach::overlapping, 1, 2, 3}) == "2/3 during another call");
  CHECK(in_words({Breach::never_complete, 0, 0, 0}) == "no call");
  for (const Breach breach : breaches) CHECK(to_string(breach) != std::string("unknown"));
  CHECK(to_string(static_cast<Breach>(99)) == std::string("unknown"));
  CHECK(in_words({static_cast<Breach>(99), 1, 2, 3}) == "2/3");
  for (std::size_t i = 0; i < breaches.size(); ++i)
    CHECK(static_cast<std::size_t>(breaches[i]) == i);
}

TEST_CASE("Checker: it fits where callbacks of either kind are stored") {
  ContractChecker checker;
  const std::function<void(int, int)> two_numbers = std::ref(checker);
  two_numbers(1, 3);
  const std::function<void(const Progress&)> progress = std::ref(checker);
  progress({.total = 3, .succeeded = 1, .failed = 1});
  int shown = 0;
  const std::function<void(int, int)> with_callback =
      checker.around([&](int x, int n) { shown = 10 * x + n; });
  with_callback(3, 3);
  checker.ended();
  CHECK(checker.ok());
  CHECK(shown == 33);
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<ContractChecker>);
}

TEMPLATE_TEST_CASE("Checker: calls that a lock keeps apart are never accused, from many threads",
                   "", xofn::StdSync, support::ShakySync) {
  const auto total = static_cast<std::uint64_t>(rounds(20'000));
  xofn::BasicContractChecker<TestType> checker;
  std::mutex mutex;
  std::uint64_t completed = 0;
  in_parallel(4, [&](int) {
    for (std::uint64_t i = 0; i < total / 4; ++i) {
      const std::lock_guard lock(mutex);
      checker(++completed, total / 4 * 4);
    }
  });
  checker.ended();
  CHECK(checker.summary() == std::to_string(total / 4 * 4) + " calls: nothing broken");
}

TEMPLATE_TEST_CASE("Checker: threads that count alike and tell when they like are accused", "",
                   xofn::StdSync, support::ShakySync) {
  const auto total = static_cast<std::uint64_t>(rounds(100'000)) / 4 * 4;
  xofn::BasicContractChecker<TestType> checker;
  std::atomic<std::uint64_t> completed{0};
  std::atomic<bool> over{false};
  std::thread reader([&] {  // whatever is asked meanwhile
    while (!over.load()) {
      static_cast<void>(checker.summary());
      for (const Violation& v : checker.violations()) static_cast<void>(in_words(v));
    }
  });
  in_parallel(4, [&](int) {
    for (std::uint64_t i = 0; i < total / 4; ++i) {
      const std::uint64_t x = ++completed;
      if (i % 64 == 0) std::this_thread::yield();
      checker(x, total);
    }
  });
  over.store(true);
  reader.join();
  checker.ended();
  INFO(checker.summary());
  CHECK(checker.calls() == total);
  CHECK(checker.count(Breach::backward) > 0);
  CHECK(checker.count(Breach::lost) > 0);
  CHECK(checker.count(Breach::repeated) == 0);
  CHECK(checker.count(Breach::beyond_total) == 0);
  CHECK(checker.count(Breach::late) == 0);
  CHECK_FALSE(checker.violations().empty());
}

TEST_CASE("Checker: threads that lose counts are found never to come to N/N") {
  constexpr std::uint64_t total = 1000;
  ContractChecker checker;
  std::mutex mutex;
  std::uint64_t completed = 0;
  in_parallel(4, [&](int number) {
    for (std::uint64_t i = 0; i < total / 4; ++i) {
      const std::lock_guard lock(mutex);
      if (number == 0 && i == 100) continue;
      checker(++completed, total);
    }
  });
  checker.ended();
  CHECK(counts(checker) == only(Breach::never_complete, 1));
}

TEST_CASE("Checker: this library's batches and trackers break nothing, also cancelled ones") {
  const auto delivery = GENERATE(Delivery::every(), Delivery::latest(std::chrono::nanoseconds{0}),
                                 Delivery::every().on_caller());
  const int n = GENERATE(0, 1, 500);
  const bool cancels = GENERATE(false, true);
  ContractChecker of_batch{delivery};
  ContractChecker of_tracker{delivery};
  xofn::BatchProcessor<int> processor{{.max_workers = 3}};
  processor.on_progress(of_batch.around([](const Progress&) {}), delivery);
  auto batch = processor.start(support::numbers(n), [](int) {});
  if (cancels) batch.cancel();
  of_batch.ended_at(batch.wait().progress().completed());

  xofn::ProgressTracker tracker{static_cast<std::uint64_t>(n)};
  tracker.on_progress(std::ref(of_tracker), delivery);
  in_parallel(2, [&](int) { tracker.succeed(static_cast<std::uint64_t>(n / 3)); });
  if (cancels) {
    tracker.cancel_rest();
  } else {
    tracker.fail(static_cast<std::uint64_t>(n - n / 3 * 2));
  }
  tracker.wait();
  of_tracker.ended_at(tracker.progress().completed());
  CHECK(of_batch.summary().ends_with("nothing broken"));
  CHECK(of_tracker.summary().ends_with("nothing broken"));
}
