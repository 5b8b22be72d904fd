// SPDX-License-Identifier: MIT
#include <array>
#include <cstdint>
#include <memory>
#include <vector>
#include <xofn/batch/claiming.hpp>
#include <xofn/batch/crew.hpp>
#include <xofn/batch/ledger.hpp>
#include <xofn/batch/occupancy.hpp>
#include <xofn/batch/worker.hpp>

#include "../oracle.hpp"
#include "../scenario.hpp"

namespace schedules::claiming_scenarios {

using namespace xofn::detail;

using Workers = std::vector<Worker<ScheduledSync>>;

/// Runs all that `worker` gets; `run(item)`.
template <class Run>
void work(Claims<ScheduledSync>& claims, Worker<ScheduledSync>& worker, Run run) {
  while (claims.refill(worker)) {
    while (const auto item = claims.next(worker)) run(*item);
  }
}

const Scenario claimed{
    "claiming: each item is had once, from the cursor or from another", 3, [] {
      Workers workers(2);
      workers[0].run_length = 3;
      Claims<ScheduledSync> claims(workers, 4);
      std::array<Data<int>, 4> runs;
      {
        const ScheduledThread a([&] { work(claims, workers[0], [&](auto i) { runs[i].add(1); }); });
        work(claims, workers[1], [&](auto i) { runs[i].add(1); });
      }
      for (auto& run : runs) check(run.read() == 1, "each item is had once");
    }};

const Scenario stolen{"claiming: half of a run is taken once, while its owner goes on", 3, [] {
                        Workers workers(3);
                        workers[0].run_length = 4;
                        Claims<ScheduledSync> claims(workers, 4);
                        check(claims.refill(workers[0]), "there are items");
                        std::array<Data<int>, 4> runs;
                        const auto run = [&](auto i) { runs[i].add(1); };
                        {
                          const ScheduledThread b([&] { work(claims, workers[1], run); });
                          const ScheduledThread c([&] { work(claims, workers[2], run); });
                          while (const auto item = claims.next(workers[0])) run(*item);
                        }
                        for (auto& times : runs) check(times.read() == 1, "each item is had once");
                      }};

const Scenario busy{"claiming: what a busy worker holds is had by others", 3, [] {
                      Workers workers(3);
                      workers[0].run_length = 4;
                      Claims<ScheduledSync> claims(workers, 4);
                      check(claims.refill(workers[0]) && claims.next(workers[0]) == 0,
                            "it is busy with the first of its items");
                      ScheduledSync::atomic<int> had{0};
                      const auto run = [&](auto) { had.fetch_add(1); };
                      {
                        const ScheduledThread b([&] { work(claims, workers[1], run); });
                        work(claims, workers[2], run);
                      }
                      check(had.load() == 3, "none waits for it");
                    }};

const Scenario drained{
    "claiming: what is drained is not run, and little else is", 3, [] {
      Workers workers(2);
      workers[1].run_length = 4;
      Claims<ScheduledSync> claims(workers, 5);
      ScheduledSync::atomic<int> all{0};
      ScheduledSync::atomic<bool> cancelled{false};
      const auto works = [&](auto& worker) {
        int late = 0;
        work(claims, worker, [&](auto) {
          all.fetch_add(1);
          if (cancelled.load()) check(++late == 1, "no more than the one that it was about to run");
        });
      };
      {
        const ScheduledThread a([&] { works(workers[0]); });
        const ScheduledThread canceller([&] {
          claims.stop();
          claims.drain([&](ItemRun run) { all.fetch_add(static_cast<int>(run.count)); });
          cancelled.store(true);
        });
        works(workers[1]);
      }
      check(all.load() == 5, "each item is run or taken away, once");
    }};

const Scenario drained_at_once{"claiming: a worker that refills is waited for", 3, [] {
                                 Workers workers(1);
                                 workers[0].run_length = 3;
                                 Claims<ScheduledSync> claims(workers, 3);
                                 ScheduledSync::atomic<bool> cancelled{false};
                                 const ScheduledThread canceller([&] {
                                   claims.stop();
                                   claims.drain([](ItemRun) {});
                                   cancelled.store(true);
                                 });
                                 int late = 0;
                                 work(claims, workers[0], [&](auto) {
                                   if (cancelled.load())
                                     check(++late == 1,
                                           "no more than the one that it was about to run");
                                 });
                               }};

const Scenario thief_drained{"claiming: a worker that takes from another is waited for", 3, [] {
                               Workers workers(2);
                               workers[1].run_length = 4;
                               Claims<ScheduledSync> claims(workers, 4);
                               check(claims.refill(workers[1]), "there are items");
                               ScheduledSync::atomic<bool> cancelled{false};
                               const ScheduledThread thief([&] {
                                 int late = 0;
                                 work(claims, workers[0], [&](auto) {
                                   if (cancelled.load())
                                     check(++late == 1,
                                           "no more than the one that it was about to run");
                                 });
                               });
                               claims.stop();
                               claims.drain([](ItemRun) {});
                               cancelled.store(true);
                             }};

const Scenario drained_twice{
    "claiming: two that drain take each item once", 3, [] {
      Workers workers(1);
      workers[0].run_length = 2;
      Claims<ScheduledSync> claims(workers, 3);
      check(claims.refill(workers[0]), "there are items");
      claims.stop();
      ScheduledSync::atomic<int> all{0};
      const auto drain = [&] {
        claims.drain([&](ItemRun run) { all.fetch_add(static_cast<int>(run.count)); });
      };
      {
        const ScheduledThread other(drain);
        const ScheduledThread owner([&] {
          while (claims.next(workers[0])) all.fetch_add(1);
        });
        drain();
      }
      check(all.load() == 3, "once");
    }};

const Scenario extended{"claiming: items that are made available are there", 3, [] {
                          Workers workers(2);
                          Claims<ScheduledSync> claims(workers, 0);
                          std::array<Data<int>, 2> items;
                          int runs = 0;
                          {
                            const ScheduledThread reader([&] {
                              for (std::uint64_t i = 0; i != 2; ++i) {
                                items[i].write(1);
                                claims.extend(i + 1);
                              }
                            });
                            work(claims, workers[0], [&](auto i) {
                              check(items[i].read() == 1, "what was read is visible");
                              ++runs;
                            });
                          }
                          work(claims, workers[0], [&](auto) { ++runs; });
                          check(runs == 2, "each is had once");
                        }};

const Scenario ledger_snapshot{
    "ledger: the figures add up at any time, and none falls", 3, [] {
      Ledger<ScheduledSync> ledger(2, 2, true);
      std::array<Data<int>, 2> results;
      const auto works = [&] {
        auto* worker = ledger.take_place();
        check(worker != nullptr, "there is a place");
        work(ledger.claims(), *worker, [&](auto i) {
          worker->start();
          results[i].write(1);
          worker->settle(i == 0 ? &Worker<ScheduledSync>::succeeded
                                : &Worker<ScheduledSync>::failed);
        });
        ledger.give_back(*worker);
      };
      const ScheduledThread a(works);
      const ScheduledThread b(works);
      xofn::Progress before;
      for (int i = 0; i != 2; ++i) {
        const auto now = ledger.snapshot();
        check_snapshot(now);
        check(now.succeeded >= before.succeeded && now.failed >= before.failed, "no figure falls");
        check(now.running <= 2, "no more run than there are workers");
        if (now.succeeded != 0) check(results[0].read() == 1, "what the item did is visible");
        if (now.failed != 0) check(results[1].read() == 1, "what the failed item did is visible");
        before = now;
      }
    }};

const Scenario ledger_running{
    "ledger: a worker that goes on while it is read runs one item at a time", 3, [] {
      Ledger<ScheduledSync> ledger(1, 4, true);
      const ScheduledThread a([&] {
        auto& worker = *ledger.take_place();
        work(ledger.claims(), worker, [&](auto) {
          worker.start();
          worker.settle(&Worker<ScheduledSync>::succeeded);
        });
      });
      check(ledger.snapshot().running <= 1, "one at a time");
    }};

const Scenario ledger_not_done{
    "ledger: what was put back, or cancelled, is known with its count", 3, [] {
      Ledger<ScheduledSync> ledger(2, 2, true);
      Data<int> result;
      auto& cancelled = *ledger.take_place();
      auto& put_back = *ledger.take_place();
      const ScheduledThread a([&] {
        cancelled.start();
        result.write(1);
        cancelled.settle(&Worker<ScheduledSync>::cancelled);
      });
      const ScheduledThread b([&] {
        put_back.start();
        put_back.settle(&Worker<ScheduledSync>::retried);
      });
      const auto now = ledger.snapshot();
      if (now.cancelled != 0) check(result.read() == 1, "what the item did is visible");
      check(now.running + now.cancelled + now.retried <= 2, "each is in one place");
    }};

const Scenario kept_items{"worker: short items that are kept are taken once, with what they did", 3,
                          [] {
                            Worker<ScheduledSync> worker;
                            Data<int> results[2];
                            int taken = 0;
                            const auto take = [&] {
                              const ItemRun run = worker.take_kept();
                              for (auto i = run.first; i != run.first + run.count; ++i) {
                                check(results[i].read() == 1, "what the item did is visible");
                                ++taken;
                              }
                            };
                            {
                              const ScheduledThread a([&] {
                                for (std::uint64_t i = 0; i != 2; ++i) {
                                  results[i].write(1);
                                  worker.keep(i);
                                }
                              });
                              take();
                            }
                            take();
                            check(taken == 2, "each is taken once");
                          }};

const Scenario ledger_places{"ledger: one thread at a time has a place, with what was left there",
                             3, [] {
                               Ledger<ScheduledSync> ledger(1, 0, true);
                               Data<int> mine;
                               const auto takes = [&] {
                                 auto* place = ledger.take_place();
                                 if (place == nullptr) return;
                                 mine.add(1);
                                 here();
                                 mine.add(-1);
                                 check(mine.read() == 0, "nobody else is there");
                                 ++place->run_length;
                                 ledger.give_back(*place);
                               };
                               const ScheduledThread a(takes);
                               const ScheduledThread b(takes);
                               takes();
                             }};

const Scenario ledger_cancelled{
    "ledger: cancelled items and those that ran are the total", 3, [] {
      Ledger<ScheduledSync> ledger(1, 2, true);
      Data<int> kept[2];
      {
        const ScheduledThread a([&] {
          auto* worker = ledger.take_place();
          work(ledger.claims(), *worker, [&](auto) {
            worker->start();
            worker->settle(&Worker<ScheduledSync>::succeeded);
          });
          ledger.give_back(*worker);
        });
        const ScheduledThread canceller([&] {
          ledger.claims().stop();
          ledger.cancel_rest([&](ItemRun items) {
            for (; items.count != 0; --items.count) kept[items.first + items.count - 1].write(1);
          });
        });
        const auto now = ledger.snapshot();
        check_snapshot(now);
        if (now.cancelled == 2) {
          check(kept[0].read() + kept[1].read() == 2, "that they did not start is visible");
        }
      }
      const auto now = ledger.snapshot();
      check(now.succeeded + now.cancelled == 2, "each item has settled once");
    }};

const Scenario occupied{"occupancy: one batch at a time, and a wait for the end of its work", 3,
                        [] {
                          auto occupancy = std::make_shared<Occupancy<ScheduledSync>>();
                          const auto batch = occupancy->occupy();
                          Data<int> done;
                          const ScheduledThread worker([&done, occupancy, batch] {
                            done.write(1);
                            occupancy->work_is_over(batch);
                            occupancy->vacate(batch);
                          });
                          occupancy->wait_until_work_is_over();
                          check(done.read() == 1, "what the batch did is visible");
                        }};

}  // namespace schedules::claiming_scenarios
