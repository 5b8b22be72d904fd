// SPDX-License-Identifier: MIT
#include <xofn/delivery/progress.hpp>

#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <iomanip>
#include <ios>
#include <limits>
#include <sstream>
#include <string>
#include <type_traits>

using namespace std::chrono_literals;
using xofn::BatchState;
using xofn::Progress;

namespace {

constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();

Progress x_of_n(std::uint64_t x, std::uint64_t n) { return {.total = n, .succeeded = x}; }

}  // namespace

TEST_CASE("Progress: X is what succeeded and what failed, and the rest is queued") {
  constexpr Progress p{.total = 20,
                       .succeeded = 5,
                       .failed = 3,
                       .cancelled = 2,
                       .running = 4,
                       .total_is_final = true,
                       .state = BatchState::cancelled,
                       .elapsed = 1s};
  STATIC_REQUIRE(p.completed() == 8);
  STATIC_REQUIRE(p.queued() == 6);
  STATIC_REQUIRE(p.remaining() == 10);
  STATIC_REQUIRE(p.percent() == 40);
  STATIC_REQUIRE(p.fraction() == 0.4);
}

TEST_CASE("Progress: it is an aggregate that can be copied by its bytes") {
  STATIC_REQUIRE(std::is_aggregate_v<Progress>);
  STATIC_REQUIRE(std::is_trivially_copyable_v<Progress>);
}

TEST_CASE("Progress: percent is the quotient rounded down, for every X of every N up to 400") {
  std::string wrong;
  for (std::uint64_t n = 1; n <= 400; ++n) {
    for (std::uint64_t x = 0; x <= n; ++x) {
      const auto due = static_cast<int>(100 * x / n);
      if (x_of_n(x, n).percent() != due) {
        wrong += std::to_string(x) + '/' + std::to_string(n) + ' ';
      }
    }
  }
  CHECK(wrong.empty());
}

TEST_CASE("Progress: percent does not overflow, up to N = 2^64 - 1") {
  constexpr std::uint64_t half = std::uint64_t{1} << 63;
  CHECK(x_of_n(half, most).percent() == 50);
  CHECK(x_of_n(half - 1, most).percent() == 49);
  CHECK(x_of_n(most - 1, most).percent() == 99);
  CHECK(x_of_n(most, most).percent() == 100);
  CHECK(x_of_n(most / 100, most).percent() == 0);
  CHECK(x_of_n(most / 100 + 1, most).percent() == 1);
  CHECK(x_of_n(half - 1, half).percent() == 99);
  CHECK(x_of_n(0, most).percent() == 0);
  CHECK(x_of_n(1, 1).percent() == 100);
}

TEST_CASE("Progress: 100 percent is shown only at N/N of a final N") {
  Progress p = x_of_n(10, 10);
  CHECK(p.percent() == 100);
  p.total_is_final = false;
  CHECK(p.percent() == 99);
  CHECK(x_of_n(999'999, 1'000'000).percent() == 99);
}

TEST_CASE("Progress: an empty total is complete once it is final") {
  Progress p;
  CHECK(p.percent() == 100);
  CHECK(p.fraction() == 1.0);
  p.total_is_final = false;
  CHECK(p.percent() == 0);
  CHECK(p.fraction() == 0.0);
}

TEST_CASE("Progress: a cancelled item is no part of X nor of what remains") {
  const Progress p{.total = 10, .succeeded = 4, .cancelled = 6, .state = BatchState::cancelled};
  CHECK(p.completed() == 4);
  CHECK(p.remaining() == 0);
  CHECK(p.percent() == 40);
  CHECK(p.fraction() == 0.4);
}

TEST_CASE("Progress: it is written as X/N") {
  const Progress p{.total = 10, .succeeded = 2, .failed = 1};
  std::ostringstream text;
  text << p;
  CHECK(text.str() == "3/10");
  CHECK(to_string(p) == "3/10");
}

TEST_CASE("Progress: it is written in decimal and as one text, however the stream is set") {
  std::ostringstream text;
  text << std::hex << std::showbase << std::setw(6) << x_of_n(10, 16) << '|';
  CHECK(text.str() == " 10/16|");
}

TEST_CASE("Progress: two snapshots are equal if every figure is") {
  const Progress p{.total = 10, .succeeded = 2};
  Progress q = p;
  CHECK(p == q);
  q.elapsed = 1ns;
  CHECK(p != q);
}

TEST_CASE("Progress: each state has a name of its own") {
  CHECK(std::string(to_string(BatchState::running)) == "running");
  CHECK(std::string(to_string(BatchState::paused)) == "paused");
  CHECK(std::string(to_string(BatchState::finished)) == "finished");
  CHECK(std::string(to_string(BatchState::cancelled)) == "cancelled");
  CHECK(std::string(to_string(static_cast<BatchState>(99))) == "unknown");
}
