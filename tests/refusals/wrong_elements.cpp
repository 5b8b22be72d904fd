// SPDX-License-Identifier: MIT
// refused: the range's elements are no tasks of this processor
#include <string>
#include <vector>
#include <xofn/batch_processor.hpp>

void run(xofn::BatchProcessor<int>& processor, std::vector<std::string>& tasks) {
  processor.run(tasks, [](int) {});
}
