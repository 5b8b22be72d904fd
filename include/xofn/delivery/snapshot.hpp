// SPDX-License-Identifier: MIT
// Not API: what deliveries read, and what they ask of it.
#pragma once

#include <xofn/delivery/progress.hpp>

namespace xofn::detail {

class ProgressSource {
 public:
  /// The state as it is. From any thread, without a lock.
  ///
  /// Memory ordering: what the items did that are counted as settled is visible to the caller.
  [[nodiscard]] virtual Progress snapshot() const noexcept = 0;

  /// Called once, when the final state has been told to all but those told on a waiting thread, and
  /// before such a thread learns it.
  virtual void all_told() noexcept {}

 protected:
  ~ProgressSource() = default;
};

/// Whether nothing can change any more.
[[nodiscard]] inline bool is_final(const Progress& now) noexcept {
  return now.total_is_final && now.remaining() == 0;
}

[[nodiscard]] inline BatchState state_of(const Progress& now, bool paused = false) noexcept {
  if (now.cancelled != 0) return BatchState::cancelled;
  if (is_final(now)) return BatchState::finished;
  return paused ? BatchState::paused : BatchState::running;
}

/// What a callback may see of `now` before the final call: that items were cancelled is not told
/// yet.
[[nodiscard]] inline Progress untold(Progress now) noexcept {
  now.running += now.cancelled;
  now.cancelled = 0;
  if (now.state != BatchState::paused) now.state = BatchState::running;
  return now;
}

}  // namespace xofn::detail
