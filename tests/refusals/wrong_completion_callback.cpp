// SPDX-License-Identifier: MIT
// refused: on_completion: the callback is not callable with a const Completion<Task>&
#include <xofn/batch_processor.hpp>

void listen(xofn::BatchProcessor<int>& processor) {
  processor.on_completion([](const xofn::Progress&) {});
}
