// SPDX-License-Identifier: MIT
#include <xofn/counting/policy.hpp>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>
#include <xofn/cache_line.hpp>
#include <xofn/thread_safe_counter.hpp>

#include "threads.hpp"

namespace {

using namespace xofn;
using Number = std::int64_t;

/// What a user might add: a count under a spinlock.
struct SpinningCounting {
  template <class Sync>
  class cell {
   public:
    explicit cell(Number initial) : value_(initial) {}
    Number add(Number n) {
      return locked([&] { return value_ += n; });
    }
    [[nodiscard]] Number value() const {
      return locked([&] { return value_; });
    }
    Number reset(Number to) {
      return locked([&] { return std::exchange(value_, to); });
    }

   private:
    template <class F>
    Number locked(F f) const {
      while (lock_.exchange(true)) {
      }
      const Number result = f();
      lock_.store(false);
      return result;
    }

    mutable typename Sync::template atomic<bool> lock_{false};
    Number value_;
  };
};

template <class Sum>
struct Adding {
  template <class Sync>
  struct cell {
    explicit cell(Number) {}
    Sum add(Number);
    Number value() const;
    Number reset(Number);
  };
};

struct Unreadable {
  template <class Sync>
  struct cell {
    explicit cell(Number) {}
    Number add(Number);
    Number value();  // not const
    Number reset(Number);
  };
};

struct WithoutCell {};

/// StdSync, but a test says which thread is calling and sees which atomic is added to.
struct SlotSync : StdSync {
  static inline std::size_t slot = 0;
  static inline const void* changed = nullptr;

  template <class T>
  struct atomic : std::atomic<T> {
    using std::atomic<T>::atomic;
    T fetch_add(T n, std::memory_order order) {
      changed = this;
      return std::atomic<T>::fetch_add(n, order);
    }
  };
  static std::size_t thread_slot() { return slot; }
};

}  // namespace

TEST_CASE("a policy is exact if add returns the count, and none if it returns anything else") {
  STATIC_REQUIRE(ExactCountingPolicy<Adding<Number>>);
  STATIC_REQUIRE((CountingPolicy<Adding<void>> && !ExactCountingPolicy<Adding<void>>));
  STATIC_REQUIRE_FALSE(CountingPolicy<Adding<int>>);
  STATIC_REQUIRE_FALSE(CountingPolicy<Unreadable>);
  STATIC_REQUIRE_FALSE(CountingPolicy<WithoutCell>);
  STATIC_REQUIRE_FALSE(CountingPolicy<int>);
}

TEST_CASE("a counter with a policy of one's own counts, ends waits and tells changes") {
  ThreadSafeCounter<SpinningCounting> counter{1};
  Number told = 0;
  const auto subscription = counter.on_change([&](Number value) { told = value; });
  support::Thread waiting([&] { counter.wait(4'001); });
  support::on_threads(4, [&](std::size_t) {
    for (int i = 0; i < 1'000; ++i) counter.increment();
  });
  waiting.join();
  CHECK(counter.reset() == 4'001);
  CHECK(told == 0);
}

TEST_CASE("a sharded count has 32 places, a cache line apart, for as many threads") {
  ThreadSafeCounter<ShardedCounting, SlotSync> counter{7};
  std::vector<std::uintptr_t> places;
  for (SlotSync::slot = 0; SlotSync::slot < 64; ++SlotSync::slot) {
    counter.increment();
    places.push_back(reinterpret_cast<std::uintptr_t>(SlotSync::changed));
  }
  CHECK(counter.value() == 7 + 64);
  CHECK(places.front() % cache_line_size == 0);
  std::string wrong;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const std::uintptr_t due = places.front() + i % 32 * cache_line_size;
    if (places[i] != due) wrong += std::to_string(i) + ' ';
  }
  CHECK(wrong == "");
}
