// SPDX-License-Identifier: MIT
// Batches that an executor has too few threads for, or none, and that nobody waits for.
#include <chrono>
#include <functional>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>
#include <version>
#include <xofn/batch_processor.hpp>

#ifdef __cpp_lib_jthread
#include <stop_token>
#endif

#include "../oracle.hpp"
#include "../scenario.hpp"

namespace schedules::no_threads_scenarios {

using namespace std::chrono_literals;
using xofn::Delivery;
using xofn::Progress;
using xofn::TaskContext;

using Processor = xofn::BatchProcessor<int, ScheduledSync>;
using Pool = xofn::BasicThreadPool<ScheduledSync>;

/// Runs the first functions that it is given on a thread each. Of later ones it says that it has
/// no thread for them, or says nothing and drops them.
class FewThreads {
 public:
  explicit FewThreads(int good, bool throws = true) : good_(good), throws_(throws) {}

  void execute(auto&& f) {
    if (good_.fetch_sub(1) > 0) return pool_.execute(std::forward<decltype(f)>(f));
    [[maybe_unused]] const auto dropped = std::forward<decltype(f)>(f);
    if (throws_) throw std::system_error(std::make_error_code(std::errc::not_enough_memory));
  }

 private:
  ScheduledSync::atomic<int> good_;
  const bool throws_;
  Pool pool_{2};
};

/// A callback that others can see the end of.
class Watched {
 public:
  void operator()(const Progress& p) {
    told_(p);
    if (is_final(p)) has_ended_.store(true);
  }
  void wait_for_end() const {
    while (!has_ended_.load()) ScheduledSync::yield();
  }

 private:
  EveryStep told_;
  ScheduledSync::atomic<bool> has_ended_{false};
};

const Scenario ended_by_canceller{
    "no threads: a paused batch that is cancelled and gets no thread ends", 2, [] {
      Watched told;
      FewThreads executor{1};
      Processor processor{executor, {.max_workers = 1}};
      processor.on_progress(std::ref(told));
      auto batch = processor.start(std::vector<int>{0, 1}, [](int&) { work_for(2us); });
      batch.pause();
      batch.cancel();
      told.wait_for_end();
    }};

void start_under_a_canceller(int good, bool throws, unsigned max_workers) {
  Processor processor{{.max_workers = 1}};
  auto batch = processor.start(std::vector<int>{0}, [&](int&) {
    Watched told;
    FewThreads executor{good, throws};
    Processor inner{executor, {.max_workers = max_workers}};
    inner.on_progress(std::ref(told));
    Data<bool> has_run{false};
    Data<bool> has_told{false};
    inner.on_progress([&](const Progress&) { has_told.write(true); }, Delivery::latest(1h));
    std::optional<xofn::Batch<void, ScheduledSync>> started;
    try {
      started.emplace(inner.start(std::vector<int>{0}, [&](int&) { has_run.write(true); }));
    } catch (const std::system_error&) {
      check(!has_run.read() && !has_told.read(), "what throws has run and told nothing");
    }
    if (started) told.wait_for_end();
  });
  const ScheduledThread canceller([&] { batch.cancel(); });
  batch.wait();
}

const Scenario none{"no threads: a batch that is cancelled while it starts ends or has not begun",
                    3, [] { start_under_a_canceller(0, true, 1); }};
const Scenario none_of_two{
    "no threads: a batch of two workers that is cancelled while it starts ends or has not begun", 3,
    [] { start_under_a_canceller(0, true, 2); }};
const Scenario one_of_two{
    "no threads: a batch that is cancelled while it starts has begun if a worker has come", 3,
    [] { start_under_a_canceller(1, true, 2); }};
const Scenario dropped{"no threads: a batch whose workers are dropped ends", 3,
                       [] { start_under_a_canceller(0, false, 2); }};

const Scenario on_its_way{
    "no threads: cancelled while a worker is on its way, a batch is told there and not by who "
    "cancels",
    2, [] {
      const auto me = ScheduledSync::thread_slot();
      ScheduledSync::atomic<bool> has_ended{false};
      ScheduledSync::atomic<bool> go{false};
      FewThreads executor{3};
      for (int i = 0; i != 2; ++i) {
        executor.execute([&] {
          while (!go.load()) ScheduledSync::yield();
        });
      }
      Processor processor{executor, {.max_workers = 2}};
      processor.on_progress([&](const Progress& p) {
        check(ScheduledSync::thread_slot() != me, "on a thread of the executor");
        if (is_final(p)) has_ended.store(true);
      });
      auto batch = processor.start(std::vector<int>{0, 1}, [](int&) {});
      batch.cancel();
      go.store(true);
      while (!has_ended.load()) ScheduledSync::yield();
    }};

const Scenario waiter{
    "no threads: a waiting task that works on a batch is one of its workers", 2, [] {
      FewThreads executor{1};
      Processor outer{{.max_workers = 1}};
      std::vector<int> one{0};
      const auto report = outer.run(one, [&](int&) {
        Processor inner{executor, {.max_workers = 2, .retry = {.max_attempts = 2}}};
        auto batch = inner.start(std::vector<int>{0, 1}, [](int&, TaskContext& context) {
          work_for(2us);
          if (context.attempt() == 1) throw std::runtime_error("again");
        });
        check(batch.wait().all_succeeded(), "its waiter retries what it has run");
      });
      check(report.all_succeeded(), "the task does");
    }};

const Scenario left{"no threads: a batch whose handle a task destroys is told to its end", 2, [] {
                      EveryStep told;
                      {
                        Processor processor{{.max_workers = 1}};
                        std::optional<xofn::Batch<void, ScheduledSync>> batch;
                        ScheduledSync::atomic<bool> is_there{false}, is_gone{false};
                        processor.on_progress(std::ref(told));
                        batch.emplace(processor.start(std::vector<int>{0, 1}, [&](int& i) {
                          while (!is_there.load()) ScheduledSync::yield();
                          if (i == 0) {
                            batch.reset();
                            is_gone.store(true);
                          }
                        }));
                        Scheduler::instance().limit_threads(2);
                        is_there.store(true);
                        while (!is_gone.load()) ScheduledSync::yield();
                      }
                      check(told.has_ended(), "its processor waits for that");
                    }};

#ifdef __cpp_lib_jthread
/// Gives `f` away and then throws.
class Treacherous {
 public:
  void execute(auto&& f) {
    pool_.execute(std::forward<decltype(f)>(f));
    if (!has_thrown_.exchange(true)) {
      throw std::system_error(std::make_error_code(std::errc::not_enough_memory));
    }
  }

 private:
  ScheduledSync::atomic<bool> has_thrown_{false};
  Pool pool_{1};
};

const Scenario kept{
    "no threads: a batch that goes on though execute threw heeds its stop token", 2, [] {
      Treacherous executor;
      std::stop_source source;
      Processor processor{executor, {.max_workers = 1, .stop = source.get_token()}};
      ScheduledSync::atomic<bool> go{false};
      std::optional<xofn::Batch<void, ScheduledSync>> batch;
      try {
        batch.emplace(processor.start(std::vector<int>{0, 1}, [&](int&) {
          while (!go.load()) ScheduledSync::yield();
        }));
      } catch (const std::system_error&) {
        check(false, "a worker is on its way");
      }
      source.request_stop();
      go.store(true);
      check(batch->wait().progress().cancelled != 0, "it is cancelled by its token");
    }};
#endif

const Scenario goes{
    "no threads: what a waiting task leaves behind is cancelled, if no other worker comes", 2, [] {
      FewThreads executor{1};
      Processor outer{{.max_workers = 1}};
      std::vector<int> one{0};
      outer.run(one, [&](int&) {
        Watched told;
        Processor inner{executor, {.max_workers = 2, .retry = {.max_attempts = 2}}};
        inner.on_progress(std::ref(told));
        auto batch = inner.start(std::vector<int>{0, 1}, [](int&, TaskContext& context) {
          work_for(2us);
          if (context.attempt() == 1) throw std::runtime_error("again");
        });
        batch.wait_for(3us);
        told.wait_for_end();
      });
    }};

}  // namespace schedules::no_threads_scenarios
