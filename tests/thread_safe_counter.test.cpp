// SPDX-License-Identifier: MIT
#include <algorithm>
#include <atomic>
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <type_traits>
#include <vector>
#include <xofn/thread_safe_counter.hpp>

#include "counting/threads.hpp"

namespace {

using namespace xofn;
using support::highest;
using support::lowest;
using support::Number;
using support::on_threads;
using support::Thread;
using support::until;

constexpr std::size_t threads = 4;

template <class Counter>
concept Waitable = requires(const Counter& counter) {
  counter.wait(1);
  counter.wait_for(1, std::chrono::seconds(1));
};
template <class Counter>
concept Watchable = requires(const Counter& counter) {
  counter.on_change([](Number) {});
};
template <class Counter, class F>
concept Tells = requires(const Counter& counter, F f) {
  counter.on_change(f);
};

}  // namespace

// --- All counters ---

TEMPLATE_TEST_CASE("a counter starts at zero or where it is told to", "", MutexCounter,
                   AtomicCounter, ShardedCounter) {
  STATIC_REQUIRE(std::is_same_v<typename TestType::value_type, Number>);
  CHECK(TestType{}.value() == 0);
  for (const Number initial : {Number{0}, Number{1}, Number{-1}, lowest, highest}) {
    CHECK(TestType{initial}.value() == initial);
  }
}

TEMPLATE_TEST_CASE("a counter cannot be copied or moved", "", MutexCounter, AtomicCounter,
                   ShardedCounter) {
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<TestType>);
  STATIC_REQUIRE_FALSE(std::is_move_constructible_v<TestType>);
  STATIC_REQUIRE_FALSE(std::is_copy_assignable_v<TestType>);
  STATIC_REQUIRE_FALSE(std::is_move_assignable_v<TestType>);
}

TEMPLATE_TEST_CASE("increment adds and decrement subtracts any number", "", MutexCounter,
                   AtomicCounter, ShardedCounter) {
  TestType counter{100};
  counter.increment();
  CHECK(counter.value() == 101);
  counter.decrement();
  CHECK(counter.value() == 100);
  const Number n = GENERATE(0, 1, 2, 7, 1'000'000'007, -1, -7);
  counter.increment(n);
  CHECK(counter.value() == 100 + n);
  counter.decrement(n);
  CHECK(counter.value() == 100);
  counter.decrement(n);
  CHECK(counter.value() == 100 - n);
}

TEMPLATE_TEST_CASE("a count wraps around at both ends", "", MutexCounter, AtomicCounter,
                   ShardedCounter) {
  TestType counter{highest};
  counter.increment();
  CHECK(counter.value() == lowest);
  counter.decrement();
  CHECK(counter.value() == highest);
  counter.increment(highest);
  CHECK(counter.value() == -2);
  counter.reset();
  counter.decrement(lowest);  // which is its own negative
  CHECK(counter.value() == lowest);
  counter.increment(lowest);
  CHECK(counter.value() == 0);
}

TEMPLATE_TEST_CASE("reset sets the count and returns what it replaced", "", MutexCounter,
                   AtomicCounter, ShardedCounter) {
  TestType counter{5};
  counter.increment(2);
  CHECK(counter.reset() == 7);
  CHECK(counter.value() == 0);
  CHECK(counter.reset(-3) == 0);
  CHECK(counter.value() == -3);
  CHECK(counter.reset(highest) == -3);
  CHECK(counter.reset(highest) == highest);
  CHECK(counter.value() == highest);
}

TEMPLATE_TEST_CASE("no change is lost, whatever it is and however many threads make it", "",
                   MutexCounter, AtomicCounter, ShardedCounter) {
  const std::size_t many = GENERATE(1U, threads, 40U);  // 40: more than a sharded counter has slots
  const Number rounds = 20'000 / static_cast<Number>(many);
  TestType counter{10};
  on_threads(many, [&](std::size_t) {
    for (Number i = 0; i < rounds; ++i) {
      counter.increment();
      counter.increment(0);
      counter.increment(5);
      counter.decrement();
      counter.decrement(-2);
      counter.increment(-3);
    }
  });
  CHECK(counter.value() == 10 + 4 * rounds * static_cast<Number>(many));
}

TEMPLATE_TEST_CASE("the count never falls for a reader while there are increments only", "",
                   MutexCounter, AtomicCounter, ShardedCounter) {
  constexpr Number rounds = 20'000;
  TestType counter;
  std::vector<Number> falls(2);
  on_threads(threads, [&](std::size_t thread) {
    if (thread < 2) {
      for (Number i = 0; i < rounds; ++i) counter.increment();
    } else {
      Number before = 0;
      while (before != 2 * rounds) {
        const Number now = counter.value();
        falls[thread - 2] += now < before || now > 2 * rounds ? 1 : 0;
        before = now;
      }
    }
  });
  CHECK(falls == std::vector<Number>{0, 0});
}

TEMPLATE_TEST_CASE(
    "what concurrent resets take and what is left over is what was counted and reset to", "",
    MutexCounter, AtomicCounter, ShardedCounter) {
  constexpr Number rounds = 20'000;
  TestType counter{7};
  std::vector<Number> taken(threads);
  std::vector<Number> put(threads);
  on_threads(threads, [&](std::size_t thread) {
    for (Number i = 0; i < rounds; ++i) {
      counter.increment(3);
      if (i % 16 == 0) {
        put[thread] += i % 5;
        taken[thread] += counter.reset(i % 5);
      }
    }
  });
  const Number all_taken = std::accumulate(taken.begin(), taken.end(), counter.value());
  const Number all_put = std::accumulate(put.begin(), put.end(), Number{7});
  CHECK(all_taken == all_put + 3 * rounds * static_cast<Number>(threads));
}

// --- Exact counters ---

TEMPLATE_TEST_CASE("increment and decrement of an exact counter return the new value", "",
                   MutexCounter, AtomicCounter) {
  TestType counter{10};
  CHECK(counter.increment() == 11);
  CHECK(counter.increment(0) == 11);
  CHECK(counter.increment(5) == 16);
  CHECK(counter.increment(-20) == -4);
  CHECK(counter.decrement() == -5);
  CHECK(counter.decrement(0) == -5);
  CHECK(counter.decrement(5) == -10);
  CHECK(counter.decrement(-20) == 10);
  CHECK(TestType{highest}.increment() == lowest);
  CHECK(TestType{lowest}.decrement() == highest);
}

TEMPLATE_TEST_CASE("each total is returned exactly once, and to one thread in rising order", "",
                   MutexCounter, AtomicCounter) {
  constexpr std::size_t rounds = 20'000;
  TestType counter;
  std::vector<std::vector<Number>> returned(threads);
  on_threads(threads, [&](std::size_t thread) {
    for (std::size_t i = 0; i < rounds; ++i) returned[thread].push_back(counter.increment());
  });
  std::vector<Number> all;
  for (const auto& some : returned) {
    CHECK(std::is_sorted(some.begin(), some.end()));
    all.insert(all.end(), some.begin(), some.end());
  }
  std::sort(all.begin(), all.end());
  std::vector<Number> expected(threads * rounds);
  std::iota(expected.begin(), expected.end(), Number{1});
  CHECK(all == expected);
}

TEMPLATE_TEST_CASE("who sees the count sees what was done before it was counted", "", MutexCounter,
                   AtomicCounter) {
  for (int round = 0; round < 300; ++round) {
    TestType counter;
    std::vector<std::size_t> done(threads);  // plain data: a thread sanitizer watches
    Thread work([&] {
      on_threads(threads, [&](std::size_t thread) {
        done[thread] = thread + 1;
        counter.increment();
      });
    });
    until([&] { return counter.value() == static_cast<Number>(threads); });
    const auto sum = std::accumulate(done.begin(), done.end(), std::size_t{0});
    if (sum != threads * (threads + 1) / 2) FAIL_CHECK("round " << round << ": " << sum);
  }
}

TEST_CASE("only exact counters return numbers, can be waited for and watched") {
  STATIC_REQUIRE(std::is_same_v<decltype(MutexCounter{}.increment()), Number>);
  STATIC_REQUIRE(std::is_same_v<decltype(AtomicCounter{}.decrement()), Number>);
  STATIC_REQUIRE(std::is_void_v<decltype(ShardedCounter{}.increment())>);
  STATIC_REQUIRE(std::is_void_v<decltype(ShardedCounter{}.decrement())>);
  STATIC_REQUIRE((Waitable<MutexCounter> && Waitable<AtomicCounter> && !Waitable<ShardedCounter>));
  STATIC_REQUIRE(
      (Watchable<MutexCounter> && Watchable<AtomicCounter> && !Watchable<ShardedCounter>));
}

TEST_CASE("what cannot be called with a value is no function to be told of changes") {
  STATIC_REQUIRE(Tells<AtomicCounter, void (*)(Number)>);
  STATIC_REQUIRE_FALSE(Tells<AtomicCounter, void (*)()>);
  STATIC_REQUIRE_FALSE(Tells<AtomicCounter, void (*)(const char*)>);
  STATIC_REQUIRE_FALSE(Tells<AtomicCounter, int>);
}

// --- Sharded counters, after what others shipped ---

TEST_CASE("facebook/folly ThreadCachedInt: a drain counts nothing twice and loses nothing") {
  constexpr int drains = 5'000;
  ShardedCounter counter;
  std::atomic<int> left{drains};  // of those that took something
  std::vector<Number> counted(2);
  std::vector<Number> taken(2);
  on_threads(4, [&](std::size_t thread) {
    if (thread < 2) {
      for (; left.load() > 0; ++counted[thread]) counter.increment();
    } else {
      while (left.load() > 0) {
        const Number some = counter.reset();
        taken[thread - 2] += some;
        if (some != 0) --left;
      }
    }
  });
  CHECK(taken[0] + taken[1] + counter.value() == counted[0] + counted[1]);
}

TEST_CASE("facebook/folly ThreadCachedInt: a drain of 5 takes 5, once") {
  ShardedCounter counter;
  Thread([&] { counter.increment(5); }).join();
  CHECK(counter.reset() == 5);
  CHECK(counter.reset() == 0);
  CHECK(counter.value() == 0);
}

TEST_CASE("facebook/folly ThreadCachedInt: a reset is not undone when a thread ends") {
  ShardedCounter counter;
  std::atomic<bool> counted{false};
  std::atomic<bool> end{false};
  Thread writer([&] {
    counter.increment(5);
    counted = true;
    until([&] { return end.load(); });
  });
  until([&] { return counted.load(); });
  CHECK(counter.reset(2) == 5);
  end = true;
  writer.join();
  CHECK(counter.value() == 2);
}

TEST_CASE("facebook/folly ThreadCachedInt: the sum never falls while threads come and go") {
  constexpr Number rounds = 200;
  ShardedCounter counter;
  std::atomic<bool> done{false};
  Number falls = 0;
  Thread reader([&] {
    for (Number before = 0; !done.load();) {
      const Number now = counter.value();
      falls += now < before ? 1 : 0;
      before = now;
    }
  });
  for (Number i = 0; i < rounds; ++i) {
    Thread([&] {
      for (int k = 0; k < 50; ++k) counter.increment();
    }).join();
  }
  done = true;
  reader.join();
  CHECK(falls == 0);
  CHECK(counter.value() == 50 * rounds);
}
