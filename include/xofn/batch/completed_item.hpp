// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <type_traits>
#include <xofn/batch/outcome.hpp>
#include <xofn/delivery/progress.hpp>

namespace xofn {

/// One completed item, as it comes out of `Batch::completions()`. It succeeded or failed: cancelled
/// items do not come.
template <class Result>
struct CompletedItem {
  /// The state as far as it has come out of the stream: this item is the X-th, in whatever order.
  /// Items that have completed and are still to come are running here. The last one's state is
  /// `finished` if it makes a final N/N.
  Progress progress;

  std::uint64_t index;  ///< the item's place in the order of submission, from 0

  /// What became of it. Of a result it is the one in the report: it may be moved from, and then is
  /// moved from there too.
  std::conditional_t<std::is_void_v<Result>, Outcome<void>, Outcome<Result>&> outcome;

  std::uint32_t attempts;  ///< how often it was begun

  /// How long the last attempt took; a mean of items well below 1 us, and of what was run together
  /// with such before anyone was waiting for it.
  std::chrono::nanoseconds duration;
};

}  // namespace xofn
