// SPDX-License-Identifier: MIT
// Completions that are told in the order of submission.
#include <chrono>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <vector>
#include <xofn/batch_processor.hpp>

#include "../oracle.hpp"
#include "../scenario.hpp"

namespace schedules::order_scenarios {

using namespace std::chrono_literals;
using xofn::Order;
using xofn::TaskCancelled;

using Processor = xofn::BatchProcessor<int, ScheduledSync>;
using Completion = xofn::Completion<int>;

void run_item(int&) { work_for(2us); }

/// Checks a completion callback.
class InOrder {
 public:
  void operator()(const Completion& c) {
    const Alone alone(inside_);
    check_snapshot(c.progress);
    const auto told = told_.read();
    check(told == 0 || c.index > last_.read(), "in the order of submission");
    check(c.progress.completed() == told + 1, "the k-th has X = k");
    last_.write(c.index);
    told_.write(told + 1);
  }

  void check_ended(std::uint64_t completed) const {
    check(told_.read() == completed, "every completion has been told");
  }

 private:
  Data<bool> inside_{false};
  Data<std::uint64_t> last_{0};
  Data<std::uint64_t> told_{0};
};

const Scenario in_turn{
    "order: completions come in turn, whoever is first", 2, [] {
      EveryStep told;
      InOrder completions;
      std::vector<int> items{0, 1, 2};
      {
        Processor processor{{.max_workers = 2, .order = Order::submission}};
        processor.on_progress(std::ref(told)).on_completion(std::ref(completions));
        processor.run(items, [](int& item) {
          run_item(item);
          if (item == 1) throw std::runtime_error("item 1");
        });
      }
      told.check_ended(3);
      completions.check_ended(3);
    }};

const Scenario short_items{"order: items too short to be told one by one", 2, [] {
                             InOrder completions;
                             std::vector<int> items{0, 1, 2, 3};
                             {
                               Processor processor{{.max_workers = 2, .order = Order::submission}};
                               processor.on_completion(std::ref(completions));
                               processor.run(items, [](int&) { here(); });
                             }
                             completions.check_ended(4);
                           }};

const Scenario cancels_itself{
    "order: an item that cancels itself is passed over", 2, [] {
      EveryStep told;
      InOrder completions;
      std::vector<int> items{0, 1, 2};
      {
        Processor processor{{.max_workers = 2, .order = Order::submission}};
        processor.on_progress(std::ref(told)).on_completion(std::ref(completions));
        processor.run(items, [](int& item) {
          run_item(item);
          if (item == 0) throw TaskCancelled{};
        });
      }
      told.check_ended(2);
      completions.check_ended(2);
    }};

const Scenario cancelled{
    "order: cancelled while it runs, what has completed is told", 2, [] {
      EveryStep told;
      InOrder completions;
      std::uint64_t completed = 0;
      {
        Processor processor{
            {.max_workers = 2, .order = Order::submission, .retry = {.max_attempts = 2}}};
        processor.on_progress(std::ref(told)).on_completion(std::ref(completions));
        auto batch =
            processor.start(std::vector<int>{0, 1, 2}, [](int& item, xofn::TaskContext& context) {
              run_item(item);
              if (item == 0 && context.attempt() == 1) throw item;
            });
        const ScheduledThread canceller([&] { batch.cancel(); });
        completed = batch.wait().progress().completed();
      }
      told.check_ended(completed);
      completions.check_ended(completed);
    }};

const Scenario growing{"order: a batch that grows while items settle", 2, [] {
                         InOrder completions;
                         {
                           Processor processor{{.max_workers = 2, .order = Order::submission}};
                           processor.on_completion(std::ref(completions));
                           auto batch = processor.open(run_item);
                           {
                             const ScheduledThread other([&] { batch.add(1); });
                             batch.add(0);
                           }
                           batch.close();
                           batch.wait();
                         }
                         completions.check_ended(2);
                       }};

}  // namespace schedules::order_scenarios
