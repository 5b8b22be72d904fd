// SPDX-License-Identifier: MIT
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <type_traits>
#include <vector>

#include <xofn/progress_tracker.hpp>

#include "../support/gate.hpp"
#include "../support/oracle.hpp"
#include "../support/recorder.hpp"

using support::in_parallel;
using support::Recorder;
using support::rounds;
using support::wrong_every;
using support::wrong_snapshot;
using xofn::Delivery;
using xofn::Progress;
using xofn::ProgressTracker;
using namespace std::chrono_literals;

// What a tracker makes of threads and callbacks that ask too much, throw, call back or give up.

namespace {

constexpr std::uint64_t most_items = std::numeric_limits<std::uint64_t>::max();

/// A system that has no thread to give.
struct ThreadlessSync : xofn::StdSync {
  struct thread {
    thread() noexcept = default;
    template <class F>
    explicit thread(F) {
      throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
    }
    void join() {}
  };
};

}  // namespace

TEST_CASE("C1: beyond the total nothing is counted and the thread is told so") {
  Recorder recorder;
  ProgressTracker tracker{10};
  tracker.on_progress(recorder.callback());
  CHECK_THROWS_AS(tracker.succeed(11), std::out_of_range);
  CHECK_THROWS_AS(tracker.succeed(most_items), std::out_of_range);
  CHECK(tracker.progress().completed() == 0);
  tracker.succeed(6);
  CHECK_THROWS_AS(tracker.fail(5), std::out_of_range);
  CHECK_THROWS_AS(tracker.fail(most_items - 5), std::out_of_range);
  CHECK(tracker.progress().completed() == 6);
  tracker.fail(4);
  tracker.wait();
  CHECK(wrong_every(recorder, tracker.progress()) == "");
  CHECK_THROWS_AS(tracker.succeed(), std::out_of_range);
  CHECK_THROWS_AS(tracker.fail(), std::out_of_range);
  CHECK(tracker.progress().completed() == 10);
  CHECK(recorder.calls().size() == 10);
}

TEST_CASE("C1: of many threads that all want the last items exactly N get one") {
  constexpr std::uint64_t total = 1000;
  for (int round = 0; round < rounds(20); ++round) {
    Recorder recorder;
    std::atomic<std::uint64_t> refused{0};
    ProgressTracker tracker{total};
    tracker.on_progress(recorder.callback());
    in_parallel(4, [&](int) {
      for (std::uint64_t i = 0; i < total; ++i) {
        try {
          tracker.succeed();
        } catch (const std::out_of_range&) {
          refused.fetch_add(1);
        }
      }
    });
    tracker.wait();
    REQUIRE(refused.load() == 3 * total);
    REQUIRE(wrong_every(recorder, tracker.progress()) == "");
  }
}

TEST_CASE("Tracker: settling no items does nothing, before and after the end") {
  Recorder recorder;
  ProgressTracker tracker{1};
  tracker.on_progress(recorder.callback());
  tracker.succeed(0);
  tracker.fail(0);
  CHECK(recorder.calls().empty());
  tracker.succeed();
  tracker.wait();
  tracker.succeed(0);
  tracker.fail(0);
  CHECK(wrong_every(recorder, tracker.progress()) == "");
}

TEST_CASE("Tracker: a callback registered after the first update is refused") {
  ProgressTracker tracker{2};
  tracker.succeed();
  CHECK_THROWS_AS(tracker.on_progress([](const Progress&) {}), std::logic_error);
  tracker.succeed();
  tracker.wait();
}

TEST_CASE("Tracker: where there is no thread to tell the latest state, a waiting one tells it") {
  Recorder every;
  Recorder latest;
  xofn::BasicProgressTracker<ThreadlessSync> tracker{3};
  tracker.on_progress(every.callback()).on_progress(latest.callback(), Delivery::latest(1ms));
  CHECK_NOTHROW(tracker.succeed());
  CHECK(latest.calls().empty());
  tracker.pump();
  CHECK(latest.calls().size() == 1);
  tracker.fail(2);
  tracker.wait();
  CHECK(latest.only_on(std::this_thread::get_id()));
  CHECK(wrong_every(every, tracker.progress()) == "");
  CHECK(support::wrong_latest(latest, tracker.progress(), 1ms) == "");
}

TEST_CASE("C9: a callback that throws is kept, and delivery goes on") {
  const auto on_caller = GENERATE(false, true);
  Recorder recorder;
  ProgressTracker tracker{10};
  tracker.on_progress(
      [&](const Progress& p) {
        recorder.record(p);
        if (p.completed() == 3) throw std::runtime_error("the third");
        if (p.completed() > 3) throw 4;
      },
      on_caller ? Delivery::every().on_caller() : Delivery::every());
  CHECK_FALSE(tracker.callback_error());
  tracker.succeed(2);
  CHECK_NOTHROW(tracker.succeed(3));
  for (int i = 0; i < 5; ++i) CHECK_NOTHROW(tracker.fail());
  CHECK_NOTHROW(tracker.wait());
  CHECK(wrong_every(recorder, tracker.progress()) == "");
  const xofn::CallbackError error = tracker.callback_error();
  CHECK(error);
  CHECK(error.count == 8);
  REQUIRE(error.first != nullptr);
  CHECK_THROWS_WITH(std::rethrow_exception(error.first), "the third");
}

TEST_CASE("C10: a callback may read its tracker, add to it and settle more, and is told in order") {
  Recorder recorder;
  ProgressTracker tracker{10};
  std::string wrong;
  tracker.on_progress([&](const Progress& p) {
    recorder.record(p);
    const Progress now = tracker.progress();
    if (wrong.empty()) wrong = wrong_snapshot(now);
    if (wrong.empty() && now.completed() < p.completed()) wrong = "behind what is told";
    if (p.completed() == 5) tracker.add_total(10);
    if (p.completed() < 20 && p.completed() == now.completed()) tracker.succeed();
  });
  tracker.succeed();
  tracker.wait();
  CHECK(wrong == "");
  CHECK(wrong_every(recorder, tracker.progress()) == "");
  CHECK(tracker.progress().completed() == 20);
}

TEST_CASE("C10: a callback that waits for its own tracker is told that this would never end") {
  const auto delivery = GENERATE(Delivery::every(), Delivery::latest(1ms),
                                 Delivery::every().on_caller(), Delivery::latest(1ms).on_caller());
  std::vector<std::error_code> codes;
  ProgressTracker tracker{3};
  tracker.on_progress(
      [&](const Progress&) {
        try {
          tracker.wait();
          codes.push_back({});
        } catch (const std::system_error& error) {
          codes.push_back(error.code());
        }
      },
      delivery);
  std::thread worker([&] { tracker.succeed(3); });
  tracker.wait();
  worker.join();
  CHECK_FALSE(codes.empty());
  for (const std::error_code& code : codes) {
    CHECK(code == std::errc::resource_deadlock_would_occur);
  }
  CHECK_FALSE(tracker.callback_error());
}

TEST_CASE("Tracker: thrown out quietly, with work left and callbacks of every kind") {
  for (int round = 0; round < rounds(300); ++round) {
    auto recorders = std::make_unique<Recorder[]>(4);
    {
      ProgressTracker tracker{1000};
      tracker.on_progress(recorders[0].callback())
          .on_progress(recorders[1].callback(), Delivery::latest(1ms))
          .on_progress(recorders[2].callback(), Delivery::every().on_caller())
          .on_progress(recorders[3].callback(), Delivery::latest().on_caller());
      if (round % 3 > 0) tracker.succeed(static_cast<std::uint64_t>(round));
      if (round % 3 == 2) tracker.pump();
    }
    for (std::size_t i = 0; i < 4; ++i) {
      REQUIRE(recorders[i].overlaps() == 0);
      if (!recorders[i].calls().empty()) {
        REQUIRE_FALSE(support::is_final(recorders[i].calls().back().progress));
      }
    }
    recorders.reset();
  }
}
