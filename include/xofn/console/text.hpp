// SPDX-License-Identifier: MIT
// Not API: text from elsewhere, made safe for one line of a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace xofn::detail {

struct Character {
  char32_t code = 0;
  std::size_t length = 0;  ///< in bytes of UTF-8; 0: there is none
};

/// The character that a text begins with, which is not empty.
[[nodiscard]] constexpr Character first_character(std::string_view text) noexcept {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t length = lead < 0x80   ? 1
                             : lead < 0xc0 ? 0
                             : lead < 0xe0 ? 2
                             : lead < 0xf0 ? 3
                             : lead < 0xf8 ? 4
                                           : 0;
  if (length == 0) return {};
  char32_t code = length == 1 ? lead : lead & (0x7fU >> length);
  for (const char c : text.substr(1, length - 1)) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xc0) != 0x80) return {};
    code = (code << 6) | (byte & 0x3fU);
  }
  // By length. What is encoded in more bytes than it needs, or is cut off, comes to less.
  constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
  if (code < least[length] || is_surrogate || code > 0x10ffff) return {};
  return {code, length};
}

/// Whether a character does no more to a terminal than to fill cells: it is no control character,
/// ends no line and does not turn the direction of what follows.
[[nodiscard]] constexpr bool is_printable(char32_t code) noexcept {
  return code >= 0x20 && !(code >= 0x7f && code < 0xa0) && !(code >= 0x2028 && code <= 0x202e) &&
         !(code >= 0x2066 && code <= 0x2069);
}

/// `text` with a question mark for each byte of what is not printable.
[[nodiscard]] inline std::string printable(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const Character character = first_character(text);
    const std::size_t length = is_printable(character.code) ? character.length : 0;
    if (length == 0) {
      result += '?';
    } else {
      result += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return result;
}

}  // namespace xofn::detail
