// SPDX-License-Identifier: MIT
// Batches whose items hold slots and memory: shared, nested, cancelled and paused while they wait.
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>
#include <xofn/batch_processor.hpp>

#include "../oracle.hpp"
#include "../scenario.hpp"

namespace schedules::limits_scenarios {

using namespace std::chrono_literals;
using xofn::Progress;
using xofn::TaskContext;

using Processor = xofn::BatchProcessor<int, ScheduledSync>;
using Pool = xofn::BasicThreadPool<ScheduledSync>;
using Slots = xofn::BasicResourceSlots<ScheduledSync>;
using Budget = xofn::BasicMemoryBudget<ScheduledSync>;

/// So many of something are held at once.
class Held {
 public:
  explicit Held(int most) : most_(most) {}
  void hold(int amount) {
    check(now_.fetch_add(amount) + amount <= most_, "no more is held than there is");
    work_for(2us);
    now_.fetch_sub(amount);
  }

 private:
  const int most_;
  ScheduledSync::atomic<int> now_{0};
};

std::vector<int> items(int n) {
  std::vector<int> all;
  for (int i = 0; i != n; ++i) all.push_back(i);
  return all;
}

template <class Batch>
void check_succeeded(Batch&& batch, std::uint64_t n) {
  check(batch.wait().progress().succeeded == n, "all have run");
}

const Scenario shared{"limits: two batches have one slot in turn, and see what the other did", 2,
                      [] {
                        Slots slots{{"a", 1}};
                        Data<int> guarded{0};
                        {
                          Processor one{{.max_workers = 1, .slots = &slots}};
                          Processor two{{.max_workers = 1, .slots = &slots}};
                          const auto use = [&](int&, TaskContext& context) {
                            check(context.slot() == "a", "it knows its slot");
                            guarded.add(1);
                            here();
                          };
                          auto first = one.start(items(2), use);
                          auto second = two.start(items(1), use);
                          check_succeeded(first, 2);
                          check_succeeded(second, 1);
                        }
                        check(guarded.read() == 3, "one at a time");
                        check(slots.in_use() == 0, "all is given back");
                      }};

const Scenario one_batch{"limits: two workers of a batch share one slot", 2, [] {
                           Slots slots{{"a", 1}};
                           EveryStep told;
                           Held held(1);
                           {
                             Processor processor{{.max_workers = 2, .slots = &slots}};
                             processor.on_progress(std::ref(told));
                             auto all = items(3);
                             processor.run(all, [&](int&) { held.hold(1); });
                           }
                           told.check_ended(3);
                           check(slots.in_use() == 0, "all is given back");
                         }};

const Scenario big_and_small{
    "limits: big and small items of two batches, with a slot too, in a budget", 2, [] {
      Slots slots{{"a", 1}, {"b", 1}};
      Budget budget{3};
      Held held(3);
      {
        Processor big{{.max_workers = 1, .slots = &slots, .memory = &budget}};
        Processor small{{.max_workers = 1, .memory = &budget}};
        big.memory_by([](int) { return 3; });
        small.memory_by([](int) { return 1; });
        auto first = big.start(items(1), [&](int&) { held.hold(3); });
        auto second = small.start(items(2), [&](int&) { held.hold(1); });
        check_succeeded(first, 1);
        check_succeeded(second, 2);
      }
      check(slots.in_use() + budget.in_use() == 0, "all is given back");
    }};

const Scenario cancelled{"limits: cancelled while it waits for a slot", 2, [] {
                           Slots slots{{"a", 1}};
                           EveryStep told;
                           std::uint64_t completed = 0;
                           {
                             Processor one{{.max_workers = 1, .slots = &slots}};
                             Processor two{{.max_workers = 1, .slots = &slots}};
                             two.on_progress(std::ref(told));
                             auto holder = one.start(items(1), [](int&) { work_for(2us); });
                             auto batch = two.start(items(2), [](int&) { work_for(2us); });
                             batch.cancel();
                             const Progress p = batch.wait().progress();
                             check_snapshot(p);
                             check(p.completed() + p.cancelled == 2, "all have settled");
                             completed = p.completed();
                             check_succeeded(holder, 1);
                           }
                           told.check_ended(completed);
                           check(slots.in_use() == 0, "all is given back");
                         }};

const Scenario called{"limits: cancelled while it is given the slot that it waits for", 2, [] {
                        Slots slots{{"a", 1}};
                        {
                          ScheduledSync::mutex mutex;
                          Processor one{{.max_workers = 1, .slots = &slots}};
                          Processor two{{.max_workers = 1, .slots = &slots}};
                          ScheduledSync::lock held(mutex);
                          ScheduledSync::atomic<bool> holds{false};
                          auto holder = one.start(items(1), [&](int&) {
                            holds.store(true);
                            const ScheduledSync::lock until_released(mutex);
                          });
                          while (!holds.load()) ScheduledSync::yield();
                          auto batch = two.start(items(1), [](int&) {});
                          check(!batch.wait_for(1us), "it waits");
                          held.unlock();
                          batch.cancel();
                          check_snapshot(batch.wait().progress());
                          check_succeeded(holder, 1);
                        }
                        check(slots.in_use() == 0, "all is given back");
                      }};

const Scenario paused{"limits: paused while it waits, it keeps nobody waiting", 2, [] {
                        Slots slots{{"a", 1}};
                        {
                          Processor one{{.max_workers = 1, .slots = &slots}};
                          Processor two{{.max_workers = 1, .slots = &slots}};
                          auto batch = one.start(items(2), [](int&) { work_for(2us); });
                          auto other = two.start(items(2), [](int&) { work_for(2us); });
                          batch.pause();
                          check_succeeded(other, 2);
                          batch.resume();
                          check_succeeded(batch, 2);
                        }
                        check(slots.in_use() == 0, "all is given back");
                      }};

const Scenario nested{
    "limits: batches nest on one slot and a pool of one thread", 3, [] {
      Slots slots{{"a", 1}};
      Budget budget{2};
      Data<int> ran{0};
      {
        Pool pool{1};
        Processor outer{pool, {.max_workers = 1, .slots = &slots, .memory = &budget}};
        outer.memory_by([](int) { return 2; });
        auto batch = outer.start(items(2), [&](int&) {
          Processor inner{pool, {.max_workers = 1, .slots = &slots, .memory = &budget}};
          inner.memory_by([](int) { return 1; });
          auto all = items(2);
          inner.run(all, [&](int&, TaskContext& context) {
            check(context.slot() == "a", "it has the slot on loan");
            ran.add(1);
          });
        });
        check_succeeded(batch, 2);
      }
      check(ran.read() == 4, "each is run once");
      check(slots.in_use() + budget.in_use() == 0, "all is given back");
    }};

const Scenario nested_threads{"limits: an inner batch of two workers has one slot on loan", 2, [] {
                                Slots slots{{"a", 1}};
                                Held held(1);
                                {
                                  Processor outer{{.max_workers = 1, .slots = &slots}};
                                  auto one = items(1);
                                  outer.run(one, [&](int&) {
                                    Processor inner{{.max_workers = 2, .slots = &slots}};
                                    auto all = items(2);
                                    inner.run(all, [&](int&) { held.hold(1); });
                                  });
                                }
                                check(slots.in_use() == 0, "all is given back");
                              }};

const Scenario outlived{"limits: what is lent when its item ends is given back later", 2, [] {
                          Slots slots{{"a", 1}};
                          Held held(1);
                          std::optional<xofn::Batch<void, ScheduledSync>> left;
                          {
                            Processor inner{{.max_workers = 1, .slots = &slots}};
                            Processor outer{{.max_workers = 1, .slots = &slots}};
                            auto one = items(1);
                            outer.run(one, [&](int&) {
                              left.emplace(inner.start(items(1), [&](int&) { held.hold(1); }));
                            });
                            Processor other{{.max_workers = 1, .slots = &slots}};
                            other.run(one, [&](int&) { held.hold(1); });
                            check_succeeded(*left, 1);
                            left.reset();
                          }
                          check(slots.in_use() == 0, "all is given back");
                        }};

const Scenario passed_by{"limits: a task's batch passes by one whose only thread it keeps", 2, [] {
                           Slots slots{{"a", 1}};
                           Data<int> ran{0};
                           {
                             Pool pool{1};
                             Processor holds{{.max_workers = 1, .slots = &slots}};
                             Processor waits{pool, {.max_workers = 1, .slots = &slots}};
                             Processor without{pool, {.max_workers = 1}};
                             auto holder = holds.start(items(1), [](int&) { work_for(2us); });
                             auto first = waits.start(items(1), [&](int&) { ran.add(1); });
                             auto second = without.start(items(1), [&](int&) {
                               Processor inner{pool, {.max_workers = 1, .slots = &slots}};
                               auto all = items(1);
                               inner.run(all, [&](int&) { ran.add(1); });
                             });
                             check_succeeded(second, 1);
                             check_succeeded(first, 1);
                             check_succeeded(holder, 1);
                           }
                           check(ran.read() == 2, "each is run once");
                         }};

const Scenario growing{
    "limits: added to while the next item waits", 2, [] {
      Slots slots{{"a", 1}};
      Held held(1);
      {
        Processor holds{{.max_workers = 1, .slots = &slots}};
        Processor processor{{.max_workers = 1, .max_queued = 1, .slots = &slots}};
        auto holder = holds.start(items(1), [&](int&) { held.hold(1); });
        auto batch = processor.open([&](int&) { held.hold(1); });
        for (int i = 0; i != 2; ++i) check(batch.add(i), "it is added");
        batch.close();
        check_succeeded(batch, 2);
        check_succeeded(holder, 1);
      }
      check(slots.in_use() == 0, "all is given back");
    }};

const Scenario retried{
    "limits: an item that is tried again gives its slot to another", 2, [] {
      Slots slots{{"a", 1}};
      Held held(1);
      {
        Processor one{
            {.max_workers = 1, .retry = {.max_attempts = 2, .backoff = 1ms}, .slots = &slots}};
        Processor two{{.max_workers = 1, .slots = &slots}};
        auto first = one.start(items(1), [&](int&, TaskContext& context) {
          held.hold(1);
          if (context.attempt() == 1) throw 1;
        });
        auto second = two.start(items(1), [&](int&) { held.hold(1); });
        check_succeeded(first, 1);
        check_succeeded(second, 1);
      }
      check(slots.in_use() == 0, "all is given back");
    }};

const Scenario paused_and_resumed{"limits: paused by one thread while another resumes it", 2, [] {
                                    Slots slots{{"a", 1}};
                                    {
                                      Processor one{{.max_workers = 1, .slots = &slots}};
                                      Processor two{{.max_workers = 1, .slots = &slots}};
                                      const auto run_item = [](int&) { work_for(2us); };
                                      auto other = two.start(items(1), run_item);
                                      auto batch = one.start(items(1), run_item);
                                      {
                                        const ScheduledThread resumer([&] { batch.resume(); });
                                        batch.pause();
                                      }
                                      if (batch.progress().state == xofn::BatchState::paused)
                                        batch.resume();
                                      check_succeeded(batch, 1);
                                      check_succeeded(other, 1);
                                    }
                                    check(slots.in_use() == 0, "all is given back");
                                  }};

}  // namespace schedules::limits_scenarios
