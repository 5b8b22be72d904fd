// SPDX-License-Identifier: MIT
// Not API: text that every database takes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <xofn/console/text.hpp>

namespace xofn::detail {

/// `text` with U+FFFD for each byte that is no UTF-8, and for NUL, which PostgreSQL has no place
/// for; of a long one as many whole characters as fit into `most` bytes, and "...".
[[nodiscard]] inline std::string stored_text(std::string_view text, std::size_t most) {
  std::string result;
  while (!text.empty()) {
    const Character character = first_character(text);
    const bool is_kept = character.length != 0 && character.code != 0;
    const std::string_view next = is_kept ? text.substr(0, character.length) : "\xef\xbf\xbd";
    if (result.size() + next.size() > most) return result + "...";
    result += next;
    text.remove_prefix(is_kept ? character.length : 1);
  }
  return result;
}

}  // namespace xofn::detail
