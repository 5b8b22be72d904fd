// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace support {

/// A terminal as far as progress bars need one: rows of text, "\r", "\n", going up, erasing to the
/// end of the row or of the screen, and colours and modes, which it passes over. It wraps as a
/// terminal does that is not forgiving: a character in the last column moves the cursor to the next
/// row at once.
class Screen {
 public:
  explicit Screen(std::size_t columns) : columns_(columns) {}

  void resize(std::size_t columns) { columns_ = columns; }

  void write(std::string_view text) {
    while (!text.empty()) text.remove_prefix(take(text));
  }

  /// What can be seen, without the blanks at the ends of the rows.
  [[nodiscard]] std::vector<std::string> rows() const {
    std::vector<std::string> result;
    for (const auto& row : rows_) {
      std::string line;
      for (const std::string& cell : row) line += cell;
      line.erase(line.find_last_not_of(' ') + 1);
      result.push_back(std::move(line));
    }
    return result;
  }

  /// Whether a row was ever too short for what was written into it.
  [[nodiscard]] bool has_wrapped() const noexcept { return has_wrapped_; }

 private:
  [[nodiscard]] static bool is_wide(char32_t code) {
    return (code >= 0x1100 && code <= 0x115f) || (code >= 0x2e80 && code <= 0xd7a3) ||
           (code >= 0xff01 && code <= 0xff60) || (code >= 0x1f300 && code <= 0x1faff);
  }

  /// Whether it is part of the character before.
  [[nodiscard]] static bool is_mark(char32_t code) {
    return (code >= 0x300 && code <= 0x36f) || code == 0x200d || code == 0xfe0f;
  }

  /// Does what the beginning of `text` says, and returns its length.
  std::size_t take(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text.front());
    if (lead == '\r') return column_ = 0, 1;
    if (lead == '\n') return next_row(), 1;
    if (lead == '\033') return take_code(text);
    if (lead < 0x20 || lead == 0x7f) throw std::runtime_error("a control character");
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    char32_t code = length == 1 ? lead : lead & (0x7fU >> length);
    for (std::size_t i = 1; i < length; ++i) {
      code = code << 6 | (static_cast<unsigned char>(text.at(i)) & 0x3fU);
    }
    if (is_mark(code)) {
      if (column_ > 0) row()[column_ - 1] += text.substr(0, length);
    } else {
      put(std::string{text.substr(0, length)}, is_wide(code) ? 2 : 1);
    }
    return length;
  }

  std::size_t take_code(std::string_view text) {
    const std::size_t end = text.find_first_of("AJKhlm");
    if (!text.starts_with("\033[") || end == std::string_view::npos) {
      throw std::runtime_error("an unknown code");
    }
    const char code = text[end];
    if (code == 'A') row_ -= std::min<std::size_t>(row_, std::stoul(std::string{text.substr(2)}));
    if (code == 'J') rows_.resize(row_ + 1);
    if ((code == 'K' || code == 'J') && column_ < row().size()) row().resize(column_);
    return end + 1;
  }

  std::vector<std::string>& row() { return rows_[row_]; }

  void next_row() {
    column_ = 0;
    if (++row_ == rows_.size()) rows_.emplace_back();
  }

  void put(const std::string& character, std::size_t cells) {
    if (row().size() < column_ + cells) row().resize(column_ + cells, " ");
    row()[column_] = character;
    if (cells == 2) row()[column_ + 1].clear();
    column_ += cells;
    if (column_ >= columns_) {
      has_wrapped_ = true;
      next_row();
    }
  }

  std::size_t columns_;
  std::size_t row_ = 0;
  std::size_t column_ = 0;
  std::vector<std::vector<std::string>> rows_{1};  // by cell; of a wide character the second is ""
  bool has_wrapped_ = false;
};

}  // namespace support
