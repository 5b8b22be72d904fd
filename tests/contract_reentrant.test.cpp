// SPDX-License-Identifier: MIT
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstdint>
#include <memory>
#include <system_error>
#include <thread>

#include <xofn/batch_processor.hpp>

#include "support/gate.hpp"
#include "support/oracle.hpp"
#include "support/work.hpp"

using support::eventually;
using support::numbers;
using support::Recorder;
using support::run_either_way;
using xofn::Batch;
using xofn::BatchProcessor;
using xofn::Completion;
using xofn::Delivery;
using xofn::Progress;
using xofn::ThreadPool;
using namespace std::chrono_literals;

// C10, re-entrant.

namespace {

/// Calls `f` on another thread and waits for it; false if it did not return, as it would not if the
/// calling thread held a lock that `f` needs.
template <class F>
bool answers_elsewhere(F f) {
  auto done = std::make_shared<std::atomic<bool>>(false);
  std::thread other([done, f] {
    f();
    done->store(true);
  });
  const bool answered = eventually([&] { return done->load(); });
  if (answered) {
    other.join();
  } else {
    other.detach();
  }
  return answered;
}

}  // namespace

TEST_CASE("C10: callbacks and tasks hold no lock that reading, cancelling or pumping needs") {
  const int from = GENERATE(0, 1, 2, 3, 4, 5);  // which of the kinds of user code asks
  CAPTURE(from);
  std::atomic<Batch<int>*> handle{nullptr};
  std::atomic<int> asked{0};
  std::atomic<int> hung{0};
  const auto ask = [&](int kind, bool cancel) {
    Batch<int>* const batch = handle.load();
    if (kind != from || batch == nullptr || hung.load() > 0) return;
    const bool answered = answers_elsewhere([batch, cancel] {
      static_cast<void>(batch->progress());
      batch->pump();
      if (cancel) batch->cancel();
    });
    asked.fetch_add(1);
    if (!answered) hung.fetch_add(1);
  };
  support::Gate started;
  BatchProcessor<int> processor{{.max_workers = 2}};
  processor.on_progress([&](const Progress& p) { ask(0, p.completed() > 5); })
      .on_progress([&](const Progress& p) { ask(1, p.completed() > 5); }, Delivery::latest(0ns))
      .on_progress([&](const Progress& p) { ask(2, p.completed() > 5); },
                   Delivery::every().on_caller())
      .on_progress([&](const Progress& p) { ask(3, p.completed() > 5); },
                   Delivery::latest(0ns).on_caller())
      .on_completion([&](const Completion<int>& c) { ask(4, c.index > 5); });
  Batch<int> batch = processor.start(numbers(12), [&](int i) {
    started.wait();
    support::work_for(50us);
    ask(5, i > 5);
    return i;
  });
  handle.store(&batch);
  started.open();
  batch.wait();
  CHECK(hung.load() == 0);
  CHECK(asked.load() > 0);
}

TEST_CASE("C10: the destructors of tasks, results and exceptions hold no lock either") {
  struct Asks {
    Asks(std::atomic<Batch<std::shared_ptr<Asks>>*>& batch, std::atomic<int>& all)
        : handle(batch), hung(all) {}
    Asks(const Asks&) = delete;
    Asks& operator=(const Asks&) = delete;
    ~Asks() {
      auto* const asked = handle.load();
      if (asked == nullptr || hung.load() > 0) return;
      if (!answers_elsewhere([asked] { static_cast<void>(asked->progress()); })) hung.fetch_add(1);
    }
    std::atomic<Batch<std::shared_ptr<Asks>>*>& handle;
    std::atomic<int>& hung;
  };
  struct Error {
    std::shared_ptr<Asks> asks;
  };
  std::atomic<Batch<std::shared_ptr<Asks>>*> handle{nullptr};
  std::atomic<int> hung{0};
  const auto make = [&](int) { return std::make_shared<Asks>(handle, hung); };
  support::Gate started;
  BatchProcessor<std::shared_ptr<Asks>> processor{{.max_workers = 2}};
  auto batch = processor.start(support::Generator(10, make),
                               [&](const std::shared_ptr<Asks>&, xofn::TaskContext& context) {
                                 started.wait();
                                 auto mine = make(0);
                                 if (context.index() % 2 == 0) throw Error{make(0)};
                                 return make(0);
                               });
  handle.store(&batch);
  started.open();
  batch.wait();
  handle.store(nullptr);
  CHECK(hung.load() == 0);
}

TEST_CASE("C10: a callback may run another batch, on the pool that tells it too") {
  const auto delivery = GENERATE(Delivery::every(), Delivery::latest(0ns),
                                 Delivery::every().on_caller(), Delivery::latest(0ns).on_caller());
  const bool by_start = GENERATE(false, true);
  CAPTURE(delivery.is_every(), delivery.is_on_caller(), by_start);
  ThreadPool pool{1};
  Recorder recorder;
  std::uint64_t inner_succeeded = 0;
  BatchProcessor<int> outer{pool, {.max_workers = 2}};
  outer.on_progress(
      [&](const Progress& p) {
        recorder.record(p);
        BatchProcessor<int> inner{pool, {.max_workers = 2}};
        inner_succeeded +=
            run_either_way(inner, by_start, numbers(10), [](int) {}).progress().succeeded;
      },
      delivery);
  const auto report = outer.run(numbers(30), [](int) { support::work_for(20us); });
  CHECK(inner_succeeded == 10 * recorder.calls().size());
  CHECK_FALSE(report.callback_error());
  CHECK(support::wrong_telling(recorder, report.progress()) == "");
}

TEST_CASE("C10: waiting for one's own batch from its task or callback is refused, not endless") {
  const int from = GENERATE(0, 1, 2, 3, 4, 5);
  CAPTURE(from);
  std::atomic<Batch<void>*> handle{nullptr};
  std::atomic<int> refused{0};
  std::atomic<int> accepted{0};
  const auto ask = [&](int kind) {
    if (kind != from || handle.load() == nullptr) return;
    try {
      handle.load()->wait();
      accepted.fetch_add(1);
    } catch (const std::system_error& error) {
      (error.code() == std::errc::resource_deadlock_would_occur ? refused : accepted).fetch_add(1);
    }
  };
  support::Gate started;
  BatchProcessor<int> processor{{.max_workers = 2}};
  processor.on_progress([&](const Progress&) { ask(0); })
      .on_progress([&](const Progress&) { ask(1); }, Delivery::latest(0ns))
      .on_progress([&](const Progress&) { ask(2); }, Delivery::every().on_caller())
      .on_progress([&](const Progress&) { ask(3); }, Delivery::latest(0ns).on_caller())
      .on_completion([&](const Completion<int>&) { ask(4); });
  Batch<void> batch = processor.start(numbers(5), [&](int) {
    started.wait();
    ask(5);
  });
  handle.store(&batch);
  started.open();
  const auto report = batch.wait();
  CHECK(refused.load() > 0);
  CHECK(accepted.load() == 0);
  CHECK(report.progress().succeeded == 5);
  CHECK_FALSE(report.callback_error());
}

TEST_CASE("C10: waiting for a batch that one runs under is refused, at any depth") {
  const int depth = GENERATE(1, 2, 3);
  const bool from_callback = GENERATE(false, true);
  ThreadPool pool{1};
  std::atomic<Batch<void>*> handle{nullptr};
  std::atomic<int> refused{0};
  support::Gate started;
  const auto ask = [&] {
    try {
      handle.load()->wait();
    } catch (const std::system_error& error) {
      if (error.code() == std::errc::resource_deadlock_would_occur) refused.fetch_add(1);
    }
  };
  const auto descend = [&](const auto& self, int level) -> void {
    if (level == 0) return from_callback ? void() : ask();
    BatchProcessor<int> inner{pool, {.max_workers = 2}};
    if (from_callback && level == 1) inner.on_progress([&](const Progress&) { ask(); });
    inner.run(numbers(1), [&](int) { self(self, level - 1); });
  };
  BatchProcessor<int> outer{pool, {.max_workers = 1}};
  Batch<void> batch = outer.start(numbers(1), [&](int) {
    started.wait();
    descend(descend, depth);
  });
  handle.store(&batch);
  started.open();
  CHECK(batch.wait().all_succeeded());
  CHECK(refused.load() == 1);
}
