// SPDX-License-Identifier: MIT
// Not API: amounts, rates and times as a person reads them.
#pragma once

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <xofn/console/progress_bar_options.hpp>

namespace xofn::detail {

/// `value` in the largest power of `base` that it comes to, with one decimal below 100: "1.2k".
template <std::size_t Powers>
[[nodiscard]] std::string scaled(double value, double base, const char* const (&powers)[Powers]) {
  std::size_t power = 0;
  while (value >= base - 0.5 && power + 1 < Powers) {
    value /= base;
    ++power;
  }
  const long long tenths = std::llround(value * 10);
  std::string text = std::to_string(tenths / 10);
  if (tenths < 1000) text += '.' + std::to_string(tenths % 10);
  return text + powers[power];
}

/// X or N: things to the last one, bytes to three digits.
[[nodiscard]] inline std::string amount_text(std::uint64_t amount, BarUnit unit) {
  static constexpr const char* powers[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (unit == BarUnit::items) return std::to_string(amount);
  if (amount < 1024) return std::to_string(amount) + 'B';
  return scaled(static_cast<double>(amount) / 1024, 1024, powers);
}

/// What is completed in a second, or in the shortest time in which it comes to 1; nothing of a rate
/// that is not positive.
[[nodiscard]] inline std::string rate_text(double per_second, BarUnit unit) {
  static constexpr const char* powers[] = {"", "k", "M", "G", "T", "P", "E"};
  static constexpr const char* byte_powers[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  static constexpr struct {
    int seconds;
    const char* name;
  } spans[] = {{1, "/s"}, {60, "/min"}, {3600, "/h"}, {86400, "/d"}};
  if (!(per_second > 0)) return {};
  std::size_t span = 0;
  while (per_second * spans[span].seconds < 1 && span + 1 < std::size(spans)) ++span;
  const double rate = per_second * spans[span].seconds;
  const bool is_bytes = unit == BarUnit::bytes;
  return (is_bytes ? scaled(rate, 1024, byte_powers) : scaled(rate, 1000, powers)) +
         spans[span].name;
}

/// "04:05", from an hour on "03:04:05", from a day on "2d 03:04:05".
[[nodiscard]] inline std::string time_text(std::chrono::seconds time) {
  const auto two_digits = [](std::int64_t n) {
    return std::string(n < 10 ? 1 : 0, '0') + std::to_string(n);
  };
  const std::int64_t seconds = time.count();
  const std::int64_t hours = seconds / 3600;
  const std::int64_t days = hours / 24;
  std::string text = days > 0 ? std::to_string(days) + "d " : "";
  if (hours > 0) text += two_digits(hours % 24) + ':';
  return text + two_digits(seconds / 60 % 60) + ':' + two_digits(seconds % 60);
}

}  // namespace xofn::detail
