// SPDX-License-Identifier: MIT
// Not API: what a line says about a batch beside its figures.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <xofn/console/progress_bar_options.hpp>
#include <xofn/console/units.hpp>
#include <xofn/delivery/progress.hpp>

namespace xofn::detail {

struct BarFacts {
  std::string_view label;
  BarUnit unit = BarUnit::items;
  bool is_growing = false;  ///< N is known to be less than it will be: nothing may rest on it
  std::optional<double> per_second;
  std::optional<std::chrono::nanoseconds> left;
  std::string_view item;  ///< the longest running one
};

/// Whether the items have weights; then the unit is theirs.
[[nodiscard]] inline bool is_weighed(const Progress& progress) noexcept {
  return progress.weight_total > 0;
}

/// "120/240", "1.0MiB/2.0MiB".
[[nodiscard]] inline std::string items_text(const Progress& progress, BarUnit unit) {
  if (is_weighed(progress)) unit = BarUnit::items;
  return amount_text(progress.completed(), unit) + '/' + amount_text(progress.total, unit);
}

/// The same of the weights; nothing where there are none.
[[nodiscard]] inline std::string weights_text(const Progress& progress, BarUnit unit) {
  if (!is_weighed(progress)) return {};
  return amount_text(progress.weight_completed, unit) + '/' +
         amount_text(progress.weight_total, unit);
}

/// Such as "2 failed"; nothing of 0. Weighed items are counted, not weighed.
[[nodiscard]] inline std::string count_text(std::uint64_t count, const char* what,
                                            const Progress& progress, BarUnit unit) {
  if (count == 0) return {};
  return amount_text(count, is_weighed(progress) ? BarUnit::items : unit) + ' ' + what;
}

/// In whole percent, of the weights where there are some; 100 only at a final N/N.
[[nodiscard]] inline int percent(const Progress& progress) noexcept {
  const int of_items = progress.percent();
  if (!is_weighed(progress) || of_items == 100) return of_items;
  Progress weights;
  weights.total = progress.weight_total;
  weights.succeeded = progress.weight_completed;
  weights.total_is_final = false;
  return weights.percent();
}

[[nodiscard]] inline bool has_ended(const Progress& progress) noexcept {
  return progress.state == BatchState::finished || progress.state == BatchState::cancelled;
}

}  // namespace xofn::detail
