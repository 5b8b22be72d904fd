// SPDX-License-Identifier: MIT
#include <xofn/progress_tracker.hpp>

#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "counting/spy_sync.hpp"
#include "support/gate.hpp"
#include "support/oracle.hpp"
#include "support/recorder.hpp"

using support::eventually;
using support::in_parallel;
using support::Recorder;
using support::rounds;
using support::wrong_every;
using support::wrong_latest;
using support::wrong_snapshot;
using xofn::BatchState;
using xofn::Delivery;
using xofn::Progress;
using xofn::ProgressTracker;
using namespace std::chrono_literals;

namespace {

/// `threads` threads that settle items until there are none left; every third fails.
void settle_all(ProgressTracker& tracker, int threads, std::uint64_t total) {
  std::atomic<std::uint64_t> next{0};
  in_parallel(threads, [&](int) {
    for (std::uint64_t i = 0; (i = next.fetch_add(1, std::memory_order_relaxed)) < total;) {
      if (i % 3 == 0) {
        tracker.fail();
      } else {
        tracker.succeed();
      }
    }
  });
}

}  // namespace

TEST_CASE("C2: a tracker tells every step once and in order, driven by threads that are not ours") {
  const int threads = GENERATE(1, 2, 3, 8);
  const auto total = static_cast<std::uint64_t>(rounds(20'000));
  CAPTURE(threads);
  Recorder recorder;
  ProgressTracker tracker{total};
  tracker.on_progress(recorder.callback());
  settle_all(tracker, threads, total);
  tracker.wait();
  const Progress last = tracker.progress();
  CHECK(wrong_every(recorder, last) == "");
  CHECK(last.completed() == total);
  CHECK(last.failed == (total + 2) / 3);
  CHECK(last.state == BatchState::finished);
}

TEST_CASE("C2: settling n items at once tells each of the n steps") {
  Recorder recorder;
  ProgressTracker tracker{12};
  tracker.on_progress(recorder.callback());
  tracker.succeed(5);
  CHECK(recorder.calls().size() == 5);
  tracker.fail(1);
  tracker.fail(4);
  tracker.succeed(2);
  tracker.wait();
  CHECK(wrong_every(recorder, tracker.progress()) == "");
  CHECK(tracker.progress().succeeded == 7);
  CHECK(tracker.progress().failed == 5);
}

TEST_CASE("C2: a single thread is told its step before the update returns, on that thread") {
  Recorder recorder;
  ProgressTracker tracker{100};
  tracker.on_progress(recorder.callback());
  for (std::uint64_t x = 1; x <= 100; ++x) {
    tracker.succeed();
    REQUIRE(recorder.calls().size() == x);
  }
  CHECK(recorder.only_on(std::this_thread::get_id()));
  tracker.wait();
  CHECK(wrong_every(recorder, tracker.progress()) == "");
}

TEST_CASE("C2: no thread waits for the one that tells") {
  constexpr std::uint64_t total = 1000;
  Recorder recorder;
  support::Gate others_done;
  ProgressTracker tracker{total};
  tracker.on_progress([&](const Progress& p) {
    recorder.record(p);
    if (p.completed() == 1) others_done.wait();
  });
  std::thread teller([&] { tracker.succeed(); });
  const bool telling = eventually([&] { return recorder.made() == 1; });
  in_parallel(4, [&](int) { tracker.succeed((total - 1) / 9); });
  tracker.fail((total - 1) / 9 * 5);
  others_done.open();
  teller.join();
  tracker.wait();
  CHECK(telling);
  CHECK_FALSE(others_done.expired());
  CHECK(wrong_every(recorder, tracker.progress()) == "");
}

TEST_CASE("C3: a tracker tells the latest state, from the start to the end") {
  const auto interval = GENERATE(0us, 200us, 5'000us);
  const auto on_caller = GENERATE(false, true);
  const auto delivery =
      on_caller ? Delivery::latest(interval).on_caller() : Delivery::latest(interval);
  CAPTURE(interval.count(), on_caller);
  constexpr std::uint64_t total = 300;
  Recorder recorder;
  ProgressTracker tracker{total};
  tracker.on_progress(recorder.callback(), delivery);
  std::thread worker([&] {
    for (std::uint64_t i = 0; i < total; ++i) {
      support::work_for(100us);
      if (i % 2 == 0) tracker.succeed();
      if (i % 2 == 1) tracker.fail();
    }
  });
  tracker.wait();
  recorder.close();
  worker.join();
  CHECK(wrong_latest(recorder, tracker.progress(), delivery.interval()) == "");
  if (on_caller) CHECK(recorder.only_on(std::this_thread::get_id()));
}

TEST_CASE("C3: a tracker's change is told though nothing completes afterwards") {
  Recorder recorder;
  ProgressTracker tracker{2};
  tracker.on_progress(recorder.callback(), Delivery::latest(1ms));
  tracker.succeed();
  CHECK(eventually([&] { return recorder.told() == 1; }));
  tracker.succeed();
  tracker.wait();
  CHECK(wrong_latest(recorder, tracker.progress(), 1ms) == "");
  CHECK(recorder.calls().size() == 3);
}

TEST_CASE("C3: a tracker's final state is told at once, however long the interval") {
  Recorder recorder;
  ProgressTracker tracker{1};
  tracker.on_progress(recorder.callback(), Delivery::latest(std::chrono::hours{1000}));
  CHECK(eventually([&] {
    if (tracker.progress().completed() == 0) tracker.succeed();
    return recorder.made() == 2;
  }));
  tracker.wait();
  CHECK(wrong_latest(recorder, tracker.progress(), std::chrono::hours{0}) == "");
}

TEST_CASE(
    "C3: a waiting thread is told the final state at once, however slow the helper thread is") {
  support::Gate asleep;
  support::Gate told;
  ProgressTracker tracker{1};
  tracker.on_progress(
      [&](const Progress& p) {
        if (support::is_final(p)) told.wait();
      },
      Delivery::latest(0ns));
  tracker.on_progress([&](const Progress& p) { (support::is_final(p) ? told : asleep).open(); },
                      Delivery::latest(std::chrono::hours{1000}).on_caller());
  std::thread waiting([&] { tracker.wait(); });
  asleep.wait();  // or about to, without another look
  tracker.succeed();
  waiting.join();
  CHECK_FALSE(told.expired());
}

TEST_CASE(
    "C3: the final state is told at once, however slow a callback is that is told every step") {
  const bool on_caller = GENERATE(false, true);
  const auto delivery = Delivery::latest(std::chrono::hours{1000});
  support::Gate asleep;
  support::Gate in_step;
  support::Gate told;
  ProgressTracker tracker{2};
  tracker.on_progress([&](const Progress& p) {
    if (p.completed() > 1) return;
    in_step.open();
    told.wait();
  });
  tracker.on_progress([&](const Progress& p) { (support::is_final(p) ? told : asleep).open(); },
                      on_caller ? delivery.on_caller() : delivery);
  std::thread waiting([&] { tracker.wait(); });
  asleep.wait();
  std::thread teller([&] { tracker.succeed(); });
  in_step.wait();
  tracker.succeed();
  teller.join();
  waiting.join();
  CHECK_FALSE(told.expired());
}

TEST_CASE("C3: with a heartbeat a callback is called though nothing changes, and its clock moves") {
  const bool on_caller = GENERATE(false, true);
  const auto delivery = Delivery::latest(1ms).at_least_every(5ms);
  Recorder recorder;
  Recorder without;
  ProgressTracker tracker{2};
  tracker.on_progress(recorder.callback(), on_caller ? delivery.on_caller() : delivery)
      .on_progress(without.callback(), Delivery::latest(1ms));
  bool beats = false;
  std::thread worker([&] {
    tracker.succeed();
    beats = eventually([&] { return recorder.made() >= 6; });
    tracker.succeed();
  });
  tracker.wait();
  worker.join();
  CHECK(beats);
  CHECK(support::wrong_telling(recorder, tracker.progress()) == "");
  CHECK(wrong_latest(without, tracker.progress(), 1ms) == "");
  const auto& calls = recorder.calls();
  for (std::size_t i = 1; i + 1 < calls.size(); ++i) {  // the last is told at once
    const Progress& before = calls[i - 1].progress;
    const Progress& now = calls[i].progress;
    const auto least = now.completed() == before.completed() ? 5ms : 1ms;
    CHECK(calls[i].at - calls[i - 1].at >= least);
    CHECK(now.elapsed > before.elapsed);
  }
}

TEST_CASE(
    "C3: a heartbeat comes in time, however long the interval at which one looks for changes") {
  Recorder recorder;
  ProgressTracker tracker{1};
  tracker.on_progress(recorder.callback(), Delivery::latest(100ms).at_least_every(120ms));
  tracker.on_progress([](const Progress&) {}, Delivery::latest(1h));
  tracker.pump();
  CHECK(eventually([&] { return recorder.made() >= 4; }));
  tracker.succeed();
  tracker.wait();
  std::chrono::nanoseconds least = 1h;
  const auto& calls = recorder.calls();
  for (std::size_t i = 1; i + 1 < calls.size(); ++i) {
    least = std::min<std::chrono::nanoseconds>(least, calls[i].at - calls[i - 1].at);
  }
  CHECK(least >= 120ms);
  CHECK(least < 200ms);  // which is the second look
}

TEST_CASE("C3: a thread that waits goes on telling where another that pumped leaves off") {
  using support::SpySync;
  support::Gate telling;
  Recorder recorder;
  std::atomic<bool> both_tell{false};
  xofn::BasicProgressTracker<SpySync> tracker{2};
  tracker.on_progress(
      [&](const Progress& p) {
        recorder.record(p);
        if (recorder.made() > 1) return;
        telling.open();
        // Until the waiting thread sleeps, having left the telling to this one.
        both_tell = eventually([] { return SpySync::asleep.load() == 1; });
      },
      Delivery::latest(1ms).on_caller());
  std::thread pumping([&] { tracker.pump(); });
  telling.wait();
  std::thread waiting([&] { tracker.wait(); });
  pumping.join();
  tracker.succeed();
  CHECK(eventually([&] { return recorder.told() == 1; }));
  tracker.succeed();
  waiting.join();
  CHECK(both_tell.load());
  CHECK(wrong_latest(recorder, tracker.progress(), 1ms) == "");
}

TEST_CASE("C4: callbacks of equal delivery are told in the order of their registration") {
  const auto delivery = GENERATE(Delivery::every(), Delivery::latest(1ms));
  std::string order;  // guarded by the promise alone
  ProgressTracker tracker{500};
  tracker.on_progress([&](const Progress&) { order += 'a'; }, delivery)
      .on_progress([&](const Progress&) { order += 'b'; }, delivery)
      .on_progress([&](const Progress&) { order += 'c'; }, delivery);
  settle_all(tracker, 3, 500);
  tracker.wait();
  REQUIRE(order.size() % 3 == 0);
  REQUIRE(order.size() >= 3);
  for (std::size_t i = 0; i < order.size(); i += 3) REQUIRE(order.substr(i, 3) == "abc");
}

TEST_CASE("C5: what the threads did before their updates is visible to whoever is told") {
  const auto delivery = GENERATE(Delivery::every(), Delivery::latest(0ns),
                                 Delivery::every().on_caller(), Delivery::latest(0ns).on_caller());
  constexpr std::uint64_t total = 2000;
  std::vector<int> done(total);  // plain: the sanitizer sees a read that is not ordered
  int missed = 0;
  ProgressTracker tracker{total};
  tracker.on_progress(
      [&](const Progress& p) {
        for (std::uint64_t i = 0; i < p.completed(); ++i) missed += done[i] == 1 ? 0 : 1;
      },
      delivery);
  std::thread worker([&] {
    for (std::uint64_t i = 0; i < total; ++i) {
      done[i] = 1;
      tracker.succeed();
    }
  });
  tracker.wait();
  CHECK(missed == 0);
  worker.join();
}

TEST_CASE("C6: several threads may wait, and none returns before the final state has been told") {
  const auto delivery = GENERATE(Delivery::every(), Delivery::latest(1ms),
                                 Delivery::every().on_caller(), Delivery::latest(1ms).on_caller());
  for (int round = 0; round < rounds(200); ++round) {
    Recorder recorder;
    std::atomic<bool> slow_call_returned{false};
    std::atomic<int> early{0};
    ProgressTracker tracker{3};
    tracker.on_progress(
        [&](const Progress& p) {
          recorder.record(p);
          if (!support::is_final(p)) return;
          support::work_for(20us);
          slow_call_returned.store(true, std::memory_order_relaxed);
        },
        delivery);
    in_parallel(4, [&](int number) {
      if (number == 0) {
        tracker.succeed(2);
        tracker.fail();
      } else {
        tracker.wait();
        if (!slow_call_returned.load(std::memory_order_relaxed)) early.fetch_add(1);
      }
    });
    REQUIRE(early.load() == 0);
    const std::string wrong = delivery.is_every() ? wrong_every(recorder, tracker.progress())
                                                  : wrong_latest(recorder, tracker.progress(), 1ms);
    REQUIRE(wrong == "");
  }
}

TEST_CASE("C7: a tracker is read at any time without a figure out of place") {
  const auto total = static_cast<std::uint64_t>(rounds(50'000));
  std::atomic<std::uint64_t> told{0};
  std::atomic<bool> over{false};
  std::vector<std::string> wrong(2);
  ProgressTracker tracker{total};
  tracker.on_progress([&](const Progress& p) { told.store(p.completed()); });
  in_parallel(4, [&](int number) {
    if (number < 2) {
      for (std::uint64_t i = 0; i < total / 2; ++i)
        number == 0 ? tracker.succeed() : tracker.fail();
      if (number == 0) tracker.wait();
      if (number == 0) over.store(true);
      return;
    }
    std::string& mine = wrong[static_cast<std::size_t>(number - 2)];
    Progress before = tracker.progress();
    while (mine.empty() && !over.load()) {
      const std::uint64_t at_least = told.load();
      const Progress now = tracker.progress();
      mine = wrong_snapshot(now);
      if (mine.empty()) mine = support::wrong_step(before, now);
      if (mine.empty() && now.completed() < at_least) mine = "behind a call already made";
      before = now;
    }
  });
  CHECK(wrong == std::vector<std::string>{"", ""});
  CHECK(tracker.progress().state == BatchState::finished);
}

TEST_CASE("Tracker: it is neither copied nor moved") {
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<ProgressTracker>);
  STATIC_REQUIRE_FALSE(std::is_move_constructible_v<ProgressTracker>);
  STATIC_REQUIRE_FALSE(std::is_copy_assignable_v<ProgressTracker>);
}

TEST_CASE("Tracker: a callback may be move-only, and is destroyed with the tracker") {
  const auto alive = std::make_shared<int>(7);
  {
    ProgressTracker tracker{1};
    int seen = 0;
    tracker.on_progress([&, owned = std::make_unique<std::shared_ptr<int>>(alive)](
                            const Progress&) { seen = **owned; });
    tracker.succeed();
    tracker.wait();
    CHECK(seen == 7);
  }
  CHECK(alive.use_count() == 1);
}

TEST_CASE("Tracker: the time stands still once it has ended") {
  ProgressTracker tracker{1};
  const Progress start = tracker.progress();
  support::work_for(100us);
  tracker.succeed();
  tracker.wait();
  const Progress last = tracker.progress();
  CHECK(last.elapsed >= start.elapsed + 100us);
  support::work_for(100us);
  CHECK(tracker.progress() == last);
}
