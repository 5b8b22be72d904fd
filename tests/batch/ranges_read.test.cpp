// SPDX-License-Identifier: MIT
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <list>
#include <ranges>
#include <regex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <xofn/batch_processor.hpp>

#include "../support/gate.hpp"
#include "../support/ranges.hpp"
#include "../support/work.hpp"

using support::eventually;
using support::Gate;
using support::Generator;
using support::Indexed;
using support::numbers;
using support::Recorder;
using support::run_either_way;
using support::Runs;
using support::wrong_every;
using support::wrong_report;
using xofn::Batch;
using xofn::BatchProcessor;
using xofn::BatchState;
using xofn::Delivery;
using xofn::Progress;

// Ranges that are read while the batch runs: when their items start and are told, and what happens
// when they throw.

namespace {

const auto as_it_is = [](int i) { return i; };

template <class Error>
std::string text_of(Error error) {
  if (error == nullptr) return "no error";
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "not an exception";
  }
}

}  // namespace

TEST_CASE("C13: what has been read runs and is told while the range waits for what comes next") {
  const bool by_start = GENERATE(false, true);
  constexpr int n = 100;
  Recorder recorder;
  std::atomic<int> ran{0};
  std::atomic<int> not_run{0};
  std::atomic<int> not_told{0};
  BatchProcessor<int> processor{{.max_workers = 2}};
  processor.on_progress(recorder.callback());
  Generator range(n, as_it_is);
  range.at_next = [&](int i) {  // i + 1 items have been read; the newest is held back
    if (not_run.load() + not_told.load() > 0) return;
    if (!eventually([&] { return ran.load() == i + 1; })) not_run.fetch_add(1);
    const auto told = static_cast<std::uint64_t>(i);
    if (!eventually([&] { return recorder.told() == told; })) not_told.fetch_add(1);
  };
  const auto report = run_either_way(processor, by_start, std::move(range), [&](int) { ++ran; });
  CHECK(not_run.load() == 0);
  CHECK(not_told.load() == 0);
  CHECK(wrong_every(recorder, report.progress()) == "");
  REQUIRE(recorder.calls().size() == n);
  for (std::size_t i = 0; i + 1 < n; ++i) {
    REQUIRE_FALSE(recorder.calls()[i].progress.total_is_final);
  }
}

TEST_CASE("C2: what may have been the last item is told as soon as one more is read") {
  const bool by_start = GENERATE(false, true);
  Recorder recorder;
  std::atomic<int> ran{0};
  std::atomic<int> told{0};
  BatchProcessor<int> processor{{.max_workers = 2}};
  processor.on_progress(recorder.callback());
  Generator range(3, as_it_is);
  range.at_next = [&](int i) {
    if (i == 0 && eventually([&] { return ran.load() == 1; })) return;
    if (eventually([&] { return recorder.told() != 0; })) told.fetch_add(1);
  };
  const auto report = run_either_way(processor, by_start, std::move(range), [&](int i) {
    if (i == 1 && eventually([&] { return recorder.told() != 0; })) told.fetch_add(1);
    ran.fetch_add(1);
  });
  CHECK(told.load() == 3);  // while item 1 ran, and while items 1 and 2 had been read
  CHECK(wrong_every(recorder, report.progress()) == "");
}

TEST_CASE("Ranges: one worker alone reads and runs") {
  const bool by_start = GENERATE(false, true);
  Recorder recorder;
  BatchProcessor<int> processor{{.max_workers = 1}};
  processor.on_progress(recorder.callback());
  const auto report =
      run_either_way(processor, by_start, Generator(1000, as_it_is), [](int i) { return i; });
  CHECK(wrong_every(recorder, report.progress()) == "");
  CHECK(report.outcomes()[999].value() == 999);
}

TEST_CASE("Ranges: nothing is read by two threads at the same time") {
  const unsigned workers = GENERATE(2u, 8u);
  int reads = 0;  // plain: the sanitizer watches
  std::atomic<bool> busy{false};
  std::atomic<int> overlaps{0};
  BatchProcessor<int> processor{{.max_workers = workers}};
  Generator range(2000, [&](int i) {
    const support::Inside inside(busy);
    if (!inside.alone) overlaps.fetch_add(1);
    ++reads;
    return i;
  });
  range.at_next = [&](int) {
    const support::Inside inside(busy);
    if (!inside.alone) overlaps.fetch_add(1);
    ++reads;
  };
  processor.run(range, [](int) {});
  CHECK(overlaps.load() == 0);
  CHECK(reads == 4000);
}

TEST_CASE("Ranges: the latest state is told while N grows, and N never falls") {
  const bool on_caller = GENERATE(false, true);
  Recorder every;
  Recorder latest;
  BatchProcessor<int> processor{{.max_workers = 3}};
  processor.on_progress(every.callback());
  processor.on_progress(latest.callback(),
                        on_caller ? Delivery::latest(std::chrono::nanoseconds{0}).on_caller()
                                  : Delivery::latest(std::chrono::nanoseconds{0}));
  Generator range(300, as_it_is);
  range.at_next = [](int) { support::work_for(std::chrono::microseconds{20}); };
  const auto report =
      processor.run(range, [](int) { support::work_for(std::chrono::microseconds{20}); });
  CHECK(wrong_every(every, report.progress()) == "");
  CHECK(support::wrong_latest(latest, report.progress(), std::chrono::microseconds{100}) == "");
  CHECK(report.progress().total == 300);
}

TEST_CASE("C12: cancelling a batch whose range goes on for ever ends it") {
  Recorder recorder;
  BatchProcessor<int> processor{{.max_workers = 2}};
  processor.on_progress(recorder.callback());
  Batch<void> batch = processor.start(Generator(2'000'000'000, as_it_is),
                                      [](int) { support::work_for(std::chrono::microseconds{1}); });
  CHECK(eventually([&] { return recorder.told() >= 10; }));
  CHECK_FALSE(batch.progress().total_is_final);
  batch.cancel();
  const auto report = batch.wait();
  CHECK(report.progress().total_is_final);
  CHECK(support::wrong_telling(recorder, report.progress()) == "");
  CHECK(report.progress().total < 2'000'000'000);
}

TEST_CASE("Ranges: a range that throws when it is passed on ends; what was read runs") {
  const bool by_start = GENERATE(false, true);
  const int at = GENERATE(0, 1, 50);
  CAPTURE(by_start, at);
  Recorder recorder;
  Runs runs(100);
  BatchProcessor<int> processor{{.max_workers = 3}};
  processor.on_progress(recorder.callback());
  Generator range(100, as_it_is);
  range.at_next = [&](int i) {
    if (i == at) throw std::runtime_error("no more");
  };
  const auto report = run_either_way(processor, by_start, std::move(range), [&](int i) {
    const auto running = runs.run(i);
    return i;
  });
  CHECK(text_of(report.range_error()) == "no more");
  CHECK(report.progress().total == static_cast<std::uint64_t>(at + 1));
  CHECK(report.progress().completed() == static_cast<std::uint64_t>(at + 1));
  CHECK(report.progress().state == BatchState::finished);
  CHECK(report.failures().empty());
  CHECK_FALSE(report.all_succeeded());
  CHECK_THROWS_WITH(report.throw_if_failed(), "no more");
  CHECK(wrong_report(report, runs) == "");
  CHECK(wrong_every(recorder, report.progress()) == "");
}

TEST_CASE("Ranges: a range that throws when an element is made ends; what was read runs") {
  const bool by_start = GENERATE(false, true);
  const int at = GENERATE(0, 1, 50);
  Recorder recorder;
  BatchProcessor<int> processor{{.max_workers = 3}};
  processor.on_progress(recorder.callback());
  Generator range(100, [at](int i) {
    if (i == at) throw std::runtime_error("not to be had");
    return i;
  });
  const auto report =
      run_either_way(processor, by_start, std::move(range), [](int i) { return i; });
  CHECK(text_of(report.range_error()) == "not to be had");
  CHECK(report.progress().total == static_cast<std::uint64_t>(at));
  CHECK(report.progress().succeeded == static_cast<std::uint64_t>(at));
  CHECK_FALSE(report.all_succeeded());
  CHECK(wrong_every(recorder, report.progress()) == "");
}

TEST_CASE("Ranges: a range that throws when it is begun is a batch of nothing with that error") {
  const bool by_start = GENERATE(false, true);
  Recorder recorder;
  BatchProcessor<int> processor{{.max_workers = 3}};
  processor.on_progress(recorder.callback());
  Generator range(100, as_it_is);
  range.at_begin = [] { throw 7; };
  const auto report = run_either_way(processor, by_start, std::move(range), [](int) {});
  CHECK(text_of(report.range_error()) == "not an exception");
  CHECK(report.progress().total == 0);
  CHECK_FALSE(report.all_succeeded());
  CHECK_THROWS_AS(report.throw_if_failed(), int);
  CHECK(wrong_every(recorder, report.progress()) == "");
}

TEST_CASE("Ranges: a task that cannot be made from its element ends the range") {
  struct Even {
    explicit(false) Even(int i) : number(i) {
      if (i == 31) throw std::runtime_error("odd");
    }
    int number;
  };
  const auto all = numbers(100);
  BatchProcessor<Even> processor{{.max_workers = 2}};
  const auto report =
      processor.run(std::list<int>(all.begin(), all.end()), [](const Even& e) { return e.number; });
  CHECK(text_of(report.range_error()) == "odd");
  CHECK(report.progress().total == 31);
  CHECK(report.progress().succeeded == 31);
}

TEST_CASE("Ranges: a failure has precedence over the range's error where one must be thrown") {
  BatchProcessor<int> processor{{.max_workers = 2}};
  Generator range(100, as_it_is);
  range.at_next = [](int i) {
    if (i == 9) throw std::runtime_error("the range");
  };
  const auto report = processor.run(range, [](int i) {
    if (i == 5) throw std::runtime_error("the task");
  });
  CHECK(report.progress().total == 10);
  CHECK(report.progress().failed == 1);
  CHECK_THROWS_WITH(report.throw_if_failed(), "the task");
}

TEST_CASE("C8: an element of a sized range that throws fails its own item and no other") {
  const bool by_start = GENERATE(false, true);
  Recorder recorder;
  Runs runs(100);
  BatchProcessor<int> processor{{.max_workers = 3}};
  processor.on_progress(recorder.callback());
  Indexed range(100, [](int i) {
    if (i % 10 == 3) throw std::runtime_error("element " + std::to_string(i));
    return i;
  });
  const auto report = run_either_way(processor, by_start, range, [&](int i) {
    const auto running = runs.run(i);
    return i;
  });
  const Progress last = report.progress();
  CHECK(last.total == 100);
  CHECK(last.failed == 10);
  CHECK(last.succeeded == 90);
  CHECK(report.range_error() == nullptr);
  REQUIRE(report.failures().size() == 10);
  CHECK(report.failures()[4].index == 43);
  CHECK(report.failures()[4].what() == "element 43");
  CHECK(runs.all_ended() == 90);
  CHECK(wrong_every(recorder, last) == "");
}

TEST_CASE("C10: a range may read and cancel the batch that reads it, and run another") {
  std::atomic<Batch<void>*> handle{nullptr};
  std::atomic<std::uint64_t> other{0};
  std::atomic<bool> answered{true};
  BatchProcessor<int> processor{{.max_workers = 2}};
  Generator range(1000, as_it_is);
  range.at_next = [&](int i) {
    if (i == 0) answered = eventually([&] { return handle.load() != nullptr; });
    if (i != 10 || !answered.load()) return;
    BatchProcessor<int> inner{{.max_workers = 2}};
    other = inner.run(numbers(20), [](int) {}).progress().succeeded;
    std::atomic<bool> done{false};
    std::thread elsewhere([&] {  // would hang if a lock were held here
      static_cast<void>(handle.load()->progress());
      handle.load()->cancel();
      done.store(true);
    });
    answered = eventually([&] { return done.load(); });
    elsewhere.join();
  };
  Batch<void> batch = processor.start(std::move(range), [](int) {});
  handle.store(&batch);
  const auto report = batch.wait();
  CHECK(answered.load());
  CHECK(other.load() == 20);
  CHECK(report.progress().total_is_final);
  CHECK(report.progress().total >= 10);
  CHECK(report.progress().total <= 12);
}

#if !defined(__clang__)
TEST_CASE("Ranges: views") {
  BatchProcessor<int> processor{{.max_workers = 3}};
  const auto twice = [](int i) { return 2 * i; };
  CHECK(processor.run(std::views::iota(0, 500), twice).outcomes()[499].value() == 998);
  CHECK(processor.start(std::views::iota(0, 500), twice).wait().outcomes()[499].value() == 998);
  const auto all = numbers(500);
  CHECK(processor.run(all | std::views::transform(twice), twice).outcomes()[499].value() == 1996);
  const auto odd = [](int i) { return i % 2 == 1; };
  auto some = all | std::views::filter(odd);
  CHECK(processor.run(some, twice).outcomes()[249].value() == 998);
  CHECK(processor.run(all | std::views::reverse, twice).outcomes()[0].value() == 998);
  CHECK(processor.run(std::views::iota(0) | std::views::take(10), twice).progress().total == 10);
  BatchProcessor<std::uint64_t> wide{{.max_workers = 3}};
  const auto same = [](std::uint64_t i) { return i; };
  CHECK(wide.run(std::views::iota(std::uint64_t{0}, std::uint64_t{300}), same)
            .outcomes()[299]
            .value() == 299);
}
#endif
TEST_CASE("Ranges: matches of a regular expression, which lie in their iterator") {
  struct Matches {
    const std::string& text;
    const std::regex& word;
    [[nodiscard]] std::sregex_iterator begin() const { return {text.begin(), text.end(), word}; }
    [[nodiscard]] static std::sregex_iterator end() { return {}; }
  };
  const std::string text = "one two three four five six seven eight";
  const std::regex word("[a-z]+");
  BatchProcessor<std::smatch> processor{{.max_workers = 2}};
  Gate has_gone_on;
  const auto report = processor.run(Matches{text, word}, [&](const std::smatch& match) {
    if (match.position() == 0) {
      has_gone_on.wait();
    } else {
      has_gone_on.open();
    }
    return match.str();
  });
  CHECK_FALSE(has_gone_on.expired());
  std::string words;
  for (const std::string& value : report.values()) words += value + ' ';
  CHECK(words == text + ' ');
}
