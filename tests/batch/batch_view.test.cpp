// SPDX-License-Identifier: MIT
#include <xofn/batch/batch_view.hpp>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>
#include <xofn/batch_processor.hpp>

#include "../support/gate.hpp"
#include "../support/work.hpp"

using support::eventually;
using support::numbers;
using support::rounds;
using xofn::Batch;
using xofn::BatchProcessor;
using xofn::BatchState;
using xofn::BatchView;
using xofn::Progress;

TEST_CASE("BatchView: it shows what the handle shows, and then the last state for good") {
  std::optional<BatchView> view;
  support::Gate gate;
  {
    BatchProcessor<int> processor{{.max_workers = 2, .name = "clips"}};
    Batch<void> batch = processor.start(numbers(20), [&](int i) {
      if (i >= 10) gate.wait();
    });
    view = batch.view();
    CHECK(view->name() == "clips");
    CHECK(eventually([&] { return view->progress().completed() == 10; }));
    CHECK_FALSE(view->ended());
    gate.open();
    const Progress last = batch.wait().progress();
    CHECK(view->ended());
    CHECK(view->progress() == last);
  }
  CHECK(view->progress().completed() == 20);
  CHECK(view->progress().state == BatchState::finished);
  CHECK(view->ended());
  CHECK(view->name() == "clips");
}

TEST_CASE(
    "BatchView: failures are there while the batch runs, in the order of failing, and after") {
  std::optional<BatchView> view;
  support::Gate gate;
  {
    BatchProcessor<int> processor{{.max_workers = 1}};
    Batch<int> batch = processor.start(numbers(4), [&](int i) {
      if (i == 3) gate.wait();
      if (i != 1) throw std::runtime_error(std::to_string(i));
      return i;
    });
    view = batch.view();
    CHECK(eventually([&] { return view->progress().failed == 2; }));
    const auto failures = view->failures();
    REQUIRE(failures.size() == 2);
    CHECK(failures[0].what() == "0");
    CHECK(failures[1].what() == "2");
    CHECK(failures[1].index == 2);
    CHECK(view->failures(1).size() == 1);
    CHECK(view->failures(0, 1).front().index == 0);
    gate.open();
  }
  CHECK(view->failures().size() == 3);
  CHECK(view->failures().back().what() == "3");
  CHECK(view->failures(2, 5).size() == 1);
  CHECK(view->failures(3).empty());
  CHECK(view->failures(7, 2).empty());
  CHECK(view->progress().failed == 3);
}

TEST_CASE("BatchView: a snapshot never counts more failures than are there") {
  int lacking = 0;
  for (int round = 0; round < rounds(200); ++round) {
    BatchProcessor<int> processor{{.max_workers = 2}};
    const Batch<void> batch = processor.start(numbers(30), [](int) { throw 1; });
    const BatchView view = batch.view();
    while (!view.ended()) {
      const auto failed = view.progress().failed;
      if (view.failures().size() < failed) ++lacking;
    }
  }
  CHECK(lacking == 0);
}

TEST_CASE("BatchView: it pauses, resumes and cancels, and does nothing to a batch that has ended") {
  std::optional<BatchView> view;
  support::Gate gate;
  {
    BatchProcessor<int> processor{{.max_workers = 1}};
    Batch<void> batch = processor.start(numbers(10), [&](int i) {
      if (i == 0) gate.wait();
    });
    view = batch.view();
    CHECK(eventually([&] { return view->progress().running == 1; }));
    view->pause();
    CHECK(batch.progress().state == BatchState::paused);
    view->resume();
    CHECK(batch.progress().state == BatchState::running);
    view->cancel();
    CHECK(batch.progress().state == BatchState::cancelled);
    CHECK_FALSE(view->ended());  // one is still running
    gate.open();
    CHECK(batch.wait().progress().cancelled == 9);
    const Progress last = view->progress();
    view->pause();
    view->resume();
    view->cancel();
    CHECK(view->progress() == last);
  }
  view->pause();
  view->cancel();
  CHECK(view->progress().state == BatchState::cancelled);
}

TEST_CASE("BatchView: nothing of the user's lives longer because somebody watches") {
  const auto owned = std::make_shared<int>(1);
  std::optional<BatchView> view;
  {
    BatchProcessor<std::shared_ptr<int>> processor{{.max_workers = 2}};
    Batch<std::shared_ptr<int>> batch = processor.start(
        std::vector{owned, owned}, [owned](const std::shared_ptr<int>& task) { return task; });
    view = batch.view();
    batch.wait();
  }
  CHECK(owned.use_count() == 1);
  CHECK(view->progress().succeeded == 2);
}

TEST_CASE("BatchView: of a batch whose handle is dropped, the end is seen") {
  BatchProcessor<int> processor{{.max_workers = 1}};
  support::Gate gate;
  std::optional<Batch<void>> batch =
      processor.start(numbers(10), [&](int i) { i == 0 ? (void)gate.wait() : (void)0; });
  const BatchView view = batch->view();
  CHECK(eventually([&] { return view.progress().running == 1; }));
  gate.open();
  batch.reset();
  CHECK(view.ended());
  CHECK(view.progress().completed() + view.progress().cancelled == 10);
}

TEST_CASE("BatchView: watched by several threads while it ends and goes, X never falls") {
  std::atomic<int> fallen{0};
  std::atomic<int> inconsistent{0};
  for (int round = 0; round < rounds(300); ++round) {
    BatchProcessor<int> processor{{.max_workers = 2}};
    std::optional<Batch<void>> batch = processor.start(numbers(200), [](int i) {
      if (i % 50 == 0) throw i;
    });
    const BatchView view = batch->view();
    support::in_parallel(3, [&](int number) {
      if (number == 0) return batch.reset();
      std::uint64_t x = 0;
      for (bool ended = false; !ended;) {
        const Progress now = view.progress();
        ended = now.total_is_final && now.remaining() == 0;
        if (now.completed() < x) fallen.fetch_add(1);
        if (now.succeeded + now.failed + now.cancelled + now.running + now.queued() != 200) {
          inconsistent.fetch_add(1);
        }
        x = now.completed();
        if (number == 2) view.cancel();
      }
    });
  }
  CHECK(fallen.load() == 0);
  CHECK(inconsistent.load() == 0);
}
