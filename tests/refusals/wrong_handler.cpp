// SPDX-License-Identifier: MIT
// refused: the handler is callable neither with a task nor with a task and a TaskContext&
#include <string>
#include <vector>
#include <xofn/batch_processor.hpp>

void run(xofn::BatchProcessor<int>& processor, std::vector<int>& tasks) {
  processor.run(tasks, [](const std::string&) {});
}
