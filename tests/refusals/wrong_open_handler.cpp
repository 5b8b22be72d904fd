// SPDX-License-Identifier: MIT
// refused: the handler is callable neither with a task nor with a task and a TaskContext&
#include <string>
#include <xofn/batch_processor.hpp>

void open(xofn::BatchProcessor<std::string>& processor) {
  auto batch = processor.open([](int) {});
}
