// SPDX-License-Identifier: MIT
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <xofn/progress_tracker.hpp>

#include "../support/gate.hpp"
#include "../support/oracle.hpp"
#include "../support/recorder.hpp"

using support::in_parallel;
using support::Recorder;
using support::rounds;
using support::wrong_every;
using support::wrong_latest;
using xofn::BatchState;
using xofn::Delivery;
using xofn::Progress;
using xofn::ProgressTracker;
using namespace std::chrono_literals;

// How a tracker ends: at N/N, cancelled, grown, empty.

TEST_CASE("Tracker: the total is final once it has ended, and not before") {
  Recorder recorder;
  ProgressTracker tracker{2};
  tracker.on_progress(recorder.callback());
  CHECK_FALSE(tracker.progress().total_is_final);
  tracker.succeed();
  CHECK_FALSE(tracker.progress().total_is_final);
  tracker.succeed();
  CHECK(tracker.progress().total_is_final);
  tracker.wait();
  REQUIRE(recorder.calls().size() == 2);
  CHECK_FALSE(recorder.calls()[0].progress.total_is_final);
  CHECK(recorder.calls()[1].progress.total_is_final);
}

TEST_CASE("Tracker: N/N ends it for good") {
  ProgressTracker tracker{2};
  tracker.succeed(2);
  CHECK_THROWS_AS(tracker.add_total(1), std::logic_error);
  CHECK_THROWS_AS(tracker.succeed(), std::out_of_range);
  CHECK_NOTHROW(tracker.cancel_rest());
  tracker.wait();
  tracker.wait();
  tracker.pump();
  CHECK(tracker.progress().total == 2);
  CHECK(tracker.progress().state == BatchState::finished);
}

TEST_CASE("Tracker: a total that grows is told as it grows") {
  Recorder every;
  Recorder latest;
  ProgressTracker tracker{1};
  tracker.on_progress(every.callback());
  tracker.on_progress(latest.callback(), Delivery::latest(0ns));
  tracker.add_total(9);
  tracker.succeed(9);
  tracker.add_total(90);
  tracker.succeed(91);
  tracker.wait();
  const Progress last = tracker.progress();
  CHECK(last.total == 100);
  CHECK(wrong_every(every, last) == "");
  CHECK(wrong_latest(latest, last, 100us) == "");
  CHECK(every.calls()[8].progress.total == 10);
  CHECK(every.calls()[99].progress.total == 100);
}

TEST_CASE("C3: a total that grows is a change of its own") {
  Recorder recorder;
  ProgressTracker tracker{1};
  tracker.on_progress(recorder.callback(), Delivery::latest(1ms));
  tracker.pump();
  tracker.add_total(1);
  CHECK(support::eventually([&] { return recorder.made() >= 2; }));
  tracker.succeed(2);
  tracker.wait();
  CHECK(wrong_latest(recorder, tracker.progress(), 1ms) == "");
}

TEST_CASE("Tracker: adding while others settle loses nothing") {
  for (int round = 0; round < rounds(100); ++round) {
    Recorder recorder;
    ProgressTracker tracker{1};  // the one that is settled last, so that it cannot end before
    tracker.on_progress(recorder.callback());
    in_parallel(3, [&](int) {
      for (std::uint64_t i = 0; i < 100; ++i) {
        tracker.add_total(i % 3);
        i % 2 == 0 ? tracker.succeed(i % 3) : tracker.fail(i % 3);
      }
    });
    tracker.succeed();
    tracker.wait();
    REQUIRE(tracker.progress().total == 298);
    REQUIRE(wrong_every(recorder, tracker.progress()) == "");
  }
}

TEST_CASE("Tracker: the last item and one more to come, whichever is first, lose nothing") {
  int ended_first = 0;
  for (int round = 0; round < rounds(2000); ++round) {
    Recorder recorder;
    std::atomic<bool> added{false};
    ProgressTracker tracker{1};
    tracker.on_progress(recorder.callback());
    in_parallel(2, [&](int number) {
      if (number == 0) {
        tracker.succeed();
      } else {
        try {
          tracker.add_total(1);
          added.store(true);
        } catch (const std::logic_error&) {
        }
      }
    });
    if (added.load()) {
      tracker.fail();
    } else {
      ++ended_first;
    }
    tracker.wait();
    REQUIRE(tracker.progress().total == (added.load() ? 2 : 1));
    REQUIRE(wrong_every(recorder, tracker.progress()) == "");
  }
  CAPTURE(ended_first);
}

TEST_CASE("Tracker: a total that would overflow is refused and nothing is added") {
  ProgressTracker tracker{10};
  CHECK_THROWS(tracker.add_total(~std::uint64_t{0}));
  CHECK_THROWS(tracker.add_total(~std::uint64_t{0} - 9));
  CHECK(tracker.progress().total == 10);
  tracker.add_total(0);
  CHECK(tracker.progress().total == 10);
}

TEST_CASE("C12: what is left is cancelled with one call, which is told with one call") {
  const std::uint64_t settled = GENERATE(as<std::uint64_t>{}, 0, 1, 4, 9);
  Recorder every;
  Recorder latest;
  ProgressTracker tracker{10};
  tracker.on_progress(every.callback());
  tracker.on_progress(latest.callback(), Delivery::latest(1ms));
  if (settled > 0) tracker.succeed(settled);
  tracker.cancel_rest();
  tracker.cancel_rest();
  tracker.wait();
  const Progress last = tracker.progress();
  CHECK(last.cancelled == 10 - settled);
  CHECK(last.completed() == settled);
  CHECK(last.state == BatchState::cancelled);
  CHECK(wrong_every(every, last) == "");
  CHECK(wrong_latest(latest, last, 1ms) == "");
  CHECK_THROWS_AS(tracker.succeed(), std::out_of_range);
  CHECK_THROWS_AS(tracker.add_total(1), std::logic_error);
  CHECK(tracker.progress() == last);
}

TEST_CASE("C12: cancelling while others settle and add counts each item once") {
  for (int round = 0; round < rounds(300); ++round) {
    Recorder every;
    Recorder caller;
    std::atomic<std::uint64_t> settled{0};
    std::atomic<std::uint64_t> added{0};
    std::atomic<bool> adder_done{false};
    ProgressTracker tracker{5};
    tracker.on_progress(every.callback());
    tracker.on_progress(caller.callback(), Delivery::every().on_caller());
    in_parallel(4, [&](int number) {
      if (number == 0) {
        const auto moment = static_cast<std::uint64_t>(round % 50);
        while (added.load(std::memory_order_relaxed) < moment && !adder_done.load()) {
        }
        tracker.cancel_rest();
        return;
      }
      for (int i = 0; i < 100; ++i) {
        const auto n = static_cast<std::uint64_t>(i % 4);
        try {
          if (number == 1) {
            tracker.add_total(n);
            added.fetch_add(n, std::memory_order_relaxed);
          } else {
            number == 2 ? tracker.succeed(n) : tracker.fail(n);
            settled.fetch_add(n, std::memory_order_relaxed);
          }
        } catch (const std::out_of_range&) {  // none left at the moment
        } catch (const std::logic_error&) {   // ended
          break;
        }
      }
      if (number == 1) adder_done.store(true);
    });
    tracker.cancel_rest();  // should the others have fallen behind the total and given up
    tracker.wait();
    const Progress last = tracker.progress();
    REQUIRE(last.completed() == settled.load());
    REQUIRE(last.total == 5 + added.load());
    REQUIRE(last.cancelled == last.total - last.completed());
    REQUIRE(wrong_every(every, last) == "");
    REQUIRE(wrong_every(caller, last) == "");
  }
}

TEST_CASE("C12: a callback may cancel the rest") {
  const auto delivery =
      GENERATE(Delivery::every(), Delivery::latest(1ms), Delivery::every().on_caller());
  Recorder recorder;
  ProgressTracker tracker{100};
  tracker.on_progress(
      [&](const Progress& p) {
        recorder.record(p);
        if (p.completed() >= 3) tracker.cancel_rest();
      },
      delivery);
  tracker.succeed(5);
  tracker.wait();
  const Progress last = tracker.progress();
  CHECK(last.cancelled == 95);
  CHECK((delivery.is_every() ? wrong_every(recorder, last) : wrong_latest(recorder, last, 1ms)) ==
        "");
}

TEST_CASE("C12: an empty tracker ends at its first use with 0/0, which is told once") {
  const auto delivery = GENERATE(Delivery::every(), Delivery::latest(1ms),
                                 Delivery::every().on_caller(), Delivery::latest(1ms).on_caller());
  const int use = GENERATE(0, 1, 2);
  CAPTURE(use, delivery.is_every(), delivery.is_on_caller());
  Recorder recorder;
  ProgressTracker tracker{0};
  tracker.on_progress(recorder.callback(), delivery);
  if (use == 1) tracker.pump();
  if (use == 2) tracker.cancel_rest();
  tracker.wait();
  tracker.wait();
  const Progress last = tracker.progress();
  CHECK(last.state == BatchState::finished);
  CHECK(last.total_is_final);
  CHECK((delivery.is_every() ? wrong_every(recorder, last) : wrong_latest(recorder, last, 1ms)) ==
        "");
  CHECK_THROWS_AS(tracker.succeed(), std::out_of_range);
  CHECK_THROWS_AS(tracker.add_total(1), std::logic_error);
}

TEST_CASE("C12: cancelling the rest of nothing finishes an empty tracker, and a wait returns") {
  std::vector<std::string> told;
  ProgressTracker tracker{0};
  tracker.on_progress(
      [&](const Progress& p) { told.push_back(to_string(p) + ' ' + to_string(p.state)); });
  tracker.cancel_rest();
  tracker.wait();
  CHECK(told == std::vector<std::string>{"0/0 finished"});
  CHECK(tracker.progress().cancelled == 0);
  CHECK(tracker.progress().state == BatchState::finished);
}

TEST_CASE("Tracker: an empty one may grow before its first use") {
  Recorder recorder;
  ProgressTracker tracker{0};
  tracker.on_progress(recorder.callback());
  tracker.add_total(2);
  CHECK_FALSE(tracker.progress().total_is_final);
  CHECK(recorder.calls().empty());
  tracker.succeed();
  tracker.fail();
  tracker.wait();
  CHECK(wrong_every(recorder, tracker.progress()) == "");
  CHECK(tracker.progress().completed() == 2);
}

TEST_CASE("Tracker: with on_caller nothing is told until a thread waits or pumps") {
  Recorder every;
  Recorder latest;
  ProgressTracker tracker{4};
  tracker.on_progress(every.callback(), Delivery::every().on_caller());
  tracker.on_progress(latest.callback(), Delivery::latest(0ns).on_caller());
  std::thread([&] { tracker.succeed(2); }).join();
  CHECK(every.calls().empty());
  CHECK(latest.calls().empty());
  tracker.pump();
  CHECK(every.calls().size() == 2);
  CHECK_FALSE(latest.calls().empty());
  std::thread([&] { tracker.fail(2); }).join();
  CHECK(every.calls().size() == 2);
  tracker.pump();
  CHECK(every.calls().size() == 4);
  tracker.wait();
  tracker.pump();
  CHECK(wrong_every(every, tracker.progress()) == "");
  CHECK(wrong_latest(latest, tracker.progress(), 100us) == "");
  CHECK(every.only_on(std::this_thread::get_id()));
  CHECK(latest.only_on(std::this_thread::get_id()));
}

TEST_CASE("Tracker: it can be used without a single callback") {
  ProgressTracker tracker{3};
  std::thread worker([&] {
    tracker.succeed();
    tracker.fail(2);
  });
  tracker.wait();
  worker.join();
  CHECK(tracker.progress().failed == 2);
}
