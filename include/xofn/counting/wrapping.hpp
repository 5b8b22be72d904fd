// SPDX-License-Identifier: MIT
// Not API: arithmetic of counts.
#pragma once

#include <cstdint>

namespace xofn::detail {

/// a + b modulo 2^64 in two's complement, by way of unsigned numbers: signed overflow is undefined.
[[nodiscard]] constexpr std::int64_t wrapping_add(std::int64_t a, std::int64_t b) noexcept {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

/// -n modulo 2^64: the smallest number is its own negative.
[[nodiscard]] constexpr std::int64_t wrapping_negate(std::int64_t n) noexcept {
  return static_cast<std::int64_t>(0 - static_cast<std::uint64_t>(n));
}

}  // namespace xofn::detail
