// SPDX-License-Identifier: MIT
#include <xofn/batch/batch.hpp>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <xofn/batch_processor.hpp>

#include "../support/gate.hpp"
#include "../support/work.hpp"

using support::eventually;
using support::numbers;
using support::Recorder;
using support::rounds;
using support::Runs;
using support::wrong_every;
using support::wrong_latest;
using support::wrong_report;
using xofn::Batch;
using xofn::BatchProcessor;
using xofn::Delivery;
using xofn::Progress;
using xofn::ThreadPool;
using namespace std::chrono_literals;

TEST_CASE("Batch: it may be waited for again and again, with the same report") {
  BatchProcessor<int> processor{{.max_workers = 2}};
  Batch<int> batch = processor.start(numbers(10), [](int i) { return i; });
  const auto first = batch.wait();
  const auto second = batch.wait();
  CHECK(first.progress() == second.progress());
  CHECK(batch.progress() == first.progress());
  CHECK(second.outcomes()[9].value() == 9);
}

TEST_CASE("C6: several threads may wait, and none returns before the last call has") {
  const auto delivery = GENERATE(Delivery::every(), Delivery::latest(1ms),
                                 Delivery::every().on_caller(), Delivery::latest(1ms).on_caller());
  CAPTURE(delivery.is_every(), delivery.is_on_caller());
  ThreadPool pool{2};
  for (int round = 0; round < rounds(200); ++round) {
    Recorder recorder;
    std::atomic<bool> last_returned{false};
    std::atomic<int> early{0};
    std::atomic<int> wrong{0};
    BatchProcessor<int> processor{pool, {.max_workers = 2}};
    processor.on_progress(
        [&](const Progress& p) {
          recorder.record(p);
          if (!support::is_final(p)) return;
          support::work_for(20us);
          last_returned.store(true, std::memory_order_relaxed);
        },
        delivery);
    Batch<int> batch = processor.start(numbers(20), [](int i) { return i; });
    support::in_parallel(3, [&](int) {
      const auto report = batch.wait();
      if (!last_returned.load(std::memory_order_relaxed)) early.fetch_add(1);
      if (report.progress().succeeded != 20) wrong.fetch_add(1);
    });
    REQUIRE(early.load() == 0);
    REQUIRE(wrong.load() == 0);
    const Progress last = batch.progress();
    REQUIRE((delivery.is_every() ? wrong_every(recorder, last)
                                 : wrong_latest(recorder, last, 1ms)) == "");
  }
}

TEST_CASE("Batch: what is for the caller is pending until a thread pumps or waits") {
  Recorder every;
  Recorder latest;
  BatchProcessor<int> processor{{.max_workers = 2}};
  processor.on_progress(every.callback(), Delivery::every().on_caller())
      .on_progress(latest.callback(), Delivery::latest(0ns).on_caller());
  support::Gate gate;
  Batch<void> batch = processor.start(numbers(20), [&](int i) {
    if (i >= 10) gate.wait();
  });
  CHECK(eventually([&] { return batch.progress().completed() == 10; }));
  CHECK(every.calls().empty());
  CHECK(latest.calls().empty());
  batch.pump();
  CHECK(every.calls().size() == 10);
  CHECK_FALSE(latest.calls().empty());
  gate.open();
  CHECK(eventually([&] { return batch.progress().completed() == 20; }));
  CHECK(every.calls().size() == 10);
  batch.pump();
  const auto report = batch.wait();
  batch.pump();
  CHECK(wrong_every(every, report.progress()) == "");
  CHECK(wrong_latest(latest, report.progress(), 100us) == "");
  CHECK(every.only_on(std::this_thread::get_id()));
  CHECK(latest.only_on(std::this_thread::get_id()));
}

TEST_CASE("Batch: a loop that pumps until the batch has ended tells everything") {
  const auto delivery =
      GENERATE(Delivery::every().on_caller(), Delivery::latest(100us).on_caller());
  Recorder recorder;
  BatchProcessor<int> processor{{.max_workers = 2}};
  processor.on_progress(recorder.callback(), delivery);
  Batch<void> batch = processor.start(numbers(200), [](int) { support::work_for(10us); });
  CHECK(eventually([&] {
    batch.pump();
    return !recorder.calls().empty() && support::is_final(recorder.calls().back().progress);
  }));
  const auto report = batch.wait();
  CHECK((delivery.is_every() ? wrong_every(recorder, report.progress())
                             : wrong_latest(recorder, report.progress(), 100us)) == "");
}

TEST_CASE("Batch: on_caller tells on the thread inside run, which does nothing else") {
  const auto delivery = GENERATE(Delivery::every().on_caller(), Delivery::latest(1ms).on_caller());
  const unsigned workers = GENERATE(1u, 2u);
  const auto caller = std::this_thread::get_id();
  std::atomic<int> on_the_caller{0};
  Recorder recorder;
  BatchProcessor<int> processor{{.max_workers = workers}};
  processor.on_progress(recorder.callback(), delivery);
  const auto report = processor.run(numbers(300), [&](int) {
    if (std::this_thread::get_id() == caller) on_the_caller.fetch_add(1);
  });
  CHECK(on_the_caller.load() == 0);
  CHECK(recorder.only_on(caller));
  CHECK((delivery.is_every() ? wrong_every(recorder, report.progress())
                             : wrong_latest(recorder, report.progress(), 1ms)) == "");
}

TEST_CASE("Batch: on a thread of the executor itself on_caller both tells and works") {
  ThreadPool pool{1};
  Recorder recorder;
  std::atomic<bool> done{false};
  std::thread::id worker;
  std::string wrong;
  pool.execute([&] {
    worker = std::this_thread::get_id();
    BatchProcessor<int> processor{pool, {.max_workers = 2}};
    processor.on_progress(recorder.callback(), Delivery::every().on_caller());
    wrong = wrong_every(recorder, processor.run(numbers(100), [](int) {}).progress());
    done.store(true);
  });
  CHECK(eventually([&] { return done.load(); }));
  CHECK(wrong == "");
  CHECK(recorder.only_on(worker));
}

TEST_CASE("Batch: the destructor cancels, waits, and tells what is pending") {
  const auto delivery = GENERATE(Delivery::every(), Delivery::latest(1ms),
                                 Delivery::every().on_caller(), Delivery::latest(1ms).on_caller());
  const unsigned workers = GENERATE(1u, 3u);
  CAPTURE(delivery.is_every(), delivery.is_on_caller(), workers);
  Recorder recorder;
  Runs runs(100);
  BatchProcessor<int> processor{{.max_workers = workers}};
  processor.on_progress(recorder.callback(), delivery);
  {
    const Batch<void> batch = processor.start(numbers(100), [&](int i, xofn::TaskContext& context) {
      const auto running = runs.run(i);
      if (!eventually([&] { return context.stop_requested(); })) support::fail(i);
    });
    CHECK(eventually([&] { return runs.all_begun() == workers; }));
  }
  recorder.close();
  CHECK(runs.all_ended() == runs.all_begun());
  REQUIRE_FALSE(recorder.calls().empty());
  const Progress last = recorder.calls().back().progress;
  CHECK(last.succeeded == workers);
  CHECK(last.cancelled == 100 - workers);
  CHECK((delivery.is_every() ? wrong_every(recorder, last) : wrong_latest(recorder, last, 1ms)) ==
        "");
  if (delivery.is_on_caller()) CHECK(recorder.only_on(std::this_thread::get_id()));
  CHECK(processor.run(numbers(5), [](int) {}).progress().succeeded == 5);
}

TEST_CASE("Batch: it may be moved while it runs, and its old handle destroyed") {
  support::Gate gate;
  BatchProcessor<int> processor{{.max_workers = 2}};
  auto first = std::make_unique<Batch<int>>(processor.start(numbers(20), [&](int i) {
    gate.wait();
    return i;
  }));
  Batch<int> second = std::move(*first);
  first.reset();
  CHECK(second.progress().total == 20);
  gate.open();
  CHECK(second.wait().progress().succeeded == 20);
  CHECK_FALSE(gate.expired());
}

TEST_CASE("Batch: assigning another one cancels what was there") {
  std::atomic<int> stopped{0};
  BatchProcessor<int> one{{.max_workers = 1}};
  BatchProcessor<int> two{{.max_workers = 1}};
  Batch<void> batch = one.start(numbers(5), [&](int, xofn::TaskContext& context) {
    if (eventually([&] { return context.stop_requested(); })) stopped.fetch_add(1);
  });
  CHECK(eventually([&] { return batch.progress().running == 1; }));
  batch = two.start(numbers(7), [](int) {});
  CHECK(stopped.load() == 1);
  CHECK(batch.wait().progress().succeeded == 7);
}

TEST_CASE("Batch: it owns its tasks and its handler until it is destroyed, and no longer") {
  const auto task = std::make_shared<int>(3);
  const auto handler = std::make_shared<int>(4);
  {
    BatchProcessor<std::shared_ptr<int>> processor{{.max_workers = 2}};
    Batch<int> batch = [&] {
      std::vector<std::shared_ptr<int>> tasks(10, task);
      return processor.start(std::move(tasks),
                             [handler](const std::shared_ptr<int>& t) { return *t * *handler; });
    }();
    CHECK(batch.wait().outcomes()[9].value() == 12);
  }
  CHECK(task.use_count() == 1);
  CHECK(handler.use_count() == 1);
}

TEST_CASE("Batch: its processor may be destroyed before it") {
  const auto delivery = GENERATE(Delivery::every(), Delivery::every().on_caller());
  Recorder recorder;
  Runs runs(100);
  auto processor = std::make_unique<BatchProcessor<int>>(xofn::BatchOptions{.max_workers = 2});
  processor->on_progress(recorder.callback(), delivery);
  Batch<void> batch = processor->start(numbers(100), [&](int i) {
    const auto running = runs.run(i);
    support::work_for(10us);
  });
  processor.reset();
  const auto report = batch.wait();
  CHECK(wrong_report(report, runs) == "");
  CHECK(wrong_every(recorder, report.progress()) == "");
  CHECK(report.progress().succeeded == 100);
}

TEST_CASE("Batch: told to its end by pump alone, it may be destroyed after its processor") {
  for (int round = 0; round < rounds(1000); ++round) {
    Recorder recorder;
    std::optional<BatchProcessor<int>> processor;
    processor.emplace(xofn::BatchOptions{.max_workers = 2});
    processor->on_progress(recorder.callback(), Delivery::every().on_caller());
    Batch<void> batch = processor->start(numbers(1), [](int) {});
    REQUIRE(eventually([&] {
      batch.pump();
      return recorder.calls().size() == 1;
    }));
    processor.reset();
  }
}

TEST_CASE("Batch: destroyed inside its own task or callback it is cancelled and ends by itself") {
  const int from = GENERATE(0, 1, 2, 3);
  const bool own_threads = GENERATE(false, true);
  CAPTURE(from, own_threads);
  for (int round = 0; round < rounds(50); ++round) {
    Recorder recorder;
    Runs runs(1000);
    std::optional<Batch<void>> handle;
    std::atomic<bool> gone{false};
    support::Gate started;
    const auto destroy = [&](int kind) {
      if (kind != from || gone.exchange(true)) return;
      handle.reset();
    };
    {
      ThreadPool pool{2};
      std::optional<BatchProcessor<int>> processor;
      if (own_threads) {
        processor.emplace(xofn::BatchOptions{.max_workers = 2});
      } else {
        processor.emplace(pool, xofn::BatchOptions{.max_workers = 2});
      }
      processor
          ->on_progress([&](const Progress& p) {
            started.wait();
            destroy(0);
            recorder.record(p);
          })
          .on_progress(
              [&](const Progress& p) {
                started.wait();
                if (p.completed() > 0) destroy(1);
              },
              Delivery::latest(0ns))
          .on_completion([&](const xofn::Completion<int>&) {
            started.wait();
            destroy(2);
          });
      handle.emplace(processor->start(numbers(1000), [&](int i) {
        started.wait();
        const auto running = runs.run(i);
        if (i == 3) destroy(3);
        support::work_for(5us);
      }));
      started.open();
      REQUIRE(eventually([&] { return gone.load(); }));
      // It ends by itself: then the processor is free again.
      REQUIRE(eventually([&] {
        try {
          processor->on_progress([](const Progress&) {});
          return true;
        } catch (const std::logic_error&) {
          return false;
        }
      }));
    }
    REQUIRE(recorder.overlaps() == 0);
    REQUIRE(support::is_final(recorder.calls().back().progress));
    REQUIRE(wrong_every(recorder, recorder.calls().back().progress) == "");
    REQUIRE(runs.all_begun() == runs.all_ended());
    REQUIRE(recorder.calls().back().progress.completed() == runs.all_ended());
  }
}

TEST_CASE("Batch: destroyed by an on_caller callback, inside the wait that tells it") {
  const bool pumps = GENERATE(false, true);
  std::optional<Batch<void>> handle;
  std::atomic<bool> ended{false};
  {
    BatchProcessor<int> processor{{.max_workers = 2}};
    processor.on_progress(
        [&](const Progress& p) {
          handle.reset();
          ended = support::is_final(p);
        },
        Delivery::every().on_caller());
    handle.emplace(processor.start(numbers(3), [](int) {}));
    if (pumps) {
      while (handle) handle->pump();
    } else {
      CHECK(support::is_final(handle->wait().progress()));
    }
  }
  CHECK(ended);
}

TEST_CASE("C6: a batch that ends by itself tells on_caller callbacks before its processor ends") {
  for (int round = 0; round < rounds(50); ++round) {
    Recorder told;
    std::optional<Batch<void>> handle;
    support::Gate emplaced;
    std::atomic<bool> is_reset{false};
    {
      BatchProcessor<int> processor{{.max_workers = 2}};
      processor.on_progress(
          [&](const Progress& p) {
            support::work_for(500us);
            told.record(p);
          },
          Delivery::every().on_caller());
      handle.emplace(processor.start(numbers(4), [&](int i) {
        if (i != 3) return;
        emplaced.wait();
        handle.reset();
        is_reset = true;
      }));
      emplaced.open();
      REQUIRE(eventually([&] { return is_reset.load(); }));
    }
    told.close();
    REQUIRE(told.state() != xofn::BatchState::running);
  }
}
TEST_CASE("Batch: cancelling one that has ended changes nothing") {
  BatchProcessor<int> processor{{.max_workers = 2}};
  Batch<void> batch = processor.start(numbers(5), [](int) {});
  const auto report = batch.wait();
  batch.cancel();
  CHECK(batch.progress() == report.progress());
  CHECK(batch.wait().progress() == report.progress());
}
