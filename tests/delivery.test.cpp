// SPDX-License-Identifier: MIT
#include <xofn/delivery/delivery.hpp>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <chrono>
#include <stdexcept>

using Catch::Matchers::ContainsSubstring;
using xofn::Delivery;
using namespace std::chrono_literals;

TEST_CASE("Delivery: every step, told by the batch, has no interval") {
  constexpr Delivery every = Delivery::every();
  STATIC_REQUIRE(every.is_every());
  STATIC_REQUIRE_FALSE(every.is_on_caller());
  STATIC_REQUIRE(every.interval() == 0ns);
}

TEST_CASE("Delivery: the latest state has an interval of 50 ms unless it is given") {
  constexpr Delivery latest = Delivery::latest();
  STATIC_REQUIRE_FALSE(latest.is_every());
  STATIC_REQUIRE_FALSE(latest.is_on_caller());
  STATIC_REQUIRE(latest.interval() == 50ms);
  STATIC_REQUIRE(Delivery::latest(7ms).interval() == 7ms);
  STATIC_REQUIRE(Delivery::latest(2h).interval() == 2h);
}

TEST_CASE("Delivery: on_caller changes the thread and nothing else") {
  constexpr Delivery every = Delivery::every().on_caller();
  STATIC_REQUIRE(every.is_every());
  STATIC_REQUIRE(every.is_on_caller());
  constexpr Delivery latest = Delivery::latest(7ms).on_caller();
  STATIC_REQUIRE_FALSE(latest.is_every());
  STATIC_REQUIRE(latest.is_on_caller());
  STATIC_REQUIRE(latest.interval() == 7ms);
}

TEST_CASE("Delivery: an interval of nothing is still the latest state, not every step") {
  STATIC_REQUIRE_FALSE(Delivery::latest(0ns).is_every());
  STATIC_REQUIRE(Delivery::latest(0ns).interval() == 100us);
  STATIC_REQUIRE(Delivery::latest(99us).interval() == 100us);
  STATIC_REQUIRE(Delivery::latest(101us).interval() == 101us);
}

TEST_CASE("Delivery: a negative interval is refused with its value") {
  CHECK_THROWS_AS(Delivery::latest(-1ns), std::invalid_argument);
  CHECK_THROWS_WITH(Delivery::latest(-2500ns), ContainsSubstring("-2500"));
}

TEST_CASE(
    "Delivery: a heartbeat is added to the latest state, and is no shorter than its interval") {
  constexpr Delivery latest = Delivery::latest(7ms).at_least_every(1s);
  STATIC_REQUIRE(latest.interval() == 7ms);
  STATIC_REQUIRE(latest.period() == 1s);
  STATIC_REQUIRE(latest.on_caller().period() == 1s);
  STATIC_REQUIRE(Delivery::latest(7ms).on_caller().at_least_every(1s) == latest.on_caller());
  STATIC_REQUIRE(latest.at_least_every(2s).period() == 2s);
  STATIC_REQUIRE(Delivery::latest(7ms).period() == 0ns);
  STATIC_REQUIRE(Delivery::latest(7ms).at_least_every(0ns).period() == 7ms);
  STATIC_REQUIRE(Delivery::latest(7ms).at_least_every(6ms).period() == 7ms);
}

TEST_CASE("Delivery: a heartbeat that is negative, or of every step, is refused") {
  CHECK_THROWS_AS(Delivery::latest().at_least_every(-1ns), std::invalid_argument);
  CHECK_THROWS_WITH(Delivery::latest().at_least_every(-2500ns), ContainsSubstring("-2500"));
  CHECK_THROWS_AS(Delivery::every().at_least_every(1s), std::invalid_argument);
  CHECK_THROWS_WITH(Delivery::every().on_caller().at_least_every(1s), ContainsSubstring("every()"));
}

TEST_CASE("Delivery: two are equal if they tell the same on the same thread") {
  CHECK(Delivery::every() == Delivery::every());
  CHECK(Delivery::every() != Delivery::every().on_caller());
  CHECK(Delivery::latest(1ms) == Delivery::latest(1ms));
  CHECK(Delivery::latest(1ms) != Delivery::latest(2ms));
  CHECK(Delivery::latest(1ms) != Delivery::latest(1ms).at_least_every(1ms));
  CHECK(Delivery::every() != Delivery::latest(0ns));
}
