// SPDX-License-Identifier: MIT
// refused: an initializer_list does not own its tasks: write start(std::vector
#include <initializer_list>
#include <xofn/batch_processor.hpp>

void start(xofn::BatchProcessor<int>& processor) {
  processor.start(std::initializer_list<int>{1, 2, 3}, [](int) {});
}
