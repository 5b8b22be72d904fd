// SPDX-License-Identifier: MIT
// Not API: text of any length, made to fit.
#pragma once

#include <cstddef>
#include <string>

namespace xofn::detail {

/// `text`, or as much of it as fits into `most` bytes, to the end of a letter, and then "...".
[[nodiscard]] inline std::string cut_to(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  const std::size_t least = most < 3 ? 0 : most - 3;  // further back no letter of UTF-8 goes
  while (most != least && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U) --most;
  text.resize(most);
  return text + "...";
}

}  // namespace xofn::detail
