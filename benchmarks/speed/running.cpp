// SPDX-License-Identifier: MIT
// P4: what a batch costs that tells nobody.
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "batch.hpp"
#include "peers.hpp"
#include "sections.hpp"

namespace speed {

namespace {

constexpr const char* xofn_itself = "xofn";

/// xofn and its peers on one load. Adds the figure, and the points of a picture if it has a place
/// there.
void compete(const std::string& what, Load load, std::optional<Bound> bound, const Effort& effort,
             Results& results, bool in_picture = true) {
  Processor processor;
  Contest contest;
  contest.add(xofn_itself, [&] { run(processor, load); });
  for_each_peer(load.size(), [&]<class P>(const std::string& name, std::shared_ptr<P> peer) {
    if constexpr (Peer<P>) {
      contest.add(name, [&load, peer] {
        peer->run(load.size(), [&](std::size_t i) { work(load.items[i]); });
      });
    }
  });
  contest.run(effort.rounds);
  const auto an_item = [&](const std::string& name) {
    return contest.median_ns(name) / static_cast<double>(load.size());
  };
  const std::string& best = contest.best_except({xofn_itself});
  results.add({"P4", what + ", against the best peer", contest.ratio(xofn_itself, best), bound,
               "xofn " + short_number(an_item(xofn_itself)) + " ns an item, " + best + ' ' +
                   short_number(an_item(best)) + " ns"});
  if (!in_picture) return;
  for (const std::string& name : contest.names()) {
    results.add_point("nobody told", name, static_cast<double>(load.each.count()), an_item(name));
  }
}

}  // namespace

void run_against_peers(const Effort& effort, Results& results) {
  compete("no callback, empty items", Load::uniform(nanoseconds{0}, effort.items(200'000)), {},
          effort, results);
  for (const auto& [each, items] : item_sizes) {
    compete("no callback, items of " + to_text(each), Load::uniform(each, effort.items(items)),
            Bound::at_most(1.15), effort, results);
  }
  compete("no callback, items of 1 us, 1 % of them 1 ms",
          Load::mixed(std::chrono::microseconds{1}, effort.items(20'000)), Bound::at_most(1.02),
          effort, results, false);
}

}  // namespace speed
