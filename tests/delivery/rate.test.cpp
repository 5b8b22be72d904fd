// SPDX-License-Identifier: MIT
#include <algorithm>
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <stdexcept>
#include <vector>
#include <xofn/delivery/rate.hpp>

using namespace std::chrono_literals;
using Catch::Approx;
using std::chrono::nanoseconds;
using xofn::RateEstimator;

namespace {

constexpr nanoseconds half_life = RateEstimator::default_half_life;

/// An estimator with a made-up clock: X rises as it is told.
struct Run {
  RateEstimator rate;
  std::uint64_t completed = 0;
  nanoseconds elapsed{0};

  void go(std::uint64_t n, nanoseconds step, std::uint64_t each = 1) {
    for (std::uint64_t i = 0; i < n; ++i) {
      completed += each;
      elapsed += step;
      rate.record(completed, elapsed);
    }
  }

  [[nodiscard]] double per_second() const { return rate.per_second(elapsed).value(); }
};

}  // namespace

TEST_CASE("RateEstimator: before X has risen there is no rate, and nothing left takes no time") {
  RateEstimator rate;
  CHECK_FALSE(rate.per_second(0s));
  CHECK_FALSE(rate.per_second(1h));
  CHECK_FALSE(rate.time_left(1, 1h));
  CHECK(rate.time_left(0, 0s) == 0s);
  rate.record(0, 0s);
  rate.record(0, 10s);
  CHECK_FALSE(rate.per_second(10s));
  CHECK_FALSE(rate.time_left(10, 10s));
}

TEST_CASE("RateEstimator: of a constant rate it is that rate, from the first item on") {
  for (const nanoseconds step : {1ns, 1000ns, 50'000'000ns, 1'000'000'000ns, 3'600'000'000'000ns}) {
    Run run;
    const double expected = 1e9 / static_cast<double>(step.count());
    for (int i = 0; i < 500; ++i) {
      run.go(1, step);
      CHECK(run.per_second() == Approx(expected).epsilon(1e-6));
      CHECK(std::chrono::duration<double>{run.rate.time_left(100, run.elapsed).value()}.count() ==
            Approx(100 / expected).epsilon(1e-6).margin(1e-9));
    }
  }
}

TEST_CASE("RateEstimator: a first item after a long silence counts from the start") {
  RateEstimator rate;
  rate.record(1, 40s);
  CHECK(rate.per_second(40s).value() == Approx(1 / 40.0));
  CHECK(rate.time_left(2, 40s).value() == 80s);
}

TEST_CASE("RateEstimator: how often it is told makes no difference") {
  Run rarely;
  Run often;
  rarely.go(1, 3s, 3000);
  often.go(3000, 1ms);
  rarely.go(1, 10s, 100);
  often.go(100, 100ms);
  CHECK(rarely.per_second() == Approx(often.per_second()).epsilon(1e-6));
  for (int i = 1; i <= 100; ++i) often.rate.record(often.completed, often.elapsed + i * 10ms);
  CHECK(often.rate.per_second(often.elapsed + 1s).value() ==
        Approx(Run(often).rate.per_second(often.elapsed + 1s).value()));
}

TEST_CASE("RateEstimator: a change of the rate is followed, and a burst forgotten") {
  Run run;
  run.go(600, 100ms);  // 10/s
  run.go(1, 10ms, 1000);
  const double after_burst = run.per_second();
  CHECK(after_burst < 100);
  run.go(static_cast<std::uint64_t>(15 * half_life / 100ms), 100ms);
  CHECK(run.per_second() == Approx(10).epsilon(0.02));

  run.go(static_cast<std::uint64_t>(15 * half_life / 50ms), 50ms);
  CHECK(run.per_second() == Approx(20).epsilon(0.01));
}

TEST_CASE("RateEstimator: cached items at the start do not promise an early end") {
  Run run;
  run.go(1, 50ms, 1000);
  run.go(static_cast<std::uint64_t>(20 * half_life / 1s), 1s);
  CHECK(run.per_second() == Approx(1).epsilon(0.05));
}

TEST_CASE("RateEstimator: after the half-life of a new rate the first average is half way there") {
  // Of the average of the average, 1 - (1 + ln 2) / 2 = 15 % is new.
  Run run;
  run.go(1000, 1s, 100);
  run.go(1, half_life, 0);
  run.rate.record(run.completed += 1'000'000, run.elapsed);
  const double rate = 1e6 / std::chrono::duration<double>{half_life}.count();
  CHECK(run.per_second() == Approx(100 + (rate - 100) * 0.1534).epsilon(0.001));
}

TEST_CASE("RateEstimator: while X stands still the rate falls and the time left grows") {
  Run run;
  run.go(100, 1s);
  double rate = run.per_second();
  nanoseconds left = run.rate.time_left(50, run.elapsed).value();
  CHECK(run.rate.per_second(run.elapsed + 1s).value() == Approx(1));  // the next is not late yet
  for (int second = 2; second < 3600; ++second) {
    const nanoseconds now = run.elapsed + second * 1s;
    if (second % 2 == 0) run.rate.record(run.completed, now);  // saying so makes no difference
    const double next_rate = run.rate.per_second(now).value();
    const nanoseconds next_left = run.rate.time_left(50, now).value();
    CHECK(next_rate < rate);
    CHECK(next_left > left);
    rate = next_rate;
    left = next_left;
  }
  CHECK(rate < 0.01);
}

TEST_CASE("RateEstimator: items that are rare and regular do not make the time left jump") {
  Run run;
  run.go(20, 60s);
  for (int item = 0; item < 5; ++item) {
    for (nanoseconds late = 0s; late <= 60s; late += 5s) {
      CHECK(run.rate.per_second(run.elapsed + late).value() == Approx(1 / 60.0));
    }
    run.go(1, 60s);
  }
}

TEST_CASE("RateEstimator: where no time has passed, what X rose by counts for the time after") {
  RateEstimator rate;
  rate.record(5, 0s);
  CHECK_FALSE(rate.per_second(0s));
  rate.record(10, 0s);
  rate.record(10, 1s);
  CHECK(rate.per_second(1s).value() == Approx(10));
  rate.record(20, 1s);
  CHECK(rate.per_second(1s).value() == Approx(10));
  rate.record(20, 2s);
  CHECK(rate.per_second(2s).value() == Approx(10));
}

TEST_CASE("RateEstimator: a clock that goes back is one that stands still") {
  Run run;
  run.go(10, 1s);
  run.rate.record(11, 5s);
  CHECK(run.rate.per_second(5s).value() == Approx(1));
  CHECK(run.rate.per_second(-5s).value() == Approx(1));
  run.rate.record(11, 11s);
  CHECK(run.rate.per_second(11s).value() == Approx(1));
}

TEST_CASE("RateEstimator: when X falls a new batch has begun") {
  Run run;
  run.go(100, 1s, 1000);
  run.rate.record(0, 0s);
  CHECK_FALSE(run.rate.per_second(0s));
  run.rate.record(4, 2s);
  CHECK(run.rate.per_second(2s).value() == Approx(2));

  run.rate.record(3, 2s);  // the clock of the one before goes on
  CHECK_FALSE(run.rate.per_second(2s));
  run.rate.record(13, 4s);
  CHECK(run.rate.per_second(4s).value() == Approx(5));
}

TEST_CASE("RateEstimator: the time of a pause does not count") {
  Run run;
  run.go(100, 1s);
  run.rate.pause(run.elapsed);
  run.rate.pause(run.elapsed + 1h);
  for (const nanoseconds time : {0s, 10s, 7200s}) {
    CHECK(run.rate.per_second(run.elapsed + time).value() == Approx(1));
  }
  run.rate.record(run.completed += 1, run.elapsed + 1h);  // it was running when the pause began
  run.elapsed += 2h;
  run.rate.resume(run.elapsed);
  run.rate.resume(run.elapsed + 1h);
  run.elapsed += 1s;
  run.rate.record(run.completed, run.elapsed);
  CHECK(run.per_second() == Approx(1));
  run.go(10, 1s);
  CHECK(run.per_second() == Approx(1));
  CHECK(run.rate.per_second(run.elapsed + 1000s).value() < 0.1);
}

TEST_CASE("RateEstimator: a pause that begins or ends before it can is none") {
  Run run;
  run.rate.resume(5s);
  run.rate.pause(-5s);
  run.rate.resume(-10s);
  run.go(10, 1s);
  run.rate.pause(2s);
  run.rate.resume(1s);
  run.go(10, 1s);
  CHECK(run.per_second() == Approx(1));
}

TEST_CASE("RateEstimator: a half-life is positive") {
  CHECK_THROWS_AS(RateEstimator(0s), std::invalid_argument);
  CHECK_THROWS_AS(RateEstimator(-1ns), std::invalid_argument);
  RateEstimator rate(1ns);
  rate.record(1, 1s);
  rate.record(1000, 2s);
  CHECK(rate.per_second(2s).value() == Approx(999));
}

TEST_CASE("RateEstimator: whatever it is told, its rates are numbers, and its times not negative") {
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  const std::vector<std::uint64_t> counts{0, 1, 2, 1000, most / 2, most - 1, most};
  const std::vector<nanoseconds> times{nanoseconds{-1000},    0ns, 1ns, 1ms, 1s, 24h, 365 * 24h,
                                       nanoseconds::max() / 2};
  for (const nanoseconds life : {1ns, 1'000'000ns, nanoseconds(half_life), nanoseconds::max()}) {
    std::mt19937 random{7};
    const auto pick = [&](const auto& from) { return from[random() % from.size()]; };
    RateEstimator rate(life);
    for (int i = 0; i < 20'000; ++i) {
      switch (random() % 8) {
        case 0:
          rate.pause(pick(times));
          break;
        case 1:
          rate.resume(pick(times));
          break;
        default:
          rate.record(pick(counts), pick(times));
      }
      const nanoseconds now = pick(times);
      const double per_second = rate.per_second(now).value_or(0);
      if (!std::isfinite(per_second) || per_second < 0) FAIL("a rate of " << per_second);
      const nanoseconds left = rate.time_left(pick(counts), now).value_or(0ns);
      if (left < 0ns) FAIL("a time left of " << left.count());
    }
  }
}
