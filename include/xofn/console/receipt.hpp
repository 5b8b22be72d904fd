// SPDX-License-Identifier: MIT
// Not API: the line that stays when a batch has ended.
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

/// Of the whole batch, by its weights where it has some.
[[nodiscard]] inline std::string mean_rate_text(const Progress& progress, BarUnit unit) {
  const std::uint64_t amount =
      is_weighed(progress) ? progress.weight_completed : progress.completed();
  if (amount == 0 || progress.elapsed.count() <= 0) return {};
  return "at " + rate_text(static_cast<double>(amount) /
                               std::chrono::duration<double>{progress.elapsed}.count(),
                           unit);
}

/// X/N, time and mean rate, and what went wrong. Where X is not N it says so, in red, as long as
/// there is room for X/N:
///
///     hashing 240/240 in 00:02 at 120/s 2 failed 1 retried
///     hashing 118/240 INCOMPLETE in 00:01 at 80.0/s 2 failed 122 cancelled
[[nodiscard]] inline std::string receipt_text(const Progress& progress, const BarFacts& facts,
                                              std::optional<std::size_t> room, bool is_coloured) {
  const bool is_complete = progress.completed() == progress.total && progress.total_is_final;
  const bool is_whole = progress.weight_completed == progress.weight_total;
  const std::string time = time_text(std::chrono::floor<std::chrono::seconds>(progress.elapsed));
  Parts parts;
  parts.add(4, std::string{room ? cut(facts.label, *room < 10 ? 0 : *room / 2) : facts.label});
  parts.add(0, items_text(progress, facts.unit));
  if (!is_complete) parts.add(1, "INCOMPLETE", true);
  if (is_weighed(progress)) {
    parts.add(6, is_whole ? amount_text(progress.weight_total, facts.unit)
                          : weights_text(progress, facts.unit));
  }
  parts.add(5, "in " + time);
  parts.add(7, mean_rate_text(progress, facts.unit));
  parts.add(2, count_text(progress.failed, "failed", progress, facts.unit), true);
  parts.add(3, count_text(progress.cancelled, "cancelled", progress, facts.unit));
  parts.add(8, count_text(progress.retried, "retried", progress, facts.unit));
  if (room) parts.fit(*room);
  return parts.joined(is_coloured);
}

}  // namespace xofn::detail
