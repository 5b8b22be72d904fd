// SPDX-License-Identifier: MIT
// Not API: a text that nobody can guess.
#pragma once

#include <random>
#include <string>

namespace xofn::detail {

/// 32 hexadecimal digits from the system's source of randomness.
[[nodiscard]] inline std::string random_digits() {
  std::random_device source;
  std::string digits;
  for (int word = 0; word != 4; ++word) {
    const auto bits = source();
    for (unsigned shift = 0; shift != 32; shift += 4)
      digits += "0123456789abcdef"[bits >> shift & 15];
  }
  return digits;
}

}  // namespace xofn::detail
