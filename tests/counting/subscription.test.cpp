// SPDX-License-Identifier: MIT
#include <algorithm>
#include <atomic>
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <latch>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>
#include <xofn/thread_safe_counter.hpp>

#include "spy_sync.hpp"
#include "threads.hpp"

namespace {

using namespace xofn;
using support::on_threads;
using support::SpySync;
using support::Thread;
using support::until;

using Number = std::int64_t;
using Numbers = std::vector<Number>;

std::string what(const std::exception_ptr& error) {
  try {
    if (error) std::rethrow_exception(error);
    return "nothing";
  } catch (const std::exception& e) {
    return e.what();
  }
}

}  // namespace

TEMPLATE_TEST_CASE("each change is told, and what is no change is not", "", MutexCounter,
                   AtomicCounter) {
  TestType counter{5};
  Numbers told;
  const auto subscription = counter.on_change([&](Number value) { told.push_back(value); });
  counter.increment(0);
  counter.reset(5);
  CHECK(told.empty());
  counter.increment();
  counter.increment(10);
  counter.increment(0);
  counter.decrement(0);
  counter.reset(16);
  counter.decrement();
  counter.increment(-20);
  counter.reset();
  counter.reset();
  counter.reset(std::numeric_limits<Number>::min());
  counter.decrement();
  counter.increment();
  using Limits = std::numeric_limits<Number>;
  CHECK(told == Numbers{6, 16, 15, -5, 0, Limits::min(), Limits::max(), Limits::min()});
  CHECK(subscription.error() == nullptr);
}

TEMPLATE_TEST_CASE("a change is told to those who are subscribed when it is made", "", MutexCounter,
                   AtomicCounter) {
  TestType counter;
  TestType other;
  Numbers first;
  Numbers second;
  counter.increment();
  auto one = counter.on_change([&](Number value) { first.push_back(value); });
  counter.increment();
  auto two = counter.on_change([&](Number value) { second.push_back(value); });
  counter.increment();
  other.increment(50);
  one = {};
  counter.increment();
  two = {};
  counter.increment();
  CHECK(first == Numbers{2, 3});
  CHECK(second == Numbers{3, 4});
}

TEMPLATE_TEST_CASE("calls are serial, values rise, and the last is told before the threads end", "",
                   MutexCounter, AtomicCounter) {
  constexpr std::size_t threads = 4;
  constexpr Number rounds = 10'000;
  TestType counter;
  std::atomic<int> inside{0};
  int overlaps = 0;
  Numbers told;  // plain data: a thread sanitizer watches
  const auto subscription = counter.on_change([&](Number value) {
    if (++inside != 1) ++overlaps;
    told.push_back(value);
    --inside;
  });
  on_threads(threads, [&](std::size_t) {
    for (Number i = 0; i < rounds; ++i) counter.increment();
  });
  CHECK(overlaps == 0);
  CHECK(std::is_sorted(told.begin(), told.end(), std::less_equal<>{}));  // each once
  REQUIRE_FALSE(told.empty());
  CHECK(told.front() > 0);
  CHECK(told.back() == rounds * static_cast<Number>(threads));
}

TEMPLATE_TEST_CASE("the last value is never lost, and none is told twice in a row", "",
                   MutexCounter, AtomicCounter) {
  for (Number round = 0; round < 2'000; ++round) {
    TestType counter;
    Numbers told;
    const auto subscription = counter.on_change([&](Number value) { told.push_back(value); });
    on_threads(2, [&](std::size_t thread) {
      if (thread == 0) {
        counter.increment();
        counter.reset(100);
        counter.decrement();
      } else {
        counter.decrement();
        counter.increment(5);
        counter.increment();
      }
    });
    const bool twice = std::adjacent_find(told.begin(), told.end()) != told.end();
    if (told.empty() || told.back() != counter.value() || twice) FAIL_CHECK("round " << round);
  }
}

TEMPLATE_TEST_CASE("nobody waits for a call, and what happens meanwhile is told as one change", "",
                   MutexCounter, AtomicCounter) {
  TestType counter;
  std::latch called{1};
  std::latch go_on{1};
  Numbers told;
  const auto subscription = counter.on_change([&](Number value) {
    told.push_back(value);
    if (told.size() > 1) return;
    called.count_down();
    go_on.wait();
  });
  Thread telling([&] { counter.increment(); });
  called.wait();
  for (int i = 0; i < 10; ++i) counter.increment();
  CHECK(counter.reset(-1) == 11);
  counter.wait(-1);
  go_on.count_down();
  telling.join();
  CHECK(told == Numbers{1, -1});
}

TEMPLATE_TEST_CASE("a call under way does not keep other subscriptions from being told", "",
                   MutexCounter, AtomicCounter) {
  TestType counter;
  std::latch called{1};
  std::latch go_on{1};
  Numbers first;
  Numbers second;
  const auto quick = counter.on_change([&](Number value) { first.push_back(value); });
  const auto slow = counter.on_change([&](Number value) {
    second.push_back(value);
    if (value > 1) return;
    called.count_down();
    go_on.wait();
  });
  Thread telling([&] { counter.increment(); });
  called.wait();
  counter.increment();
  CHECK(first.back() == 2);
  go_on.count_down();
  telling.join();
  CHECK(second == Numbers{1, 2});
}

TEMPLATE_TEST_CASE("what the function throws is kept, the first of it, and ends nothing", "",
                   MutexCounter, AtomicCounter) {
  TestType counter;
  Numbers told;
  const auto fails = counter.on_change([&](Number value) {
    told.push_back(value);
    if (value > 1) throw std::runtime_error("at " + std::to_string(value));
  });
  const auto other = counter.on_change([](Number) {});
  counter.increment();
  CHECK(what(fails.error()) == "nothing");
  CHECK(counter.increment() == 2);
  CHECK(what(fails.error()) == "at 2");
  CHECK(counter.increment() == 3);
  counter.reset();
  CHECK(told == Numbers{1, 2, 3, 0});
  CHECK(what(fails.error()) == "at 2");
  CHECK(what(other.error()) == "nothing");
}

TEMPLATE_TEST_CASE("an exception that is not a std::exception is kept as it is", "", MutexCounter,
                   AtomicCounter) {
  TestType counter;
  const auto fails = counter.on_change([](Number value) { throw value; });
  on_threads(3, [&](std::size_t) { counter.increment(); });
  REQUIRE(fails.error() != nullptr);
  CHECK_THROWS_AS(std::rethrow_exception(fails.error()), Number);
}

TEMPLATE_TEST_CASE("the function may use and change the counter", "", MutexCounter, AtomicCounter) {
  TestType counter;
  Numbers told;
  Numbers read;
  const auto subscription = counter.on_change([&](Number value) {
    told.push_back(value);
    read.push_back(counter.value());
    if (value == 3) counter.reset(10);
    if (value < 5) counter.increment();
    counter.wait(value);
  });
  counter.increment();
  CHECK(told == Numbers{1, 2, 3, 11});
  CHECK(read == told);
}

TEMPLATE_TEST_CASE("functions of two counters may change each other's", "", MutexCounter,
                   AtomicCounter) {
  TestType ping;
  TestType pong;
  const auto one = ping.on_change([&](Number value) { pong.reset(value); });
  const auto two = pong.on_change([&](Number value) { ping.reset(value < 20 ? value + 1 : 20); });
  ping.increment();
  CHECK(ping.value() == 20);
  CHECK(pong.value() == 20);
}

TEMPLATE_TEST_CASE("the function may be move-only, and an lvalue is copied", "", MutexCounter,
                   AtomicCounter) {
  TestType counter;
  Number told = 0;
  const auto moved = counter.on_change(
      [&told, one = std::make_unique<Number>(1)](Number value) { told += value * *one; });
  struct Adds {
    Number* sum;
    Number calls = 0;
    void operator()(Number value) { *sum += value * ++calls; }
  } adds{&told};
  const auto copied = counter.on_change(adds);
  counter.increment();
  counter.increment();
  CHECK(told == (1 + 2) + (1 + 4));
  CHECK(adds.calls == 0);
}

// --- The end of a subscription ---

TEMPLATE_TEST_CASE("the end of a subscription waits for a call that is running", "", MutexCounting,
                   AtomicCounting) {
  ThreadSafeCounter<TestType, SpySync> counter;
  std::latch called{1};
  std::latch go_on{1};
  bool returned = false;  // plain data: a thread sanitizer watches
  auto subscription = counter.on_change([&](Number) {
    called.count_down();
    go_on.wait();
    returned = true;
  });
  Thread telling([&] { counter.increment(); });
  called.wait();
  bool returned_before_the_end = false;
  Thread ending([&] {
    subscription = {};
    returned_before_the_end = returned;
  });
  until([&] { return SpySync::asleep.load() == 1; });
  counter.increment();  // not told any more
  go_on.count_down();
  ending.join();
  CHECK(returned_before_the_end);
}

TEMPLATE_TEST_CASE("what the function uses may be destroyed as soon as the subscription is gone",
                   "", MutexCounter, AtomicCounter) {
  TestType counter;
  std::atomic<bool> done{false};
  const auto count = [&] {
    while (!done.load()) counter.increment();
  };
  const Thread one(count);
  const Thread two(count);
  for (int round = 0; round < 2'000; ++round) {
    auto told = std::make_unique<Number>(0);
    auto subscription = counter.on_change([&told = *told](Number value) { told = value; });
    auto moved = std::move(subscription);
    if (round % 2 == 0) counter.increment();
  }
  done = true;
}

TEMPLATE_TEST_CASE("a counter may be destroyed as soon as its subscriptions are gone", "",
                   MutexCounter, AtomicCounter) {
  constexpr int rounds = 2'000;
  std::atomic<TestType*> next{nullptr};
  Thread counting([&] {
    for (int round = 0; round < rounds; ++round) {
      TestType* counter = nullptr;
      until([&] { return (counter = next.exchange(nullptr)) != nullptr; });
      counter->increment();
    }
  });
  for (int round = 0; round < rounds; ++round) {
    auto counter = std::make_unique<TestType>();
    Number told = 0;
    {
      const auto subscription = counter->on_change([&](Number value) { told = value; });
      next = counter.get();
      counter->wait(1);
    }
    if (told != 0 && told != 1) FAIL_CHECK("round " << round << ": " << told);
  }
}

TEMPLATE_TEST_CASE("the function may end its own subscription and is whole until it returns", "",
                   MutexCounter, AtomicCounter) {
  TestType counter;
  Numbers told;
  std::weak_ptr<Number> watch;
  typename TestType::Subscription subscription;
  {
    auto owned = std::make_shared<Number>(7);
    watch = owned;
    subscription = counter.on_change([&, owned = std::move(owned)](Number value) {
      subscription = {};
      counter.increment();
      told.push_back(value + *owned);
    });
  }
  counter.increment();
  CHECK(told == Numbers{8});
  CHECK(watch.expired());
  counter.increment();
  CHECK(told == Numbers{8});
  CHECK(subscription.error() == nullptr);
}

TEMPLATE_TEST_CASE("a function that ends its own subscription may throw and destroy the counter",
                   "", MutexCounter, AtomicCounter) {
  std::optional<TestType> counter{std::in_place};
  typename TestType::Subscription one;
  typename TestType::Subscription two;
  int calls = 0;
  const auto end_it_all = [&](Number) {
    ++calls;
    one = {};
    two = {};
    counter.reset();
    throw std::runtime_error("the end");
  };
  one = counter->on_change(end_it_all);
  two = counter->on_change(end_it_all);
  CHECK(counter->increment() == 1);
  CHECK(calls == 1);
  CHECK_FALSE(counter.has_value());
}

TEMPLATE_TEST_CASE("a thread on its way out of a counter that is gone tells nobody", "",
                   MutexCounter, AtomicCounter) {
  std::latch ended{1};
  std::latch told_first{1};
  std::latch go_on{1};
  std::optional<TestType> counter{std::in_place};
  typename TestType::Subscription last = counter->on_change([&](Number) {
    last = {};
    counter.reset();
    ended.count_down();
    told_first.wait();
  });
  Thread late([&] { counter->increment(); });
  ended.wait();

  TestType next;
  std::thread::id teller;
  const auto second = next.on_change([&](Number) { teller = std::this_thread::get_id(); });
  const auto first = next.on_change([&](Number) {  // the newest subscription is told first
    told_first.count_down();
    go_on.wait();
  });
  std::thread::id changer;
  Thread changing([&] {
    changer = std::this_thread::get_id();
    next.increment();
  });
  late.join();
  go_on.count_down();
  changing.join();
  CHECK(teller == changer);
}

TEMPLATE_TEST_CASE("a function may end the subscription of another, also of one that is calling it",
                   "", MutexCounter, AtomicCounter) {
  TestType counter;
  typename TestType::Subscription outer;
  typename TestType::Subscription inner;
  Numbers told;
  // Told last of the two, and changes the counter while the other has not returned.
  inner = counter.on_change([&](Number value) {
    told.push_back(value);
    if (value == 2) outer = {};
  });
  outer = counter.on_change([&](Number value) {
    told.push_back(-value);
    if (value == 1) counter.increment();
    told.push_back(-100);
  });
  counter.increment();
  counter.increment();
  CHECK(told == Numbers{-1, 2, -100, 3});
}

TEMPLATE_TEST_CASE("a subscription can be moved, and an empty one does nothing", "", MutexCounter,
                   AtomicCounter) {
  using Handle = typename TestType::Subscription;
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<Handle>);
  STATIC_REQUIRE_FALSE(std::is_copy_assignable_v<Handle>);
  STATIC_REQUIRE(std::is_nothrow_move_constructible_v<Handle>);
  STATIC_REQUIRE(std::is_same_v<Handle, Subscription>);
  TestType counter;
  Number first = 0;
  Number second = 0;
  Handle empty;
  CHECK(empty.error() == nullptr);
  Handle one = counter.on_change([&](Number value) { first = value; });
  Handle moved(std::move(one));
  counter.increment();
  CHECK(first == 1);
  Handle two = counter.on_change([&](Number value) { second = value; });
  moved = std::move(two);  // ends the first
  counter.increment();
  CHECK(first == 1);
  CHECK(second == 2);
  Handle& itself = moved;
  moved = std::move(itself);
  counter.increment();
  CHECK(second == 3);
  moved = std::move(empty);
  counter.increment();
  CHECK(second == 3);
}

TEMPLATE_TEST_CASE("waits end as ever while somebody is subscribed", "", MutexCounter,
                   AtomicCounter) {
  for (int round = 0; round < 1'000; ++round) {
    TestType counter;
    Number told = 0;
    const auto subscription = counter.on_change([&](Number value) { told = value; });
    Thread waiting([&] { counter.wait(2); });
    counter.increment();
    counter.increment();
    waiting.join();
    if (told != 2) FAIL_CHECK("round " << round << ": " << told);
  }
}
