// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>

namespace support {

#if defined(__SANITIZE_THREAD__)
inline constexpr bool thread_sanitizer = true;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
inline constexpr bool thread_sanitizer = true;
#else
inline constexpr bool thread_sanitizer = false;
#endif
#else
inline constexpr bool thread_sanitizer = false;
#endif

/// `n` rounds of something, a tenth of them where the thread sanitizer makes each ten times slower.
constexpr int rounds(int n) { return thread_sanitizer ? std::max(1, n / 10) : n; }

/// Whether a wait that must end did not. What is wrong once is often wrong a hundred times.
inline std::atomic<bool> lost_patience{false};

/// How long a wait that must end is given before it counts as one that never does. No test passes
/// by being faster than this; the first that fails takes this long.
inline std::chrono::steady_clock::duration patience() {
  if (lost_patience.load(std::memory_order_relaxed)) return std::chrono::milliseconds{500};
  return std::chrono::seconds{thread_sanitizer ? 60 : 20};
}

}  // namespace support
