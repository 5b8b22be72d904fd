// SPDX-License-Identifier: MIT
// refused: the task is not callable
#include <vector>
#include <xofn/batch_processor.hpp>

void run(xofn::BatchProcessor<int>& processor, std::vector<int>& tasks) { processor.run(tasks); }
