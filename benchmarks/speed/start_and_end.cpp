// SPDX-License-Identifier: MIT
// P11: from the call to the first item, and from the last item to the return.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>
#include <xofn/batch_processor.hpp>
#include <xofn/sync.hpp>

#include "load.hpp"
#include "peers.hpp"
#include "sections.hpp"

namespace speed {

namespace {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;

/// An item that notes when it began and when it ended.
struct StampedItem {
  std::uint32_t steps;
  Time begun{};
  Time ended{};

  void operator()() {
    begun = Clock::now();
    work(steps);
    ended = Clock::now();
  }
};

/// Three contests over runs of the same items.
class Moments {
 public:
  explicit Moments(std::size_t items)
      : items_(items, StampedItem{steps(std::chrono::microseconds{20})}) {}

  /// `run(items)` returns when all have run. `before()` is not measured.
  template <class Run, class Before>
  void add(const std::string& name, Run run, Before before) {
    begin_.add_timed(name, [this, run, before] {
      before(items_);
      const Time called = Clock::now();
      run(items_);
      const Time first = std::min_element(items_.begin(), items_.end(), [](auto& a, auto& b) {
                           return a.begun < b.begun;
                         })->begun;
      return Contest::nanoseconds(first - called);
    });
    whole_.add_timed(name, [this, run, before] {
      before(items_);
      const Time called = Clock::now();
      run(items_);
      return Contest::nanoseconds(Clock::now() - called);
    });
    end_.add_timed(name, [this, run, before] {
      before(items_);
      run(items_);
      const Time returned = Clock::now();
      const Time last = std::max_element(items_.begin(), items_.end(), [](auto& a, auto& b) {
                          return a.ended < b.ended;
                        })->ended;
      return Contest::nanoseconds(returned - last);
    });
  }

  template <class Run>
  void add(const std::string& name, Run run) {
    add(name, run, [](std::vector<StampedItem>&) {});
  }

  void run_all(const Effort& effort, Results& results) {
    begin_.run(effort.rounds);
    add_figures(begin_, "call to first item running", Bound::at_most(1.2), results);
    end_.run(effort.rounds);
    add_figures(end_, "last item to return", Bound::at_most(1.2), results);
    whole_.run(effort.rounds);
    add_figures(whole_, "the whole call", {}, results);
  }

  static constexpr const char* itself = "xofn";
  static constexpr const char* alone = "one worker";  ///< nobody is woken, or waited for
  static constexpr const char* awake = "one worker, right after a batch";

 private:
  static void add_figures(const Contest& contest, const std::string& what,
                          std::optional<Bound> bound, Results& results) {
    const std::string& best = contest.best_except({itself, alone, awake});
    const auto ns = [&](const std::string& who) {
      return who + ' ' + short_number(contest.median_ns(who)) + " ns";
    };
    results.add({"P11", what + ", against the best peer", contest.ratio(itself, best), bound,
                 ns(itself) + ", " + ns(best) + "; xofn with " + ns(alone) + ", " + ns(awake)});
  }

  std::vector<StampedItem> items_;
  Contest begin_;
  Contest end_;
  Contest whole_;
};

}  // namespace

void start_and_end(const Effort& effort, Results& results) {
  Moments moments(std::size_t{2} * xofn::StdSync::hardware_threads());
  xofn::BatchProcessor<StampedItem> processor;
  xofn::BatchProcessor<StampedItem> processor_of_one{{.max_workers = 1}};
  moments.add(Moments::itself, [&](std::vector<StampedItem>& items) { processor.run(items); });
  const auto run_alone = [&](std::vector<StampedItem>& items) { processor_of_one.run(items); };
  moments.add(Moments::alone, run_alone);
  moments.add(Moments::awake, run_alone, run_alone);
  for_each_peer(4, [&]<class P>(const std::string& name, std::shared_ptr<P> peer) {
    if constexpr (Peer<P>) {
      moments.add(name, [peer](std::vector<StampedItem>& items) {
        peer->run(items.size(), [&](std::size_t i) { items[i](); });
      });
    }
  });
  // Much shorter than the others, and much less steady.
  const std::size_t rounds = effort.divide_by == 1 ? 15 * effort.rounds : effort.rounds;
  moments.run_all({rounds, effort.divide_by}, results);
}

}  // namespace speed
