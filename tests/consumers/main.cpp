// SPDX-License-Identifier: MIT
#include <cstdint>
#include <vector>
#include <xofn/xofn.hpp>

std::uint64_t completed_elsewhere(const std::vector<int>& tasks);

int main() {
  const std::vector<int> tasks{1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  xofn::AtomicCounter calls;
  xofn::BatchProcessor<int> processor{{.max_workers = 2}};
  processor.on_progress([&](const xofn::Progress&) { calls.increment(); });
  const auto report = processor.run(tasks, [](int task) { return task; });

  const bool all = report.progress().completed() == 10 && completed_elsewhere(tasks) == 10;
  return all && calls.value() == 10 ? 0 : 1;
}
