// SPDX-License-Identifier: MIT
// Batches that an executor has too few threads for, or none, and that nobody waits for.
#include <chrono>
#include <functional>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>
#include <xofn/batch_processor.hpp>

#include "../oracle.hpp"
#include "../scenario.hpp"

namespace {

using namespace schedules;
using namespace std::chrono_literals;
using xofn::Delivery;
using xofn::Progress;

using Processor = xofn::BatchProcessor<int, ScheduledSync>;

/// Runs the first functions that it is given on a thread each. Of later ones it says that it has
/// no thread for them, or says nothing and drops them.
class FewThreads {
 public:
  explicit FewThreads(int good, bool throws = true) : good_(good), throws_(throws) {}

  void execute(auto&& f) {
    if (good_.fetch_sub(1) > 0) return pool_.execute(std::forward<decltype(f)>(f));
    const auto dropped = std::forward<decltype(f)>(f);
    if (throws_) throw std::system_error(std::make_error_code(std::errc::not_enough_memory));
  }

 private:
  ScheduledSync::atomic<int> good_;
  const bool throws_;
  xofn::BasicThreadPool<ScheduledSync> pool_{2};
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

}  // namespace
