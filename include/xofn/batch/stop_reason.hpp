// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace xofn {

/// Why a batch left items unrun, or took no more.
enum class StopReason : std::uint8_t {
  none,       ///< it did not: each item was run
  cancelled,  ///< `cancel()`, a stop token, the end of its handle, or the batch that it ran under
  errors,     ///< its error policy
  deserted,   ///< its executor dropped it, and no thread was left to run it
};

[[nodiscard]] constexpr const char* to_string(StopReason reason) noexcept {
  switch (reason) {
    case StopReason::none:
      return "none";
    case StopReason::cancelled:
      return "cancelled";
    case StopReason::errors:
      return "errors";
    case StopReason::deserted:
      return "deserted";
  }
  return "unknown";
}

}  // namespace xofn
