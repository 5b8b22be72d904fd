// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <xofn/sync.hpp>

namespace instructions {

/// Real threads and locks, and a time that passes only where an item says so. The engine sizes its
/// runs of items by time, so that it takes the same way each time, and under a tool that makes
/// everything slow the way that it would take without.
struct MadeUpTime : xofn::StdSync {
  static constexpr std::uint64_t least_ticks_in_a_microsecond = 1000;

  struct clock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<clock>;
    static constexpr bool is_steady = true;

    [[nodiscard]] static time_point now() noexcept { return time_point(duration(nanoseconds)); }
  };

  [[nodiscard]] static std::uint64_t ticks() noexcept {
    return static_cast<std::uint64_t>(nanoseconds);
  }

  static inline std::int64_t nanoseconds = 0;
};

}  // namespace instructions
