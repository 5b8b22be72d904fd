// SPDX-License-Identifier: MIT
// Not API: how many cells of a terminal a text fills.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string_view>
#include <xofn/console/text.hpp>

namespace xofn::detail {

struct CodeRange {
  char32_t first, last;
};

/// What fills two cells: East Asian wide characters, and emoji. In the planes that are theirs whole
/// blocks, with a few that are narrow.
inline constexpr CodeRange wide_ranges[] = {
    {0x1100, 0x115f},   {0x231a, 0x231b},   {0x2329, 0x232a},   {0x23e9, 0x23ec},
    {0x23f0, 0x23f0},   {0x23f3, 0x23f3},   {0x25fd, 0x25fe},   {0x2614, 0x2615},
    {0x2630, 0x2637},   {0x2648, 0x2653},   {0x267f, 0x267f},   {0x268a, 0x268f},
    {0x2693, 0x2693},   {0x26a1, 0x26a1},   {0x26aa, 0x26ab},   {0x26bd, 0x26be},
    {0x26c4, 0x26c5},   {0x26ce, 0x26ce},   {0x26d4, 0x26d4},   {0x26ea, 0x26ea},
    {0x26f2, 0x26f3},   {0x26f5, 0x26f5},   {0x26fa, 0x26fa},   {0x26fd, 0x26fd},
    {0x2705, 0x2705},   {0x270a, 0x270b},   {0x2728, 0x2728},   {0x274c, 0x274c},
    {0x274e, 0x274e},   {0x2753, 0x2755},   {0x2757, 0x2757},   {0x2795, 0x2797},
    {0x27b0, 0x27b0},   {0x27bf, 0x27bf},   {0x2b1b, 0x2b1c},   {0x2b50, 0x2b50},
    {0x2b55, 0x2b55},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},   {0xa960, 0xa97f},
    {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe10, 0xfe19},   {0xfe30, 0xfe6f},
    {0xff00, 0xff60},   {0xffe0, 0xffe6},   {0x16fe0, 0x18dff}, {0x1aff0, 0x1b2ff},
    {0x1d300, 0x1d376}, {0x1f000, 0x1faff}, {0x20000, 0x3fffd},
};

/// What fills none, whatever the terminal: marks that combine with the character before, joiners,
/// variation selectors. Marks of single scripts are not listed and count as one cell.
inline constexpr CodeRange zero_ranges[] = {
    {0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},   {0x610, 0x61a},
    {0x64b, 0x65f},   {0x1ab0, 0x1ace}, {0x1dc0, 0x1dff}, {0x200b, 0x200d},
    {0x20d0, 0x20f0}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xe0100, 0xe01ef},
};

template <std::size_t Size>
[[nodiscard]] constexpr bool is_in(char32_t code, const CodeRange (&ranges)[Size]) noexcept {
  const auto* const found =
      std::partition_point(std::begin(ranges), std::end(ranges),
                           [code](const CodeRange& range) { return range.last < code; });
  return found != std::end(ranges) && found->first <= code;
}

/// The cells of a printable text, character by character. Terminals differ where several make one
/// picture: an emoji that is joined of others counts as all of them, and a narrow character that a
/// variation selector makes an emoji as two cells. So a line may be shorter than it could be, and
/// is not longer than it may be. Characters whose width is ambiguous count as one cell.
class CellCount {
 public:
  constexpr void add(char32_t code) noexcept {
    constexpr char32_t joiner = 0x200d;
    constexpr char32_t emoji_selector = 0xfe0f;
    const bool is_zero = is_in(code, zero_ranges);
    begins_ = !is_zero && before_ != joiner;
    before_ = code;
    if (code == emoji_selector && last_ == 1) {
      ++sum_;
      last_ = 2;
    } else if (!is_zero) {
      last_ = is_in(code, wide_ranges) ? 2 : 1;
      sum_ += last_;
    }
  }

  [[nodiscard]] constexpr std::size_t sum() const noexcept { return sum_; }

  /// Whether the text may be cut before the last character.
  [[nodiscard]] constexpr bool begins() const noexcept { return begins_; }

 private:
  std::size_t sum_ = 0;
  std::size_t last_ = 0;  ///< of the last character that fills any
  char32_t before_ = 0;
  bool begins_ = true;
};

/// The longest beginning of a printable text that fills no more than `room` cells.
[[nodiscard]] constexpr std::string_view cut(std::string_view text, std::size_t room) noexcept {
  CellCount count;
  std::size_t whole = 0;  // up to here nothing is cut that belongs together
  for (std::size_t i = 0; i < text.size();) {
    const Character character = first_character(text.substr(i));
    count.add(character.code);
    if (count.begins()) whole = i;
    if (count.sum() > room) return text.substr(0, whole);
    i += character.length;
  }
  return text;
}

[[nodiscard]] constexpr std::size_t cells(std::string_view text) noexcept {
  CellCount count;
  while (!text.empty()) {
    const Character character = first_character(text);
    count.add(character.code);
    text.remove_prefix(character.length);
  }
  return count.sum();
}

}  // namespace xofn::detail
