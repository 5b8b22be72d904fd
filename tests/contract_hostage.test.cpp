// SPDX-License-Identifier: MIT
#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <list>
#include <random>
#include <string>
#include <vector>

#include <xofn/batch_processor.hpp>

#include "support/gate.hpp"
#include "support/oracle.hpp"
#include "support/work.hpp"

using support::eventually;
using support::numbers;
using support::Rendezvous;
using support::rounds;
using support::run_either_way;
using support::Runs;
using xofn::BatchProcessor;
using xofn::Progress;
using xofn::ThreadPool;
using namespace std::chrono_literals;

// C13, no hostage: an item that has not started never waits behind a running one while a worker of
// its batch is idle.

namespace {

constexpr int n = 1000;

/// Runs `n` tiny items among which those at `gated` end only once all of them run at the same time,
/// which takes a worker each. False if they never did.
template <class Tasks>
bool all_meet(ThreadPool& pool, unsigned workers, bool by_start, Tasks tasks,
              const std::vector<int>& gated) {
  std::vector<char> waits(n);
  for (const int i : gated) waits[static_cast<std::size_t>(i)] = 1;
  Rendezvous meeting(gated.size());
  BatchProcessor<int> processor{pool, {.max_workers = workers}};
  run_either_way(processor, by_start, std::move(tasks), [&](int i) {
    if (waits[static_cast<std::size_t>(i)] != 0 && !meeting.expired()) meeting.arrive();
  });
  return !meeting.expired();
}

}  // namespace

TEST_CASE("C13: after a thousand items of nothing, long ones run on all the workers there are") {
  const unsigned workers = GENERATE(2u, 3u, 4u, 5u, 6u, 7u, 8u);
  const bool by_start = GENERATE(false, true);
  CAPTURE(workers, by_start);
  ThreadPool pool{workers};
  std::vector<int> last;
  for (unsigned i = 0; i < workers; ++i) last.push_back(n - 1 - static_cast<int>(i));
  for (int round = 0; round < rounds(40); ++round) {
    REQUIRE(all_meet(pool, workers, by_start, numbers(n), last));
  }
}

TEST_CASE("C13: long items meet on all the workers wherever they stand among items of nothing") {
  const unsigned workers = GENERATE(2u, 3u, 4u, 8u);
  const bool by_start = GENERATE(false, true);
  CAPTURE(workers, by_start);
  ThreadPool pool{workers};
  std::mt19937 random(workers);
  for (int round = 0; round < rounds(100); ++round) {
    std::vector<int> gated;
    if (round % 3 == 0) {  // in a row
      const int first = static_cast<int>(random() % (n - workers));
      for (unsigned i = 0; i < workers; ++i) gated.push_back(first + static_cast<int>(i));
    } else if (round % 3 == 1) {  // at equal distances
      const int distance = 1 + static_cast<int>(random() % (n / workers - 1));
      for (unsigned i = 0; i < workers; ++i) gated.push_back(static_cast<int>(i) * distance);
    } else {  // anywhere
      std::vector<int> all = numbers(n);
      std::shuffle(all.begin(), all.end(), random);
      gated.assign(all.begin(), all.begin() + workers);
    }
    CAPTURE(gated);
    REQUIRE(all_meet(pool, workers, by_start, numbers(n), gated));
  }
}

TEST_CASE("C13: the same of a range that is read one by one") {
  const unsigned workers = GENERATE(2u, 3u, 8u);
  const bool by_start = GENERATE(false, true);
  ThreadPool pool{workers};
  const auto all = numbers(n);
  for (int round = 0; round < rounds(30); ++round) {
    std::vector<int> gated;
    const int first = round % 2 == 0 ? n - static_cast<int>(workers) : round * 20;
    for (unsigned i = 0; i < workers; ++i) gated.push_back(first + static_cast<int>(i));
    CAPTURE(gated);
    REQUIRE(all_meet(pool, workers, by_start, std::list<int>(all.begin(), all.end()), gated));
  }
}

TEST_CASE("C13: with the items of nothing timed by failures and microseconds in between") {
  const unsigned workers = GENERATE(2u, 4u);
  ThreadPool pool{workers};
  for (int round = 0; round < rounds(50); ++round) {
    const int first = n - static_cast<int>(workers);
    Rendezvous meeting(workers);
    BatchProcessor<int> processor{pool, {.max_workers = workers}};
    processor.run(numbers(n), [&](int i) {
      if (i >= first) {
        if (!meeting.expired()) meeting.arrive();
      } else if (i % 50 == round) {
        support::work_for(3us);
      } else if (i % 97 == 0) {
        support::fail(i);
      }
    });
    REQUIRE_FALSE(meeting.expired());
  }
}

TEST_CASE("C13: behind a long item in the middle all others go on") {
  const bool by_start = GENERATE(false, true);
  const bool told = GENERATE(false, true);  // with a callback the items are settled differently
  CAPTURE(by_start, told);
  ThreadPool pool{2};
  for (int position = 0; position < n; position += support::thread_sanitizer ? 97 : 13) {
    Runs runs(n);
    std::atomic<bool> hostage{false};
    BatchProcessor<int> processor{pool, {.max_workers = 2}};
    if (told) processor.on_progress([](const Progress&) {});
    run_either_way(processor, by_start, numbers(n), [&](int i) {
      const auto running = runs.run(i);
      if (i == position) hostage = !eventually([&] { return runs.all_ended() == n - 1; });
    });
    CAPTURE(position);
    REQUIRE_FALSE(hostage.load());
  }
}

TEST_CASE("C13: behind long items on all workers but one all others go on") {
  const unsigned workers = GENERATE(3u, 8u);
  ThreadPool pool{workers};
  for (int round = 0; round < rounds(50); ++round) {
    const int distance = 1 + round;
    const auto many = static_cast<int>(workers) - 1;
    Runs runs(n);
    std::atomic<bool> hostage{false};
    BatchProcessor<int> processor{pool, {.max_workers = workers}};
    processor.run(numbers(n), [&](int i) {
      const auto running = runs.run(i);
      if (i % distance != 0 || i / distance >= many || hostage.load()) return;
      const auto others = static_cast<std::uint64_t>(n - many);
      if (!eventually([&] { return runs.all_ended() >= others; })) hostage = true;
    });
    CAPTURE(distance);
    REQUIRE_FALSE(hostage.load());
  }
}

TEST_CASE("C13: a long item that a nested batch runs in holds nobody up either") {
  ThreadPool pool{2};
  for (int round = 0; round < rounds(50); ++round) {
    Runs runs(n);
    std::atomic<bool> hostage{false};
    BatchProcessor<int> outer{pool, {.max_workers = 3}};
    outer.run(numbers(n), [&](int i) {
      const auto running = runs.run(i);
      if (i != 20 * round) return;
      BatchProcessor<int> inner{pool, {.max_workers = 1}};
      inner.run(numbers(1),
                [&](int) { hostage = !eventually([&] { return runs.all_ended() == n - 1; }); });
    });
    REQUIRE_FALSE(hostage.load());
  }
}
