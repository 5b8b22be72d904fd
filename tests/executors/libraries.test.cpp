// SPDX-License-Identifier: MIT
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <xofn/batch_processor.hpp>
#include <xofn/executors/inline_executor.hpp>

#include "../support/executors.hpp"
#include "../support/gate.hpp"
#include "../support/trial.hpp"
#include "../support/work.hpp"

#if XOFN_TEST_TBB
#include <tbb/global_control.h>

#include <xofn/executors/tbb_arena.hpp>
#endif
#if XOFN_TEST_BOOST
#include <xofn/executors/asio_pool.hpp>
#endif

using support::eventually;
using support::numbers;
using support::Recorder;
using support::rounds;
using support::run_either_way;
using support::Trial;
using support::wrong_every;
using xofn::Batch;
using xofn::BatchProcessor;
using xofn::Delivery;
using xofn::Progress;
using namespace std::chrono_literals;

// The threads of others, by the adapters of executors/. Which of them there are, and where they are
// left out, says tests/CMakeLists.txt.

namespace {

/// The threads of some library.
class Library {
 public:
  virtual ~Library() = default;
  template <class F>
  void execute(F&& f) {
    give(support::Job(std::forward<F>(f)));
  }
  [[nodiscard]] virtual bool running_in_this_thread() const = 0;
  [[nodiscard]] virtual bool has_waiting() const = 0;

 private:
  virtual void give(support::Job job) = 0;
};

/// Waits for those who hold it, in the end.
class Leavers {
 public:
  ~Leavers() {
    held_.reset();
    left_.wait();
  }
  [[nodiscard]] std::shared_ptr<std::promise<void>> hold() const { return held_; }

 private:
  std::shared_ptr<std::promise<void>> held_ = std::make_shared<std::promise<void>>();
  std::future<void> left_ = held_->get_future();
};

template <class Pool, class Adapter>
class LibraryOf final : public Library {
 public:
  template <class... Threads>
  explicit LibraryOf(Threads... threads) : pool_(threads...), adapter_(pool_) {}
  [[nodiscard]] bool running_in_this_thread() const override {
    return adapter_.running_in_this_thread();
  }
  [[nodiscard]] bool has_waiting() const override { return adapter_.has_waiting(); }

 private:
  void give(support::Job job) override {
    adapter_.execute([held = leavers_.hold(), job = std::move(job)]() mutable { job(); });
  }

  Leavers leavers_;  // first: oneTBB's threads run what is left when the arena has gone
  Pool pool_;
  Adapter adapter_;
};

const char* const one_tbb = "oneTBB";
const char* const asio = "Boost.Asio";

std::unique_ptr<Library> make(const std::string& library, [[maybe_unused]] unsigned threads) {
#if XOFN_TEST_TBB
  if (library == one_tbb) {
    // As many as are asked for, also where the hardware has fewer.
    static const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 9);
    return std::make_unique<LibraryOf<tbb::task_arena, xofn::TbbArena>>(static_cast<int>(threads),
                                                                        0U);
  }
#endif
#if XOFN_TEST_BOOST
  if (library == asio) {
    return std::make_unique<LibraryOf<boost::asio::thread_pool, xofn::AsioPool>>(threads);
  }
#endif
  SKIP("built without " + library);
  return nullptr;
}

}  // namespace

TEST_CASE("Libraries: their threads run and start batches, and each callback is told") {
  const std::string library = GENERATE(one_tbb, asio);
  const unsigned threads = GENERATE(1u, 2u, 4u);
  const unsigned workers = GENERATE(1u, 3u);
  CAPTURE(library, threads, workers);
  const auto executor = make(library, threads);
  for (int round = 0; round < rounds(5); ++round) {
    REQUIRE(Trial{}.wrong_run(*executor, workers) == "");
    REQUIRE(Trial{}.wrong_start(*executor, workers) == "");
  }
}

TEST_CASE("Libraries: items run at the same time, on threads of the library") {
  const std::string library = GENERATE(one_tbb, asio);
  CAPTURE(library);
  const auto executor = make(library, 2);
  support::Rendezvous both(2);
  std::atomic<int> elsewhere{0};
  BatchProcessor<int> processor{*executor, {.max_workers = 2}};
  Batch<void> batch = processor.start(numbers(2), [&](int) {
    if (!executor->running_in_this_thread()) elsewhere.fetch_add(1);
    both.arrive();
  });
  CHECK(batch.wait().all_succeeded());
  CHECK_FALSE(both.expired());
  CHECK(elsewhere.load() == 0);
  CHECK_FALSE(executor->running_in_this_thread());
}

TEST_CASE("Libraries: a thread is known to belong to one and not to another") {
  const std::string library = GENERATE(one_tbb, asio);
  CAPTURE(library);
  const auto executor = make(library, 1);
  const auto other = make(library, 1);
  std::atomic<int> known{-1};
  executor->execute([&] {
    known.store((executor->running_in_this_thread() ? 1 : 0) +
                (other->running_in_this_thread() ? 2 : 0));
  });
  CHECK(eventually([&] { return known.load() != -1; }));
  CHECK(known.load() == 1);
}

#if XOFN_TEST_TBB
TEST_CASE("Libraries: a thread of ours is inside an arena while it runs something there") {
  tbb::task_arena arena{2};
  const xofn::TbbArena threads{arena};
  for (int time = 0; time != 2; ++time) {
    CHECK_FALSE(threads.running_in_this_thread());
    CHECK(arena.execute([&] { return threads.running_in_this_thread(); }));
  }
  CHECK_FALSE(threads.running_in_this_thread());
}
#endif

TEST_CASE("Libraries: two long batches take turns on one thread") {
  const std::string library = GENERATE(one_tbb, asio);
  CAPTURE(library);
  const auto executor = make(library, 1);
  support::Gate both_begun;
  std::atomic<int> order{0};
  int last_of_first = 0;
  int first_of_second = 0;
  BatchProcessor<int> first{*executor, {.max_workers = 1}};
  BatchProcessor<int> second{*executor, {.max_workers = 1}};
  Batch<void> long_one = first.start(numbers(20), [&](int) {
    both_begun.wait();
    support::work_for(1ms);
    last_of_first = ++order;
  });
  Batch<void> other = second.start(numbers(1), [&](int) { first_of_second = ++order; });
  both_begun.open();
  CHECK(long_one.wait().all_succeeded());
  CHECK(other.wait().all_succeeded());
  CHECK(first_of_second < last_of_first);
}

TEST_CASE("C11: a task runs a batch on the one thread of a library, two deep") {
  const std::string library = GENERATE(one_tbb, asio);
  const bool by_start = GENERATE(false, true);
  CAPTURE(library, by_start);
  const auto executor = make(library, 1);
  std::atomic<int> leaves{0};
  const auto grow = [&](const auto& self, int level) -> void {
    BatchProcessor<int> processor{*executor, {.max_workers = 2}};
    run_either_way(processor, by_start, numbers(3), [&](int) {
      if (level > 0) {
        self(self, level - 1);
      } else {
        leaves.fetch_add(1);
      }
    });
  };
  grow(grow, 2);
  CHECK(leaves.load() == 27);
  std::atomic<bool> done{false};
  executor->execute([&] {  // from the library's only thread
    grow(grow, 2);
    done.store(true);
  });
  CHECK(eventually([&] { return done.load(); }));
  CHECK(leaves.load() == 54);
}

TEST_CASE("C12: a batch on the threads of a library can be cancelled") {
  const std::string library = GENERATE(one_tbb, asio);
  const unsigned threads = GENERATE(1u, 2u);
  CAPTURE(library, threads);
  const auto executor = make(library, threads);
  support::Gate gate;
  Recorder recorder;
  BatchProcessor<int> processor{*executor, {.max_workers = threads}};
  processor.on_progress(recorder.callback());
  Batch<void> batch = processor.start(numbers(100), [&](int) { gate.wait(); });
  CHECK(eventually([&] { return batch.progress().running == threads; }));
  batch.cancel();
  gate.open();
  const Progress last = batch.wait().progress();
  CHECK(last.completed() == threads);
  CHECK(last.cancelled == 100 - threads);
  CHECK(wrong_every(recorder, last) == "");
}

TEST_CASE("C6: a library's threads, the batch and its processor may go as soon as it has ended") {
  const std::string library = GENERATE(one_tbb, asio);
  const bool by_start = GENERATE(false, true);
  CAPTURE(library, by_start);
  for (int round = 0; round < rounds(100); ++round) {
    const auto executor = make(library, 2);
    auto told = std::make_unique<std::uint64_t>(0);
    BatchProcessor<int> processor{*executor, {.max_workers = 3}};
    processor.on_progress([&told](const Progress& p) { *told = p.completed(); });
    run_either_way(processor, by_start, numbers(3), [](int) {});
    REQUIRE(*told == 3);
    told.reset();
  }
}

TEST_CASE("Libraries: a batch that has begun may be thrown away at once") {
  const std::string library = GENERATE(one_tbb, asio);
  CAPTURE(library);
  for (int round = 0; round < rounds(100); ++round) {
    const auto executor = make(library, 1);
    BatchProcessor<int> processor{*executor, {.max_workers = 2}};
    const Batch<void> batch = processor.start(numbers(50), [](int) {});
  }
}

TEST_CASE("InlineExecutor: a batch has run when start returns") {
  const unsigned workers = GENERATE(1u, 3u);
  const xofn::InlineExecutor here;
  BatchProcessor<int> processor{here, {.max_workers = workers}};
  const auto me = std::this_thread::get_id();
  int elsewhere = 0;
  Batch<void> batch = processor.start(
      numbers(100), [&](int) { elsewhere += std::this_thread::get_id() == me ? 0 : 1; });
  CHECK(batch.progress().succeeded == 100);
  CHECK(batch.wait().all_succeeded());
  CHECK(elsewhere == 0);
  CHECK(Trial{}.wrong_run(here, workers) == "");
  CHECK(Trial{}.wrong_start(here, workers) == "");
}

TEST_CASE("InlineExecutor: what is moved in is run once and is destroyed") {
  const auto alive = std::make_shared<int>(0);
  xofn::InlineExecutor{}.execute(
      [owned = std::make_unique<std::shared_ptr<int>>(alive)] { ++**owned; });
  CHECK(*alive == 1);
  CHECK(alive.use_count() == 1);
}

TEST_CASE("InlineExecutor: tasks run batches on it, to any depth") {
  const bool by_start = GENERATE(false, true);
  const xofn::InlineExecutor here;
  int leaves = 0;
  const auto grow = [&](const auto& self, int level) -> void {
    BatchProcessor<int> processor{here, {.max_workers = 2}};
    run_either_way(processor, by_start, numbers(3), [&](int) {
      if (level > 0) {
        self(self, level - 1);
      } else {
        ++leaves;
      }
    });
  };
  grow(grow, 2);
  CHECK(leaves == 27);
}

TEST_CASE("InlineExecutor: an item of an open batch is run by the call that adds it") {
  const xofn::InlineExecutor here;
  int runs = 0;
  BatchProcessor<int> processor{here, {.max_workers = 1, .max_queued = 1}};
  xofn::OpenBatch<int, void> batch = processor.open([&](int) { ++runs; });
  for (int i = 0; i < 10; ++i) {
    batch.add(i);
    CHECK(runs == i + 1);
  }
  batch.pause();
  batch.add(10);
  CHECK(runs == 10);
  batch.resume();
  CHECK(runs == 11);
  batch.close();
  CHECK(batch.wait().all_succeeded());
}

TEST_CASE("Executors: one without threads leaves retries to the thread that waits") {
  const auto backoff = GENERATE(0ns, 1000ns);
  const bool says_so = GENERATE(false, true);
  CAPTURE(backoff.count(), says_so);
  const xofn::InlineExecutor here;
  const support::InlineExecutor silent;  // does not say that its thread is the calling one
  const xofn::BatchOptions options{.max_workers = 2,
                                   .retry = {.max_attempts = 3, .backoff = backoff}};
  for (int round = 0; round < rounds(100); ++round) {
    Recorder latest;
    std::optional<BatchProcessor<int>> processor;
    if (says_so) {
      processor.emplace(here, options);
    } else {
      processor.emplace(silent, options);
    }
    processor->on_progress(latest.callback(), Delivery::latest(0ns));
    const auto me = std::this_thread::get_id();
    std::atomic<int> elsewhere{0};
    Batch<void> batch = processor->start(numbers(5), [&](int, xofn::TaskContext& context) {
      if (std::this_thread::get_id() != me) elsewhere.fetch_add(1);
      if (context.attempt() < 3) throw 1;
    });
    const Progress last = batch.wait().progress();
    REQUIRE(last.succeeded == 5);
    REQUIRE(last.retried == 10);
    REQUIRE(elsewhere.load() == 0);
  }
}
