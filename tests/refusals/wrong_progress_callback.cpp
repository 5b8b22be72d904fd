// SPDX-License-Identifier: MIT
// refused: on_progress: the callback is not callable with a const Progress&
#include <xofn/batch_processor.hpp>

void listen(xofn::BatchProcessor<int>& processor) {
  processor.on_progress([](xofn::Progress&) {});
}
