// SPDX-License-Identifier: MIT
// Not API: what a bar says while its batch runs.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <xofn/console/bar_facts.hpp>
#include <xofn/console/cells.hpp>
#include <xofn/console/parts.hpp>
#include <xofn/console/units.hpp>
#include <xofn/delivery/progress.hpp>

namespace xofn::detail {

/// "[#####.....]", full at 100 % only.
[[nodiscard]] inline std::string bar_of(std::size_t length, int percent) {
  const std::size_t full = length * static_cast<std::size_t>(percent) / 100;
  return '[' + std::string(full, '#') + std::string(length - full, '.') + ']';
}

/// It rests on the room and on what kinds of things are said, so that it stays while numbers grow.
[[nodiscard]] inline std::size_t bar_length(std::size_t room, const Progress& progress,
                                            const BarFacts& facts) noexcept {
  const std::size_t others = (is_weighed(progress) ? 15U : 0U) + (facts.item.empty() ? 0U : 15U);
  return room < 70 + others ? 10 : room < 90 + others ? 20 : 40;
}

/// The time since the start, and after a "<" what is left, rounded up. What is more than a year
/// away helps nobody.
[[nodiscard]] inline std::string times_text(const Progress& progress, const BarFacts& facts) {
  std::string text = time_text(std::chrono::floor<std::chrono::seconds>(progress.elapsed));
  constexpr std::chrono::nanoseconds none{0};
  const std::chrono::nanoseconds left = facts.left.value_or(none);
  if (facts.is_growing || left <= none || left > std::chrono::hours{365 * 24}) return text;
  return text + '<' + time_text(std::chrono::ceil<std::chrono::seconds>(left));
}

[[nodiscard]] inline std::string state_text(const Progress& progress) {
  if (progress.state == BatchState::paused) return "paused";
  return progress.cancelled > 0 ? "cancelling" : "";
}

/// All that there is to say, and of that what fits into `room` cells, no number cut. Without a room
/// all but the bar:
///
///     hashing [#####.....] 120/240 50% 1.2k/s 00:01<00:03 2 failed 1 retried (large.iso)
///
[[nodiscard]] inline std::string line_text(const Progress& progress, const BarFacts& facts,
                                           std::optional<std::size_t> room, bool is_coloured) {
  const int done = percent(progress);
  const bool has_bar = room && !facts.is_growing;
  std::string item{room ? cut(facts.item, *room / 4) : facts.item};
  if (!item.empty()) item = '(' + item + ')';
  Parts parts;
  parts.add(4, std::string{room ? cut(facts.label, *room < 10 ? 0 : *room / 2) : facts.label});
  if (has_bar) parts.add(8, bar_of(bar_length(*room, progress, facts), done));
  parts.add(0, items_text(progress, facts.unit) + (facts.is_growing ? "+" : ""));
  parts.add(6, weights_text(progress, facts.unit));
  if (!facts.is_growing) parts.add(3, std::to_string(done) + '%');
  parts.add(9, facts.per_second ? rate_text(*facts.per_second, facts.unit) : "");
  parts.add(5, times_text(progress, facts));
  parts.add(2, count_text(progress.failed, "failed", progress, facts.unit), true);
  parts.add(10, count_text(progress.retried, "retried", progress, facts.unit));
  parts.add(1, state_text(progress));
  parts.add(7, std::move(item));
  if (room) parts.fit(*room);
  return parts.joined(is_coloured);
}

}  // namespace xofn::detail
