// SPDX-License-Identifier: MIT
// Batches that are watched and steered by others than their owner.
#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>
#include <xofn/batch_processor.hpp>

#include "../oracle.hpp"
#include "../scenario.hpp"

namespace schedules::views_scenarios {

using namespace std::chrono_literals;

using Processor = xofn::BatchProcessor<int, ScheduledSync>;
using View = xofn::BasicBatchView<ScheduledSync>;

const Scenario watched{
    "view: it is looked through while the batch ends and goes", 2, [] {
      Processor processor{{.max_workers = 1}};
      std::optional batch = processor.start(std::vector<int>{0, 1}, [](int&) { work_for(2us); });
      const View view = batch->view();
      {
        const ScheduledThread other([&] {
          const auto first = view.progress();
          check_snapshot(first);
          const auto second = view.progress();
          check_snapshot(second);
          check(second.completed() >= first.completed(), "X does not fall");
        });
        batch.reset();
      }
      check(view.ended(), "it shows the end");
    }};

const Scenario failures{
    "view: a failure that is counted is there", 2, [] {
      Processor processor{{.max_workers = 2}};
      std::optional batch = processor.start(std::vector<int>{0, 1}, [](int&) { throw 1; });
      const View view = batch->view();
      {
        const ScheduledThread other([&] {
          const auto failed = view.progress().failed;
          check(view.failures().size() >= failed, "each that was counted");
        });
        batch->wait();
        batch.reset();
      }
      check(view.failures().size() == 2, "and all of them in the end");
    }};

const Scenario steered{
    "view: it cancels while the batch ends and goes", 2, [] {
      Processor processor{{.max_workers = 1}};
      std::optional batch = processor.start(std::vector<int>{0, 1}, [](int&) { work_for(2us); });
      const View view = batch->view();
      {
        const ScheduledThread other([&] {
          view.pause();
          view.cancel();
        });
        batch->wait();
        batch.reset();
      }
      const auto last = view.progress();
      check(last.completed() + last.cancelled == 2, "all have settled");
    }};

const Scenario first_looks{"view: two threads look first", 3, [] {
                             Processor processor{{.max_workers = 1}};
                             auto batch = processor.start(std::vector<int>{0}, [](int&) {});
                             std::optional<View> mine;
                             std::optional<View> other_one;
                             {
                               const ScheduledThread other([&] { other_one = batch.view(); });
                               mine = batch.view();
                             }
                             batch.wait();
                             { const auto gone = std::move(batch); }
                             check(mine->ended() && other_one->ended(), "both see the end");
                           }};

}  // namespace schedules::views_scenarios
