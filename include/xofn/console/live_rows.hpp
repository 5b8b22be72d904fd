// SPDX-License-Identifier: MIT
// Not API: rows at the foot of a terminal that are drawn over themselves.
#pragma once

#include <algorithm>
#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include <xofn/console/cells.hpp>
#include <xofn/console/progress_bar_options.hpp>
#include <xofn/console/taskbar.hpp>
#include <xofn/console/terminal.hpp>

namespace xofn::detail {

/// What is on the screen, and how the next frame replaces it. The cursor waits behind the last row.
/// A frame is one text, which the terminal shows at once if it knows synchronized output (mode
/// 2026). When this object goes the rows stay as they are, the cursor stands below them, and the
/// taskbar is cleared. A copy has drawn nothing.
class LiveRows {
 public:
  LiveRows(std::ostream& out, const ProgressBarOptions& options)
      : out_(&out), options_(options), has_taskbar_(knows_taskbar(environment)) {}

  LiveRows(const LiveRows& other)
      : out_(other.out_), options_(other.options_), has_taskbar_(other.has_taskbar_) {}
  LiveRows(LiveRows&& other) noexcept
      : out_(other.out_),
        options_(other.options_),
        has_taskbar_(other.has_taskbar_),
        drawn_(std::exchange(other.drawn_, {})),
        taskbar_(std::exchange(other.taskbar_, {})) {}
  LiveRows& operator=(LiveRows other) noexcept {
    std::swap(out_, other.out_);
    std::swap(options_, other.options_);
    std::swap(has_taskbar_, other.has_taskbar_);
    std::swap(drawn_, other.drawn_);
    std::swap(taskbar_, other.taskbar_);
    return *this;
  }
  ~LiveRows() { close(); }

  /// The terminal as it is now. The last column stays free: a character there may wrap.
  [[nodiscard]] WindowSize room() const noexcept {
    WindowSize size = window_size(options_.descriptor);
    if (options_.width != 0) size.columns = options_.width;
    return {(size.columns == 0 ? 80 : size.columns) - 1, size.rows == 0 ? 24 : size.rows};
  }

  /// The text that leaves `above`, whole lines, where the rows were, and `rows` below it, each
  /// narrower than `room`. An empty `taskbar` clears it.
  [[nodiscard]] std::string frame(std::string_view above, const std::vector<std::string>& rows,
                                  std::string taskbar, WindowSize room) {
    std::string text = "\033[?2026h\r";
    const std::size_t height = height_now(room.columns + 1);
    if (height > 1) text += "\033[" + std::to_string(height - 1) + 'A';
    // Lines that stay may wrap, and then end in the middle of what was there.
    const bool is_erased_first = !above.empty() || height > drawn_.size() || rows.empty();
    if (is_erased_first && !drawn_.empty()) text += "\033[J";
    text += above;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      text += (i == 0 ? "" : "\n") + rows[i] + "\033[K";
    }
    if (!is_erased_first && rows.size() < drawn_.size()) text += "\033[J";
    if (has_taskbar_ && taskbar != taskbar_) {
      text += taskbar.empty() ? taskbar_clear : taskbar;
      taskbar_ = std::move(taskbar);
    }
    drawn_.clear();
    for (const std::string& row : rows) drawn_.push_back(visible_cells(row));
    return text + "\033[?2026l";
  }

  /// Writes a text at once. Throws what the stream throws.
  void write(std::string_view text) {
    if (!text.empty()) out_->write(text.data(), static_cast<std::streamsize>(text.size())).flush();
  }

  void close() noexcept {
    try {
      std::string text;
      if (!taskbar_.empty()) text += taskbar_clear;
      if (!drawn_.empty()) text += '\n';
      taskbar_.clear();
      drawn_.clear();
      write(text);
    } catch (...) {
      // Who destroys a bar is not told that the stream fails.
    }
  }

 private:
  /// The rows on the screen that the last frame takes at this width: terminals wrap what is too
  /// long after they have been made narrower.
  [[nodiscard]] std::size_t height_now(std::size_t columns) const noexcept {
    std::size_t height = 0;
    for (const std::size_t cells : drawn_) {
      height += std::max<std::size_t>(1, (cells + columns - 1) / columns);
    }
    return height;
  }

  /// Without the codes for colours.
  [[nodiscard]] static std::size_t visible_cells(std::string_view row) noexcept {
    std::size_t sum = 0;
    while (!row.empty()) {
      const std::size_t code = std::min(row.find('\033'), row.size());
      sum += cells(row.substr(0, code));
      const std::size_t end = row.find('m', code);
      row.remove_prefix(end == std::string_view::npos ? row.size() : end + 1);
    }
    return sum;
  }

  std::ostream* out_;
  ProgressBarOptions options_;
  bool has_taskbar_;
  std::vector<std::size_t> drawn_;  ///< the cells of the rows on the screen
  std::string taskbar_;             ///< what was last sent; empty: nothing, or it was cleared
};

}  // namespace xofn::detail
