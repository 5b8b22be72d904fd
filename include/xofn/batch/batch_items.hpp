// SPDX-License-Identifier: MIT
// Not API: what the engine of a batch asks of its items.
#pragma once

#include <chrono>
#include <cstdint>
#include <xofn/batch/item_run.hpp>
#include <xofn/batch/worker.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// The items of a batch, of whatever type they are, and what is kept of them.
template <class Sync = StdSync>
class BatchItems {
 protected:
  /// Runs what `worker` has claimed; returns how long the items took.
  virtual std::chrono::nanoseconds run_claimed(Worker<Sync>& worker) = 0;

  /// Whether the range could be read by one more worker.
  [[nodiscard]] virtual bool could_read() const noexcept = 0;

  /// Reads more of the range for about `budget`; false if there is no more, or another reads.
  virtual bool read_more(std::chrono::nanoseconds budget) = 0;

  /// The range ends here; if it is being read, where the reader stops.
  virtual void close_range() = 0;

  /// Keeps that these items will not run.
  virtual void keep_cancelled(ItemRun items) = 0;

  /// Tells what has settled.
  virtual void flush() = 0;

  /// Puts the results in order.
  virtual void keep_results() = 0;

  ~BatchItems() = default;
};

}  // namespace xofn::detail
