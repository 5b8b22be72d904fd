// SPDX-License-Identifier: MIT
// P11: from the call to the first item, and from the last item to the return.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
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

/// Two contests over the same runs.
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

  /// Against the best of the others, and against `awake`, which is the same without a rest.
  void run_all(const Effort& effort, Results& results, const std::string& name,
               const std::string& awake) {
    begin_.run(effort.rounds);
    add_figures(begin_, "call to first item running", name, awake, results);
    end_.run(effort.rounds);
    add_figures(end_, "last item to return", name, awake, results);
  }

 private:
  static void add_figures(const Contest& contest, const std::string& what, const std::string& name,
                          const std::string& awake, Results& results) {
    const std::string& best = contest.best_except({name, awake});
    const auto ns = [&](const std::string& who) {
      return who + ' ' + short_number(contest.median_ns(who)) + " ns";
    };
    results.add({"P11", what + ", against the best peer", contest.ratio(name, best),
                 Bound::at_most(1.2), ns(name) + ", " + ns(best)});
    results.add({"P11",
                 "the same, against one right after another batch",
                 contest.ratio(name, awake),
                 {},
                 ns(awake)});
  }

  std::vector<StampedItem> items_;
  Contest begin_;
  Contest end_;
};

}  // namespace

void start_and_end(const Effort& effort, Results& results) {
  const std::string xofn_itself = "xofn";
  Moments moments(std::size_t{2} * xofn::StdSync::hardware_threads());
  xofn::BatchProcessor<StampedItem> processor;
  const auto run = [&](std::vector<StampedItem>& items) { processor.run(items); };
  const std::string awake = "xofn right after";
  moments.add(xofn_itself, run);
  moments.add(awake, run, run);
  for_each_peer(4, [&]<class P>(const std::string& name, std::shared_ptr<P> peer) {
    if constexpr (Peer<P>) {
      moments.add(name, [peer](std::vector<StampedItem>& items) {
        peer->run(items.size(), [&](std::size_t i) { items[i](); });
      });
    }
  });
  // Much shorter than the others, and much less steady.
  const std::size_t rounds = effort.divide_by == 1 ? 15 * effort.rounds : effort.rounds;
  moments.run_all({rounds, effort.divide_by}, results, xofn_itself, awake);
}

}  // namespace speed
