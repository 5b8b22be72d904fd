// SPDX-License-Identifier: MIT
#pragma once

#include <rapidcheck.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include <xofn/sync.hpp>
#include <xofn/thread_safe_counter.hpp>

#include "../support/gate.hpp"
#include "../support/recorder.hpp"
#include "../support/shaky_sync.hpp"
#include "figures.hpp"

namespace properties {

enum class Counting { mutex, atomic, sharded };

struct CounterStep {
  enum Kind { increment, decrement, reset, read } kind = increment;
  std::int64_t n = 1;
};

/// A counter, and what each of some threads does with it at the same time.
struct CounterScenario {
  bool shaky = false;
  Counting counting = Counting::atomic;
  std::int64_t initial = 0;
  std::vector<std::vector<CounterStep>> threads = {};
};

inline std::ostream& operator<<(std::ostream& out, const CounterStep& step) {
  constexpr const char* names[] = {"increment", "decrement", "reset", "read"};
  return out << "{CounterStep::" << names[step.kind] << ", " << step.n << '}';
}

/// As C++, to be kept as a case.
inline std::ostream& operator<<(std::ostream& out, const CounterScenario& s) {
  constexpr const char* names[] = {"mutex", "atomic", "sharded"};
  out << std::boolalpha << "{.shaky = " << s.shaky
      << ", .counting = Counting::" << names[static_cast<int>(s.counting)]
      << ", .initial = " << s.initial << ", .threads = {";
  for (const auto& steps : s.threads) {
    rc::showCollection("{", &steps == &s.threads.back() ? "}" : "}, ", steps, out);
  }
  return out << "}}";
}

/// One thread alone makes a counter go the way of a plain number. With several, what all of them
/// added and took adds up: nothing is lost and nothing is counted twice. All modulo 2^64.
template <class Counter>
class CounterTrial {
 public:
  explicit CounterTrial(const CounterScenario& scenario)
      : scenario_(scenario), model_(bits(scenario.initial)), counter_(scenario.initial) {}

  std::string run() {
    figures.counters.fetch_add(1);
    if constexpr (exact) return run_with_listeners();
    run_threads();
    return wrong();
  }

 private:
  static constexpr bool exact = requires(Counter & counter) { counter.wait(0); };

  static std::uint64_t bits(std::int64_t n) { return static_cast<std::uint64_t>(n); }
  static std::int64_t number(std::uint64_t n) { return static_cast<std::int64_t>(n); }

  /// The last value is told, each to one call at a time, and none twice in a row; somebody who
  /// waits for a mark that is reached and never left comes back.
  std::string run_with_listeners() {
    std::atomic<bool> busy{false};
    bool overlap = false;
    bool repeated = false;
    std::optional<std::int64_t> told;  // guarded by the promise alone
    const auto subscription = counter_.on_change([&](std::int64_t value) {
      const support::Inside inside(busy);
      overlap = overlap || !inside.alone;
      repeated = repeated || told == value;
      told = value;
      figures.callbacks.fetch_add(1, std::memory_order_relaxed);
    });
    std::optional<std::thread> waiter;
    const std::optional<std::int64_t> mark = highest();
    if (mark) waiter.emplace([&] { counter_.wait(*mark); });
    run_threads();
    if (waiter) waiter->join();
    if (overlap) return "calls of one subscription overlapped";
    if (repeated) return "the same value was told twice in a row";
    if (told && *told != counter_.value()) return "the last value was not told";
    if (!told && counter_.value() != scenario_.initial) return "the change was not told";
    return wrong();
  }

  /// Where the counter ends if it only ever rises, without a wrap.
  [[nodiscard]] std::optional<std::int64_t> highest() const {
    constexpr std::int64_t most = std::int64_t{1} << 40;
    std::int64_t sum = scenario_.initial;
    if (sum > most || sum < -most) return std::nullopt;
    for (const auto& steps : scenario_.threads) {
      for (const CounterStep& step : steps) {
        if (step.kind == CounterStep::read) continue;
        if (step.kind != CounterStep::increment || step.n < 0 || step.n > most) return std::nullopt;
        sum += step.n;
      }
    }
    return sum;
  }

  void run_threads() {
    if (scenario_.threads.size() == 1) {
      for (const CounterStep& step : scenario_.threads.front()) take(step);
    } else if (!scenario_.threads.empty()) {
      support::in_parallel(static_cast<int>(scenario_.threads.size()), [&](int number) {
        for (const CounterStep& step : scenario_.threads[static_cast<std::size_t>(number)]) {
          take(step);
        }
      });
    }
  }

  void take(const CounterStep& step) {
    const bool is_alone = scenario_.threads.size() == 1;
    const auto check = [&](std::int64_t value, const char* what) {
      if (is_alone && value != number(model_.load())) wrong_answer_.store(what);
    };
    switch (step.kind) {
      case CounterStep::increment:
        model_.fetch_add(bits(step.n));
        if constexpr (exact) {
          check(counter_.increment(step.n), "increment() returned another value");
        } else {
          counter_.increment(step.n);
        }
        return;
      case CounterStep::decrement:
        model_.fetch_sub(bits(step.n));
        if constexpr (exact) {
          check(counter_.decrement(step.n), "decrement() returned another value");
        } else {
          counter_.decrement(step.n);
        }
        return;
      case CounterStep::reset: {
        const std::int64_t taken = counter_.reset(step.n);
        check(taken, "reset() took another value");
        model_.fetch_add(bits(step.n) - bits(taken));
        return;
      }
      case CounterStep::read:
        check(counter_.value(), "value() is another");
        if constexpr (exact) {
          using std::chrono::nanoseconds;
          if (is_alone && !counter_.wait_for(number(model_.load()), nanoseconds{0})) {
            wrong_answer_.store("wait_for() does not see that it is there");
          }
        }
        return;
    }
  }

  std::string wrong() {
    if (const char* text = wrong_answer_.load()) return text;
    if (counter_.value() == number(model_.load())) return {};
    return "it came to " + std::to_string(counter_.value()) + " instead of " +
           std::to_string(number(model_.load()));
  }

  const CounterScenario& scenario_;
  std::atomic<std::uint64_t> model_;  // what was added, less what was taken
  std::atomic<const char*> wrong_answer_{nullptr};
  Counter counter_;
};

template <class Sync>
std::string wrong_under(const CounterScenario& scenario) {
  switch (scenario.counting) {
    case Counting::mutex:
      return CounterTrial<xofn::ThreadSafeCounter<xofn::MutexCounting, Sync>>(scenario).run();
    case Counting::atomic:
      return CounterTrial<xofn::ThreadSafeCounter<xofn::AtomicCounting, Sync>>(scenario).run();
    case Counting::sharded:
      return CounterTrial<xofn::ThreadSafeCounter<xofn::ShardedCounting, Sync>>(scenario).run();
  }
  return "no such counting";
}

inline std::string wrong(const CounterScenario& scenario) {
  return scenario.shaky ? wrong_under<support::ShakySync>(scenario)
                        : wrong_under<xofn::StdSync>(scenario);
}

}  // namespace properties

template <>
struct rc::Arbitrary<properties::CounterScenario> {
  static Gen<properties::CounterScenario> arbitrary() {
    using namespace properties;
    using S = CounterScenario;
    using Limits = std::numeric_limits<std::int64_t>;
    const auto any = gen::weightedOneOf<std::int64_t>(
        {{6, gen::inRange<std::int64_t>(0, 10)},
         {2, gen::arbitrary<std::int64_t>()},
         {1, gen::element(Limits::min(), Limits::max(), std::int64_t{-1})}});
    const auto up = gen::inRange<std::int64_t>(0, 10);
    const auto steps_of = [](Gen<CounterStep::Kind> kind, Gen<std::int64_t> n) {
      return gen::container<std::vector<CounterStep>>(gen::build<CounterStep>(
          gen::set(&CounterStep::kind, kind), gen::set(&CounterStep::n, n)));
    };
    const auto threads = gen::mapcat(gen::inRange<std::size_t>(1, 5), [=](std::size_t count) {
      using Threads = std::vector<std::vector<CounterStep>>;
      const auto mixed =
          steps_of(gen::weightedElement<CounterStep::Kind>({{4, CounterStep::increment},
                                                            {2, CounterStep::decrement},
                                                            {1, CounterStep::reset},
                                                            {1, CounterStep::read}}),
                   any);
      const auto rising = steps_of(gen::just(CounterStep::increment), up);
      return gen::oneOf(gen::container<Threads>(count, mixed),
                        gen::container<Threads>(count, rising));
    });
    return gen::build<S>(
        gen::set(&S::shaky),
        gen::set(&S::counting, gen::map(gen::resize(kNominalSize, gen::inRange(0, 3)),
                                        [](int i) { return Counting(i); })),
        gen::set(&S::initial, any), gen::set(&S::threads, threads));
  }
};
