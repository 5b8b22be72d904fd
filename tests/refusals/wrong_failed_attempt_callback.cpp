// SPDX-License-Identifier: MIT
// refused: on_failed_attempt: the callback is not callable with a const FailedAttempt<Task>&
#include <xofn/batch_processor.hpp>

void listen(xofn::BatchProcessor<int>& processor) {
  processor.on_failed_attempt([](const xofn::Start<int>&) {});
}
