// SPDX-License-Identifier: MIT
// refused: on_progress: the callback cannot be copied: hand it over by std::move
#include <memory>
#include <xofn/progress_tracker.hpp>

void listen(xofn::ProgressTracker& tracker) {
  auto callback = [owned = std::make_unique<int>(7)](const xofn::Progress&) {};
  tracker.on_progress(callback);
}
