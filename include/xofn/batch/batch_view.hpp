// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>
#include <xofn/batch/batch_window.hpp>
#include <xofn/batch/failure.hpp>
#include <xofn/delivery/progress.hpp>
#include <xofn/sync.hpp>

namespace xofn {

/// A batch that somebody watches, and may steer, who does not own it.
///
/// It comes from `Batch::view()`, while the batch runs or later. It may be copied, and outlives the
/// batch: then it shows the last state and the failures, and keeps nothing else of it. All calls
/// may come from any thread, at any time, and cost the batch nothing but that its figures are read.
///
/// It guarantees what `Batch::progress()` does: in each snapshot the figures add up, and for one
/// reader no figure of settled items ever falls.
///
///     BatchView view = batch.view();
///     std::thread([view] { while (!view.ended()) show(view.progress()); });
template <class Sync = StdSync>
class BasicBatchView {
 public:
  /// For a batch.
  explicit BasicBatchView(std::shared_ptr<const detail::BatchWindow<Sync>> window) noexcept
      : window_(std::move(window)) {}

  /// The state now, or the last one.
  ///
  /// Memory ordering: what the items did that are counted as settled is visible to the caller.
  [[nodiscard]] Progress progress() const { return window_->progress(); }

  /// Whether all items have settled and no more can come: the state will not change any more.
  /// Callbacks may still be told it.
  [[nodiscard]] bool ended() const {
    const Progress now = progress();
    return now.total_is_final && now.remaining() == 0;
  }

  /// The failures so far, also while the batch runs, in the order in which the items failed: from
  /// the `first` on, at most `most`. There are at least as many as a snapshot from before has
  /// counted. Items that are to be tried again have not failed.
  [[nodiscard]] std::vector<Failure> failures(
      std::size_t first = 0, std::size_t most = std::numeric_limits<std::size_t>::max()) const {
    return window_->failures(first, most);
  }

  /// What the options call the batch.
  [[nodiscard]] const std::string& name() const noexcept { return window_->name(); }

  /// As the calls of `Batch` that are called so. They do nothing once the batch has ended.
  void pause() const { window_->crew().pause(); }
  void resume() const { window_->crew().resume(); }
  void cancel() const { window_->crew().cancel(); }

 private:
  std::shared_ptr<const detail::BatchWindow<Sync>> window_;
};

using BatchView = BasicBatchView<>;

}  // namespace xofn
