// SPDX-License-Identifier: MIT
// Not API: what one bar knows of its batch, and says of it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <xofn/console/bar_facts.hpp>
#include <xofn/console/line.hpp>
#include <xofn/console/progress_bar_options.hpp>
#include <xofn/console/receipt.hpp>
#include <xofn/console/text.hpp>
#include <xofn/delivery/progress.hpp>
#include <xofn/delivery/rate.hpp>

namespace xofn::detail {

/// Takes the snapshots of one batch after the other, and makes a line of the newest.
class BarText {
 public:
  BarText(std::string_view label, BarUnit unit) : label_(printable(label)), unit_(unit) {}

  /// The next snapshot; after a final one, of a new batch. `item`: the longest running one.
  void take(const Progress& progress, std::string_view item = {}) {
    if (has_taken() && has_ended()) *this = BarText(std::move(label_), unit_);
    is_growing_ = !progress.total_is_final && (is_growing_ || progress.total == 0 ||
                                               (newest_ && newest_->total != progress.total));
    if (newest_ && is_weighed(*newest_) != is_weighed(progress)) rate_ = RateEstimator{};
    newest_ = progress;
    item_ = printable(item);
    if (progress.state != BatchState::paused) rate_.resume(progress.elapsed);
    rate_.record(is_weighed(progress) ? progress.weight_completed : progress.completed(),
                 progress.elapsed);
    if (progress.state == BatchState::paused) rate_.pause(progress.elapsed);
  }

  [[nodiscard]] bool has_taken() const noexcept { return newest_.has_value(); }
  [[nodiscard]] bool has_ended() const noexcept { return detail::has_ended(*newest_); }
  [[nodiscard]] bool is_growing() const noexcept { return is_growing_; }
  [[nodiscard]] const Progress& newest() const noexcept { return *newest_; }

  /// In at most `room` cells, if one is given; then with a bar.
  [[nodiscard]] std::string line(std::optional<std::size_t> room, bool is_coloured) const {
    const Progress& progress = *newest_;
    const BarFacts facts{
        label_, unit_, is_growing_, rate_.per_second(progress.elapsed), time_left(progress), item_};
    return has_ended() ? receipt_text(progress, facts, room, is_coloured)
                       : line_text(progress, facts, room, is_coloured);
  }

 private:
  /// Of weights none once items are cancelled: nobody knows what those weigh.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> time_left(const Progress& progress) const {
    if (progress.state != BatchState::running) return std::nullopt;
    if (!is_weighed(progress)) return rate_.time_left(progress.remaining(), progress.elapsed);
    if (progress.cancelled > 0) return std::nullopt;
    return rate_.time_left(progress.weight_total - progress.weight_completed, progress.elapsed);
  }

  std::string label_;
  BarUnit unit_;
  bool is_growing_ = false;
  RateEstimator rate_;
  std::optional<Progress> newest_;
  std::string item_;
};

}  // namespace xofn::detail
