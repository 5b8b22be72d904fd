// SPDX-License-Identifier: MIT
// Not API: which lines a bar writes where nothing can be drawn.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <xofn/console/bar_facts.hpp>
#include <xofn/console/bar_text.hpp>
#include <xofn/console/output_mode.hpp>
#include <xofn/console/progress_bar_options.hpp>
#include <xofn/delivery/progress.hpp>

namespace xofn::detail {

/// Of one batch after the other: the first state, the last, and between them, for people, a line
/// when both 5 % and 30 s have passed since the one before, and for programs one when it differs.
class BarLog {
 public:
  /// What is to be written about the newest snapshot, with the end of the line; or nothing.
  [[nodiscard]] std::string lines_about(const BarText& text, const OutputMode& mode) {
    const Progress& progress = text.newest();
    const bool is_due = !written_ || text.has_ended() ||
                        (mode.style == BarStyle::machine ? figures(*written_) != figures(progress)
                                                         : is_news(text, *written_));
    if (mode.style == BarStyle::off || !is_due) return {};
    written_ = text.has_ended() ? std::nullopt : std::optional{progress};
    return (mode.style == BarStyle::machine ? figures(progress)
                                            : text.line(std::nullopt, mode.is_coloured)) +
           '\n';
  }

 private:
  [[nodiscard]] static bool is_news(const BarText& text, const Progress& before) {
    const Progress& progress = text.newest();
    return progress.elapsed - before.elapsed >= std::chrono::seconds{30} &&
           (text.is_growing() || percent(progress) - percent(before) >= 5);
  }

  /// "xofn:completed:failed:total".
  [[nodiscard]] static std::string figures(const Progress& progress) {
    return "xofn:" + std::to_string(progress.completed()) + ':' + std::to_string(progress.failed) +
           ':' + std::to_string(progress.total);
  }

  std::optional<Progress> written_;  ///< what was last written about this batch
};

}  // namespace xofn::detail
