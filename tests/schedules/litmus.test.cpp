// SPDX-License-Identifier: MIT
// What the model of memory lets a program see, and what it never does: the answers are the
// standard's.
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <set>
#include <vector>

#include "explore.hpp"
#include "scheduled_sync.hpp"

using namespace schedules;

namespace {

constexpr auto relaxed = std::memory_order_relaxed;
constexpr auto acquire_ = std::memory_order_acquire;
constexpr auto release_ = std::memory_order_release;
constexpr auto seq_cst = std::memory_order_seq_cst;

using Word = ScheduledSync::atomic<int>;
using Outcome = std::vector<int>;

/// All that can be read into `r` by the threads, which `threads` makes anew for each schedule.
template <class Threads>
std::set<Outcome> outcomes(bool weak_memory, std::size_t registers, Threads threads) {
  std::set<Outcome> seen;
  Scheduler::Settings settings;
  settings.weak_memory = weak_memory;
  const auto explored = explore_exhaustively(
      [&] {
        Word x{0};
        Word y{0};
        Outcome r(registers);
        {
          std::vector<ScheduledThread> running;
          for (auto& thread : threads(x, y, r)) running.emplace_back(thread);
        }
        seen.insert(r);
      },
      3, registers == 4 ? 100'000 : 10'000, settings);
  CHECK_FALSE(explored.failure);
  CHECK(explored.all);
  return seen;
}

using Threads = std::vector<std::function<void()>>;

auto store_buffering(std::memory_order store, std::memory_order load) {
  return [=](Word& x, Word& y, Outcome& r) -> Threads {
    return {[&x, &y, &r, store, load] {
              x.store(1, store);
              r[0] = y.load(load);
            },
            [&x, &y, &r, store, load] {
              y.store(1, store);
              r[1] = x.load(load);
            }};
  };
}

auto message_passing(std::memory_order store, std::memory_order load) {
  return [=](Word& data, Word& flag, Outcome& r) -> Threads {
    return {[&data, &flag, store] {
              data.store(1, relaxed);
              flag.store(1, store);
            },
            [&data, &flag, &r, load] {
              r[0] = flag.load(load);
              r[1] = data.load(relaxed);
            }};
  };
}

auto independent_reads(std::memory_order store, std::memory_order load) {
  return [=](Word& x, Word& y, Outcome& r) -> Threads {
    return {[&x, store] { x.store(1, store); }, [&y, store] { y.store(1, store); },
            [&x, &y, &r, load] {
              r[0] = x.load(load);
              r[1] = y.load(load);
            },
            [&x, &y, &r, load] {
              r[2] = y.load(load);
              r[3] = x.load(load);
            }};
  };
}

}  // namespace

TEST_CASE("without weak memory every outcome is that of an interleaving") {
  CHECK(outcomes(false, 2, store_buffering(relaxed, relaxed)) ==
        std::set<Outcome>{{0, 1}, {1, 0}, {1, 1}});
  CHECK(outcomes(false, 2, message_passing(relaxed, relaxed)) ==
        std::set<Outcome>{{0, 0}, {0, 1}, {1, 1}});
  CHECK_FALSE(outcomes(false, 4, independent_reads(relaxed, relaxed)).contains({1, 0, 1, 0}));
}

TEST_CASE("a store and a load of another place pass each other unless both are seq_cst") {
  const Outcome both_old{0, 0};
  CHECK(outcomes(true, 2, store_buffering(relaxed, relaxed)).contains(both_old));
  CHECK(outcomes(true, 2, store_buffering(release_, acquire_)).contains(both_old));
  CHECK(outcomes(true, 2, store_buffering(seq_cst, acquire_)).contains(both_old));
  CHECK(outcomes(true, 2, store_buffering(release_, seq_cst)).contains(both_old));
  CHECK(outcomes(true, 2, store_buffering(seq_cst, seq_cst)) ==
        std::set<Outcome>{{0, 1}, {1, 0}, {1, 1}});
}

TEST_CASE("a message arrives with its flag if that is released and acquired") {
  const Outcome flag_alone{1, 0};
  CHECK(outcomes(true, 2, message_passing(relaxed, relaxed)).contains(flag_alone));
  CHECK(outcomes(true, 2, message_passing(release_, relaxed)).contains(flag_alone));
  CHECK(outcomes(true, 2, message_passing(relaxed, acquire_)).contains(flag_alone));
  CHECK(outcomes(true, 2, message_passing(release_, acquire_)) ==
        std::set<Outcome>{{0, 0}, {0, 1}, {1, 1}});
}

TEST_CASE("two readers agree on the order of two writers only if all are seq_cst") {
  const Outcome disagreeing{1, 0, 1, 0};
  CHECK(outcomes(true, 4, independent_reads(relaxed, relaxed)).contains(disagreeing));
  CHECK(outcomes(true, 4, independent_reads(release_, acquire_)).contains(disagreeing));
  CHECK_FALSE(outcomes(true, 4, independent_reads(seq_cst, seq_cst)).contains(disagreeing));
}

TEST_CASE("one place never goes backwards for one reader, however weak") {
  const auto seen = outcomes(true, 2, [](Word& x, Word&, Outcome& r) -> Threads {
    return {[&x] {
              x.store(1, relaxed);
              x.store(2, relaxed);
            },
            [&x, &r] {
              r[0] = x.load(relaxed);
              r[1] = x.load(relaxed);
            }};
  });
  CHECK(seen == std::set<Outcome>{{0, 0}, {0, 1}, {0, 2}, {1, 1}, {1, 2}, {2, 2}});
}

TEST_CASE("what another has read, and told by release, is read no older") {
  const auto seen = outcomes(true, 3, [](Word& x, Word& flag, Outcome& r) -> Threads {
    return {[&x] { x.store(1, relaxed); },
            [&x, &flag, &r] {
              r[0] = x.load(relaxed);
              flag.store(1, release_);
            },
            [&x, &flag, &r] {
              r[1] = flag.load(acquire_);
              r[2] = x.load(relaxed);
            }};
  });
  CHECK(seen.contains({1, 0, 0}));
  CHECK_FALSE(seen.contains({1, 1, 0}));
}

TEST_CASE("a read-modify-write reads the newest, and carries on what was released before it") {
  const auto seen = outcomes(true, 2, [](Word& data, Word& flag, Outcome& r) -> Threads {
    return {[&data, &flag] {
              data.store(1, relaxed);
              flag.fetch_add(1, release_);
            },
            [&flag] { flag.fetch_add(1, relaxed); },
            [&data, &flag, &r] {
              r[0] = flag.load(acquire_);
              r[1] = data.load(relaxed);
            }};
  });
  CHECK(seen.contains({1, 0}));  // the other's count
  CHECK(seen.contains({2, 1}));
  CHECK_FALSE(seen.contains({2, 0}));
}

TEST_CASE("a comparison that fails may have read an old value, one that succeeds has not") {
  const auto seen = outcomes(true, 2, [](Word& x, Word&, Outcome& r) -> Threads {
    return {[&x] { x.store(1, relaxed); },
            [&x, &r] {
              int expected = 1;
              r[0] = x.compare_exchange_strong(expected, 2, relaxed) ? 1 : 0;
              r[1] = expected;
            }};
  });
  CHECK(seen == std::set<Outcome>{{0, 0}, {1, 1}});
}

TEST_CASE("a lock makes what was done under it visible to the next, however weak") {
  Scheduler::Settings settings;
  settings.weak_memory = true;
  const auto explored = explore_exhaustively(
      [] {
        Word x{0};
        ScheduledMutex mutex;
        const auto add = [&] {
          const ScheduledSync::lock guard(mutex);
          x.store(x.load(relaxed) + 1, relaxed);
        };
        {
          const ScheduledThread a(add);
          const ScheduledThread b(add);
        }
        check(x.load(relaxed) == 2, "both have counted");
      },
      3, 10'000, settings);
  CHECK_FALSE(explored.failure);
  CHECK(explored.all);
}
