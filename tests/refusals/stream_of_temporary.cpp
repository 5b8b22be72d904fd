// SPDX-License-Identifier: MIT
// refused: this batch would end before its stream
#include <vector>
#include <xofn/batch_processor.hpp>

void print(xofn::BatchProcessor<int>& processor) {
  processor.start(std::vector{1, 2}, [](int) {}).completions();
}
