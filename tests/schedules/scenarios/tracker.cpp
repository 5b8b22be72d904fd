// SPDX-License-Identifier: MIT
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <xofn/progress_tracker.hpp>

#include "../oracle.hpp"
#include "../scenario.hpp"

namespace schedules::tracker_scenarios {

using namespace std::chrono_literals;
using xofn::Delivery;
using xofn::Progress;

using Tracker = xofn::BasicProgressTracker<ScheduledSync>;

/// Two threads settle an item each, while this one waits and then destroys all.
void settle_and_wait(Delivery delivery, auto& callback) {
  auto tracker = std::make_unique<Tracker>(2);
  Data<int> work;
  tracker->on_progress(
      [&](const Progress& p) {
        if (p.succeeded == 1) check(work.read() == 1, "what the item did is visible");
        callback(p);
      },
      delivery);
  const ScheduledThread a([&work, &tracker = *tracker] {
    work.write(1);
    tracker.succeed();
  });
  const ScheduledThread b([&tracker = *tracker] { tracker.fail(); });
  tracker->wait();
  check(tracker->progress().completed() == 2, "all have settled");
  tracker.reset();
  callback.check_ended(2);
}

const Scenario every{"tracker: every step, and destroyed as soon as wait() returns", 3, [] {
                       EveryStep told;
                       settle_and_wait(Delivery::every(), told);
                     }};

const Scenario latest{"tracker: the latest state on the helper thread", 3, [] {
                        LatestState told;
                        settle_and_wait(Delivery::latest(1ms), told);
                      }};

const Scenario at_once{
    "tracker: the final state is told at once, whatever the interval", 3, [] {
      ScheduledSync::atomic<std::int64_t> settled{Scheduler::never};
      Tracker tracker{1};
      tracker.on_progress(
          [&](const Progress& p) {
            if (p.completed() == 0) return;
            const auto now = ScheduledClock::now().time_since_epoch();
            const std::int64_t since = settled.load();
            check(since == Scheduler::never || now < std::chrono::nanoseconds(since) + 1h,
                  "at once");
          },
          Delivery::latest(1h));
      const ScheduledThread settles([&] {
        tracker.succeed();
        settled.store(ScheduledClock::now().time_since_epoch().count());
      });
      tracker.wait();
    }};

const Scenario end_at_once{"tracker: the end is told at once, whoever settles the last item", 2,
                           [] {
                             ScheduledSync::atomic<bool> has_ended{false};
                             Tracker tracker{2};
                             tracker.on_progress([&](const Progress& p) {
                               while (is_final(p) && !has_ended.load()) ScheduledSync::yield();
                             });
                             tracker.on_progress(
                                 [&](const Progress& p) {
                                   if (is_final(p)) has_ended.store(true);
                                 },
                                 Delivery::latest(1h));
                             {
                               const ScheduledThread other([&] { tracker.fail(); });
                               tracker.succeed();
                             }
                             tracker.wait();
                           }};

const Scenario steps_at_once{
    "tracker: a thread that waits is told a step while other items run", 3, [] {
      ScheduledSync::atomic<std::uint64_t> told{0};
      Tracker tracker{2};
      tracker.on_progress([&](const Progress& p) { told.store(p.completed()); },
                          Delivery::every().on_caller());
      const ScheduledThread settles([&] {
        tracker.succeed();
        while (told.load() == 0) ScheduledSync::yield();
        tracker.succeed();
      });
      tracker.wait();
    }};

const Scenario every_on_caller{"tracker: every step on the thread that waits", 3, [] {
                                 EveryStep told;
                                 settle_and_wait(Delivery::every().on_caller(), told);
                               }};

const Scenario latest_on_caller{"tracker: the latest state on the thread that waits", 3, [] {
                                  LatestState told;
                                  settle_and_wait(Delivery::latest(1ms).on_caller(), told);
                                }};

const Scenario two_wait{"tracker: two threads wait, and one of them is told", 3, [] {
                          EveryStep told;
                          {
                            Tracker tracker{1};
                            tracker.on_progress(std::ref(told), Delivery::every().on_caller());
                            const ScheduledThread settles([&] { tracker.succeed(); });
                            const ScheduledThread waits([&] {
                              tracker.wait();
                              told.check_ended(1);
                            });
                            tracker.wait();
                            told.check_ended(1);
                          }
                        }};

const Scenario pumped{"tracker: a thread that pumps does not strand one that waits", 3, [] {
                        EveryStep told;
                        {
                          Tracker tracker{1};
                          tracker.on_progress(std::ref(told), Delivery::every().on_caller());
                          const ScheduledThread pumps([&] {
                            tracker.pump();
                            tracker.pump();
                          });
                          const ScheduledThread settles([&] { tracker.succeed(); });
                          tracker.wait();
                          told.check_ended(1);
                        }
                      }};

const Scenario cancelled{"tracker: the rest is cancelled while items settle", 3, [] {
                           EveryStep told;
                           std::uint64_t settled = 0;
                           {
                             auto tracker = std::make_unique<Tracker>(2);
                             tracker->on_progress(std::ref(told));
                             const ScheduledThread settles([&] {
                               try {
                                 tracker->succeed();
                                 ++settled;
                               } catch (const std::out_of_range&) {
                               }
                             });
                             const ScheduledThread cancels([&] { tracker->cancel_rest(); });
                             tracker->wait();
                             const auto now = tracker->progress();
                             check(now.completed() + now.cancelled == 2, "all have settled");
                           }
                           told.check_ended(settled);
                         }};

const Scenario grows{"tracker: the total grows while items settle", 3, [] {
                       EveryStep told;
                       std::uint64_t total = 1;
                       {
                         Tracker tracker{1};
                         tracker.on_progress(std::ref(told));
                         const ScheduledThread settles([&] { tracker.succeed(); });
                         const ScheduledThread adds([&] {
                           try {
                             tracker.add_total(1);
                             ++total;
                             tracker.succeed();
                           } catch (const std::logic_error&) {
                           }
                         });
                         tracker.wait();
                       }
                       told.check_ended(total);
                     }};

const Scenario throws{"tracker: callbacks that throw lose no step", 3, [] {
                        EveryStep told;
                        Tracker tracker{2};
                        tracker.on_progress([](const Progress&) { throw 1; });
                        tracker.on_progress(std::ref(told));
                        {
                          const ScheduledThread a([&] { tracker.succeed(); });
                          tracker.succeed();
                          tracker.wait();
                        }
                        told.check_ended(2);
                        check(tracker.callback_error().count == 2, "each error is counted");
                      }};

const Scenario empty{"tracker: a total of nothing ends, though several threads see it", 3, [] {
                       EveryStep told;
                       {
                         Tracker tracker{0};
                         tracker.on_progress(std::ref(told));
                         const ScheduledThread waits([&] { tracker.wait(); });
                         tracker.wait();
                       }
                       told.check_ended(0);
                     }};

const Scenario snapshots{"tracker: a snapshot is never behind a call, and no figure falls", 3, [] {
                           ScheduledSync::atomic<std::uint64_t> told{0};
                           Tracker tracker{2};
                           tracker.on_progress([&](const Progress& p) {
                             told.store(p.completed());
                             here();
                           });
                           const ScheduledThread a([&] { tracker.succeed(); });
                           const ScheduledThread b([&] { tracker.fail(); });
                           const auto before = told.load();
                           const auto first = tracker.progress();
                           check_snapshot(first);
                           check(first.completed() >= before, "not behind a call already made");
                           const auto second = tracker.progress();
                           check(
                               second.succeeded >= first.succeeded && second.failed >= first.failed,
                               "no figure falls");
                           tracker.wait();
                         }};

const Scenario mixed{"tracker: every and latest together", 3, [] {
                       EveryStep every_step;
                       LatestState latest_state;
                       {
                         Tracker tracker{2};
                         tracker.on_progress(std::ref(every_step));
                         tracker.on_progress(std::ref(latest_state), Delivery::latest(1ms));
                         const ScheduledThread a([&] { tracker.succeed(); });
                         tracker.succeed();
                         tracker.wait();
                         every_step.check_ended(2);
                         latest_state.check_ended(2);
                       }
                     }};

}  // namespace schedules::tracker_scenarios
