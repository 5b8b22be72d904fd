// SPDX-License-Identifier: MIT
// refused: weigh_by: the function makes no integer of a const Task&
#include <string>
#include <xofn/batch_processor.hpp>

void weigh(xofn::BatchProcessor<std::string>& processor) {
  processor.weigh_by(
      [](const std::string& task) { return 0.5 * static_cast<double>(task.size()); });
}
