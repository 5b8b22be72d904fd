// SPDX-License-Identifier: MIT
// refused: on_progress: the callback is not callable with a const Progress&
#include <xofn/progress_tracker.hpp>

void listen(xofn::ProgressTracker& tracker) {
  tracker.on_progress([](int) {});
}
