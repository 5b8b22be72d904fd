// SPDX-License-Identifier: MIT
#include <cstdint>
#include <vector>
#include <xofn/xofn.hpp>

std::uint64_t completed_elsewhere(const std::vector<int>& tasks) {
  xofn::BatchProcessor<int> processor{{.max_workers = 2}};
  xofn::ProgressTracker tracker{tasks.size()};
  processor.run(tasks, [&](int) { tracker.succeed(); });
  return tracker.progress().completed();
}
