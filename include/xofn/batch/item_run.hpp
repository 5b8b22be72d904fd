// SPDX-License-Identifier: MIT
// Not API: items that lie together in the order of submission.
#pragma once

#include <cstdint>

namespace xofn::detail {

/// Items `first`, `first + 1`, ...
struct ItemRun {
  std::uint64_t first;  ///< below 2^48
  std::uint64_t count;

  /// Fewer than 2^16 of them fit into one word, so that one exchange moves them.
  [[nodiscard]] static constexpr ItemRun of(std::uint64_t word) noexcept {
    return {word >> 16, word & 0xffff};
  }
  [[nodiscard]] constexpr std::uint64_t word() const noexcept { return first << 16 | count; }
};

}  // namespace xofn::detail
