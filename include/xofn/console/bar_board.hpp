// SPDX-License-Identifier: MIT
// Not API: several bars on one stream.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include <xofn/console/bar_log.hpp>
#include <xofn/console/bar_text.hpp>
#include <xofn/console/live_rows.hpp>
#include <xofn/console/output_mode.hpp>
#include <xofn/console/progress_bar_options.hpp>
#include <xofn/console/taskbar.hpp>
#include <xofn/delivery/progress.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// One of the bars. The board's lock guards it.
struct BoardBar {
  BoardBar(std::string_view label, BarUnit unit) : text(label, unit) {}

  BarText text;
  BarLog log;
};

/// Where bars of several threads are drawn. One thread at a time writes, with no lock held; what
/// the others bring meanwhile it writes too. Those whose text must not be missed wait until it is
/// written, the others go on.
template <class Sync>
class BarBoard {
 public:
  BarBoard(std::ostream& out, ProgressBarOptions options)
      : mode_(output_mode(out, options)), rows_(out, options) {}

  /// Shows the next snapshot of a bar. Of the last one it returns when that has been written.
  /// Throws what the stream throws, perhaps for the text of another thread.
  void update(const std::shared_ptr<BoardBar>& bar, const Progress& progress,
              std::string_view item) {
    typename Sync::lock guard(mutex_);
    if (is_closed_) return;
    bar->text.take(progress, item);
    if (mode_.style != BarStyle::terminal) {
      above_ += bar->log.lines_about(bar->text, mode_);
    } else if (bar->text.has_ended()) {
      above_ += line_of(*bar, rows_.room().columns);
      std::erase(live_, bar);
    } else if (std::find(live_.begin(), live_.end(), bar) == live_.end()) {
      live_.push_back(bar);
    }
    show(guard, bar->text.has_ended());
  }

  /// Writes a line above the bars, and returns when that is done. Throws what the stream throws.
  void println(std::string_view line) {
    typename Sync::lock guard(mutex_);
    above_ += line;
    above_ += '\n';
    show(guard, true);
  }

  /// Leaves the bars as they are. What comes afterwards is not shown, but for lines.
  void close() {
    typename Sync::lock guard(mutex_);
    while (is_writing_) written_.wait(guard);
    is_closed_ = true;
    is_writing_ = true;
    guard.unlock();
    rows_.close();
    guard.lock();
    live_.clear();
    is_writing_ = false;
    written_.notify_all();
  }

 private:
  /// Has everything written, by this thread or by the one that writes.
  void show(typename Sync::lock& guard, bool is_to_wait) {
    is_news_ = true;
    if (!is_to_wait && is_writing_) return;
    while (is_writing_) written_.wait(guard);
    if (!is_news_) return;
    is_writing_ = true;
    const Turn turn{*this, guard};
    while (std::exchange(is_news_, false)) {
      const std::string text = next_text();
      guard.unlock();
      rows_.write(text);
      guard.lock();
    }
  }

  /// Ends however the writing ends.
  struct Turn {
    ~Turn() {
      if (!guard.owns_lock()) guard.lock();
      board.is_writing_ = false;
      board.written_.notify_all();
    }
    BarBoard& board;
    typename Sync::lock& guard;
  };

  [[nodiscard]] std::string next_text() {
    std::string above = std::exchange(above_, {});
    if (mode_.style != BarStyle::terminal || is_closed_) return above;
    const WindowSize room = rows_.room();
    for (const auto& bar : live_) {  // nobody can tell it anything any more
      if (bar.use_count() == 1) above += line_of(*bar, room.columns);
    }
    std::erase_if(live_, [](const auto& bar) { return bar.use_count() == 1; });
    std::string taskbar;
    if (!live_.empty()) {
      const BarText& first = live_.front()->text;
      taskbar = taskbar_code(first.newest(), first.is_growing());
    }
    return rows_.frame(above, rows_in(room), std::move(taskbar), room);
  }

  /// As many bars as the terminal has rows for, and how many more there are.
  [[nodiscard]] std::vector<std::string> rows_in(WindowSize room) const {
    const std::size_t most = std::max(room.rows, 2U) - 1;  // one for the line above
    const std::size_t shown = live_.size() <= most ? live_.size() : most - 1;
    std::vector<std::string> rows;
    for (std::size_t i = 0; i < shown; ++i) {
      rows.push_back(live_[i]->text.line(room.columns, mode_.is_coloured));
    }
    if (shown < live_.size()) {
      const std::string more = '+' + std::to_string(live_.size() - shown) + " more";
      rows.emplace_back(cut(more, room.columns));
    }
    return rows;
  }

  [[nodiscard]] std::string line_of(const BoardBar& bar, std::size_t room) const {
    return bar.text.line(room, mode_.is_coloured) + '\n';
  }

  typename Sync::mutex mutex_;
  typename Sync::condition_variable written_;
  const OutputMode mode_;
  LiveRows rows_;                                ///< used by the thread that writes
  std::vector<std::shared_ptr<BoardBar>> live_;  ///< bars whose batches run, as they began
  std::string above_;                            ///< whole lines, to be written above the bars
  bool is_news_ = false;
  bool is_writing_ = false;
  bool is_closed_ = false;
};

}  // namespace xofn::detail
