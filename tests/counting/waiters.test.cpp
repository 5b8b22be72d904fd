// SPDX-License-Identifier: MIT
#include <atomic>
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <latch>
#include <limits>
#include <memory>
#include <optional>
#include <ratio>
#include <utility>
#include <vector>
#include <xofn/thread_safe_counter.hpp>

#include "spy_sync.hpp"
#include "threads.hpp"
#ifdef __cpp_lib_jthread
#include <stop_token>
#endif

namespace {

using namespace std::chrono_literals;
using namespace xofn;
using support::highest;
using support::lowest;
using support::Number;
using support::SpySync;
using support::Thread;
using support::until;

template <class Counting>
using Spied = ThreadSafeCounter<Counting, SpySync>;

/// Where a thread stops that has counted and is yet to look who cares.
struct Stop {
  std::latch arrived{1};
  std::latch go_on{1};
};
thread_local Stop* next_stop = nullptr;

template <class Counting>
struct Stopping {
  template <class Sync>
  class cell : public Counting::template cell<Sync> {
   public:
    using Counting::template cell<Sync>::cell;
    Number add(Number n) {
      const Number now = Counting::template cell<Sync>::add(n);
      if (Stop* const stop = std::exchange(next_stop, nullptr)) {
        stop->arrived.count_down();
        stop->go_on.wait();
      }
      return now;
    }
  };
};

void until_asleep(int threads) {
  until([&] { return SpySync::asleep.load() == threads; });
}

#ifdef __cpp_lib_jthread
/// Out of line, since g++ 12 with a sanitizer takes one that it sees being built for uninitialised.
[[gnu::noinline]] std::stop_source new_stop_source() { return {}; }
#endif

/// Every way to wait that ends by itself.
template <class Counter>
bool wait_somehow(const Counter& counter, Number at_least, int way) {
#ifdef __cpp_lib_jthread
  if (way == 2) return counter.wait(at_least, new_stop_source().get_token());
  if (way == 3) return counter.wait(at_least, std::stop_token{});
#endif
  if (way == 1) return counter.wait_for(at_least, 1h);
  counter.wait(at_least);
  return true;
}

}  // namespace

TEMPLATE_TEST_CASE("a wait for what the count has reached already returns at once", "",
                   MutexCounter, AtomicCounter) {
  const int way = GENERATE(0, 1, 2, 3);
  TestType counter{5};
  for (const Number at_least : {Number{5}, Number{4}, Number{0}, Number{-1}, lowest}) {
    CHECK(wait_somehow(counter, at_least, way));
  }
  CHECK(wait_somehow(TestType{}, 0, way));
  CHECK(wait_somehow(TestType{-3}, -3, way));
  CHECK(wait_somehow(TestType{lowest}, lowest, way));
  CHECK(wait_somehow(TestType{highest}, highest, way));
}

TEMPLATE_TEST_CASE("a sleeping wait ends however the count reaches its mark", "", MutexCounting,
                   AtomicCounting) {
  using Counter = Spied<TestType>;
  const int way = GENERATE(0, 1, 2, 3);
  const auto reach = GENERATE(
      as<std::function<void(Counter&)>>{},  //
      [](Counter& c) {
        for (int i = 0; i < 10; ++i) c.increment();
      },                                       //
      [](Counter& c) { c.increment(10); },     //
      [](Counter& c) { c.increment(1'000); },  //
      [](Counter& c) { c.decrement(-10); },    //
      [](Counter& c) { c.reset(10); },         //
      [](Counter& c) { c.reset(highest); },    //
      [](Counter& c) { c.reset(lowest), c.decrement(); });
  Counter counter;
  bool reached = false;
  Thread waiting([&] { reached = wait_somehow(counter, 10, way); });
  until_asleep(1);
  const int notified = SpySync::notified;
  counter.increment(0);
  counter.increment(9);
  counter.decrement(9);
  counter.reset(-1);
  counter.reset();
  CHECK(SpySync::notified == notified);
  reach(counter);
  waiting.join();
  CHECK(reached);
}

TEMPLATE_TEST_CASE("a wait for the highest count there is ends there", "", MutexCounting,
                   AtomicCounting) {
  Spied<TestType> counter{highest - 2};
  Thread waiting([&] { counter.wait(highest); });
  until_asleep(1);
  const int notified = SpySync::notified;
  counter.increment();
  CHECK(SpySync::notified == notified);
  counter.increment();
  waiting.join();
  CHECK(counter.value() == highest);
}

TEMPLATE_TEST_CASE("a wait ends once its mark was reached, even if the count has fallen back", "",
                   MutexCounting, AtomicCounting) {
  const int way = GENERATE(0, 1, 2, 3);
  Spied<Stopping<TestType>> counter;
  std::vector<char> reached(3);
  std::vector<Thread> waiting;
  for (std::size_t i = 0; i < 3; ++i) {
    waiting.emplace_back([&, i] { reached[i] = wait_somehow(counter, 5, way) ? 1 : 0; });
  }
  until_asleep(3);
  Stop stop;
  Thread counting([&] {
    next_stop = &stop;
    counter.increment(5);
  });
  stop.arrived.wait();
  counter.reset(-100);
  stop.go_on.count_down();
  waiting.clear();
  CHECK(reached == std::vector<char>{1, 1, 1});
}

TEMPLATE_TEST_CASE("each of many waiters is woken at its own mark", "", MutexCounting,
                   AtomicCounting) {
  constexpr std::size_t many = 12;
  Spied<TestType> counter;
  std::vector<std::atomic<Number>> seen(many);
  std::vector<Thread> waiting;
  for (std::size_t i = 0; i < many; ++i) {
    const std::size_t at = i * 5 % many;  // in no order
    waiting.emplace_back([&, at] {
      counter.wait(static_cast<Number>(at) + 1);
      seen[at] = counter.value();
    });
  }
  until_asleep(many);
  for (std::size_t at = 0; at < many; ++at) {
    counter.increment();
    until([&] { return seen[at].load() != 0; });
    CHECK(seen[at].load() == static_cast<Number>(at) + 1);
  }
}

TEST_CASE("a change that nobody cares for takes no lock, nor does a wait for what is reached") {
  Spied<AtomicCounting> counter;
  const auto locks_of = [](auto call) {
    const int before = SpySync::locked;
    call();
    return SpySync::locked - before;
  };
  const auto change = [&] {
    counter.increment();
    counter.decrement(2);
    counter.reset(5);
  };
  CHECK(locks_of(change) == 0);
  for (const int way : {0, 1, 2, 3}) {
    CHECK(locks_of([&] { CHECK(wait_somehow(counter, 5, way)); }) == 0);
  }
  Thread waiting([&] { counter.wait(10); });
  until_asleep(1);
  CHECK(locks_of(change) == 0);
  CHECK(locks_of([&] { counter.reset(10); }) == 1);
  waiting.join();
  CHECK(locks_of(change) == 0);
  auto subscription = counter.on_change([](Number) {});
  CHECK(locks_of(change) > 0);
  subscription = {};
  CHECK(locks_of(change) == 0);
}

TEMPLATE_TEST_CASE("facebookincubator/dispenso Latch: a count by 2 wakes who waits for 2", "",
                   MutexCounting, AtomicCounting) {
  Spied<TestType> counter;
  Thread waiting([&] { counter.wait(2); });
  until_asleep(1);
  counter.increment(2);
  waiting.join();
  CHECK(counter.value() == 2);
}

TEMPLATE_TEST_CASE("uxlfoundation/oneTBB#2136: no wake-up is lost", "", MutexCounter,
                   AtomicCounter) {
  // Each round one thread begins to wait while another counts, now a little earlier, now later.
  constexpr Number rounds = 2'048;
  Number lost = 0;
  const auto end = std::chrono::steady_clock::now() + 500ms;
  do {
    TestType counter;
    std::atomic<Number> arrived{0};
    support::on_threads(2, [&](std::size_t thread) {
      for (Number i = 1; i <= rounds; ++i) {
        ++arrived;
        until([&] { return arrived.load() >= 2 * i; });
        for (Number delay = (thread == 0 ? i : i / 32) % 32; delay > 0; --delay) arrived.load();
        if (thread == 0) {
          counter.increment();
        } else if (!counter.wait_for(i, 10s)) {
          ++lost;
        }
      }
    });
  } while (lost == 0 && std::chrono::steady_clock::now() < end);
  CHECK(lost == 0);
}

TEMPLATE_TEST_CASE("two threads may count and wait for each other in turn", "", MutexCounter,
                   AtomicCounter) {
  constexpr Number rounds = 5'000;
  TestType ping;
  TestType pong;
  Thread other([&] {
    for (Number i = 1; i <= rounds; ++i) {
      ping.wait(i);
      pong.increment();
    }
  });
  for (Number i = 1; i <= rounds; ++i) {
    ping.increment();
    pong.wait(i);
  }
  other.join();
  CHECK(ping.value() == rounds);
}

TEMPLATE_TEST_CASE("what was done before the counts up to a mark is visible after the wait", "",
                   MutexCounter, AtomicCounter) {
  constexpr std::size_t threads = 3;
  for (int round = 0; round < 300; ++round) {
    TestType counter;
    std::vector<std::size_t> done(threads);  // plain data: a thread sanitizer watches
    Thread work([&] {
      support::on_threads(threads, [&](std::size_t thread) {
        done[thread] = 1;
        counter.increment();
      });
    });
    counter.wait(threads);
    if (done != std::vector<std::size_t>{1, 1, 1}) FAIL_CHECK("round " << round);
  }
}

// --- For a time ---

TEMPLATE_TEST_CASE("wait_for with no time left looks once", "", MutexCounter, AtomicCounter) {
  const TestType counter{5};
  CHECK(counter.wait_for(5, 0ns));
  CHECK(counter.wait_for(5, std::chrono::hours::min()));
  CHECK_FALSE(counter.wait_for(6, 0ns));
  CHECK_FALSE(counter.wait_for(6, -1ns));
  CHECK_FALSE(counter.wait_for(6, std::chrono::nanoseconds::min()));
  CHECK_FALSE(counter.wait_for(6, std::chrono::hours::min()));
  CHECK_FALSE(counter.wait_for(6, std::chrono::duration<double>(-1)));
  CHECK_FALSE(counter.wait_for(6, std::chrono::duration<double>(std::nan(""))));
}

TEMPLATE_TEST_CASE("wait_for gives up when its time is over, not before, and leaves no trace", "",
                   MutexCounter, AtomicCounter) {
  TestType counter;
  for (const auto timeout : {1ns, 1'000ns, 3'000'000ns}) {
    const auto start = std::chrono::steady_clock::now();
    CHECK_FALSE(counter.wait_for(1, timeout));
    CHECK(std::chrono::steady_clock::now() - start >= timeout);
  }
  CHECK_FALSE(counter.wait_for(2, std::chrono::duration<double, std::milli>(0.5)));
  CHECK(counter.increment(5) == 5);
  CHECK(counter.wait_for(5, 0ns));
}

TEMPLATE_TEST_CASE("the longest of times do not overflow", "", MutexCounting, AtomicCounting) {
  Spied<TestType> counter;
  const auto check = [&](auto timeout) {
    counter.reset();
    bool reached = false;
    Thread waiting([&] { reached = counter.wait_for(1, timeout); });
    until_asleep(1);
    counter.increment();
    waiting.join();
    CHECK(reached);
  };
  check(std::chrono::nanoseconds::max());
  check(std::chrono::hours::max());
  check(std::chrono::years::max());
  check(std::chrono::duration<Number, std::ratio<1, 3>>::max());
  check(std::chrono::duration<Number, std::exa>::max());
  check(std::chrono::duration<double>::max());
  check(std::chrono::duration<float, std::exa>(std::numeric_limits<float>::infinity()));
  check(std::chrono::duration<unsigned char, std::ratio<3600>>(1));
}

TEMPLATE_TEST_CASE("waits that end at the same moment for different reasons all end", "",
                   MutexCounter, AtomicCounter) {
  for (int round = 0; round < 500; ++round) {
    TestType counter;
    std::vector<char> wrong(3);
    support::on_threads(4, [&](std::size_t thread) {
      if (thread == 3) {
        counter.increment();
      } else {
        const bool reached = counter.wait_for(1, 10us * thread);
        wrong[thread] = reached && counter.value() == 0 ? 1 : 0;
      }
    });
    if (wrong != std::vector<char>(3)) FAIL_CHECK("round " << round);
    Thread last([&] { counter.wait(2); });  // whoever gave up is not in the way
    counter.increment();
  }
}

// --- Until a stop ---

#ifdef __cpp_lib_jthread
TEMPLATE_TEST_CASE("a wait with a stop requested before returns whether the mark is reached", "",
                   MutexCounter, AtomicCounter) {
  std::stop_source source = new_stop_source();
  source.request_stop();
  TestType counter{5};
  CHECK(counter.wait(5, source.get_token()));
  CHECK_FALSE(counter.wait(6, source.get_token()));
  CHECK(counter.increment() == 6);
}

TEMPLATE_TEST_CASE("a stop ends the sleeping waits with its token, and no others", "",
                   MutexCounting, AtomicCounting) {
  std::stop_source source = new_stop_source();
  Spied<TestType> counter;
  std::vector<int> result(4, -1);
  {
    std::vector<Thread> waiting;
    for (std::size_t i = 0; i < 2; ++i) {
      waiting.emplace_back([&, i] { result[i] = counter.wait(1, source.get_token()) ? 1 : 0; });
    }
    Thread timed([&] { result[2] = counter.wait_for(1, 1h) ? 1 : 0; });
    Thread other([&] { result[3] = counter.wait(1, new_stop_source().get_token()) ? 1 : 0; });
    until_asleep(4);
    source.request_stop();
    waiting.clear();
    until_asleep(2);
    counter.increment();
  }
  CHECK(result == std::vector<int>{0, 0, 1, 1});
}

TEMPLATE_TEST_CASE("a stop and a count at the same moment end a wait", "", MutexCounter,
                   AtomicCounter) {
  for (int round = 0; round < 1'000; ++round) {
    std::stop_source source = new_stop_source();
    TestType counter;
    bool wrong = false;
    support::on_threads(3, [&](std::size_t thread) {
      if (thread == 0) {
        source.request_stop();
      } else if (thread == 1) {
        counter.increment();
      } else {
        const bool reached = counter.wait(1, source.get_token());
        wrong = reached && counter.value() == 0;
      }
    });
    if (wrong) FAIL_CHECK("round " << round);
    Thread last([&] { counter.wait(2); });  // whoever was stopped is not in the way
    counter.increment();
  }
}
#endif

// --- The end of a counter ---

TEMPLATE_TEST_CASE("a counter may be destroyed as soon as a wait has returned", "", MutexCounter,
                   AtomicCounter) {
  for (int round = 0; round < 10'000; ++round) {
    auto counter = std::make_unique<TestType>();
    Thread counting([&c = *counter] { c.increment(); });
    if (round % 2 == 0) {
      counter->wait(1);
    } else {
      until([&] { return counter->value() == 1; });
    }
    counter.reset();
  }
}

TEMPLATE_TEST_CASE("a counter may be followed at once by another in the same place", "",
                   MutexCounter, AtomicCounter) {
  constexpr int rounds = 10'000;
  std::atomic<TestType*> next{nullptr};
  Thread counting([&] {
    for (int round = 0; round < rounds; ++round) {
      TestType* counter = nullptr;
      until([&] { return (counter = next.exchange(nullptr)) != nullptr; });
      counter->increment();
    }
  });
  std::optional<TestType> counter;
  int too_early = 0;
  for (int round = 0; round < rounds; ++round) {
    counter.emplace();
    next = &*counter;
    counter->wait(1);
    too_early += counter->value() == 1 ? 0 : 1;
  }
  CHECK(too_early == 0);
}

TEMPLATE_TEST_CASE("a thread on its way out of a counter that is gone touches nothing of it", "",
                   MutexCounting, AtomicCounting) {
  Stop stop;
  auto counter = std::make_unique<Spied<Stopping<TestType>>>();
  Number returned = 0;
  Thread late([&, &c = *counter] {
    next_stop = &stop;
    returned = c.increment();
  });
  stop.arrived.wait();
  counter->wait(1);
  counter.reset();
  stop.go_on.count_down();
  late.join();
  CHECK(returned == 1);
}

TEMPLATE_TEST_CASE("a thread on its way out of a counter that is gone wakes nobody", "",
                   MutexCounting, AtomicCounting) {
  Stop stop;
  auto gone = std::make_unique<Spied<Stopping<TestType>>>();
  Thread late([&, &c = *gone] {
    next_stop = &stop;
    c.increment();
  });
  stop.arrived.wait();
  gone.reset();
  Spied<TestType> next;
  Thread waiting([&] { next.wait(1); });
  until_asleep(1);
  const int notified = SpySync::notified;
  stop.go_on.count_down();
  late.join();
  CHECK(SpySync::notified == notified);
  next.increment();
}

TEMPLATE_TEST_CASE("a wait does not end by what other counters count", "", MutexCounting,
                   AtomicCounting) {
  std::vector<std::unique_ptr<Spied<TestType>>> others(200);
  for (auto& other : others) other = std::make_unique<Spied<TestType>>();
  Spied<TestType> counter;
  Thread waiting([&] { counter.wait(1); });
  until_asleep(1);
  const int notified = SpySync::notified;
  for (auto& other : others) other->increment(100);
  CHECK(SpySync::notified == notified);
  counter.increment();
}
