// SPDX-License-Identifier: MIT
// Not API: the callbacks that a helper thread tells.
#pragma once

#include <optional>
#include <xofn/delivery/activity.hpp>
#include <xofn/delivery/latest_stream.hpp>
#include <xofn/delivery/progress_callback.hpp>
#include <xofn/delivery/snapshot.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// The `latest()` callbacks of one batch or tracker.
template <class Sync = StdSync>
class HelperDelivery {
 public:
  using time_point = typename LatestStreams<Sync>::time_point;

  void add(const Subscription& subscription, const Progress& start) {
    streams_.add(subscription, start);
  }

  [[nodiscard]] bool any() const noexcept { return !streams_.empty(); }

  /// From now on there is something to tell. Whether that is news. From any thread.
  bool begin() { return any() && !begun_.load() && !begun_.exchange(true); }

  /// Tells what is due. Returns when to come back at the latest; nothing when all is told. From one
  /// thread at a time.
  std::optional<time_point> poll(const ProgressSource& source, Activity<Sync>& activity,
                                 ErrorSink& errors) {
    if (!begun_.load()) return time_point::max();
    const Inside<Sync> inside(activity, UserCode::callback);
    const time_point next = streams_.poll(source, errors);
    return streams_.ended() ? std::nullopt : std::optional{next};
  }

 private:
  LatestStreams<Sync> streams_;
  typename Sync::template atomic<bool> begun_{false};
};

}  // namespace xofn::detail
