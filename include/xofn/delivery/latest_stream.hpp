// SPDX-License-Identifier: MIT
// Not API: the state of callbacks that are told the latest state.
#pragma once

#include <algorithm>
#include <chrono>
#include <vector>
#include <xofn/delivery/delivery.hpp>
#include <xofn/delivery/progress.hpp>
#include <xofn/delivery/progress_callback.hpp>
#include <xofn/delivery/snapshot.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// Callbacks of equal delivery: told the state at the start, then what has changed at most once an
/// interval, or what has not at the next heartbeat, then the final state at once. Used by one
/// thread at a time.
template <class Sync = StdSync>
class LatestStream {
 public:
  using time_point = typename Sync::clock::time_point;

  LatestStream(const Delivery& delivery, const Progress& start)
      : delivery_(delivery), told_(start) {}

  void add(ProgressCallback& callback) { callbacks_.push_back(&callback); }

  [[nodiscard]] const Delivery& delivery() const noexcept { return delivery_; }
  [[nodiscard]] bool ended() const noexcept { return ended_; }

  /// Tells `now` if that is due. Returns when to come back at the latest.
  time_point poll(const Progress& now, ErrorSink& errors) {
    if (ended_) return time_point::max();
    if (!started_) {
      started_ = true;
      if (!is_final(told_)) tell(told_, errors);
    }
    if (is_final(now)) {
      ended_ = true;
      tell(now, errors);
      return time_point::max();
    }
    const time_point moment = Sync::clock::now();
    if (moment < due_) return due_;
    const Progress visible = untold(now);
    if (!differs(visible, told_) && moment < heartbeat_) {
      return rests(now) ? heartbeat_ : std::min(heartbeat_, after(moment, delivery_.interval()));
    }
    tell(visible, errors);
    return due_;
  }

 private:
  /// Whether what is told of a change is another.
  [[nodiscard]] static bool differs(const Progress& a, const Progress& b) noexcept {
    return a.completed() != b.completed() || a.total != b.total || a.state != b.state ||
           a.total_is_final != b.total_is_final || a.weight_completed != b.weight_completed ||
           a.weight_total != b.weight_total;
  }

  /// Whether nothing changes before whoever resumes, cancels, or settles a last item has the stream
  /// polled again.
  [[nodiscard]] static bool rests(const Progress& now) noexcept {
    return now.state == BatchState::paused && now.running == 0 && now.total_is_final;
  }

  void tell(const Progress& now, ErrorSink& errors) {
    told_ = now;
    for (ProgressCallback* callback : callbacks_) callback->tell(told_, errors);
    const time_point moment = Sync::clock::now();
    due_ = after(moment, delivery_.interval());
    if (delivery_.period() != delivery_.period().zero()) {
      heartbeat_ = after(moment, delivery_.period());
    }
  }

  /// A time later, or the end of time.
  [[nodiscard]] static time_point after(time_point moment, std::chrono::nanoseconds time) noexcept {
    return time_point::max() - moment > time ? moment + time : time_point::max();
  }

  Delivery delivery_;
  std::vector<ProgressCallback*> callbacks_;
  Progress told_;
  time_point due_{};
  time_point heartbeat_ = time_point::max();
  bool started_ = false;
  bool ended_ = false;
};

/// Streams of several deliveries, told by one thread at a time.
template <class Sync = StdSync>
class LatestStreams {
 public:
  using time_point = typename LatestStream<Sync>::time_point;

  void add(const Subscription& subscription, const Progress& start) {
    const Delivery& delivery = subscription.delivery;
    auto stream = std::find_if(streams_.begin(), streams_.end(),
                               [&](const auto& s) { return s.delivery() == delivery; });
    if (stream == streams_.end()) stream = streams_.emplace(stream, delivery, start);
    stream->add(*subscription.callback);
  }

  [[nodiscard]] bool empty() const noexcept { return streams_.empty(); }

  [[nodiscard]] bool ended() const noexcept {
    return std::all_of(streams_.begin(), streams_.end(), [](const auto& s) { return s.ended(); });
  }

  /// Tells what is due. Returns when to come back at the latest.
  time_point poll(const ProgressSource& source, ErrorSink& errors) {
    auto next = time_point::max();
    for (auto& stream : streams_) next = std::min(next, stream.poll(source.snapshot(), errors));
    return next;
  }

 private:
  std::vector<LatestStream<Sync>> streams_;
};

}  // namespace xofn::detail
