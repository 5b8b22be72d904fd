// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <xofn/console/progress_bar_options.hpp>
#include <xofn/delivery/progress.hpp>

namespace support {

/// A batch of `total` items of which so many have succeeded.
inline xofn::Progress snapshot(std::uint64_t completed, std::uint64_t total,
                               xofn::BatchState state = xofn::BatchState::running,
                               std::chrono::nanoseconds elapsed = {}) {
  xofn::Progress progress;
  progress.succeeded = completed;
  progress.total = total;
  progress.state = state;
  progress.elapsed = elapsed;
  return progress;
}

inline xofn::Progress whole(std::uint64_t total, std::chrono::nanoseconds elapsed = {}) {
  return snapshot(total, total, xofn::BatchState::finished, elapsed);
}

inline constexpr xofn::ProgressBarOptions forty_columns{.style = xofn::BarStyle::terminal,
                                                        .width = 40};

}  // namespace support
