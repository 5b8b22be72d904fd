// SPDX-License-Identifier: MIT
// Not API: how long a caller is willing to wait.
#pragma once

#include <chrono>

namespace xofn::detail {

/// A timeout of any kind as one that no clock's arithmetic overflows on: between zero, which also
/// stands for what is not a number, and a century.
template <class Rep, class Period>
[[nodiscard]] std::chrono::nanoseconds bounded(std::chrono::duration<Rep, Period> timeout) {
  using Seconds = std::chrono::duration<double>;  // no conversion to it overflows
  constexpr Seconds century = std::chrono::years{100};
  const Seconds seconds = timeout;
  if (!(seconds > Seconds::zero())) return std::chrono::nanoseconds::zero();
  return std::chrono::ceil<std::chrono::nanoseconds>(seconds < century ? seconds : century);
}

/// The same of the time until `deadline`, by its clock.
template <class Clock, class Duration>
[[nodiscard]] std::chrono::nanoseconds time_until(
    std::chrono::time_point<Clock, Duration> deadline) {
  using Seconds = std::chrono::duration<double>;
  const auto now = Clock::now();
  const Seconds roughly = Seconds(deadline.time_since_epoch()) - Seconds(now.time_since_epoch());
  const bool is_near = roughly < std::chrono::years{1} && -roughly < std::chrono::years{1};
  return is_near ? bounded(deadline - now) : bounded(roughly);
}

}  // namespace xofn::detail
