// SPDX-License-Identifier: MIT
// Not API: progress in the tab, the window or the taskbar of a terminal.
#pragma once

#include <string>
#include <string_view>
#include <xofn/console/bar_facts.hpp>
#include <xofn/delivery/progress.hpp>

namespace xofn::detail {

/// Whether the terminal knows the code OSC 9;4 to mean progress. To some others OSC 9 is text that
/// they show as a notification each time; so only those get it that say who they are and document
/// it: ConEmu, which invented it, and Windows Terminal, Ghostty and WezTerm. Not through tmux or
/// screen, which keep it to themselves, while WT_SESSION reaches what runs in them.
template <class Environment>
[[nodiscard]] bool knows_taskbar(const Environment& value_of) {
  const std::string_view term = value_of("TERM");
  if (!value_of("TMUX").empty() || !value_of("STY").empty() || term.starts_with("tmux") ||
      term.starts_with("screen")) {
    return false;
  }
  const std::string_view program = value_of("TERM_PROGRAM");
  return value_of("ConEmuANSI") == "ON" || !value_of("WT_SESSION").empty() ||
         program == "ghostty" || program == "WezTerm";
}

/// OSC 9;4: states are 1 normal, 2 with an error, 3 without a percentage, 4 paused.
[[nodiscard]] inline std::string taskbar_code(const Progress& progress, bool is_growing) {
  const bool is_paused = progress.state == BatchState::paused;
  const int state = is_paused ? 4 : is_growing ? 3 : progress.failed > 0 ? 2 : 1;
  return "\033]9;4;" + std::to_string(state) + ';' + std::to_string(percent(progress)) + "\033\\";
}

inline constexpr std::string_view taskbar_clear = "\033]9;4;0;0\033\\";

}  // namespace xofn::detail
