// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <concepts>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <xofn/batch/batch_of.hpp>
#include <xofn/batch/batch_view.hpp>
#include <xofn/batch/completion_stream.hpp>
#include <xofn/batch/report.hpp>
#include <xofn/delivery/activity.hpp>
#include <xofn/delivery/progress.hpp>
#include <xofn/sync.hpp>
#include <xofn/timeout.hpp>

namespace xofn {

/// A batch that has been started: a handle to watch, cancel and wait for it.
///
/// It owns its tasks and its handler. The executor that it runs on must live until it has ended; a
/// processor with threads of its own sees to that. All calls but moving may come from any thread,
/// and from the batch's own callbacks and tasks unless said otherwise. A handle that has been moved
/// from may only be destroyed or assigned to.
///
/// The destructor cancels the batch, waits for it, and tells what is pending. From the batch's own
/// callbacks and tasks it cannot wait: there it cancels, and the batch ends by itself.
///
///     Batch<Clip> batch = processor.start(std::move(videos), render);
///     while (!impatient()) show(batch.progress());
///     batch.cancel();
///     BatchReport<Clip> report = batch.wait();
template <class Result, class Sync = StdSync>
class Batch {
 public:
  /// For a processor.
  explicit Batch(std::shared_ptr<detail::BatchOf<Result, Sync>> batch) noexcept
      : batch_(std::move(batch)) {}

  Batch(Batch&&) noexcept = default;
  Batch& operator=(Batch&& other) noexcept {
    if (this != &other) {
      end();
      batch_ = std::move(other.batch_);
    }
    return *this;
  }
  ~Batch() { end(); }

  /// The state now, without a lock. X is never behind a call that a callback has had.
  [[nodiscard]] Progress progress() const noexcept { return batch_->progress(); }

  /// Something to watch and steer the batch by, for whoever does not own it. It outlives the batch.
  [[nodiscard]] BasicBatchView<Sync> view() const { return BasicBatchView<Sync>(batch_->window()); }

  /// Settles all items that have not started as cancelled, also those of batches that running items
  /// run. Running items see `stop_requested()`, and count as what they end as. When it returns,
  /// each worker may start at most the one item that it was about to. Does nothing once all have
  /// started. The callbacks are told on the executor's threads or on one that waits; where the
  /// executor has none to give, before this returns.
  void cancel() { batch_->cancel(); }

  /// From now until `resume()` no item starts; running ones go on, and count as they settle.
  /// Threads that have nothing to do are given back. When it returns, each worker may start at most
  /// the one item that it was about to. Also from callbacks and tasks; paused twice is paused once.
  /// Once all have started it holds nothing back, and is only shown as the state until the end.
  /// `cancel()` and the destructor end a paused batch as well.
  void pause() { batch_->pause(); }

  /// Goes on with a paused batch; does nothing to another.
  void resume() { batch_->resume(); }

  /// Returns once the final state has been told and every callback has returned; tells
  /// `on_caller()` callbacks meanwhile. Any number of times. Called from a task, or a thread of the
  /// executor, it works on this batch's items. From this batch's own tasks and callbacks, and from
  /// those of batches under it, it throws std::system_error (resource_deadlock_would_occur).
  ///
  /// Memory ordering: what the tasks and callbacks did is visible to the caller afterwards.
  BatchReport<Result> wait() {
    const auto batch = batch_;  // a callback that is told here may destroy the handle
    batch->wait();
    return batch->report();
  }

  /// The same for at most this long, and not at all for what is no time; returns whether the batch
  /// has ended. A thread that works on the batch meanwhile ends the item that it is at.
  template <class Rep, class Period>
  bool wait_for(std::chrono::duration<Rep, Period> timeout) {
    const auto batch = batch_;
    return batch->wait_until(Sync::clock::now() + detail::bounded(timeout));
  }

  /// The same until `deadline`, by any clock.
  template <class Clock, class Duration>
  bool wait_until(std::chrono::time_point<Clock, Duration> deadline) {
    return wait_for(detail::time_until(deadline));
  }

  /// The completed items, each once, as they complete or with Order::submission in that order. To
  /// be iterated over by one thread at a time, which gets each item when it is there, and blocks
  /// until then; the loop ends when the batch has, and all is told. Meanwhile the thread tells
  /// `on_caller()` callbacks, and works as one in `wait()` does, one run of items at a time; the
  /// workers go on while the loop's body runs.
  ///
  /// The loop may be left at any time: the batch goes on, and what has not come out yet comes out
  /// of the next stream, in the same order, also when the batch has ended. While there is a stream,
  /// a second is refused with std::logic_error. From the batch's own tasks and callbacks it is
  /// refused as `wait()` is. The stream must end before the batch is destroyed.
  ///
  /// So that it may begin late, a started batch writes down what has completed: for each item, or
  /// each run of short items of some 2 us together, 48 bytes and one exchange.
  ///
  /// Memory ordering: what an item did is visible to the thread that gets it.
  ///
  ///     for (CompletedItem<Clip>& done : batch.completions()) {
  ///       std::cout << done.progress << '\n';
  ///       if (done.outcome.succeeded()) play(std::move(done.outcome.value()));
  ///     }
  [[nodiscard]] CompletionStream<Result, Sync> completions() & {
    return CompletionStream<Result, Sync>(*batch_);
  }

  template <class R = Result>
  void completions() && {
    static_assert(!std::same_as<R, R>,
                  "xofn: this batch would end before its stream: give it a name, and write "
                  "batch.completions()");
  }

  /// What the options call it.
  [[nodiscard]] const std::string& name() const noexcept { return batch_->name(); }

  /// Tells `on_caller()` callbacks what is pending, and returns.
  void pump() {
    const auto batch = batch_;
    batch->pump();
  }

 private:
  void end() noexcept {
    if (batch_ == nullptr) return;
    if (!batch_->ended()) {
      batch_->cancel();
      if (detail::Inside<Sync>::runs_under(batch_->activity())) return leave_to_itself();
      batch_->wait();
    }
    batch_->close_window();
    batch_.reset();
  }

  /// A thread of its own sees the batch to its end, since this one cannot; or, if there is none to
  /// be had, the destructor of the processor, which waits for that in any case.
  void leave_to_itself() noexcept {
    batch_->linger();
    try {
      typename Sync::thread([batch = batch_]() mutable {
        batch->wait();
        batch->close_window();
        batch.reset();
      }).detach();
    } catch (const std::system_error&) {
      batch_->leave_to_processor(batch_);
    }
    batch_.reset();
  }

  std::shared_ptr<detail::BatchOf<Result, Sync>> batch_;
};

}  // namespace xofn
