// SPDX-License-Identifier: MIT
// P13: whether an item costs the same in a long batch, and with more workers than cores.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>
#include <xofn/batch_processor.hpp>

#include "indices.hpp"
#include "load.hpp"
#include "sections.hpp"

namespace speed {

namespace {

using Growing = xofn::BatchProcessor<std::uint64_t>;

void nothing(std::uint64_t i) { keep(i); }

void grow(unsigned workers, const Effort& effort, Results& results) {
  Growing processor{{.max_workers = workers}};
  processor.on_progress([](const xofn::Progress& progress) { keep(progress.completed()); });
  Contest contest;
  std::vector<std::pair<std::string, std::size_t>> sizes;
  for (std::size_t items = 1'000; items <= effort.items(100'000'000); items *= 10) {
    sizes.emplace_back(short_number(static_cast<double>(items)), items);
    contest.add(sizes.back().first,
                [&processor, items] { processor.run(Indices{items}, nothing); });
  }
  contest.run(effort.rounds);
  std::string note = "ns an item:";
  double least = 0;
  double most = 0;
  for (const auto& [name, items] : sizes) {
    const double ns = contest.median_ns(name) / static_cast<double>(items);
    note += ' ' + short_number(ns);
    if (items < 1'000'000) continue;
    least = least == 0 ? ns : std::min(least, ns);
    most = std::max(most, ns);
  }
  results.add({"P13",
               "N = 10^6 to 10^8, " + std::to_string(workers) +
                   (workers == 1 ? " worker" : " workers") + ": longest / shortest item",
               least == 0 ? 1 : most / least, Bound::at_most(1.2), note});
}

/// Counts how often a thread is asked for, which never comes.
class EmptyPool {
 public:
  template <class F>
  void execute(F&& f) {
    asked_.push_back(std::make_shared<std::decay_t<F>>(std::forward<F>(f)));
  }

  [[nodiscard]] std::size_t asked() const noexcept { return asked_.size(); }

 private:
  std::vector<std::shared_ptr<void>> asked_;
};

}  // namespace

void grow(const Effort& effort, Results& results) {
  for (const unsigned workers : {1U, 2U, 8U, 64U}) grow(workers, effort, results);

  EmptyPool pool;
  Growing processor{pool, {.max_workers = 64}};
  processor.run(Indices{64}, nothing);
  results.add({"P13",
               "threads asked for by 64 items of nothing, 64 workers",
               static_cast<double>(pool.asked()),
               Bound::at_most(16),
               {},
               ""});
}

}  // namespace speed
