// SPDX-License-Identifier: MIT
// refused: on_start: the callback is not callable with a const Start<Task>&
#include <xofn/batch_processor.hpp>

void listen(xofn::BatchProcessor<int>& processor) {
  processor.on_start([](const xofn::Progress&) {});
}
