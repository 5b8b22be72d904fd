// SPDX-License-Identifier: MIT
#pragma once

#include <rapidcheck.h>

#include <algorithm>
#include <ostream>
#include <vector>

namespace properties {

/// Whose threads run the batch. The last two serve `pool_takes` calls and then throw, or drop.
enum class Pool { own, shared, one_thread, at_once, thread_per_call, throwing, dropping };

/// What the items lie in. Only what is generated has an unknown length.
enum class Items { vector, list, proxies, generated };

/// Who pauses the batch, or cancels it.
enum class Steerer { nobody, another_thread, task, callback };

/// Which failures stop the batch.
enum class Bears { all_failures, none, some, a_part };

/// How long an item may take: any time, more than it ever takes, less than it ever takes.
enum class Timeout { none, late, at_once };

/// One batch and all that happens to it. Everything at its first value is the simplest batch.
struct BatchScenario {
  bool shaky = false;  // under a Sync whose every operation may let another thread go first
  Pool pool = Pool::own;
  int pool_takes = 0;
  int workers = 1;
  bool starts = false;  // rather than runs
  Items items_in = Items::vector;
  int items = 0;
  int range_throws_at = -1;       // generated ones: behind this item
  std::vector<int> failing = {};  // items that throw, item i in its first 1 + i % 3 attempts
  std::vector<int> slow = {};     // items of some microseconds
  int nested_every = 0;           // each so manieth item runs batches of its own; 0: none
  int nested_depth = 0;
  int nested_items = 0;
  Steerer canceller = Steerer::nobody;  // of a batch that was started
  int cancel_at = 0;                    // when so many items have begun, or have been told
  bool every = false, every_on_caller = false, latest = false, latest_on_caller = false;
  bool completions = false;
  int callbacks_throw_every = 0;  // each so manieth call; 0: none
  bool watched = false;           // its progress is read all the time
  int slots = 0;                  // which it shares with those nested in it; 0: without
  int attempts = 1;
  bool backs_off = false;              // before the next attempt, for a millisecond
  bool in_order = false;               // completed items come in the order of submission
  bool tells_starts = false;           // to a callback
  Steerer pauser = Steerer::nobody;    // of a batch that was started; others resume it
  int pause_every = 1;                 // so many items that have begun, or have been told
  bool streams = false;                // a batch that was started
  int leaves_stream_every = 0;         // so many items; 0: never
  bool waits_before_the_rest = false;  // after it has left for the first time
  bool opens = false;                  // a batch that was started, and has its items added
  int tasks_add_every = 0;             // each so manieth item adds one; 0: none
  int max_queued = 0;
  Bears bears = Bears::all_failures;
  int failures = 1;  // the one that stops the batch; or so many twentieths, of at least five items
  Timeout timeout = Timeout::none;
  bool weighs = false;  // its items, which report a part of their weight while they run
  int memory = 0;       // a budget, of which items need 0 to 4, shared as slots are; 0: without
};

inline const char* name(Pool pool) {
  constexpr const char* names[] = {
      "own", "shared", "one_thread", "at_once", "thread_per_call", "throwing", "dropping"};
  return names[static_cast<int>(pool)];
}

inline const char* name(Items items) {
  constexpr const char* names[] = {"vector", "list", "proxies", "generated"};
  return names[static_cast<int>(items)];
}

inline const char* name(Steerer steerer) {
  constexpr const char* names[] = {"nobody", "another_thread", "task", "callback"};
  return names[static_cast<int>(steerer)];
}

inline const char* name(Bears bears) {
  constexpr const char* names[] = {"all_failures", "none", "some", "a_part"};
  return names[static_cast<int>(bears)];
}

inline const char* name(Timeout timeout) {
  constexpr const char* names[] = {"none", "late", "at_once"};
  return names[static_cast<int>(timeout)];
}

/// As C++, to be kept as a case.
inline std::ostream& operator<<(std::ostream& out, const BatchScenario& s) {
  out << std::boolalpha << "{.shaky = " << s.shaky << ", .pool = Pool::" << name(s.pool)
      << ", .pool_takes = " << s.pool_takes << ", .workers = " << s.workers
      << ", .starts = " << s.starts << ", .items_in = Items::" << name(s.items_in)
      << ", .items = " << s.items << ", .range_throws_at = " << s.range_throws_at;
  rc::showCollection(", .failing = {", "}", s.failing, out);
  rc::showCollection(", .slow = {", "}", s.slow, out);
  return out << ", .nested_every = " << s.nested_every << ", .nested_depth = " << s.nested_depth
             << ", .nested_items = " << s.nested_items
             << ", .canceller = Steerer::" << name(s.canceller) << ", .cancel_at = " << s.cancel_at
             << ", .every = " << s.every << ", .every_on_caller = " << s.every_on_caller
             << ", .latest = " << s.latest << ", .latest_on_caller = " << s.latest_on_caller
             << ", .completions = " << s.completions
             << ", .callbacks_throw_every = " << s.callbacks_throw_every
             << ", .watched = " << s.watched << ", .slots = " << s.slots
             << ", .attempts = " << s.attempts << ", .backs_off = " << s.backs_off
             << ", .in_order = " << s.in_order << ", .tells_starts = " << s.tells_starts
             << ", .pauser = Steerer::" << name(s.pauser) << ", .pause_every = " << s.pause_every
             << ", .streams = " << s.streams << ", .leaves_stream_every = " << s.leaves_stream_every
             << ", .waits_before_the_rest = " << s.waits_before_the_rest << ", .opens = " << s.opens
             << ", .tasks_add_every = " << s.tasks_add_every << ", .max_queued = " << s.max_queued
             << ", .bears = Bears::" << name(s.bears) << ", .failures = " << s.failures
             << ", .timeout = Timeout::" << name(s.timeout) << ", .weighs = " << s.weighs
             << ", .memory = " << s.memory << "}";
}

}  // namespace properties

template <>
struct rc::Arbitrary<properties::BatchScenario> {
  static Gen<properties::BatchScenario> arbitrary() {
    using namespace properties;
    using S = BatchScenario;
    constexpr int most_items = 300;
    const auto seldom = gen::map(gen::inRange(0, 4), [](int i) { return i == 3; });
    const auto some_items = gen::container<std::vector<int>>(gen::inRange(0, most_items));
    const auto every_so_many = [&](int least, int most) {
      return gen::map(gen::inRange(0, 4 * (most - least)),
                      [=](int i) { return i < most - least ? 0 : least + i % (most - least); });
    };
    return gen::build<S>(
        gen::set(&S::shaky), gen::set(&S::pool, any_of<Pool>(7)),
        gen::set(&S::pool_takes, gen::inRange(0, 4)), gen::set(&S::workers, gen::inRange(1, 9)),
        gen::set(&S::starts), gen::set(&S::items_in, any_of<Items>(4)),
        gen::set(&S::items, gen::inRange(0, most_items)),
        gen::set(&S::range_throws_at,
                 gen::map(gen::inRange(0, 2 * most_items),
                          [=](int i) { return std::max(-1, i - most_items); })),
        gen::set(&S::failing, some_items), gen::set(&S::slow, some_items),
        gen::set(&S::nested_every, every_so_many(10, 60)),
        gen::set(&S::nested_depth, gen::inRange(1, 3)),
        gen::set(&S::nested_items, gen::inRange(0, 6)), gen::set(&S::canceller, any_of<Steerer>(4)),
        gen::set(&S::cancel_at, gen::inRange(0, most_items)), gen::set(&S::every),
        gen::set(&S::every_on_caller), gen::set(&S::latest, seldom),
        gen::set(&S::latest_on_caller, seldom), gen::set(&S::completions),
        gen::set(&S::callbacks_throw_every, every_so_many(1, 20)), gen::set(&S::watched, seldom),
        gen::set(&S::slots, every_so_many(1, 3)), gen::set(&S::attempts, gen::inRange(1, 4)),
        gen::set(&S::backs_off, seldom), gen::set(&S::in_order), gen::set(&S::tells_starts),
        gen::set(&S::pauser, any_of<Steerer>(4)),
        gen::set(&S::pause_every, gen::inRange(1, most_items)), gen::set(&S::streams),
        gen::set(&S::leaves_stream_every, every_so_many(1, 60)),
        gen::set(&S::waits_before_the_rest, seldom), gen::set(&S::opens),
        gen::set(&S::tasks_add_every, every_so_many(1, 20)),
        gen::set(&S::max_queued, every_so_many(1, 20)),
        gen::set(&S::bears, seldom_any_of<Bears>(4)), gen::set(&S::failures, gen::inRange(1, 20)),
        gen::set(&S::timeout, seldom_any_of<Timeout>(3)), gen::set(&S::weighs),
        gen::set(&S::memory, every_so_many(1, 8)));
  }

 private:
  /// Mostly the first.
  template <class Enum>
  static Gen<Enum> seldom_any_of(int values) {
    return gen::map(gen::resize(kNominalSize, gen::inRange(0, 4 * (values - 1))),
                    [=](int i) { return static_cast<Enum>(i < values ? i : 0); });
  }
  template <class Enum>
  static Gen<Enum> any_of(int values) {
    return gen::map(gen::resize(kNominalSize, gen::inRange(0, values)),
                    [](int i) { return static_cast<Enum>(i); });
  }
};
