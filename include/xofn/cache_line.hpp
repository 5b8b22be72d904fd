// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace xofn {

/// The distance in bytes at which two words that different threads write do not disturb each other.
/// Two lines of 64 bytes, since processors fetch lines in pairs; Apple's lines are of this size. A
/// constant of ours because the standard's changes with compiler flags, and with it a type's
/// layout.
inline constexpr std::size_t cache_line_size = 128;

}  // namespace xofn
