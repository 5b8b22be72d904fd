// SPDX-License-Identifier: MIT
// refused: write start(std::move(tasks)
#include <vector>
#include <xofn/batch_processor.hpp>

void start(xofn::BatchProcessor<int>& processor, std::vector<int>& tasks) {
  processor.start(tasks, [](int) {});
}
