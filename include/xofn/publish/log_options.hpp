// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>

namespace xofn {

/// How much a Log holds, and for how long. What is out of range is refused with
/// std::invalid_argument.
struct LogOptions {
  /// How many bytes of lines may wait to be written, as they are in memory: at least 64 KiB. Lines
  /// beyond are lost.
  std::size_t max_queued_bytes = std::size_t{64} << 20;

  /// How much is written of an item's name and of an error, each, in bytes: 16 to 8192. What is
  /// longer ends in "...".
  std::size_t max_text = 4096;

  /// How long the destructor goes on writing: 0 to 1 h.
  std::chrono::nanoseconds linger = std::chrono::seconds{3};
};

namespace detail {

/// Throws std::invalid_argument for options that make no sense.
inline void check(const LogOptions& options) {
  const auto refuse = [](const std::string& what) {
    throw std::invalid_argument("xofn: LogOptions: " + what);
  };
  if (options.max_queued_bytes < (std::size_t{64} << 10)) {
    refuse("max_queued_bytes is " + std::to_string(options.max_queued_bytes) + ", below 64 KiB");
  }
  if (options.max_text < 16 || options.max_text > 8192) {
    refuse("max_text is " + std::to_string(options.max_text) + ", not between 16 and 8192");
  }
  if (options.linger < options.linger.zero() || options.linger > std::chrono::hours{1}) {
    refuse("linger is " + std::to_string(options.linger.count()) + " ns, not between 0 and 1 h");
  }
}

}  // namespace detail
}  // namespace xofn
