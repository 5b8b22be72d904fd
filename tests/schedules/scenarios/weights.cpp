// SPDX-License-Identifier: MIT
// Batches whose items are weighed, told and read by every way.
#include <chrono>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>
#include <xofn/batch_processor.hpp>

#include "../oracle.hpp"
#include "../scenario.hpp"

namespace schedules::weights_scenarios {

using namespace std::chrono_literals;
using xofn::BatchState;
using xofn::Delivery;
using xofn::Progress;
using xofn::TaskContext;

using Processor = xofn::BatchProcessor<int, ScheduledSync>;

/// Item i weighs 10^i: a sum tells which items it is of.
std::uint64_t weigh(const int& i) { return i == 0 ? 1U : 10U * weigh(i - 1); }

void run_item(int&, TaskContext& context) {
  context.advance(1);
  work_for(2us);
}

/// How many items a sum of weights is of.
std::uint64_t items_of(std::uint64_t sum) { return sum == 0 ? 0 : sum % 10 + items_of(sum / 10); }

void check_weights(const Progress& before, const Progress& now) {
  check_snapshot(now);
  check(now.weight_completed <= now.weight_total, "no more is completed than there is");
  check(now.weight_completed >= before.weight_completed, "what is completed never falls");
  check(now.weight_total >= before.weight_total, "nor does the total");
  check(now.state != BatchState::finished || now.weight_completed == now.weight_total,
        "at N/N it is exact");
}

/// Checks a callback that is told every step of a batch that is not cancelled.
class EveryWeight {
 public:
  void operator()(const Progress& p) {
    const Alone alone(inside_);
    check_weights(before_.read(), p);
    check(items_of(p.weight_completed) == p.completed(), "a step weighs what its items do");
    before_.write(p);
    here();
  }

  void check_ended(std::uint64_t weight) const {
    check(before_.read().state == BatchState::finished, "the final state has been told");
    check(before_.read().weight_completed == weight, "with the weight of all");
  }

 private:
  Data<bool> inside_{false};
  Data<Progress> before_{Progress{}};
};

/// Reads twice, while others go on.
template <class Batch>
void read(const Batch& batch) {
  const Progress before = batch.progress();
  check_weights(Progress{}, before);
  here();
  check_weights(before, batch.progress());
}

const Scenario steps{"weights: each step weighs what its items do, by every and on the caller", 2,
                     [] {
                       EveryWeight every;
                       EveryWeight on_caller;
                       std::vector<int> items{0, 1};
                       {
                         Processor processor{{.max_workers = 2}};
                         processor.weigh_by(weigh)
                             .on_progress(std::ref(every))
                             .on_progress(std::ref(on_caller), Delivery::every().on_caller());
                         processor.run(items, run_item);
                         every.check_ended(11);
                         on_caller.check_ended(11);
                       }
                     }};

const Scenario read_by_others{"weights: read while two items report their parts", 2, [] {
                                {
                                  Processor processor{{.max_workers = 2}};
                                  processor.weigh_by(weigh);
                                  auto batch = processor.start(std::vector<int>{0, 1}, run_item);
                                  const ScheduledThread reader([&] { read(batch); });
                                  const Progress p = batch.wait().progress();
                                  check(p.weight_completed == 11, "exact at the end");
                                }
                              }};

const Scenario cancelled{"weights: cancelled and paused while they are read", 2, [] {
                           {
                             Processor processor{{.max_workers = 2}};
                             processor.weigh_by([](int) { return 10; });
                             auto batch = processor.start(std::vector<int>{0, 1, 2}, run_item);
                             {
                               const ScheduledThread other([&] {
                                 batch.pause();
                                 batch.cancel();
                               });
                               read(batch);
                             }
                             const Progress p = batch.wait().progress();
                             check(p.weight_completed == 10 * p.completed() && p.weight_total == 30,
                                   "what did not start weighs in the total alone");
                           }
                         }};

const Scenario growing{"weights: two threads add to an open batch that is read", 2, [] {
                         EveryWeight every;
                         {
                           Processor processor{{.max_workers = 1}};
                           processor.weigh_by(weigh).on_progress(std::ref(every));
                           auto batch = processor.open(run_item);
                           {
                             const ScheduledThread other([&] { batch.add(1); });
                             batch.add(0);
                             read(batch);
                           }
                           batch.close();
                           check(batch.wait().progress().weight_completed == 11, "exact at N/N");
                         }
                         every.check_ended(11);
                       }};

const Scenario one_item_by_two{
    "weights: two threads report parts of one item", 3, [] {
      {
        Processor processor{{.max_workers = 1}};
        processor.weigh_by([](int) { return 3; });
        ScheduledSync::atomic<xofn::Batch<void, ScheduledSync>*> handle{nullptr};
        auto batch = processor.start(std::vector<int>{0}, [&](int&, TaskContext& context) {
          {
            const ScheduledThread other([&] { context.advance(1); });
            context.advance(1);
          }
          while (handle.load() == nullptr) ScheduledSync::yield();
          const Progress p = handle.load()->progress();
          check(p.weight_completed == 2, "both are counted");
          context.advance(2);
        });
        handle.store(&batch);
        read(batch);
        const Progress p = batch.wait().progress();
        check(p.weight_completed == 3, "no more than it weighs");
      }
    }};

}  // namespace schedules::weights_scenarios
