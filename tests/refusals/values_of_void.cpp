// SPDX-License-Identifier: MIT
// refused: is_void_v<
#include <vector>
#include <xofn/batch_processor.hpp>

void run(xofn::BatchProcessor<int>& processor, std::vector<int>& tasks) {
  static_cast<void>(processor.run(tasks, [](int) {}).values());
}
