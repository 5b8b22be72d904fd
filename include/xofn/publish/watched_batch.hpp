// SPDX-License-Identifier: MIT
// Not API: a batch as it is published.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <xofn/batch/batch_view.hpp>
#include <xofn/batch/failure.hpp>
#include <xofn/delivery/progress.hpp>
#include <xofn/delivery/rate.hpp>
#include <xofn/delivery/snapshot.hpp>
#include <xofn/publish/cut_text.hpp>
#include <xofn/publish/progress_json.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// What is published of a batch at one time.
using Published = std::shared_ptr<const nlohmann::json>;

/// Looks at a batch, and says when it is another than before. Not to be used by two threads at
/// once.
template <class Sync = StdSync>
class WatchedBatch {
 public:
  /// So many failures are listed, the first ones, with so much of each text.
  static constexpr std::size_t most_failures = 50;
  static constexpr std::size_t most_text = 300;

  /// `id` is another for each batch, whatever it is called.
  WatchedBatch(std::string name, std::uint64_t id, BasicBatchView<Sync> view)
      : name_(std::move(name)), id_(id), view_(std::move(view)) {}

  [[nodiscard]] const BasicBatchView<Sync>& view() const noexcept { return view_; }

  /// Whether the last look has seen the end.
  [[nodiscard]] bool has_ended() const noexcept { return shown_ && is_final(*shown_); }

  /// The state, if there is something new: figures, or while it runs a second that has passed.
  /// Calls `what()` of the user's exceptions.
  [[nodiscard]] Published look() {
    const Progress now = view_.progress();
    if (shown_ && !is_news(now)) return nullptr;
    take(now);
    shown_ = now;
    return std::make_shared<const nlohmann::json>(as_json(now));
  }

 private:
  [[nodiscard]] bool is_news(const Progress& now) const {
    Progress then = *shown_;
    const bool is_due = now.elapsed - then.elapsed >= std::chrono::seconds{1};
    then.elapsed = now.elapsed;
    return is_due || !(then == now);
  }

  [[nodiscard]] static bool is_weighed(const Progress& now) noexcept {
    return now.weight_total > 0;
  }
  [[nodiscard]] static std::uint64_t amount(const Progress& now) noexcept {
    return is_weighed(now) ? now.weight_completed : now.completed();
  }

  void take(const Progress& now) {
    if (shown_ && is_weighed(*shown_) != is_weighed(now)) rate_ = RateEstimator{};
    if (now.state != BatchState::paused) rate_.resume(now.elapsed);
    rate_.record(amount(now), now.elapsed);
    if (now.state == BatchState::paused) rate_.pause(now.elapsed);
    const std::size_t listed = failures_.size();
    const auto wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(now.failed, most_failures));
    if (listed >= wanted) return;
    for (const Failure& failure : view_.failures(listed, wanted - listed)) {
      failures_.push_back({{"index", failure.index},
                           {"what", cut_to(failure.what(), most_text)},
                           {"attempts", failure.attempts}});
    }
  }

  [[nodiscard]] nlohmann::json as_json(const Progress& now) const {
    nlohmann::json json = progress_json(name_, now);
    json.update({{"id", id_},
                 {"ended", is_final(now)},
                 {"queued", now.queued()},
                 {"percent", now.percent()},
                 {"per_second", nullptr},
                 {"seconds_left", nullptr},
                 {"failures", failures_}});
    if (const auto rate = per_second(now)) json["per_second"] = *rate;
    if (const auto left = time_left(now)) json["seconds_left"] = seconds(*left);
    return json;
  }

  [[nodiscard]] static double seconds(std::chrono::nanoseconds time) {
    return std::chrono::duration<double>{time}.count();
  }

  /// Of the weights, where items have some; in the end the mean.
  [[nodiscard]] std::optional<double> per_second(const Progress& now) const {
    if (!is_final(now)) return rate_.per_second(now.elapsed);
    if (now.elapsed.count() <= 0 || amount(now) == 0) return std::nullopt;
    return static_cast<double>(amount(now)) / seconds(now.elapsed);
  }

  /// Unknown while N grows, and of weights once items are cancelled, since nobody knows theirs.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> time_left(const Progress& now) const {
    if (now.state != BatchState::running || !now.total_is_final) return std::nullopt;
    return rate_.time_left(
        is_weighed(now) ? now.weight_total - now.weight_completed : now.remaining(), now.elapsed);
  }

  const std::string name_;
  const std::uint64_t id_;
  const BasicBatchView<Sync> view_;
  RateEstimator rate_;
  std::optional<Progress> shown_;
  nlohmann::json failures_ = nlohmann::json::array();
};

}  // namespace xofn::detail
