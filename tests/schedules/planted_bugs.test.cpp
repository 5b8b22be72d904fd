// SPDX-License-Identifier: MIT
// Programs with a bug, which is found, and the same programs without it, which are never accused.
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "data.hpp"
#include "explore.hpp"
#include "races.hpp"
#include "sanitizers.hpp"
#include "scheduled_sync.hpp"

/// A thread that a bug leaves behind keeps what it holds, which is no leak of the library's.
extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }

using namespace schedules;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr auto relaxed = std::memory_order_relaxed;

Scheduler::Settings weak() {
  Scheduler::Settings settings;
  settings.weak_memory = true;
  return settings;
}

/// What is found, the same by every way of looking; and its replay finds it again.
std::string found(const Program& program, Scheduler::Settings settings = {}) {
  const SilentRaces silent;
  Random random(1, 20'000);
  Pct pct(1, 20'000);
  const auto all = explore_exhaustively(program, 3, 200'000, settings);
  const auto some = explore(program, random, settings);
  const auto others = explore(program, pct, settings);
  REQUIRE(all.failure);
  CHECK(some.failure);
  CHECK(others.failure);
  for (const auto* explored : {&all, &some, &others}) {
    if (!explored->failure) continue;
    CAPTURE(explored->failure->replay);
    CHECK(replay(program, explored->failure->replay) == explored->failure->what);
  }
  return all.failure->what;
}

void check_never_accused(const Program& program, Scheduler::Settings settings = {}) {
  Random random(1, 5'000);
  Pct pct(1, 5'000);
  for (const auto& explored :
       {explore_exhaustively(program, 3, 20'000, settings), explore(program, random, settings),
        explore(program, pct, settings)}) {
    if (!explored.failure) continue;
    CAPTURE(explored.failure->replay);
    FAIL_CHECK(explored.failure->what);
  }
}

template <class Body>
void in_two_threads(Body body) {
  const ScheduledThread a([&] { body(0); });
  const ScheduledThread b([&] { body(1); });
}

}  // namespace

TEST_CASE("an update that is lost between a load and a store is found") {
  const auto count = [](bool at_once) {
    return [at_once] {
      ScheduledSync::atomic<int> n{0};
      in_two_threads([&](int) { at_once ? void(n.fetch_add(1)) : n.store(n.load() + 1); });
      check(n.load() == 2, "both have counted");
    };
  };
  CHECK(found(count(false)) == "both have counted");
  check_never_accused(count(true));
  check_never_accused(count(true), weak());
}

TEST_CASE("two locks taken in opposite orders are found to deadlock") {
  const auto lock = [](bool in_order) {
    return [in_order] {
      ScheduledMutex mutexes[2];
      in_two_threads([&](int thread) {
        const int first = in_order ? 0 : thread;
        const ScheduledSync::lock one(mutexes[first]);
        const ScheduledSync::lock other(mutexes[1 - first]);
      });
    };
  };
  CHECK_THAT(found(lock(false)), ContainsSubstring("nobody can go on"));
  check_never_accused(lock(true));
}

TEST_CASE("a wake-up that is lost since nobody looks again is found") {
  const auto wait = [](bool looks_again) {
    return [looks_again] {
      ScheduledSync::atomic<bool> ready{false};
      ScheduledMutex mutex;
      ScheduledConditionVariable changed;
      const ScheduledThread teller([&] {
        ready.store(true);
        const ScheduledSync::lock guard(mutex);
        changed.notify_all();
      });
      if (ready.load()) return;
      ScheduledSync::lock guard(mutex);
      if (looks_again) {
        while (!ready.load()) changed.wait(guard);
      } else {
        changed.wait(guard);
      }
    };
  };
  CHECK_THAT(found(wait(false)), ContainsSubstring("nobody can go on"));
  check_never_accused(wait(true));
}

TEST_CASE("a notification before anybody sleeps is found") {
  const auto wait = [](bool under_the_lock) {
    return [under_the_lock] {
      ScheduledSync::atomic<bool> ready{false};
      ScheduledMutex mutex;
      ScheduledConditionVariable changed;
      const ScheduledThread teller([&] {
        ready.store(true);
        if (under_the_lock) {
          const ScheduledSync::lock guard(mutex);
        }
        changed.notify_all();
      });
      ScheduledSync::lock guard(mutex);
      while (!ready.load()) changed.wait(guard);
    };
  };
  CHECK_THAT(found(wait(false)), ContainsSubstring("nobody can go on"));
  check_never_accused(wait(true));
}

TEST_CASE("a wait that takes any waking for the one it waits for is found") {
  const auto wait = [](bool in_a_loop) {
    return [in_a_loop] {
      bool ready = false;
      ScheduledMutex mutex;
      ScheduledConditionVariable changed;
      const ScheduledThread teller([&] {
        const ScheduledSync::lock guard(mutex);
        ready = true;
        changed.notify_all();
      });
      ScheduledSync::lock guard(mutex);
      if (in_a_loop) {
        while (!ready) changed.wait(guard);
      } else if (!ready) {
        changed.wait(guard);
      }
      check(ready, "ready");
    };
  };
  CHECK(found(wait(false)) == "ready");
  check_never_accused(wait(true));
}

TEST_CASE("counts that are told in another order than they were counted are found") {
  const auto tell = [](bool in_one_step) {
    return [in_one_step] {
      ScheduledSync::atomic<int> n{0};
      ScheduledSync::atomic<int> told{0};
      ScheduledMutex mutex;
      in_two_threads([&](int) {
        ScheduledSync::lock guard(mutex, std::defer_lock);
        if (in_one_step) guard.lock();
        const int counted = n.fetch_add(1) + 1;
        check(told.exchange(counted) < counted, "never backwards");
      });
    };
  };
  CHECK(found(tell(false)) == "never backwards");
  check_never_accused(tell(true));
}

TEST_CASE("what a relaxed flag guards is found to race") {
  const auto once = [](std::memory_order order) {
    return [order] {
      Data<int> data;
      ScheduledSync::atomic<bool> made{false};
      ScheduledMutex mutex;
      in_two_threads([&](int) {
        if (!made.load(order)) {
          const ScheduledSync::lock guard(mutex);
          if (!made.load(relaxed)) {
            data.write(1);
            made.store(true, order == relaxed ? relaxed : std::memory_order_release);
          }
        }
        check(data.read() == 1, "made");
      });
    };
  };
  CHECK(found(once(relaxed), weak()) == "a data race");
  check_never_accused(once(std::memory_order_acquire), weak());
  if (thread_sanitizer) CHECK_THAT(found(once(relaxed)), ContainsSubstring("thread sanitizer"));
  check_never_accused(once(std::memory_order_acquire));
}

TEST_CASE("threads that make way for each other for ever are found") {
  const auto meet = [](bool one_insists) {
    return [one_insists] {
      ScheduledSync::atomic<bool> wants[2];
      in_two_threads([&](int thread) {
        for (;;) {
          wants[thread].store(true);
          ScheduledSync::yield();
          const bool makes_way = wants[1 - thread].load() && !(one_insists && thread == 0);
          ScheduledSync::yield();
          if (!makes_way) break;
          wants[thread].store(false);
          ScheduledSync::yield();
        }
        wants[thread].store(false);
      });
    };
  };
  const auto explored = explore_exhaustively(meet(false), 0, 1000);
  REQUIRE(explored.failure);
  CHECK_THAT(explored.failure->what, ContainsSubstring("no end in sight"));
  check_never_accused(meet(true));
}

TEST_CASE("a wait for what nobody will do is found, though it yields") {
  const auto wait = [](bool done) {
    return [done] {
      ScheduledSync::atomic<bool> ready{false};
      const ScheduledThread other([&] { ready.store(done); });
      while (!ready.load()) ScheduledSync::yield();
    };
  };
  CHECK_THAT(found(wait(false)), ContainsSubstring("no end in sight"));
  check_never_accused(wait(true));
}

TEST_CASE("the use of an object after its end is found") {
  struct Gate {
    ScheduledMutex mutex;
    ScheduledConditionVariable opened;
    bool open = false;
  };
  const auto open = [](bool under_the_lock) {
    return [under_the_lock] {
      auto gate = std::make_unique<Gate>();
      const ScheduledThread opener([&gate = *gate, under_the_lock] {
        ScheduledSync::lock guard(gate.mutex);
        gate.open = true;
        if (!under_the_lock) guard.unlock();
        gate.opened.notify_all();
      });
      {
        ScheduledSync::lock guard(gate->mutex);
        while (!gate->open) gate->opened.wait(guard);
      }
      gate.reset();
    };
  };
  // The sanitizers may be faster.
  if (!address_sanitizer && !thread_sanitizer) {
    CHECK(found(open(false)) == "an object is used after its end");
  }
  check_never_accused(open(true));
}

TEST_CASE("a thread that is left behind is found") {
  CHECK_THAT(found([] {
               auto& mutex = *new ScheduledMutex;  // NOLINT: outlives the program
               mutex.lock();
               ScheduledThread([&] { mutex.lock(); }).detach();
             }),
             ContainsSubstring("left behind: thread 1 is at lock"));
}

TEST_CASE("an exception that leaves a thread is found, others stay in theirs") {
  CHECK_THAT(found([] { ScheduledThread([] { throw std::runtime_error("lost"); }); }),
             ContainsSubstring("lost"));
  check_never_accused([] {
    in_two_threads([](int thread) {
      for (int i = 0; i != 2; ++i) {
        try {
          here();
          throw thread;
        } catch (int thrown) {
          here();
          check(thrown == thread, "its own");
          try {
            throw;
          } catch (int again) {
            here();
            check(again == thread, "its own, again");
          }
        }
      }
    });
  });
}

TEST_CASE("a timed sleep ends when nobody else can go on, and may end before") {
  using std::chrono::hours;
  bool in_time = false;
  bool too_late = false;
  const auto program = [&] {
    ScheduledMutex mutex;
    ScheduledConditionVariable changed;
    bool ready = false;
    const auto begin = ScheduledClock::now();
    const ScheduledThread other([&] {
      const ScheduledSync::lock guard(mutex);
      ready = true;
      changed.notify_all();
    });
    ScheduledSync::lock guard(mutex);
    while (!ready && ScheduledClock::now() < begin + hours(1)) {
      changed.wait_until(guard, begin + hours(1));
    }
    (ready ? in_time : too_late) = true;
    check(ready || ScheduledClock::now() >= begin + hours(1), "not before its time");
  };
  check_never_accused(program);
  CHECK(in_time);
  CHECK(too_late);
}

TEST_CASE("the number of schedules is what it must be") {
  // Two threads of one step each, and the one that starts and joins them.
  const Program program = [] {
    ScheduledSync::atomic<int> n{0};
    ScheduledThread a([&] { n.fetch_add(1); });
    ScheduledThread b([&] { n.fetch_add(1); });
  };
  Exhaustive none(0);
  // The one that joins b waits: a and b; b, then a before the join is seen; b, then the join.
  CHECK(explore(program, none).schedules == 3);
  const auto explored = explore_exhaustively(program, 3, 10'000);
  CHECK(explored.all);
  CHECK(explored.complete);
}

TEST_CASE("a schedule is written shortly, and read back") {
  CHECK(to_string(Choices{}).empty());
  CHECK(to_string(Choices{0, 0, 1, 0, 3, 0}) == "2:1,4:3");
  CHECK(to_choices("2:1,4:3") == Choices{0, 0, 1, 0, 3});
  CHECK(to_choices("").empty());
  CHECK_THROWS_AS(to_choices("2"), std::invalid_argument);
  CHECK_THROWS_AS(to_choices("2:x"), std::invalid_argument);
  CHECK_THROWS_AS(to_choices("2,1"), std::invalid_argument);
}
