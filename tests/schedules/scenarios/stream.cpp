// SPDX-License-Identifier: MIT
// Iterating over the completed items of a batch.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>
#include <xofn/batch_processor.hpp>

#include "../oracle.hpp"
#include "../scenario.hpp"

namespace schedules::stream_scenarios {

using namespace std::chrono_literals;
using xofn::Order;

using Processor = xofn::BatchProcessor<int, ScheduledSync>;
using Pool = xofn::BasicThreadPool<ScheduledSync>;

/// What the items of a batch have done, and that each comes once, with what it did.
class Taken {
 public:
  explicit Taken(std::size_t items) : done_(items), came_(items) {}

  void run(int item) {
    done_[static_cast<std::size_t>(item)].write(item + 1);
    here();
  }

  template <class Done>
  void take(const Done& done) {
    check(done_[done.index].read() == static_cast<int>(done.index) + 1, "what it did is visible");
    check(!came_[done.index], "each comes once");
    came_[done.index] = true;
    check(done.progress.completed() == ++taken_, "the k-th has X = k");
    check_snapshot(done.progress);
    here();
  }

  /// Takes all that comes, or no more than `most`.
  template <class Batch>
  void take_from(Batch& batch, std::uint64_t most = ~std::uint64_t{0}) {
    for (auto& done : batch.completions()) {
      take(done);
      if (taken_ == most) break;
    }
  }

  [[nodiscard]] std::uint64_t taken() const { return taken_; }

 private:
  std::vector<Data<int>> done_;
  std::vector<bool> came_;
  std::uint64_t taken_ = 0;
};

const Scenario awaited{"stream: each item comes as it completes, and the loop ends", 2, [] {
                         Taken taken(2);
                         {
                           Processor processor{{.max_workers = 2}};
                           auto batch = processor.start(std::vector<int>{0, 1}, [&](int& item) {
                             taken.run(item);
                             work_for(2us);
                             if (item == 1) throw std::runtime_error("item 1");
                           });
                           taken.take_from(batch);
                         }
                         check(taken.taken() == 2, "all have come");
                       }};

const Scenario seen_running{"stream: an item comes while the next waits for that", 3, [] {
                              Taken taken(2);
                              ScheduledSync::atomic<bool> came{false};
                              {
                                Processor processor{{.max_workers = 1}};
                                auto batch =
                                    processor.start(std::vector<int>{0, 1}, [&](int& item) {
                                      taken.run(item);
                                      while (item == 1 && !came.load()) ScheduledSync::yield();
                                      work_for(2us);
                                    });
                                for (auto& done : batch.completions()) {
                                  taken.take(done);
                                  came.store(true);
                                }
                              }
                              check(taken.taken() == 2, "all have come");
                            }};

const Scenario short_items{"stream: items too short to come one by one", 2, [] {
                             Taken taken(3);
                             {
                               Processor processor{{.max_workers = 2}};
                               auto batch = processor.start(std::vector<int>{0, 1, 2},
                                                            [&](int& item) { taken.run(item); });
                               taken.take_from(batch);
                             }
                             check(taken.taken() == 3, "all have come");
                           }};

const Scenario kept_items{"stream: short items that are told besides come once", 2, [] {
                            Taken taken(3);
                            EveryStep told;
                            {
                              Processor processor{{.max_workers = 2}};
                              processor.on_progress(std::ref(told));
                              auto batch =
                                  processor.start(std::vector<int>{0, 1, 2}, [&](int& item) {
                                    taken.run(item);
                                    if (item == 2) work_for(2us);
                                  });
                              taken.take_from(batch);
                            }
                            told.check_ended(3);
                            check(taken.taken() == 3, "all have come");
                          }};

// It is kept in a run of items whose last one waits until it has come. Whatever wakes the reader
// has it look.
const Scenario held_up{"stream: a short item comes while a long one runs behind it", 2, [] {
                         ScheduledSync::atomic<bool> is_read{false}, is_held{false};
                         ScheduledSync::atomic<int> taken{0};
                         const auto wait_for = [](auto holds) {
                           while (!holds()) ScheduledSync::yield();
                         };
                         {
                           Pool pool{1};
                           pool.execute([&] { wait_for([&] { return is_read.load(); }); });
                           Processor processor{pool, {.max_workers = 1}};
                           auto batch = processor.start(std::vector<int>{0, 1, 2}, [&](int& item) {
                             if (item != 2) return;
                             is_held.store(true);
                             wait_for([&] { return taken.load() == 2; });
                           });
                           auto stream = batch.completions();
                           is_read.store(true);
                           const ScheduledThread waker([&] {
                             wait_for([&] { return is_held.load(); });
                             batch.resume();
                           });
                           for ([[maybe_unused]] auto& done : stream) taken.fetch_add(1);
                         }
                         check(taken.load() == 3, "all have come");
                       }};

const Scenario in_order{
    "stream: in the order of submission, behind a callback", 2, [] {
      Taken taken(3);
      ScheduledSync::atomic<int> told{0};
      std::uint64_t next = 0;
      {
        Processor processor{{.max_workers = 2, .order = Order::submission}};
        processor.on_completion([&](const xofn::Completion<int>&) { told.fetch_add(1); });
        auto batch = processor.start(std::vector<int>{0, 1, 2}, [&](int& item) {
          taken.run(item);
          work_for(2us);
        });
        for (auto& done : batch.completions()) {
          taken.take(done);
          check(done.index == next++, "in the order of submission");
          check(told.load() >= static_cast<int>(next), "the callback is first");
        }
      }
      check(taken.taken() == 3, "all have come");
    }};

const Scenario cancelled{"stream: cancelled while it is waited for", 2, [] {
                           Taken taken(3);
                           std::uint64_t completed = 0;
                           {
                             Processor processor{{.max_workers = 1, .order = Order::submission}};
                             auto batch =
                                 processor.start(std::vector<int>{0, 1, 2}, [&](int& item) {
                                   taken.run(item);
                                   work_for(2us);
                                 });
                             const ScheduledThread canceller([&] { batch.cancel(); });
                             taken.take_from(batch);
                             completed = batch.wait().progress().completed();
                           }
                           check(taken.taken() == completed, "all that have completed have come");
                         }};

const Scenario left{"stream: left early, it goes on later, and nothing is lost", 2, [] {
                      Taken taken(2);
                      {
                        Processor processor{{.max_workers = 1}};
                        auto batch = processor.start(std::vector<int>{0, 1}, [&](int& item) {
                          taken.run(item);
                          work_for(2us);
                        });
                        taken.take_from(batch, 1);
                        check(batch.wait().all_succeeded(), "the report has all");
                        taken.take_from(batch);
                      }
                      check(taken.taken() == 2, "all have come");
                    }};

const Scenario dropped{"stream: left early, the batch is destroyed at once", 2, [] {
                         Taken taken(2);
                         {
                           Processor processor{{.max_workers = 1}};
                           auto batch = processor.start(std::vector<int>{0, 1}, [&](int& item) {
                             taken.run(item);
                             work_for(2us);
                           });
                           taken.take_from(batch, 1);
                         }
                       }};

const Scenario handed_on{"stream: two threads take turns", 2, [] {
                           Taken taken(2);
                           {
                             Processor processor{{.max_workers = 1}};
                             auto batch = processor.start(std::vector<int>{0, 1}, [&](int& item) {
                               taken.run(item);
                               work_for(2us);
                             });
                             const auto take_one = [&] {
                               for (bool has_come = false; !has_come;) {
                                 try {
                                   for (auto& done : batch.completions()) {
                                     taken.take(done);
                                     break;
                                   }
                                   has_come = true;
                                 } catch (const std::logic_error&) {
                                   ScheduledSync::yield();
                                 }
                               }
                             };
                             const ScheduledThread other(take_one);
                             take_one();
                           }
                           check(taken.taken() == 2, "each has had one");
                         }};

const Scenario in_a_task{"stream: a task iterates over a batch on the one thread that it runs on",
                         2, [] {
                           Taken taken(2);
                           {
                             Pool pool{1};
                             Processor processor{pool, {.max_workers = 1}};
                             auto outer = processor.start(std::vector<int>{0}, [&](int&) {
                               Processor inner{pool, {.max_workers = 1}};
                               auto batch = inner.start(std::vector<int>{0, 1}, [&](int& item) {
                                 taken.run(item);
                                 work_for(2us);
                               });
                               taken.take_from(batch);
                             });
                             outer.wait().throw_if_failed();
                           }
                           check(taken.taken() == 2, "all have come");
                         }};

const Scenario growing{"stream: a batch that grows while it is waited for", 2, [] {
                         Taken taken(2);
                         {
                           Processor processor{{.max_workers = 1}};
                           auto batch = processor.open([&](int& item) {
                             taken.run(item);
                             work_for(2us);
                           });
                           batch.add(0);
                           const ScheduledThread adder([&] {
                             batch.add(1);
                             batch.close();
                           });
                           taken.take_from(batch);
                         }
                         check(taken.taken() == 2, "all have come");
                       }};

}  // namespace schedules::stream_scenarios
