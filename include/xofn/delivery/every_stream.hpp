// SPDX-License-Identifier: MIT
// Not API: the state of callbacks that are told every step.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>
#include <xofn/delivery/progress.hpp>
#include <xofn/delivery/progress_callback.hpp>
#include <xofn/delivery/snapshot.hpp>
#include <xofn/delivery/step_weights.hpp>
#include <xofn/delivery/told_state.hpp>

namespace xofn::detail {

/// Callbacks that are told X = 1, 2, ... one after the other; used by one thread at a time.
class EveryStream {
 public:
  void add(ProgressCallback& callback) { callbacks_.push_back(&callback); }

  [[nodiscard]] bool empty() const noexcept { return callbacks_.empty(); }
  [[nodiscard]] bool ended() const noexcept { return ended_; }
  [[nodiscard]] const Progress& told() const noexcept { return told_.state; }

  /// Tells every step up to `now`, and the final state if that is one.
  void advance(const Progress& now, ErrorSink& errors) {
    if (ended_) return;
    begin(now);
    std::uint64_t succeeded = now.succeeded - told().succeeded;
    std::uint64_t failed = now.failed - told().failed;
    const std::uint64_t held = held_back(now);
    const std::uint64_t held_failed = std::min(failed, held);
    failed -= held_failed;
    succeeded -= std::min(succeeded, held - held_failed);
    tell(succeeded, failed, errors);
    if (held == 0) end(now, errors);
  }

  /// Has the newest item told as it settles. If it turns out to be the last, one call more carries
  /// the final state.
  void tell_newest_at_once() noexcept { newest_waits_ = false; }

  /// Whether step `x` must wait: it may be the last, whose call carries the final state.
  [[nodiscard]] bool holds_back(const Progress& now, std::uint64_t x) const noexcept {
    return newest_waits_ && !now.total_is_final && x == now.total;
  }

  /// Takes what steps weigh from `weights`: advance() tells no others.
  void weigh_by(const StepWeights& weights) noexcept { weights_ = &weights; }

  /// To be called before the snapshot is taken that advance() gets.
  void look() noexcept {
    if (weights_ != nullptr) known_ = weights_->known();
  }

  /// Takes over what is the same for all the steps up to `now`.
  void begin(const Progress& now) noexcept { told_.begin(now); }

  /// Takes one step, of an item of this weight, without telling it; `tell_step` does that.
  void step(std::uint64_t Progress::*settled, std::uint64_t weight = 0) noexcept {
    told_.step(settled, weight);
  }

  void tell_step(ErrorSink& errors) {
    for (ProgressCallback* callback : callbacks_) callback->tell(told(), errors);
  }

  /// Makes the one call more of a batch that ends short of N/N, or with N = 0, or when the step to
  /// N/N has been told. True if it did.
  bool end(const Progress& now, ErrorSink& errors) {
    if (ended_ || !is_final(now)) return false;
    ended_ = true;
    if (told().state == BatchState::finished) return false;
    const auto elapsed = std::max(told().elapsed, now.elapsed);
    told_.state = now;
    told_.state.elapsed = elapsed;
    tell_step(errors);
    return true;
  }

 private:
  /// How many steps must wait.
  [[nodiscard]] std::uint64_t held_back(const Progress& now) const noexcept {
    const std::uint64_t x = now.completed();
    const std::uint64_t unknown = weights_ == nullptr ? 0 : x - std::min(x, known_);
    return std::max<std::uint64_t>(unknown, holds_back(now, x) ? 1 : 0);
  }

  void tell(std::uint64_t succeeded, std::uint64_t failed, ErrorSink& errors) {
    if (callbacks_.size() == 1 && weights_ == nullptr) {
      callbacks_.front()->tell_steps(told_.state, succeeded, failed, errors);
      return;
    }
    const auto tell_all = [&](std::uint64_t steps, std::uint64_t Progress::*settled) {
      for (; steps != 0; --steps) {
        step(settled);
        if (weights_ != nullptr) {
          told_.state.weight_completed = weights_->of_first(told().completed());
        }
        tell_step(errors);
      }
    };
    tell_all(succeeded, &Progress::succeeded);
    tell_all(failed, &Progress::failed);
  }

  std::vector<ProgressCallback*> callbacks_;
  ToldState told_;
  const StepWeights* weights_ = nullptr;
  std::uint64_t known_ = 0;  // of how many steps there is a weight
  bool newest_waits_ = true;
  bool ended_ = false;
};

}  // namespace xofn::detail
