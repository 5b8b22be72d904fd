// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>
#include <xofn/batch/completion.hpp>
#include <xofn/batch/event_callback.hpp>
#include <xofn/batch/failed_attempt.hpp>
#include <xofn/batch/listeners.hpp>
#include <xofn/batch/start.hpp>
#include <xofn/batch/weigher.hpp>
#include <xofn/delivery/delivery.hpp>
#include <xofn/delivery/progress_callback.hpp>
#include <xofn/sync.hpp>

namespace xofn {

/// Whom a `BatchProcessor` tells, and what it asks of its tasks, for all the batches that it runs
/// from then on. Part of it: each call returns the processor, so that they can be chained.
/// Callbacks may be move-only. Not to be called by several threads at once.
template <class Processor, class Task, class Sync>
class BatchSettings {
 public:
  /// Registers `callback(const Progress&)`, told as `delivery` says. Several are allowed. Throws
  /// std::logic_error while a batch runs.
  template <class F>
  Processor& on_progress(F&& callback, Delivery delivery = Delivery::every()) {
    listeners_->occupancy.check_free();
    listeners_->progress.push_back(detail::make_subscription(std::forward<F>(callback), delivery));
    return self();
  }

  /// Registers `callback(const Completion<Task>&)`, called for each completed item: the k-th call
  /// says which item made X = k. In one stream with the callbacks told every step, before them. An
  /// item whose task could not be made from the range's element has no call.
  ///
  /// With Order::submission the k-th call is of the k-th item in the order of submission that was
  /// not cancelled. It comes before the callbacks told every step are called for the item that it
  /// had to wait for, and they then tell no lower X. Where that item was cancelled, it comes when
  /// another settles, or at the end.
  template <class F>
  Processor& on_completion(F&& callback) {
    static_assert(
        std::invocable<std::decay_t<F>&, const Completion<Task>&>,
        "xofn: on_completion: the callback is not callable with a const Completion<Task>&");
    return add(listeners_->completion, std::forward<F>(callback));
  }

  /// Registers `callback(const Start<Task>&)`, called for each attempt at an item when it begins:
  /// on the thread that runs the item, before the handler, when the item is counted as running. One
  /// call at a time, so that a slow callback holds the items up; what it takes is part of the
  /// item's time. It must not wait for another item, nor run a batch that needs a slot or memory
  /// which one has: that item may be waiting for the call to end. An item whose task could not be
  /// made from the range's element has no call, nor has one that fails with MemoryExceeded before
  /// anything of it is called. Throws std::logic_error while a batch runs.
  ///
  ///     processor.on_start([](const Start<Video>& s) { log(s.index, s.task.name, s.attempt); });
  template <class F>
  Processor& on_start(F&& callback) {
    static_assert(std::invocable<std::decay_t<F>&, const Start<Task>&>,
                  "xofn: on_start: the callback is not callable with a const Start<Task>&");
    return add(listeners_->start, std::forward<F>(callback));
  }

  /// Registers `callback(const FailedAttempt<Task>&)`, called for each attempt at an item that has
  /// failed, the last one included, and says what with and whether and when the item is tried
  /// again: on the thread that ran the item, before the item is queued again or settles. One call
  /// at a time, so that a slow callback holds up the items that fail; what on_start's must not wait
  /// for, it must not either. What throws TaskCancelled has not failed unless it was late. An
  /// attempt without an on_start call, of an item whose task could not be made or that fails with
  /// MemoryExceeded before anything of it is called, has none here. Throws std::logic_error while a
  /// batch runs.
  ///
  ///     processor.on_failed_attempt([](const FailedAttempt<Url>& f) {
  ///       log(f.task, f.attempt, f.error, f.will_retry());
  ///     });
  template <class F>
  Processor& on_failed_attempt(F&& callback) {
    static_assert(
        std::invocable<std::decay_t<F>&, const FailedAttempt<Task>&>,
        "xofn: on_failed_attempt: the callback is not callable with a const FailedAttempt<Task>&");
    return add(listeners_->failed_attempt, std::forward<F>(callback));
  }

  /// Has items weighed by `function(const Task&)`, an integer from 0: `Progress` then carries the
  /// weight that is completed, of the weight of all, in bytes, frames, seconds or what it may be.
  /// A later function replaces an earlier. Throws std::logic_error while a batch runs.
  ///
  /// It is called once an item, before N shows the item: by `run` and `start` for all items of an
  /// indexed range, where tasks that have to be made are made then, else as they are read or added,
  /// perhaps by several threads at once. What it throws, std::invalid_argument for a negative
  /// weight, and std::overflow_error for weights above 2^64 - 1 together come out of the call that
  /// adds the item, which then is not added; a range that is read ends there, with `range_error()`.
  ///
  ///     processor.weigh_by([](const Video& video) { return video.frames; });
  ///     processor.on_progress([](const Progress& p) {
  ///       std::cout << p << ": " << p.weight_completed << " of " << p.weight_total << " frames\n";
  ///     });
  template <class F>
  Processor& weigh_by(F&& function) {
    using Function = std::decay_t<F>;
    static_assert(
        requires(Function & f, const Task& task) {
          { f(task) } -> std::integral;
        },
        "xofn: weigh_by: the function makes no integer of a const Task&");
    listeners_->occupancy.check_free();
    listeners_->weigher = std::make_unique<detail::WeigherOf<Task, Function>>(
        std::forward<F>(function), "weigh_by: a weight");
    return self();
  }

  /// Says by `function(const Task&)`, an integer from 0, how much of the memory of
  /// `BatchOptions::memory` an item needs to run, with all that it runs itself. Not called where
  /// the options name no budget; where they do, and this has not been called, `run`, `start` and
  /// `open` throw std::logic_error. For the rest it is called, and passes on what it throws, as the
  /// function of `weigh_by` is.
  ///
  ///     MemoryBudget vram{24ull << 30};
  ///     BatchProcessor<Model> processor{{.memory = &vram}};
  ///     processor.memory_by([](const Model& model) { return model.bytes; });
  template <class F>
  Processor& memory_by(F&& function) {
    using Function = std::decay_t<F>;
    static_assert(
        requires(Function & f, const Task& task) {
          { f(task) } -> std::integral;
        },
        "xofn: memory_by: the function makes no integer of a const Task&");
    listeners_->occupancy.check_free();
    listeners_->memory = std::make_unique<detail::WeigherOf<Task, Function>>(
        std::forward<F>(function), "memory_by: a need");
    return self();
  }

 protected:
  BatchSettings() = default;
  ~BatchSettings() = default;

  [[nodiscard]] const std::shared_ptr<detail::Listeners<Task, Sync>>& listeners() const noexcept {
    return listeners_;
  }

 private:
  Processor& self() noexcept { return static_cast<Processor&>(*this); }

  template <class Event, class F>
  Processor& add(detail::EventCallbacks<Event>& callbacks, F&& callback) {
    listeners_->occupancy.check_free();
    callbacks.push_back(std::make_unique<detail::EventCallbackOf<Event, std::decay_t<F>>>(
        std::forward<F>(callback)));
    return self();
  }

  const std::shared_ptr<detail::Listeners<Task, Sync>> listeners_ =
      std::make_shared<detail::Listeners<Task, Sync>>();
};

}  // namespace xofn
