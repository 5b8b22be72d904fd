// SPDX-License-Identifier: MIT
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <xofn/thread_safe_counter.hpp>

#include "../scenario.hpp"

namespace schedules::counting_scenarios {

using namespace std::chrono_literals;

using Atomic = xofn::ThreadSafeCounter<xofn::AtomicCounting, ScheduledSync>;
using Mutex = xofn::ThreadSafeCounter<xofn::MutexCounting, ScheduledSync>;
using Sharded = xofn::ThreadSafeCounter<xofn::ShardedCounting, ScheduledSync>;

/// Who waits sees what was done before, and may destroy the counter at once.
template <class Counter>
void wait_and_destroy() {
  auto counter = std::make_unique<Counter>();
  Data<int> made;
  const ScheduledThread other([&made, &counter = *counter] {
    made.write(1);
    counter.increment();
  });
  counter->wait(1);
  check(made.read() == 1, "what was done before the count is visible after wait()");
  counter.reset();
}

const Scenario wait_atomic{"counter: a wait ends, and the counter may be destroyed at once", 3,
                           &wait_and_destroy<Atomic>};
const Scenario wait_mutex{"counter: a wait for a count under a lock ends", 3,
                          &wait_and_destroy<Mutex>};

const Scenario wait_marks{"counter: waits of several marks end, whoever counts last", 3, [] {
                            Atomic counter;
                            const ScheduledThread first([&] { counter.increment(); });
                            const ScheduledThread waiter([&] {
                              counter.wait(1);
                              check(counter.value() >= 1, "its mark is reached");
                            });
                            const ScheduledThread second([&] { counter.increment(); });
                            counter.wait(2);
                            check(counter.value() == 2, "both have counted");
                          }};

const Scenario wait_lower_mark{"counter: who waits for less does not wait for a higher mark", 3,
                               [] {
                                 Atomic counter;
                                 const ScheduledThread first([&] { counter.increment(); });
                                 const ScheduledThread waiter([&] {
                                   counter.wait(1);
                                   counter.increment();
                                 });
                                 counter.wait(2);
                                 check(counter.value() == 2, "both have counted");
                               }};

const Scenario wait_fallen{"counter: a wait ends though the count has fallen back", 3, [] {
                             Atomic counter;
                             const ScheduledThread other([&] {
                               counter.increment();
                               counter.decrement();
                               counter.increment(2);
                               counter.reset();
                             });
                             // Registered when it was 2 or before, or else told by no one: only a
                             // timed wait may give up.
                             static_cast<void>(counter.wait_for(2, 1s));
                           }};

const Scenario wait_for_timed{"counter: a timed wait ends in time or says so", 3, [] {
                                Atomic counter;
                                const auto begin = ScheduledClock::now();
                                const ScheduledThread other([&] { counter.increment(); });
                                const bool reached = counter.wait_for(1, 1s);
                                if (reached) {
                                  check(counter.value() == 1, "it is reached");
                                } else {
                                  check(ScheduledClock::now() - begin >= 1s, "not before its time");
                                }
                              }};

/// Each of two increments returns a count of its own.
template <class Counter>
void count_twice() {
  Counter counter;
  Data<std::int64_t> a;
  std::int64_t b = 0;
  {
    const ScheduledThread other([&] { a.write(counter.increment()); });
    b = counter.increment();
  }
  check(a.read() + b == 3 && a.read() != b, "one has counted 1, the other 2");
  check(counter.reset() == 2 && counter.value() == 0, "both are counted");
}

const Scenario counts_unique{"counter: each increment returns a count of its own", 3,
                             &count_twice<Atomic>};
const Scenario counts_locked{"counter: each increment under a lock returns a count of its own", 3,
                             &count_twice<Mutex>};

const Scenario loan_ends{"counter: who counts too late does not disturb the next counter", 3, [] {
                           auto first = std::make_unique<Atomic>();
                           const ScheduledThread late([&first = *first] { first.increment(); });
                           first->wait(1);
                           first.reset();
                           Atomic second;  // has the same audience
                           int told = 0;
                           const auto subscription =
                               second.on_change([&](std::int64_t) { ++told; });
                           second.increment();
                           check(told == 1, "a change is told once");
                         }};

const Scenario loan_waits{"counter: who counts too late wakes nobody who waits for the next", 3,
                          [] {
                            auto first = std::make_unique<Atomic>();
                            const ScheduledThread late([&first = *first] { first.increment(); });
                            first->wait(1);
                            first.reset();
                            const Atomic second;  // has the same audience
                            check(!second.wait_for(1, 1s), "nobody has counted here");
                          }};

const Scenario sharded_drain{
    "sharded: what is drained and what is left is what was counted", 3, [] {
      Sharded counter;
      std::int64_t taken = 0;
      {
        const ScheduledThread a([&] { counter.increment(); });
        const ScheduledThread b([&] {
          counter.increment(2);
          counter.increment(4);
        });
        taken = counter.reset();
      }
      check(taken + counter.value() == 7, "nothing is lost or taken twice");
    }};

const Scenario sharded_read{"sharded: a sum does not fall for one reader", 3, [] {
                              Sharded counter;
                              const ScheduledThread a([&] { counter.increment(); });
                              const ScheduledThread b([&] { counter.increment(); });
                              const auto before = counter.value();
                              const auto after = counter.value();
                              check(before <= after && after <= 2,
                                    "between what it was and what it is");
                            }};

const Scenario change_told{"on_change: the last change is told, serially", 3, [] {
                             Atomic counter;
                             Data<std::int64_t> told;
                             Data<bool> inside;
                             const auto subscription = counter.on_change([&](std::int64_t now) {
                               check(!inside.read(), "calls do not overlap");
                               inside.write(true);
                               here();
                               told.write(now);
                               inside.write(false);
                             });
                             {
                               const ScheduledThread other([&] { counter.increment(); });
                               counter.increment();
                             }
                             check(told.read() == 2,
                                   "the last change is told when the calls have returned");
                           }};

const Scenario change_throws{"on_change: a function that throws is told the last change", 3, [] {
                               Atomic counter;
                               Data<std::int64_t> told;
                               const auto subscription = counter.on_change([&](std::int64_t now) {
                                 told.write(now);
                                 here();
                                 throw now;
                               });
                               {
                                 const ScheduledThread other([&] { counter.increment(); });
                                 counter.increment();
                               }
                               check(told.read() == 2,
                                     "the last change is told when the calls have returned");
                               check(subscription.error() != nullptr, "the first error is kept");
                             }};

const Scenario unsubscribed{"on_change: no call runs when the subscription is gone", 3, [] {
                              Atomic counter;
                              auto alive = std::make_unique<Data<bool>>(true);
                              std::optional<Atomic::Subscription> subscription =
                                  counter.on_change([&alive = *alive](std::int64_t) {
                                    check(alive.read(), "what it needs is there");
                                    here();
                                    check(alive.read(), "and stays there");
                                  });
                              const ScheduledThread other([&] {
                                counter.increment();
                                counter.increment();
                              });
                              subscription.reset();
                              alive->write(false);
                              alive.reset();
                            }};

const Scenario unsubscribes_itself{"on_change: a function may end its own subscription", 3, [] {
                                     Atomic counter;
                                     int calls = 0;
                                     std::optional<Atomic::Subscription> subscription;
                                     subscription = counter.on_change([&](std::int64_t) {
                                       ++calls;
                                       subscription.reset();
                                       here();
                                     });
                                     {
                                       const ScheduledThread other([&] { counter.increment(); });
                                       counter.increment();
                                     }
                                     check(calls == 1, "that call is the last one");
                                   }};

const Scenario two_subscribers{
    "on_change: two functions know nothing of each other", 3, [] {
      Atomic counter;
      Data<std::int64_t> first;
      Data<std::int64_t> second;
      const auto one = counter.on_change([&](std::int64_t now) { first.write(now); });
      const auto other_one = counter.on_change([&](std::int64_t now) {
        here();
        second.write(now);
      });
      {
        const ScheduledThread other([&] { counter.increment(); });
        counter.increment();
      }
      check(first.read() == 2 && second.read() == 2, "both are told the last change");
    }};

}  // namespace schedules::counting_scenarios
