// SPDX-License-Identifier: MIT
// refused: the tasks are not a range
#include <xofn/batch_processor.hpp>

void run(xofn::BatchProcessor<int>& processor) {
  processor.run(42, [](int) {});
}
