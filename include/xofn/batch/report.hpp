// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>
#include <xofn/batch/failure.hpp>
#include <xofn/batch/outcome_list.hpp>
#include <xofn/batch/results.hpp>
#include <xofn/batch/stop_reason.hpp>
#include <xofn/delivery/callback_error.hpp>
#include <xofn/delivery/progress.hpp>

namespace xofn {

/// What became of a batch: one outcome an item, in the order of submission, and every failure.
///
/// A report is a handle on the batch's storage: copies share it, and outcomes may be moved from
/// through any of them. One thread at a time may write there; reading is free.
///
///     BatchReport<Clip> report = processor.run(videos, render);
///     for (const Failure& f : report.failures()) std::cerr << f.index << ": " << f.what() << '\n';
///     for (Clip& clip : report.values()) play(clip);
template <class Result>
class BatchReport {
 public:
  BatchReport(std::shared_ptr<detail::Results<Result>> results, const Progress& progress,
              CallbackError callback_error, std::exception_ptr range_error,
              StopReason stop_reason) noexcept
      : results_(std::move(results)),
        progress_(progress),
        callback_error_(std::move(callback_error)),
        range_error_(std::move(range_error)),
        stop_reason_(stop_reason) {}

  /// The final state.
  [[nodiscard]] const Progress& progress() const noexcept { return progress_; }

  /// What became of each item, in the order of submission.
  [[nodiscard]] OutcomeList<Result> outcomes() const noexcept {
    return OutcomeList<Result>(results_);
  }

  /// The results of the items that succeeded, in the order of submission.
  [[nodiscard]] ValueList<Result> values() const& noexcept requires(!std::is_void_v<Result>) {
    return ValueList<Result>(results_);
  }

  /// The same, moved out of a report that nobody needs any more.
  [[nodiscard]] std::vector<Result> values() && requires(!std::is_void_v<Result>) {
    std::vector<Result> values;
    for (Result& value : ValueList<Result>(results_)) values.push_back(std::move(value));
    return values;
  }

  /// How often item `i`, which must be below `progress().total`, was begun: 1 unless it was tried
  /// again, 0 if it was cancelled before.
  [[nodiscard]] std::uint32_t attempts(std::uint64_t i) const noexcept {
    return results_->attempts(i);
  }

  /// Every failed item, in the order of submission. Lives as long as the report's storage.
  [[nodiscard]] const std::vector<Failure>& failures() const& noexcept {
    return results_->failures();
  }
  [[nodiscard]] std::vector<Failure> failures() && { return results_->failures(); }

  /// Whether all that the range held was run, and succeeded.
  [[nodiscard]] bool all_succeeded() const noexcept {
    return progress_.succeeded == progress_.total && range_error_ == nullptr &&
           stop_reason_ == StopReason::none;
  }

  /// Throws what the first failed item in the order of submission threw, else what the range threw.
  /// Cancelled items are no failure.
  void throw_if_failed() const {
    if (!failures().empty()) std::rethrow_exception(failures().front().exception);
    if (range_error_ != nullptr) std::rethrow_exception(range_error_);
  }

  /// Why items were cancelled, the range was not read to its end, or an open batch ended without
  /// having been closed; `none` as well if those that were cancelled wanted it so themselves.
  [[nodiscard]] StopReason stop_reason() const noexcept { return stop_reason_; }

  /// What callbacks threw: the first exception, and how many.
  [[nodiscard]] const CallbackError& callback_error() const noexcept { return callback_error_; }

  /// What the range threw while it was read, which ended it there; null if nothing.
  [[nodiscard]] const std::exception_ptr& range_error() const noexcept { return range_error_; }

 private:
  std::shared_ptr<detail::Results<Result>> results_;
  Progress progress_;
  CallbackError callback_error_;
  std::exception_ptr range_error_;
  StopReason stop_reason_;
};

}  // namespace xofn
