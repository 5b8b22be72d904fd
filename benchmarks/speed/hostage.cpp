// SPDX-License-Identifier: MIT
// P14: long items behind many short ones, against what the cores could do.
#include <chrono>
#include <cstdint>
#include <xofn/sync.hpp>

#include "batch.hpp"
#include "sections.hpp"

namespace speed {

void take_no_hostage(const Effort& effort, Results& results) {
  using namespace std::chrono_literals;
  const unsigned workers = xofn::StdSync::hardware_threads();
  Load load = Load::short_then_long(2'000, 100ns, std::size_t{2} * workers, 5ms);
  Processor processor;
  Contest contest;
  contest.add("batch", [&] { run(processor, load); });
  contest.add("serial", [&] {
    for (const std::uint32_t& item : load.items) work(item);
  });
  contest.run(effort.rounds);
  results.add({"P14",
               "2,000 items of 100 ns, then long ones, against the ideal",
               contest.ratio("batch", "serial") * workers,
               Bound::at_most(1.1),
               {}});
}

}  // namespace speed
