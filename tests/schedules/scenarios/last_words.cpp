// SPDX-License-Identifier: MIT
// The ends of batches: told at once, whoever else takes his time; and of a handle in the middle of
// a call.
#include <chrono>
#include <list>
#include <optional>
#include <stdexcept>
#include <vector>
#include <xofn/batch_processor.hpp>

#include "../oracle.hpp"
#include "../scenario.hpp"

namespace schedules::last_words_scenarios {

using namespace std::chrono_literals;
using xofn::Delivery;
using xofn::Progress;

using Processor = xofn::BatchProcessor<int, ScheduledSync>;
using Pool = xofn::BasicThreadPool<ScheduledSync>;

/// The final state is told at once to those who want the latest, though another callback takes its
/// time over it.
template <class Range>
void tells_end_at_once(Delivery delivery, unsigned workers) {
  ScheduledSync::atomic<bool> has_ended{false};
  Processor processor{{.max_workers = workers}};
  processor.on_progress([&](const Progress& p) {
    while (is_final(p) && !has_ended.load()) ScheduledSync::yield();
  });
  processor.on_progress(
      [&](const Progress& p) {
        if (is_final(p)) has_ended.store(true);
      },
      delivery);
  Range items{0, 1};
  processor.run(items, [](int) { work_for(2us); });
}

const Scenario end_at_once{"batch: an array's end is told at once to those who want the latest", 2,
                           [] { tells_end_at_once<std::vector<int>>(Delivery::latest(1h), 2); }};
const Scenario end_at_once_read{"batch: a range's end is told at once to those who want the latest",
                                2,
                                [] { tells_end_at_once<std::list<int>>(Delivery::latest(1h), 2); }};
const Scenario end_at_once_read_caller{
    "batch: a range's end is told at once to a thread that waits", 2,
    [] { tells_end_at_once<std::list<int>>(Delivery::every().on_caller(), 2); }};
const Scenario end_at_once_read_latest{
    "batch: a range's end is told at once to a thread that waits, latest", 2,
    [] { tells_end_at_once<std::list<int>>(Delivery::latest(1h).on_caller(), 2); }};

/// The same where a thread that waits works, and is told something that takes its time.
const Scenario end_at_once_untold{
    "batch: the end is told at once though a thread that waits is told something else", 2, [] {
      ScheduledSync::atomic<bool> has_ended{false};
      Pool pool{2};
      Processor outer{pool, {.max_workers = 1}};
      outer.run(std::vector<int>{0}, [&](int) {
        Processor processor{pool, {.max_workers = 2}};
        processor.on_progress(
            [&](const Progress& p) {
              while (p.completed() != 0 && !has_ended.load()) ScheduledSync::yield();
            },
            Delivery::latest(0ns).on_caller());
        processor.on_progress(
            [&](const Progress& p) {
              if (is_final(p)) has_ended.store(true);
            },
            Delivery::latest(1h));
        std::vector<int> items{0, 1};
        processor.run(items, [](int) { work_for(20us); });
      });
    }};

/// An add that waits for room works on the batch meanwhile, and an item destroys the handle.
const Scenario add_destroyed{"batch: the handle is destroyed by an item that add() runs", 2, [] {
                               Processor outer{{.max_workers = 1}};
                               std::vector<int> one{0};
                               outer.run(one, [&](int) {
                                 Processor processor{{.max_workers = 1, .max_queued = 1}};
                                 const auto me = ScheduledSync::thread_slot();
                                 std::optional<xofn::OpenBatch<int, void, ScheduledSync>> batch;
                                 batch.emplace(processor.open([&](int) {
                                   if (ScheduledSync::thread_slot() == me) batch.reset();
                                 }));
                                 if (batch->add(0) && batch) batch->add(1);
                                 if (batch) batch->close();
                               });
                             }};

const Scenario left_late{
    "batch: a handle that is destroyed under its batch while that ends leaves the next one alone",
    3, [] {
      std::optional<xofn::Batch<void, ScheduledSync>> first;
      std::optional<xofn::Batch<void, ScheduledSync>> second;
      std::optional<xofn::Batch<void, ScheduledSync>> child;
      ScheduledSync::atomic<bool> is_there{false}, child_is_there{false}, first_over{false};
      Processor inner{{.max_workers = 1}};
      {
        Processor processor{{.max_workers = 1}};
        processor.on_progress([](const Progress&) {}, Delivery::latest(1h).on_caller());
        first.emplace(processor.start(std::vector<int>{0}, [&](int&) {
          child.emplace(inner.start(std::vector<int>{0}, [&](int&) {
            while (!is_there.load()) ScheduledSync::yield();
            first.reset();
          }));
        }));
        xofn::Batch<void, ScheduledSync>& f = *first;
        is_there.store(true);
        f.pump();
        bool free = false;
        for (int i = 0; i != 4 && !free; ++i) {
          try {
            second.emplace(processor.start(std::vector<int>{0}, [&](int&) {}));
            free = true;
          } catch (const std::logic_error&) {
            ScheduledSync::yield();
          }
        }
      }
    }};

// The items are short, so that the worker holds several when one of them pauses.
const Scenario paused_while_cancelled{
    "batch: paused while another cancels it, it starts no more than what was about to", 2, [] {
      ScheduledSync::atomic<xofn::Batch<void, ScheduledSync>*> handle{nullptr};
      int begun = 0;
      int most = 7;
      Processor processor{{.max_workers = 1}};
      auto batch = processor.start(std::vector<int>{0, 1, 2, 3, 4, 5, 6}, [&](int& item) {
        while (handle.load() == nullptr) ScheduledSync::yield();
        check(++begun <= most, "no more starts");
        if (item != 3) return;
        handle.load()->pause();
        most = begun + 1;
      });
      handle.store(&batch);
      batch.cancel();
      batch.wait();
    }};

}  // namespace schedules::last_words_scenarios
