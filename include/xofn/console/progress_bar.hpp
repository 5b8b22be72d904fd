// SPDX-License-Identifier: MIT
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <xofn/console/bar_log.hpp>
#include <xofn/console/bar_text.hpp>
#include <xofn/console/live_rows.hpp>
#include <xofn/console/output_mode.hpp>
#include <xofn/console/progress_bar_options.hpp>
#include <xofn/console/taskbar.hpp>
#include <xofn/console/terminal.hpp>
#include <xofn/delivery/progress.hpp>

namespace xofn {

/// A progress callback that draws X/N as a bar in a terminal, and writes lines elsewhere.
///
/// It requires that the stream outlives it and that its calls do not overlap, which every delivery
/// sees to. It has no thread and no clock: it draws when it is called. For a clock that moves while
/// nothing completes, give the delivery a heartbeat: `Delivery::latest().at_least_every(1s)`.
///
/// In a terminal each call draws one line over the one before, in a single write, and never wraps
/// it: what does not fit into the width that the terminal has at that moment is left out, the rate
/// first and X/N last. Elsewhere, and where TERM is "dumb", it writes a whole line at a time: the
/// first, the last, and between them one when both 5 % and 30 s have passed since the one before.
/// XOFN_PROGRESS in the environment may ask for one or the other: see BarStyle. FORCE_COLOR,
/// NO_COLOR and CLICOLOR_FORCE are heeded.
///
/// While N grows, as "120/240+" says, neither percentage nor time left is shown; rate and time left
/// are those of RateEstimator. Weights stand beside X/N, and then the percentage, rate and time
/// left are theirs. The final state is a receipt, which says so where X is not N; after it a new
/// batch begins on a new line. Terminals that are known to show progress in their tab or taskbar
/// are told it, until the batch ends or the bar goes.
///
/// A stream that has failed is written to no more, which is no error; what a stream throws that has
/// been told to throw is passed on.
///
///     processor.on_progress(ProgressBar{std::cerr, "hashing"}, Delivery::latest());
///
///     hashing [##########..........] 120/240 50% 1.2k/s 00:01<00:03 2 failed
///     hashing 240/240 in 00:02 at 120/s 2 failed
class ProgressBar {
 public:
  explicit ProgressBar(std::ostream& out, std::string_view label = {},
                       ProgressBarOptions options = {})
      : text_(label, options.unit), mode_(detail::output_mode(out, options)), rows_(out, options) {}

  void operator()(const Progress& progress) { (*this)(progress, {}); }

  /// The same with the name of an item in the line: the longest running one.
  void operator()(const Progress& progress, std::string_view item) {
    text_.take(progress, item);
    rows_.write(mode_.style == BarStyle::terminal ? frame() : log_.lines_about(text_, mode_));
  }

 private:
  [[nodiscard]] std::string frame() {
    const detail::WindowSize room = rows_.room();
    const std::string line = text_.line(room.columns, mode_.is_coloured);
    if (text_.has_ended()) return rows_.frame(line + '\n', {}, {}, room);
    return rows_.frame({}, {line}, detail::taskbar_code(text_.newest(), text_.is_growing()), room);
  }

  detail::BarText text_;
  detail::OutputMode mode_;
  detail::BarLog log_;
  detail::LiveRows rows_;
};

}  // namespace xofn
