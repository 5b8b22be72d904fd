// SPDX-License-Identifier: MIT
// Not API: a time of the day as text.
#pragma once

#include <array>
#include <chrono>
#include <cstdio>
#include <string>

namespace xofn::detail {

/// As ISO 8601 has it, in UTC, to the microsecond: "2026-11-28T10:38:02.123456Z".
[[nodiscard]] inline std::string iso_time(std::chrono::system_clock::time_point time) {
  namespace chrono = std::chrono;
  const auto day = chrono::floor<chrono::days>(time);
  const chrono::year_month_day date{day};
  const chrono::hh_mm_ss clock{chrono::floor<chrono::microseconds>(time - day)};
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()),
                static_cast<int>(clock.subseconds().count()));
  return text.data();
}

}  // namespace xofn::detail
