// SPDX-License-Identifier: MIT
#include <chrono>
#include <cstdint>
#include <memory>
#include <xofn/delivery/activity.hpp>
#include <xofn/delivery/bell.hpp>
#include <xofn/delivery/callback_error.hpp>
#include <xofn/delivery/completion_order.hpp>
#include <xofn/delivery/deliveries.hpp>
#include <xofn/delivery/delivery.hpp>
#include <xofn/delivery/progress.hpp>
#include <xofn/delivery/progress_callback.hpp>
#include <xofn/delivery/serial_delivery.hpp>
#include <xofn/delivery/snapshot.hpp>
#include <xofn/delivery/tally.hpp>

#include "../oracle.hpp"
#include "../scenario.hpp"

namespace schedules::delivery_scenarios {

using namespace xofn::detail;
using namespace std::chrono_literals;

const Scenario election{"serial delivery: each flush is followed by a delivery, one at a time", 3,
                        [] {
                          SerialDelivery<ScheduledSync> delivery;
                          ScheduledSync::atomic<int> news{0};
                          Data<int> told;
                          Data<std::uint64_t> answered;
                          Data<bool> inside;
                          const auto flush = [&] {
                            news.fetch_add(1, std::memory_order_relaxed);
                            delivery.flush(1, [&](std::uint64_t flushes) {
                              const Alone alone(inside);
                              told.write(news.load(std::memory_order_relaxed));
                              answered.add(flushes);
                            });
                          };
                          {
                            const ScheduledThread a(flush);
                            const ScheduledThread b(flush);
                            flush();
                          }
                          check(told.read() == 3, "the last delivery has seen all");
                          check(answered.read() == 3, "each flush is answered once");
                        }};

const Scenario election_sees{
    "serial delivery: a delivery sees what was done before the flush", 3, [] {
      SerialDelivery<ScheduledSync> delivery;
      Data<int> mine[2];
      Data<std::uint64_t> told;  // flushes that have been answered
      const auto flush = [&](int thread) {
        mine[thread].write(1);
        delivery.flush(1, [&](std::uint64_t answered) {
          told.add(answered);
          if (told.read() == 2) check(mine[0].read() + mine[1].read() == 2, "both are visible");
        });
      };
      const ScheduledThread a([&] { flush(0); });
      flush(1);
    }};

/// Two items, each settled by a thread of its own.
class TwoItems final : public ProgressSource {
 public:
  void settle(int item) { settled_[item].store(1, std::memory_order_release); }
  [[nodiscard]] xofn::Progress snapshot() const noexcept override {
    xofn::Progress now;
    now.total = 2;
    for (const auto& item : settled_) now.succeeded += item.load(std::memory_order_acquire);
    now.state = state_of(now);
    return now;
  }

 private:
  ScheduledSync::atomic<std::uint64_t> settled_[2]{};
};

const Scenario announced{
    "deliveries: of two that settle the last items at the same time one has the end told", 2, [] {
      TwoItems items;
      Activity<ScheduledSync> activity(nullptr);
      ScheduledSync::atomic<bool> has_ended{false};
      Subscriptions all;
      all.push_back(make_subscription(
          [&](const xofn::Progress& p) {
            if (is_final(p)) has_ended.store(true);
          },
          xofn::Delivery::latest(1h)));
      Deliveries<ScheduledSync> deliveries(items, activity);
      deliveries.subscribe(all, items.snapshot());
      deliveries.start();
      deliveries.begin();
      const auto settle = [&](int item) {
        items.settle(item);
        deliveries.announce();
      };
      {
        const ScheduledThread other([&] { settle(0); });
        settle(1);
      }
      while (!has_ended.load()) ScheduledSync::yield();
      deliveries.end();
    }};

const Scenario completion_order{
    "completion order: what is pushed is taken once, in order", 3, [] {
      CompletionOrder<ScheduledSync> order;
      CompletedItems items[3] = {};
      Data<std::uint64_t> results[3];
      const auto push = [&](std::uint64_t i) {
        results[i].write(i + 1);
        items[i].first = i;
        order.push(items[i]);
      };
      std::uint64_t last_of_a = 0;
      int taken = 0;
      const auto take = [&] {
        for (const CompletedItems* item = order.take(); item != nullptr; item = item->next) {
          ++taken;
          check(results[item->first].read() == item->first + 1, "what the item did is visible");
          if (item->first < 2) {
            check(item->first == last_of_a, "one thread's items come in its order");
            ++last_of_a;
          }
        }
      };
      {
        const ScheduledThread a([&] {
          push(0);
          push(1);
        });
        const ScheduledThread b([&] { push(2); });
        take();
        take();
      }
      take();
      check(taken == 3, "each item is taken once");
    }};

const Scenario bell_rung{"bell: a ring is not slept through", 3, [] {
                           Bell<ScheduledSync> bell;
                           ScheduledSync::atomic<bool> news{false};
                           const ScheduledThread ringer([&] {
                             news.store(true, std::memory_order_relaxed);
                             bell.ring();
                           });
                           for (;;) {
                             const auto seen = bell.rings();
                             if (news.load(std::memory_order_relaxed)) break;
                             bell.sleep(seen, ScheduledClock::time_point::max());
                           }
                         }};

const Scenario bell_closed{"bell: it may be destroyed by who has seen it closed", 3, [] {
                             auto bell = std::make_unique<Bell<ScheduledSync>>();
                             Data<int> done;
                             const ScheduledThread ringer([&done, &bell = *bell] {
                               bell.ring();
                               done.write(1);
                               bell.close();
                             });
                             for (;;) {
                               const auto seen = bell->rings();
                               if (bell->closed()) break;
                               bell->sleep(seen, ScheduledClock::time_point::max());
                             }
                             check(done.read() == 1, "what was done before is visible");
                             bell.reset();
                           }};

const Scenario bell_timed{"bell: a timed sleep ends in its time", 3, [] {
                            Bell<ScheduledSync> bell;
                            const auto until = ScheduledClock::now() + 1ms;
                            const ScheduledThread ringer([&] { bell.ring(); });
                            bell.sleep(0, until);
                            check(bell.rings() == 1 || ScheduledClock::now() >= until,
                                  "by a ring, or in its time");
                          }};

const Scenario errors_kept{
    "callback errors: the first is kept, and all are counted", 3, [] {
      ErrorKeeper<ScheduledSync> keeper;
      std::exception_ptr first;
      {
        const ScheduledThread other([&] { keeper.keep(std::make_exception_ptr(1)); });
        keeper.keep(std::make_exception_ptr(2));
        first = keeper.kept().first;
        check(keeper.kept().count >= 1 && first != nullptr, "the first is kept");
      }
      check(keeper.kept().count == 2, "all are counted");
      check(keeper.kept().first == first, "it stays the first");
    }};

const Scenario tally_settles{
    "tally: figures never fall, never pass the total, and end there", 3, [] {
      Tally<ScheduledSync> tally{2};
      Data<int> work[2];
      ScheduledThread a([&] {
        work[0].write(1);
        tally.succeed(1);
      });
      ScheduledThread b([&] {
        work[1].write(1);
        tally.fail(1);
      });
      xofn::Progress before;
      for (int i = 0; i != 2; ++i) {
        const auto now = tally.snapshot();
        check_snapshot(now);
        check(now.succeeded >= before.succeeded && now.failed >= before.failed, "no figure falls");
        check(now.elapsed >= before.elapsed, "nor does the time");
        if (now.succeeded != 0) check(work[0].read() == 1, "what the item did is visible");
        if (now.failed != 0) check(work[1].read() == 1, "what the failed item did is visible");
        before = now;
      }
      a.join();
      b.join();
      check(tally.snapshot().state == xofn::BatchState::finished, "all have settled");
    }};

const Scenario tally_grows{"tally: it grows until it has ended, and not a moment later", 3, [] {
                             Tally<ScheduledSync> tally{1};
                             bool grown = false;
                             {
                               const ScheduledThread other([&] { tally.succeed(1); });
                               try {
                                 tally.grow(1);
                                 grown = true;
                               } catch (const std::logic_error&) {
                               }
                             }
                             const auto now = tally.snapshot();
                             check(now.total == (grown ? 2U : 1U), "it has grown if it could");
                             check(now.total_is_final == !grown,
                                   "it has ended if it was reached first");
                           }};

const Scenario tally_grown_twice{"tally: two that grow it are both counted", 3, [] {
                                   Tally<ScheduledSync> tally{1};
                                   {
                                     const ScheduledThread other([&] { tally.grow(1); });
                                     tally.grow(2);
                                   }
                                   check(tally.snapshot().total == 4, "both are counted");
                                 }};

const Scenario tally_grows_seen{"tally: X is never more than a total that grows", 3, [] {
                                  Tally<ScheduledSync> tally{1};
                                  const ScheduledThread other([&] {
                                    tally.grow(1);
                                    tally.succeed(1);
                                    tally.fail(1);
                                  });
                                  check_snapshot(tally.snapshot());
                                }};

const Scenario tally_cancelled{
    "tally: what is cancelled and what settles is the total", 3, [] {
      Tally<ScheduledSync> tally{3};
      int settled = 0;
      std::uint64_t cancelled = 0;
      {
        const ScheduledThread a([&] {
          for (int i = 0; i != 2; ++i) {
            try {
              tally.succeed(1);
              ++settled;
            } catch (const std::out_of_range&) {
            }
          }
        });
        const ScheduledThread b([&] {
          try {
            tally.grow(1);
          } catch (const std::logic_error&) {
          }
        });
        cancelled = tally.cancel_rest();
        check_snapshot(tally.snapshot());
      }
      const auto now = tally.snapshot();
      check(now.cancelled == cancelled, "cancelled once");
      check(now.succeeded == static_cast<std::uint64_t>(settled), "counted if it settled");
      check(now.total_is_final && now.remaining() == 0, "nothing is left");
    }};

}  // namespace schedules::delivery_scenarios
