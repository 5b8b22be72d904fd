// SPDX-License-Identifier: MIT
// P1: what it costs to tell every step, beside a loop that does nothing else.
// P2, P3: and beside what others have to do to be right.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>
#include <xofn/delivery/progress.hpp>
#include <xofn/sync.hpp>

#include "batch.hpp"
#include "peers.hpp"
#include "sections.hpp"

namespace speed {

namespace {

using xofn::Completion;
using xofn::Progress;

template <class Callback>
void serial_loop(const Load& load, const Callback& callback) {
  Progress progress{.total = load.size()};
  for (const std::uint32_t& item : load.items) {
    work(item);
    ++progress.succeeded;
    callback(progress);
  }
}

/// The same, and what a worker cannot do without: no other may have the item (C13), and it must
/// know whether it has to tell before the next (C2).
template <class Callback>
void claiming_loop(const Load& load, const Callback& callback) {
  std::atomic<std::uint64_t> claimed{0};
  Progress progress{.total = load.size()};
  for (const std::uint32_t& item : load.items) {
    claimed.fetch_add(1);
    work(item);
    keep(xofn::StdSync::ticks());
    ++progress.succeeded;
    callback(progress);
  }
}

std::string an_item(const Contest& contest, const std::string& name, std::size_t items) {
  return name + ' ' + short_number(contest.median_ns(name) / static_cast<double>(items)) + " ns";
}

/// All contestants that tell every step, on a load.
class Telling {
 public:
  explicit Telling(Load load) : load_(std::move(load)) {
    every_.on_progress(look_at);
    completion_.on_completion([](const Completion<std::uint32_t>& c) {
      keep(c.index);
      look_at(c.progress);
    });
    contest_.add(every, [this] { run(every_, load_); });
    contest_.add(completion, [this] { run(completion_, load_); });
    for_each_peer(load_.size(), [&]<class P>(const std::string& name, std::shared_ptr<P> peer) {
      contest_.add(name, [this, peer] {
        run_and_tell(
            *peer, load_.size(), [&](std::size_t i) { work(load_.items[i]); },
            [](std::size_t i, const Progress& progress) {
              keep(i);
              look_at(progress);
            });
      });
    });
  }

  void run_all(const Effort& effort, Results& results) {
    contest_.run(effort.rounds);
    for (const std::string& name : contest_.names()) {
      results.add_point("every step told", name, static_cast<double>(load_.each.count()),
                        contest_.median_ns(name) / static_cast<double>(load_.size()));
    }
  }

  [[nodiscard]] Figure against_best(const char* id, const char* name,
                                    std::optional<Bound> bound) const {
    const std::string& best = contest_.best_except({every, completion});
    const std::string what =
        load_.each.count() == 0 ? "empty items" : "items of " + to_text(load_.each);
    return {id, std::string(name) + ", " + what + ", against the best peer",
            contest_.ratio(best, name), bound,
            an_item(contest_, name, load_.size()) + ", " + an_item(contest_, best, load_.size())};
  }

  static constexpr const char* every = "xofn every()";
  static constexpr const char* completion = "xofn on_completion";

 private:
  Load load_;
  Processor every_;
  Processor completion_;
  Contest contest_;
};

}  // namespace

void tell_empty_items(const Effort& effort, Results& results) {
  Load load = Load::uniform(nanoseconds{0}, effort.items(1'000'000));
  Processor processor;
  processor.on_progress(look_at);
  const std::function<void(const Progress&)> callback = look_at;
  const std::string every = "every()";
  const std::string loop = "loop";
  const std::string inlined = "inlined";
  const std::string claiming = "claimed and timed";
  Contest contest;
  contest.add(every, [&] { run(processor, load); });
  contest.add(loop, [&] { serial_loop(load, callback); });
  contest.add(inlined, [&] { serial_loop(load, look_at); });
  contest.add(claiming, [&] { claiming_loop(load, callback); });
  contest.run(effort.rounds);
  const std::string note =
      an_item(contest, every, load.size()) + ", " + an_item(contest, loop, load.size()) + ", " +
      an_item(contest, inlined, load.size()) + ", " + an_item(contest, claiming, load.size());
  results.add({"P1", "every(), empty items, against a loop that calls", contest.ratio(every, loop),
               Bound::at_most(2.5, 1.5), note});
  results.add({"P1",
               "the same against a loop with the call inlined",
               contest.ratio(every, inlined),
               {},
               {}});
  results.add({"P1",
               "the same against a loop that claims and times each item",
               contest.ratio(every, claiming),
               {},
               {}});
  results.add({"P1",
               "that loop, shared by all cores, against the loop that calls: the limit",
               contest.ratio(claiming, loop) / xofn::StdSync::hardware_threads(),
               {},
               {}});
}

void tell_against_peers(const Effort& effort, Results& results) {
  {
    Telling telling(Load::uniform(nanoseconds{0}, effort.items(200'000)));
    telling.run_all(effort, results);
    results.add(telling.against_best("P2", Telling::every, Bound::at_least(3, 5)));
    results.add(telling.against_best("P3", Telling::completion, Bound::at_least(1.5, 3)));
  }
  for (const auto& [each, items] : item_sizes) {
    Telling telling(Load::uniform(each, effort.items(items)));
    telling.run_all(effort, results);
    results.add(telling.against_best("P2", Telling::every, {}));
    results.add(telling.against_best("P3", Telling::completion, {}));
  }
}

}  // namespace speed
