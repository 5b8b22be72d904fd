// SPDX-License-Identifier: MIT
// refused: the handler returns a reference
#include <vector>
#include <xofn/batch_processor.hpp>

void run(xofn::BatchProcessor<int>& processor, std::vector<int>& tasks) {
  processor.run(tasks, [](int& task) -> int& { return task; });
}
