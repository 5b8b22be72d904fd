// SPDX-License-Identifier: MIT
// Not API: whether to draw, to write lines or to be silent, and whether in colour.
#pragma once

#include <ostream>
#include <string_view>
#include <xofn/console/progress_bar_options.hpp>
#include <xofn/console/terminal.hpp>

namespace xofn::detail {

struct OutputMode {
  BarStyle style = BarStyle::lines;
  bool is_coloured = false;
};

/// What XOFN_PROGRESS asks for; `detect` where it is not set or says something else.
[[nodiscard]] constexpr BarStyle style_by_name(std::string_view name) noexcept {
  if (name == "off") return BarStyle::off;
  if (name == "plain") return BarStyle::lines;
  if (name == "tty") return BarStyle::terminal;
  if (name == "machine") return BarStyle::machine;
  return BarStyle::detect;
}

/// `value_of(name)` is the environment: an empty text is a variable that is not set. The first that
/// says something decides. Of the style: the program, XOFN_PROGRESS, the terminal. Of the colours:
/// FORCE_COLOR, NO_COLOR (force-color.org: the former comes later), CLICOLOR_FORCE, CLICOLOR
/// (bixense.com/clicolors; both may say 0), and whether a terminal is drawn on.
template <class Environment>
[[nodiscard]] OutputMode output_mode(BarStyle asked_for, bool is_terminal,
                                     const Environment& value_of) {
  OutputMode mode{asked_for, false};
  if (mode.style == BarStyle::detect) mode.style = style_by_name(value_of("XOFN_PROGRESS"));
  if (mode.style == BarStyle::detect) {
    const bool can_redraw = is_terminal && value_of("TERM") != "dumb";
    mode.style = can_redraw ? BarStyle::terminal : BarStyle::lines;
  }
  const auto is_set = [&](const char* name) { return !value_of(name).empty(); };
  const auto asks = [&](const char* name) { return is_set(name) && value_of(name) != "0"; };
  const bool would_be = value_of("CLICOLOR") != "0" && mode.style == BarStyle::terminal;
  mode.is_coloured =
      is_set("FORCE_COLOR") || (!is_set("NO_COLOR") && (asks("CLICOLOR_FORCE") || would_be));
  return mode;
}

/// The same for a stream. The options then say which descriptor is behind it, if one is.
[[nodiscard]] inline OutputMode output_mode(const std::ostream& out, ProgressBarOptions& options) {
  if (options.descriptor < 0) options.descriptor = descriptor_of(out);
  return output_mode(options.style, is_terminal(options.descriptor), environment);
}

}  // namespace xofn::detail
