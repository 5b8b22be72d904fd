// SPDX-License-Identifier: MIT
// Not API: a batch as its handle knows it.
#pragma once

#include <optional>
#include <xofn/batch/completed_item.hpp>
#include <xofn/batch/core.hpp>
#include <xofn/batch/report.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// A batch whose results are of a certain type.
template <class Result, class Sync = StdSync>
class BatchOf : public BatchCore<Sync> {
 public:
  using BatchCore<Sync>::BatchCore;

  /// The report of a batch that has ended.
  [[nodiscard]] virtual BatchReport<Result> report() const = 0;

  /// From now on the calling thread asks for completed items. Throws std::logic_error if another
  /// does, and std::system_error if it must not wait for this batch.
  virtual void begin_stream() = 0;
  virtual void end_stream() noexcept = 0;

  /// Makes `item` the next completed one, once there is one; empty once the batch has ended.
  virtual void next_completed(std::optional<CompletedItem<Result>>& item) = 0;
};

}  // namespace xofn::detail
