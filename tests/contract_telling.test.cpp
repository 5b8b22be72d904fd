// SPDX-License-Identifier: MIT
#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <xofn/batch_processor.hpp>
#include <xofn/testing/contract_checker.hpp>

#include "counting/spy_sync.hpp"
#include "support/gate.hpp"
#include "support/oracle.hpp"
#include "support/work.hpp"

using support::eventually;
using support::numbers;
using support::Recorder;
using support::rounds;
using support::run_either_way;
using support::wrong_every;
using support::wrong_latest;
using xofn::Batch;
using xofn::BatchProcessor;
using xofn::Completion;
using xofn::ContractChecker;
using xofn::Delivery;
using xofn::Progress;
using xofn::ThreadPool;
using namespace std::chrono_literals;

// C3, latest. C4, serial. C5, visible. C6, the last word.

namespace {

const auto nothing = [](int) {};

}  // namespace

TEST_CASE(
    "C3: the latest state is told from the start to the end, never twice and never too often") {
  const unsigned workers = GENERATE(1u, 2u, 8u, 64u);
  const auto interval = GENERATE(0us, 300us, 4'000us);
  const bool on_caller = GENERATE(false, true);
  const bool by_start = GENERATE(false, true);
  CAPTURE(workers, interval.count(), on_caller, by_start);
  auto delivery = Delivery::latest(interval);
  if (on_caller) delivery = delivery.on_caller();
  Recorder recorder;
  BatchProcessor<int> processor{{.max_workers = workers}};
  processor.on_progress(recorder.callback(), delivery);
  const auto report = run_either_way(processor, by_start, numbers(300), [](int i) {
    support::work_for(20us);
    if (i % 3 == 0) support::fail(i);
  });
  recorder.close();
  CHECK(wrong_latest(recorder, report.progress(), delivery.interval()) == "");
}

TEST_CASE("C3: a batch of nothing and one that is over at once are told from start to end") {
  const int n = GENERATE(0, 1, 2);
  const bool on_caller = GENERATE(false, true);
  auto delivery = Delivery::latest(std::chrono::hours{1});
  if (on_caller) delivery = delivery.on_caller();
  for (int round = 0; round < rounds(200); ++round) {
    Recorder recorder;
    BatchProcessor<int> processor{{.max_workers = 2}};
    processor.on_progress(recorder.callback(), delivery);
    const auto report = processor.run(numbers(n), nothing);
    REQUIRE(wrong_latest(recorder, report.progress(), std::chrono::hours{0}) == "");
    REQUIRE(recorder.calls().size() == (n == 0 ? 1 : 2));
  }
}

TEST_CASE("C3: a change is told though nothing completes afterwards") {
  const unsigned workers = GENERATE(1u, 2u, 8u);
  const bool long_items = GENERATE(false, true);
  const bool by_start = GENERATE(false, true);
  CAPTURE(workers, long_items, by_start);
  Recorder recorder;
  std::atomic<int> untold{0};
  BatchProcessor<int> processor{{.max_workers = workers}};
  processor.on_progress(recorder.callback(), Delivery::latest(1ms));
  const auto report = run_either_way(processor, by_start, numbers(10), [&](int i) {
    if (long_items) support::work_for(50us);
    if (i < 9) return;
    if (!eventually([&] { return recorder.told() == 9; })) untold.fetch_add(1);
  });
  CHECK(untold.load() == 0);
  CHECK(wrong_latest(recorder, report.progress(), 1ms) == "");
}

TEST_CASE("C3: on the caller too a change is told though nothing completes afterwards") {
  const auto delivery = GENERATE(Delivery::latest(1ms).on_caller(), Delivery::every().on_caller());
  const bool by_start = GENERATE(false, true);
  Recorder recorder;
  std::atomic<int> untold{0};
  BatchProcessor<int> processor{{.max_workers = 2}};
  processor.on_progress(recorder.callback(), delivery);
  const auto report = run_either_way(processor, by_start, numbers(10), [&](int i) {
    support::work_for(50us);
    if (i < 9) return;
    if (!eventually([&] { return recorder.told() == 9; })) untold.fetch_add(1);
  });
  CHECK(untold.load() == 0);
  CHECK((delivery.is_every() ? wrong_every(recorder, report.progress())
                             : wrong_latest(recorder, report.progress(), 1ms)) == "");
}

TEST_CASE("C3: of two threads that wait one goes on telling while the other works") {
  using support::SpySync;
  support::Gate telling;
  Recorder recorder;
  std::atomic<int> untold{0};
  xofn::BasicThreadPool<SpySync> pool{1};
  BatchProcessor<int, SpySync> inner{pool, {.max_workers = 1}};
  inner.on_progress(
      [&](const Progress& p) {
        recorder.record(p);
        if (recorder.made() > 1) return;
        const int asleep = SpySync::asleep.load();
        telling.open();
        // Until the second thread sleeps, having left the telling to this one.
        if (!eventually([&] { return SpySync::asleep.load() > asleep; })) untold.fetch_add(1);
      },
      Delivery::latest(1ms).on_caller());
  std::optional<Batch<void, SpySync>> batch;
  BatchProcessor<int, SpySync> outer{pool, {.max_workers = 1}};
  const auto working = outer.start(numbers(1), [&](int) {
    batch = inner.start(numbers(2), [&](int i) {
      if (i == 0) return support::work_for(50us);
      if (!eventually([&] { return recorder.told() == 1; })) untold.fetch_add(1);
    });
    batch->wait();
  });
  telling.wait();
  const auto report = batch->wait();
  CHECK(untold.load() == 0);
  CHECK(wrong_latest(recorder, report.progress(), 1ms) == "");
}

TEST_CASE("C3: the final state is told at once, however long the interval") {
  const bool on_caller = GENERATE(false, true);
  auto delivery = Delivery::latest(std::chrono::hours{100'000});
  if (on_caller) delivery = delivery.on_caller();
  Recorder recorder;
  BatchProcessor<int> processor{{.max_workers = 2}};
  processor.on_progress(recorder.callback(), delivery);
  const auto report = processor.run(numbers(100), nothing);
  CHECK(wrong_latest(recorder, report.progress(), std::chrono::hours{0}) == "");
  CHECK(recorder.calls().size() == 2);
}

TEST_CASE("C3: the longest interval there is does not overflow") {
  Recorder recorder;
  BatchProcessor<int> processor{{.max_workers = 2}};
  processor.on_progress(recorder.callback(), Delivery::latest(std::chrono::nanoseconds::max()));
  processor.run(numbers(100), nothing);
  CHECK(recorder.calls().size() == 2);
}

TEST_CASE(
    "C3: a batch's final state is told at once, however slow a callback is that is told every "
    "step") {
  const bool on_caller = GENERATE(false, true);
  const bool cancels = GENERATE(false, true);
  const auto delivery = Delivery::latest(std::chrono::hours{1000});
  support::Gate in_step;
  support::Gate go;
  support::Gate told;
  BatchProcessor<int> processor{{.max_workers = 2}};
  processor.on_progress([&](const Progress& p) {
    if (p.completed() > 1) return;
    in_step.open();
    told.wait();
  });
  processor.on_progress(
      [&](const Progress& p) {
        if (support::is_final(p)) told.open();
      },
      on_caller ? delivery.on_caller() : delivery);
  Batch<void> batch = processor.start(support::numbers(cancels ? 100 : 2), [&](int i) {
    if (i != 0) go.wait();
  });
  in_step.wait();
  if (cancels) batch.cancel();
  go.open();
  (void)batch.wait();
  CHECK_FALSE(told.expired());
}

TEST_CASE("C3: no worker waits for a slow callback that is told the latest state") {
  Recorder recorder;
  std::atomic<int> ran{0};
  std::atomic<bool> went_on{false};
  BatchProcessor<int> processor{{.max_workers = 1}};
  processor.on_progress(
      [&](const Progress& p) {
        recorder.record(p);
        if (p.completed() == 0) went_on = eventually([&] { return ran.load() == 500; });
      },
      Delivery::latest(1h));  // the last item may have run and not settled
  const auto report = processor.run(numbers(500), [&](int) { ran.fetch_add(1); });
  CHECK(went_on.load());
  CHECK(wrong_latest(recorder, report.progress(), 1h) == "");
  CHECK(recorder.calls().size() == 2);
}

TEST_CASE("C4: callbacks of equal delivery are told one at a time in the order of registration") {
  const auto delivery =
      GENERATE(Delivery::every(), Delivery::latest(200us), Delivery::every().on_caller(),
               Delivery::latest(200us).on_caller());
  CAPTURE(delivery.is_every(), delivery.is_on_caller());
  std::string order;           // guarded by the promise alone
  std::vector<Progress> told;  // likewise
  BatchProcessor<int> processor{{.max_workers = 3}};
  for (const char name : {'a', 'b', 'c'}) {
    processor.on_progress(
        [&order, &told, name](const Progress& p) {
          order += name;
          told.push_back(p);
        },
        delivery);
  }
  processor.run(numbers(300), [](int) { support::work_for(5us); });
  REQUIRE(order.size() >= 6);
  REQUIRE(order.size() % 3 == 0);
  for (std::size_t i = 0; i < order.size(); i += 3) {
    REQUIRE(order.substr(i, 3) == "abc");
    REQUIRE(told[i] == told[i + 1]);
    REQUIRE(told[i] == told[i + 2]);
  }
}

TEST_CASE("C4: a completion and its step are one stream, the completion first, with one snapshot") {
  const unsigned workers = GENERATE(1u, 3u, 8u);
  struct Entry {
    char kind;
    Progress progress;
  };
  std::vector<Entry> stream;  // guarded by the promise alone
  BatchProcessor<int> processor{{.max_workers = workers}};
  processor.on_progress([&](const Progress& p) {
             stream.push_back({'p', p});
           })
      .on_completion([&](const Completion<int>& c) {
        stream.push_back({'c', c.progress});
      })
      .on_completion([&](const Completion<int>& c) {
        stream.push_back({'d', c.progress});
      });
  processor.run(numbers(1000), [](int i) {
    if (i % 4 == 0) support::fail(i);
  });
  REQUIRE(stream.size() == 3000);
  for (std::size_t k = 0; k < 1000; ++k) {
    const std::string kinds{stream[3 * k].kind, stream[3 * k + 1].kind, stream[3 * k + 2].kind};
    REQUIRE(kinds == "cdp");
    REQUIRE(stream[3 * k].progress == stream[3 * k + 2].progress);
    REQUIRE(stream[3 * k + 1].progress == stream[3 * k + 2].progress);
    REQUIRE(stream[3 * k].progress.completed() == k + 1);
  }
}

TEST_CASE("C4: a completion says which item it was, with its task, its error and its time") {
  const bool by_start = GENERATE(false, true);
  int wrong = 0;
  int failed = 0;
  BatchProcessor<std::string> processor{{.max_workers = 3}};
  processor.on_completion([&](const Completion<std::string>& c) {
    const bool fails = c.index % 2 == 1;
    wrong += c.task == "task " + std::to_string(c.index) ? 0 : 1;
    wrong += c.succeeded() == fails ? 1 : 0;
    wrong += c.attempts == 1 ? 0 : 1;
    wrong += c.duration < 1ms ? 1 : 0;
    try {
      if (c.error) std::rethrow_exception(c.error);
    } catch (const std::runtime_error& error) {
      failed += error.what() == c.task ? 1 : 0;
    }
  });
  std::vector<std::string> tasks;
  for (int i = 0; i < 20; ++i) tasks.push_back("task " + std::to_string(i));
  run_either_way(processor, by_start, tasks,
                 [](const std::string& task, xofn::TaskContext& context) {
                   support::work_for(1ms);
                   if (context.index() % 2 == 1) throw std::runtime_error(task);
                 });
  CHECK(wrong == 0);
  CHECK(failed == 10);
}

TEST_CASE("C4: a long item is told with its own time, also behind items of nothing") {
  constexpr int n = 1000;
  constexpr int position = 700;
  std::chrono::nanoseconds longest_other{0};
  std::chrono::nanoseconds its_own{0};
  BatchProcessor<int> processor{{.max_workers = 1}};
  processor.on_completion([&](const Completion<int>& c) {
    if (c.task == position) {
      its_own = c.duration;
    } else if (c.index > position - 50 && c.index < position) {
      longest_other = std::max(longest_other, c.duration);
    }
  });
  processor.run(numbers(n), [&](int i) {
    if (i == position) support::work_for(50ms);
  });
  CHECK(its_own >= 49ms);
  CHECK(longest_other < 10ms);
}

TEST_CASE("C4: callbacks of every delivery at once are each told as if they were alone") {
  const unsigned workers = GENERATE(1u, 3u, 8u);
  const bool by_start = GENERATE(false, true);
  Recorder every, latest, rare, every_caller, latest_caller;
  support::CompletionRecorder completions;
  BatchProcessor<int> processor{{.max_workers = workers}};
  processor.on_progress(latest.callback(), Delivery::latest(0ns))
      .on_progress(latest_caller.callback(), Delivery::latest(200us).on_caller())
      .on_progress(every.callback())
      .on_completion(completions.callback())
      .on_progress(rare.callback(), Delivery::latest(3ms))
      .on_progress(every_caller.callback(), Delivery::every().on_caller());
  const auto report = run_either_way(processor, by_start, numbers(500), [](int i) {
    if (i % 2 == 0) support::work_for(10us);
    if (i % 7 == 0) support::fail(i);
  });
  const Progress last = report.progress();
  CHECK(wrong_every(every, last) == "");
  CHECK(wrong_every(every_caller, last) == "");
  CHECK(wrong_latest(latest, last, 100us) == "");
  CHECK(wrong_latest(latest_caller, last, 200us) == "");
  CHECK(wrong_latest(rare, last, 3ms) == "");
  CHECK(wrong_completions(completions, report) == "");
}

TEST_CASE("C5: what an item wrote is visible to whoever is told that it has completed") {
  const unsigned workers = GENERATE(1u, 2u, 3u, 8u);
  const bool by_start = GENERATE(false, true);
  const int n = rounds(20'000);
  std::vector<int> written(static_cast<std::size_t>(n));  // plain: the sanitizer watches
  std::vector<std::uint64_t> order;
  int missed = 0;
  BatchProcessor<int> processor{{.max_workers = workers}};
  processor
      .on_completion([&](const Completion<int>& c) {
        order.push_back(c.index);
        missed += written[c.index] == static_cast<int>(c.index) + 1 ? 0 : 1;
      })
      .on_progress([&](const Progress& p) {
        const std::uint64_t newest = order.at(p.completed() - 1);
        missed += written[newest] == static_cast<int>(newest) + 1 ? 0 : 1;
      });
  run_either_way(processor, by_start, numbers(n), [&](int i) {
    written[static_cast<std::size_t>(i)] = i + 1;
    if (i % 100 == 0) support::fail(i);
  });
  CHECK(missed == 0);
  CHECK(order.size() == written.size());
}

TEST_CASE("C5: with one worker all X items are visible to whoever is told X, on any thread") {
  const auto delivery = GENERATE(Delivery::every(), Delivery::latest(0ns),
                                 Delivery::every().on_caller(), Delivery::latest(0ns).on_caller());
  const bool by_start = GENERATE(false, true);
  constexpr int n = 500;
  std::vector<int> written(n);
  int missed = 0;
  BatchProcessor<int> processor{{.max_workers = 1}};
  processor.on_progress(
      [&](const Progress& p) {
        for (std::uint64_t i = 0; i < p.completed(); ++i) missed += written[i] == 1 ? 0 : 1;
      },
      delivery);
  run_either_way(processor, by_start, numbers(n), [&](int i) {
    written[static_cast<std::size_t>(i)] = 1;
    if (i % 50 == 0) support::work_for(20us);
  });
  CHECK(missed == 0);
}

TEST_CASE("C5: who reads X from a batch sees what those items wrote") {
  const int n = rounds(20'000);
  std::vector<int> written(static_cast<std::size_t>(n));
  int missed = 0;
  BatchProcessor<int> processor{{.max_workers = 1}};
  Batch<void> batch =
      processor.start(numbers(n), [&](int i) { written[static_cast<std::size_t>(i)] = 1; });
  for (std::uint64_t x = 0; x < written.size();) {
    x = batch.progress().completed();
    for (std::uint64_t i = 0; i < x; i += 1 + x / 16) missed += written[i] == 1 ? 0 : 1;
  }
  batch.wait();
  CHECK(missed == 0);
}

TEST_CASE("C6: nothing is called once run or wait has returned") {
  const bool by_start = GENERATE(false, true);
  ThreadPool pool{3};
  for (int round = 0; round < rounds(300); ++round) {
    auto every = std::make_unique<Recorder>();
    auto latest = std::make_unique<Recorder>();
    auto caller = std::make_unique<Recorder>();
    auto checker = std::make_unique<ContractChecker>();
    {
      BatchProcessor<int> processor{pool, {.max_workers = 3}};
      processor.on_progress(every->callback())
          .on_progress(latest->callback(), Delivery::latest(0ns))
          .on_progress(caller->callback(), Delivery::latest(0ns).on_caller())
          .on_progress(std::ref(*checker));
      const auto report = run_either_way(processor, by_start, numbers(round % 50), nothing);
      checker->ended();
      for (Recorder* recorder : {every.get(), latest.get(), caller.get()}) {
        recorder->close();
        REQUIRE(support::wrong_telling(*recorder, report.progress()) == "");
      }
    }
    for (Recorder* recorder : {every.get(), latest.get(), caller.get()}) {
      REQUIRE(recorder->late() == 0);
    }
    REQUIRE(checker->summary().ends_with("nothing broken"));
  }
}

TEST_CASE("C6: a callback that is slow at the last item holds up run and wait") {
  const auto delivery = GENERATE(Delivery::every(), Delivery::latest(1ms),
                                 Delivery::every().on_caller(), Delivery::latest(1ms).on_caller());
  const bool by_start = GENERATE(false, true);
  const bool completion = GENERATE(false, true);
  if (completion && delivery != Delivery::every()) return;
  std::atomic<bool> returned{false};
  BatchProcessor<int> processor{{.max_workers = 3}};
  const auto slow = [&](const Progress& p) {
    if (p.completed() != 20) return;
    support::work_for(2ms);
    returned.store(true, std::memory_order_relaxed);
  };
  if (completion) {
    processor.on_completion([&](const Completion<int>& c) { slow(c.progress); });
  } else {
    processor.on_progress(slow, delivery);
  }
  run_either_way(processor, by_start, numbers(20), nothing);
  CHECK(returned.load(std::memory_order_relaxed));
}
