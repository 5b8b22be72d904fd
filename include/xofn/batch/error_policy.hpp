// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <xofn/delivery/progress.hpp>

namespace xofn {

/// How many failed items a batch bears before it cancels what has not started. Items that are
/// running then go on, and count.
///
///     BatchProcessor<Video> processor{{.on_error = ErrorPolicy::stop_after(3)}};
class ErrorPolicy {
 public:
  /// Failures stop nothing: all of them are in the report.
  [[nodiscard]] static constexpr ErrorPolicy collect_all() noexcept { return ErrorPolicy(0, 1, 0); }

  /// The first failed item stops the batch.
  [[nodiscard]] static constexpr ErrorPolicy stop_on_first() noexcept {
    return ErrorPolicy(1, 1, 0);
  }

  /// The `failures`-th failed item stops the batch. Throws std::invalid_argument for 0.
  [[nodiscard]] static ErrorPolicy stop_after(std::uint64_t failures) {
    if (failures == 0) throw std::invalid_argument("xofn: ErrorPolicy::stop_after: 0 failures");
    return ErrorPolicy(failures, 1, 0);
  }

  /// Stops the batch once at least `at_least` items have completed and more than `fraction` of them
  /// have failed. Throws std::invalid_argument unless 0 <= fraction < 1.
  [[nodiscard]] static ErrorPolicy stop_above(double fraction, std::uint64_t at_least = 1) {
    if (!(fraction >= 0 && fraction < 1)) {
      throw std::invalid_argument("xofn: ErrorPolicy::stop_above: a fraction of " +
                                  std::to_string(fraction) + ", not in [0, 1)");
    }
    return ErrorPolicy(0, fraction, at_least);
  }

  /// Whether a batch that stands like this is to be stopped.
  [[nodiscard]] bool stops(const Progress& now) const noexcept {
    if (failures_ != 0) return now.failed >= failures_;
    return now.completed() >= at_least_ &&
           static_cast<double>(now.failed) > fraction_ * static_cast<double>(now.completed());
  }

  /// Whether an item that has failed, or has succeeded, may be the one that stops a batch.
  [[nodiscard]] constexpr bool watches(bool has_failed) const noexcept {
    return has_failed ? failures_ != 0 || fraction_ < 1 : at_least_ > 1;
  }

  friend constexpr bool operator==(const ErrorPolicy&, const ErrorPolicy&) = default;

 private:
  constexpr ErrorPolicy(std::uint64_t failures, double fraction, std::uint64_t at_least) noexcept
      : failures_(failures), at_least_(at_least), fraction_(fraction) {}

  std::uint64_t failures_;  // 0: not limited
  std::uint64_t at_least_;
  double fraction_;  // 1: not limited
};

}  // namespace xofn
