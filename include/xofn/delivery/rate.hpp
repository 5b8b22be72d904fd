// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>

namespace xofn {

/// How fast X rises, and how long the rest takes at that rate.
///
/// It has no thread and no clock: it is told X and the time since the start, and asked at such a
/// time. X was 0 at the start. Calls must not overlap.
///
/// The rate is an exponentially weighted average over time, of which an average of the same kind is
/// taken once more: a single step hardly moves it, and with each half-life, 10 s unless another is
/// given, what happened before it counts for less, after ten of them for nearly nothing. Each
/// average is divided by the weight that it has come to at its age, so that of a constant rate it
/// is that rate from the first on. How often it is told makes no difference.
///
/// While X stands still for longer than its last step took, the rate falls and the time left grows.
/// Time in which a batch is paused does not count. When X falls, a new batch has begun. A rate is
/// never negative, infinite or no number.
///
///     RateEstimator rate;
///     processor.on_progress([&](const Progress& p) {
///       rate.record(p.completed(), p.elapsed);
///       if (const auto left = rate.time_left(p.remaining(), p.elapsed)) show(*left);
///     }, Delivery::latest().at_least_every(1s));
class RateEstimator {
 public:
  static constexpr std::chrono::nanoseconds default_half_life = std::chrono::seconds{10};

  /// Throws std::invalid_argument for a half-life that is not positive.
  explicit RateEstimator(std::chrono::nanoseconds half_life = default_half_life)
      : half_life_(half_life) {
    if (half_life.count() <= 0) {
      throw std::invalid_argument("xofn: RateEstimator: the half-life is not positive: " +
                                  std::to_string(half_life.count()) + " ns");
    }
  }

  /// X is `completed` when `elapsed` has passed since the start. Where no time has passed since the
  /// call before, or less than none, what X has risen by counts for the time until the next call.
  void record(std::uint64_t completed, std::chrono::nanoseconds elapsed) {
    if (completed < latest_) begin_anew(completed, elapsed);
    latest_ = completed;
    const double seconds = since_rise(elapsed);
    if (completed == risen_to_ || seconds <= 0) return;
    last_step_ = static_cast<double>(completed - risen_to_);
    averages_ = averages_.after(seconds, last_step_ / seconds, half_life_seconds());
    risen_to_ = completed;
    risen_at_ = active(elapsed);
  }

  /// From `elapsed` on no time counts, until `resume`. Of two in a row the first counts.
  void pause(std::chrono::nanoseconds elapsed) {
    if (!paused_since_) paused_since_ = std::max(elapsed, risen_at_ + paused_for_);
  }

  /// Time counts again. Without a `pause` before it, it does nothing.
  void resume(std::chrono::nanoseconds elapsed) {
    if (!paused_since_) return;
    paused_for_ += std::max(elapsed - *paused_since_, std::chrono::nanoseconds{0});
    paused_since_.reset();
  }

  /// What X rises by in a second; none before it has risen.
  [[nodiscard]] std::optional<double> per_second(std::chrono::nanoseconds elapsed) const {
    if (averages_.is_empty()) return std::nullopt;
    const double known = averages_.twice();
    const double seconds = since_rise(elapsed);
    if (seconds <= 0) return known;
    // X has risen by less than a step in this time: it has been no faster than this.
    const double step = std::max(last_step_, static_cast<double>(latest_ - risen_to_));
    const double at_most = std::min(averages_.once(), step / seconds);
    return std::min(known, averages_.after(seconds, at_most, half_life_seconds()).twice());
  }

  /// How long `remaining` more take; none while that is unknown, and where it is more than 292
  /// years.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> time_left(
      std::uint64_t remaining, std::chrono::nanoseconds elapsed) const {
    if (remaining == 0) return std::chrono::nanoseconds{0};
    const std::optional<double> rate = per_second(elapsed);
    if (!rate || *rate <= 0) return std::nullopt;
    const double left = static_cast<double>(remaining) / *rate * 1e9;
    constexpr auto most = static_cast<double>(std::numeric_limits<std::int64_t>::max());
    if (!(left < most)) return std::nullopt;
    return std::chrono::nanoseconds{static_cast<std::int64_t>(left)};
  }

 private:
  /// The rate, averaged once and twice, each with the weight that it rests on: the average begins
  /// with nothing, not with a rate of 0.
  class Averages {
   public:
    /// When X has risen at a constant rate for so many seconds more. Whether that time is passed in
    /// one call or in several makes no difference.
    [[nodiscard]] Averages after(double seconds, double rate, double half_life) const {
      const double x = seconds / half_life * 0.6931471805599453;  // ln 2
      const double kept = std::exp(-x);
      const double once = -std::expm1(-x);
      const double handed_on = kept > 0 ? x * kept : 0;
      // 1 - (1 + x) / e^x, whose terms are nearly equal where x is small
      const double twice = x < 1e-3 ? x * x * (0.5 - x / 3 + x * x / 8) : once - handed_on;
      Averages next;
      next.once_ = once_ * kept + rate * once;
      next.once_weight_ = once_weight_ * kept + once;
      next.twice_ = twice_ * kept + once_ * handed_on + rate * twice;
      next.twice_weight_ = twice_weight_ * kept + once_weight_ * handed_on + twice;
      return next;
    }

    [[nodiscard]] bool is_empty() const noexcept { return twice_weight_ <= 0; }
    [[nodiscard]] double once() const noexcept { return once_ / once_weight_; }
    [[nodiscard]] double twice() const noexcept { return twice_ / twice_weight_; }

   private:
    double once_ = 0;
    double once_weight_ = 0;
    double twice_ = 0;
    double twice_weight_ = 0;
  };

  void begin_anew(std::uint64_t completed, std::chrono::nanoseconds elapsed) {
    const bool is_later = active(elapsed) >= risen_at_;
    *this = RateEstimator(half_life_);
    if (!is_later) return;
    risen_to_ = completed;
    risen_at_ = elapsed;
  }

  [[nodiscard]] double half_life_seconds() const {
    return std::chrono::duration<double>{half_life_}.count();
  }

  /// The part of a time since the start that counts.
  [[nodiscard]] std::chrono::nanoseconds active(std::chrono::nanoseconds elapsed) const {
    return (paused_since_ ? std::min(elapsed, *paused_since_) : elapsed) - paused_for_;
  }

  [[nodiscard]] double since_rise(std::chrono::nanoseconds elapsed) const {
    return std::chrono::duration<double>{active(elapsed) - risen_at_}.count();
  }

  std::chrono::nanoseconds half_life_;
  Averages averages_;                     ///< up to the last rise
  std::uint64_t latest_ = 0;              ///< X
  std::uint64_t risen_to_ = 0;            ///< X at the last rise that took time
  std::chrono::nanoseconds risen_at_{0};  ///< when that was, of the time that counts
  double last_step_ = 0;                  ///< by how much
  std::chrono::nanoseconds paused_for_{0};
  std::optional<std::chrono::nanoseconds> paused_since_;
};

}  // namespace xofn
