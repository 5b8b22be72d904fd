// SPDX-License-Identifier: MIT
// Not API: what is to be done at certain times.
#pragma once

#include <xofn/sync.hpp>

namespace xofn::detail {

/// What a helper thread of a batch does at certain times, or a waiting thread if there is no helper
/// thread to be had.
template <class Sync = StdSync>
class TimedWork {
 public:
  /// Does what is due. Returns when to come back at the latest. Several threads may be at it.
  virtual typename Sync::clock::time_point serve() = 0;

 protected:
  ~TimedWork() = default;
};

}  // namespace xofn::detail
