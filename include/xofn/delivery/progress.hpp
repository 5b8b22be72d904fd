// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <ostream>
#include <string>
#include <type_traits>

namespace xofn {

/// Where a batch is. `finished` and `cancelled` are final: nothing changes after them.
enum class BatchState : std::uint8_t {
  running,
  paused,
  finished,   ///< all items have settled and none was cancelled
  cancelled,  ///< at least one item was cancelled
};

[[nodiscard]] constexpr const char* to_string(BatchState state) noexcept {
  switch (state) {
    case BatchState::running:
      return "running";
    case BatchState::paused:
      return "paused";
    case BatchState::finished:
      return "finished";
    case BatchState::cancelled:
      return "cancelled";
  }
  return "unknown";
}

/// One consistent snapshot of a batch: X of N.
///
/// In every snapshot `succeeded + failed + cancelled + running + queued() == total` and
/// `completed() <= total`. A callback gets the state that it is told: items that have settled but
/// have not been told yet are counted there as running.
struct Progress {
  std::uint64_t total = 0;  ///< N, as far as it is known
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  std::uint64_t cancelled = 0;  ///< items that will never start
  std::uint64_t running = 0;
  bool total_is_final = true;  ///< false while more items may be added
  BatchState state = BatchState::running;
  std::chrono::nanoseconds elapsed{0};  ///< since the start, standing still once the state is final
  std::uint64_t retried = 0;  ///< how often items that failed were queued again: see RetryPolicy

  // Where the items are weighed: what stands beside X and N; else 0.
  /// Of the completed items. Where the newest state is shown also what running items have reported,
  /// and cancelled ones had. No more than `weight_total`, and equal to it at a final N/N.
  std::uint64_t weight_completed = 0;
  std::uint64_t weight_total = 0;  ///< of all N items

  /// X: an item that failed has been completed too.
  [[nodiscard]] constexpr std::uint64_t completed() const noexcept { return succeeded + failed; }

  /// Items that have not started, and those that are to be tried again.
  [[nodiscard]] constexpr std::uint64_t queued() const noexcept {
    return total - completed() - cancelled - running;
  }

  /// Items that may still complete.
  [[nodiscard]] constexpr std::uint64_t remaining() const noexcept {
    return total - completed() - cancelled;
  }

  /// X/N in [0, 1]; of an empty total 1 when that is final, else 0.
  [[nodiscard]] constexpr double fraction() const noexcept {
    if (total == 0) return total_is_final ? 1.0 : 0.0;
    return static_cast<double>(completed()) / static_cast<double>(total);
  }

  /// X/N in whole percent, rounded down; 100 only when X is N and N is final.
  [[nodiscard]] constexpr int percent() const noexcept {
    if (completed() >= total) return total_is_final ? 100 : (total == 0 ? 0 : 99);
    return percent_below(completed(), total);
  }

  friend constexpr bool operator==(const Progress&, const Progress&) = default;

 private:
  /// floor(100 * x / n) for x < n, by binary long multiplication: no product that could overflow.
  static constexpr int percent_below(std::uint64_t x, std::uint64_t n) noexcept {
    int quotient = 0;
    std::uint64_t remainder = 0;
    const auto add = [&](std::uint64_t term) {  // remainder + term, for two numbers below n
      const bool wraps = remainder >= n - term;
      remainder = wraps ? remainder - (n - term) : remainder + term;
      quotient += wraps ? 1 : 0;
    };
    for (int bit = 64; bit != 0; bit /= 2) {
      quotient *= 2;
      add(remainder);
      if ((100 & bit) != 0) add(x);
    }
    return quotient;
  }
};

static_assert(std::is_aggregate_v<Progress> && std::is_trivially_copyable_v<Progress>);

/// "X/N", such as "3/10".
[[nodiscard]] inline std::string to_string(const Progress& progress) {
  return std::to_string(progress.completed()) + '/' + std::to_string(progress.total);
}

/// The same as one text, which fills the width of the stream and takes nothing else from it.
inline std::ostream& operator<<(std::ostream& out, const Progress& progress) {
  return out << to_string(progress);
}

}  // namespace xofn
