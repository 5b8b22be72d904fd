// SPDX-License-Identifier: MIT
// Not API: how long the items of a worker take.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// Times items that run one after the other: by the cheap counter each, by the clock all those
/// since it was started.
template <class Sync = StdSync>
class ItemTimer {
 public:
  using nanoseconds = std::chrono::nanoseconds;

  void start() noexcept {
    items_ = 0;
    begin_ = Sync::clock::now();
    before_ = begin_ticks_ = ticks_ = Sync::ticks();
  }

  /// An item has ended. Returns whether it may have taken a microsecond.
  bool lap() noexcept {
    ++items_;
    before_ = std::exchange(ticks_, Sync::ticks());
    return ticks_ - before_ >= Sync::least_ticks_in_a_microsecond;
  }

  /// The items since start().
  [[nodiscard]] std::uint64_t items() const noexcept { return items_; }

  /// How long they took, now that they are to be told.
  [[nodiscard]] nanoseconds time() const noexcept { return Sync::clock::now() - begin_; }

  /// How much of `time` was the last item's.
  [[nodiscard]] nanoseconds last(nanoseconds time) const noexcept {
    const auto all = static_cast<double>(std::max<std::uint64_t>(ticks_ - begin_ticks_, 1));
    const double share = static_cast<double>(ticks_ - before_) / all;
    return std::chrono::duration_cast<nanoseconds>(time * share);
  }

 private:
  std::uint64_t items_ = 0;
  typename Sync::clock::time_point begin_;
  std::uint64_t begin_ticks_ = 0;
  std::uint64_t before_ = 0;
  std::uint64_t ticks_ = 0;
};

}  // namespace xofn::detail
