// SPDX-License-Identifier: MIT
// P7, P8: what an increment costs, beside the bare hardware.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <latch>
#include <limits>
#include <mutex>
#include <string>
#include <thread>
#include <vector>
#include <xofn/cache_line.hpp>
#include <xofn/sync.hpp>
#include <xofn/thread_safe_counter.hpp>

#include "contest.hpp"
#include "load.hpp"
#include "sections.hpp"

namespace speed {

namespace {

struct BareAtomic {
  alignas(xofn::cache_line_size) std::atomic<std::int64_t> value{0};
  std::int64_t increment() { return value.fetch_add(1) + 1; }
};

/// The same, and what a counter that can be waited for cannot do without: it must look, after it
/// has counted, whether somebody waits.
struct LookingAtomic {
  alignas(xofn::cache_line_size) std::atomic<std::int64_t> value{0};
  alignas(xofn::cache_line_size) std::atomic<std::int64_t> mark{
      std::numeric_limits<std::int64_t>::max()};
  std::int64_t increment() {
    const std::int64_t now = value.fetch_add(1) + 1;
    if (now >= mark.load()) [[unlikely]]
      std::abort();
    return now;
  }
};

struct BareMutex {
  alignas(xofn::cache_line_size) std::mutex mutex;
  std::int64_t value = 0;
  std::int64_t increment() {
    const std::lock_guard guard(mutex);
    return ++value;
  }
};

template <class Counter>
void increment(Counter& counter, std::size_t times) {
  for (; times != 0; --times) counter.increment();
}

/// How long it takes `threads` threads to increment one counter so often each.
template <class Counter>
Contest::nanoseconds time_increments(unsigned threads, std::size_t times) {
  static Counter counter;
  using Clock = std::chrono::steady_clock;
  std::latch start(threads);
  std::vector<Clock::time_point> begun(threads);
  const auto count = [&](unsigned thread) {
    start.arrive_and_wait();
    begun[thread] = Clock::now();
    increment(counter, times);
  };
  std::vector<std::thread> others;
  for (unsigned t = 1; t != threads; ++t) others.emplace_back(count, t);
  count(0);
  for (std::thread& other : others) other.join();
  return Clock::now() - *std::min_element(begun.begin(), begun.end());
}

constexpr const char* bare_atomic = "bare fetch_add";
constexpr const char* looking_atomic = "fetch_add and a load";
constexpr const char* bare_mutex = "bare mutex";
constexpr const char* atomic = "AtomicCounter";
constexpr const char* mutex = "MutexCounter";
constexpr const char* sharded = "ShardedCounter";

void count(unsigned threads, const Effort& effort, Results& results) {
  const std::size_t times = effort.items(2'000'000) / threads;
  Contest contest;
  const auto add = [&]<class Counter>(const char* name, Counter* /*type*/) {
    contest.add_timed(name, [=] { return time_increments<Counter>(threads, times); });
  };
  add(bare_atomic, static_cast<BareAtomic*>(nullptr));
  add(looking_atomic, static_cast<LookingAtomic*>(nullptr));
  add(atomic, static_cast<xofn::AtomicCounter*>(nullptr));
  add(bare_mutex, static_cast<BareMutex*>(nullptr));
  add(mutex, static_cast<xofn::MutexCounter*>(nullptr));
  add(sharded, static_cast<xofn::ShardedCounter*>(nullptr));
  contest.run(effort.rounds);

  const auto an_increment = [&](const std::string& name) {
    return contest.median_ns(name) / static_cast<double>(times * threads);
  };
  for (const std::string& name : contest.names()) {
    results.add_point("increments", name, threads, an_increment(name));
  }
  const auto against = [&](const char* id, const char* name, const char* other,
                           std::optional<Bound> bound) {
    results.add(
        {id,
         std::string(name) + " against " + other + ", " + std::to_string(threads) +
             (threads == 1 ? " thread" : " threads"),
         contest.ratio(name, other), bound,
         short_number(an_increment(name)) + " ns, " + short_number(an_increment(other)) + " ns"});
  };
  const unsigned cores = xofn::StdSync::hardware_threads();
  if (threads == 1) {
    against("P7", atomic, bare_atomic, Bound::at_most(1.05));
    against("P7", atomic, looking_atomic, {});
    against("P7", mutex, bare_mutex, Bound::at_most(1.05));
  } else if (threads == cores) {
    against("P7", atomic, bare_atomic, {});
    against("P7", mutex, bare_mutex, {});
    against("P8", sharded, atomic, Bound::at_most(1.1));
  }
}

}  // namespace

void count(const Effort& effort, Results& results) {
  for (unsigned threads = 1; threads <= 2 * xofn::StdSync::hardware_threads(); ++threads) {
    count(threads, effort, results);
  }
}

}  // namespace speed
