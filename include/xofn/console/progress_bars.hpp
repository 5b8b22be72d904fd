// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <ostream>
#include <string_view>
#include <utility>
#include <xofn/console/bar_board.hpp>
#include <xofn/console/progress_bar_options.hpp>
#include <xofn/delivery/progress.hpp>
#include <xofn/sync.hpp>

namespace xofn {

/// Several bars at once, for batches that run side by side or in one another, and lines above them.
///
/// It requires that the stream outlives it, and that nobody else writes to the terminal meanwhile:
/// `println()` is for that. Any thread may call anything.
///
/// Each bar is what a ProgressBar is, in a row of its own from the first state of its batch to the
/// last, whose receipt stays above the bars that go on. Bars for which the terminal has no rows are
/// counted in the last one. A frame is a single write. One thread writes at a time, with no lock
/// held; others leave their news to it and go on, but for a final state and `println()`, which
/// return when their text has been written. So the stream must not call anything of this object.
/// The taskbar shows the first bar. Where there is no terminal the lines of all bars are written as
/// they come; those for programs (BarStyle::machine) do not say which bar they are of.
///
/// What the stream throws is passed on to whoever wrote. When this object goes, bars whose batches
/// have not ended stay as they are, and what they are told afterwards is not shown.
///
///     ProgressBars bars{std::cerr};
///     hasher.on_progress(bars.add("hashing"), Delivery::latest());
///     packer.on_progress(bars.add("packing", BarUnit::bytes), Delivery::latest());
///     bars.println("skipped: core.1234");
template <class Sync = StdSync>
class BasicProgressBars {
 public:
  /// A progress callback. Copies are one bar.
  class Bar {
   public:
    void operator()(const Progress& progress) const { (*this)(progress, {}); }

    /// The same with the name of an item in the line: the longest running one.
    void operator()(const Progress& progress, std::string_view item) const {
      if (bar_) board_->update(bar_, progress, item);
    }

   private:
    friend BasicProgressBars;
    Bar(std::shared_ptr<detail::BarBoard<Sync>> board, std::string_view label, BarUnit unit)
        : board_(std::move(board)), bar_(std::make_shared<detail::BoardBar>(label, unit)) {}

    std::shared_ptr<detail::BarBoard<Sync>> board_;
    std::shared_ptr<detail::BoardBar> bar_;
  };

  /// The options are those of a ProgressBar, but for the unit, which each bar has of its own.
  explicit BasicProgressBars(std::ostream& out, const ProgressBarOptions& options = {})
      : board_(std::make_shared<detail::BarBoard<Sync>>(out, options)) {}

  BasicProgressBars(const BasicProgressBars&) = delete;
  BasicProgressBars& operator=(const BasicProgressBars&) = delete;
  ~BasicProgressBars() { board_->close(); }

  /// A bar that is seen from its first state on. It may be kept longer than this object.
  [[nodiscard]] Bar add(std::string_view label = {}, BarUnit unit = BarUnit::items) {
    return {board_, label, unit};
  }

  /// Writes a line above the bars, as it is, whatever the style. Without the end of the line.
  void println(std::string_view line) { board_->println(line); }

 private:
  std::shared_ptr<detail::BarBoard<Sync>> board_;
};

using ProgressBars = BasicProgressBars<>;

}  // namespace xofn
