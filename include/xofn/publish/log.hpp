// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <xofn/batch_processor.hpp>
#include <xofn/delivery/delivery.hpp>
#include <xofn/delivery/progress.hpp>
#include <xofn/publish/log_event.hpp>
#include <xofn/publish/log_options.hpp>
#include <xofn/publish/log_queue.hpp>
#include <xofn/publish/log_sink.hpp>
#include <xofn/publish/logged_batch.hpp>
#include <xofn/sync.hpp>
#include <xofn/timeout.hpp>

namespace xofn {

/// Writes down what happens in batches, a line for each event: a batch has started, an item begins,
/// an attempt at it has failed and is tried again, it has succeeded or failed, the batch is paused,
/// resumed, and has ended. `log_to` attaches it to a processor; any number of them may share one.
///
/// It requires a sink, which says where and how: JsonLines (with nlohmann's JSON), SpdlogSink (with
/// spdlog), or what meets LogSink. It is used by the log's own thread alone, until the log is
/// destroyed. Absurd options throw std::invalid_argument, and a thread that is not to be had
/// std::system_error. All calls may come from any thread.
///
/// A batch never waits for the sink. Lines wait in memory; when they are more than the options
/// allow, or the sink throws, lines are lost, which the log says in their place or as soon as it
/// can: so there may be gaps, but what is written is in order. In each batch X rises by one with
/// each line of an item that has completed, and the last line has the final figures.
///
/// The destructor writes what still waits, for `linger` at the most, or until a line that is being
/// written is: a sink that never returns holds it up, though no batch. Processors may live on; what
/// they tell then goes nowhere.
///
///     Log log{JsonLines{"clips.jsonl"}};
///     log_to(processor, log, "clips", [](const Video& video) { return video.name; });
///     processor.run(videos, render);
///
///     {"time":"2026-11-28T10:44:12.081562Z","batch":"clips","run":1,"event":"item_failed",
///      "index":3,"item":"long.mp4","attempts":2,"duration_seconds":0.2,"error":"no codec",
///      "completed":4,"total":10}                                           (which is one line)
template <class Sync = StdSync>
class BasicLog {
 public:
  template <LogSink Sink>
  explicit BasicLog(Sink sink, LogOptions options = {}) {
    detail::check(options);
    queue_ = std::make_shared<detail::LogQueue<Sync>>(
        detail::AnyLogSink(std::in_place, std::move(sink)), options);
  }
  BasicLog(const BasicLog&) = delete;
  BasicLog& operator=(const BasicLog&) = delete;
  ~BasicLog() { queue_->close(); }

  /// Waits until what has been logged has been written, or is lost: see lost_lines(). False if it
  /// has not in this time.
  template <class Rep, class Period>
  [[nodiscard]] bool flush(std::chrono::duration<Rep, Period> at_most) {
    return queue_->flush(detail::bounded(at_most));
  }

  /// What the sink threw first; empty if it never did.
  [[nodiscard]] std::string error() const { return queue_->error(); }

  /// How many lines were lost, in all: those for which there was no room, and those that were not
  /// flushed, or not written, without an exception.
  [[nodiscard]] std::uint64_t lost_lines() const { return queue_->lost(); }

 private:
  template <class Task, class S, class Name>
  friend BatchProcessor<Task, S>& log_to(BatchProcessor<Task, S>& processor, BasicLog<S>& log,
                                         const std::string& batch, Name name);

  std::shared_ptr<detail::LogQueue<Sync>> queue_;
};

using Log = BasicLog<>;

namespace detail {

/// Calls `use(name)` with what `name(task)` makes, or with an empty name if it throws; passes on
/// that afterwards.
template <class Name, class Task, class Use>
void use_name(const Name& name, const Task& task, Use use) {
  std::string text;
  std::exception_ptr error;
  try {
    text = name(task);
  } catch (...) {
    error = std::current_exception();
  }
  use(std::move(text));
  if (error != nullptr) std::rethrow_exception(error);
}

}  // namespace detail

/// Has the batches of a processor logged from now on, under the name `batch`.
///
/// `name(const Task&)` makes a std::string of an item; it is called for each attempt at one, when
/// it begins, and for an item that fails without having begun, perhaps by several threads at once.
/// What it throws is kept as any callback's error, and the lines of the attempt have no name. It
/// registers five callbacks, and so throws std::logic_error while a batch runs. Each line costs the
/// batch a few small allocations and two locks; formatting and writing are the log's.
///
/// Each batch has another `run`, 1, 2, ... over all of the log. Its first line comes with its first
/// item, or with its end if there is none, and has the total as it is known by then. An item whose
/// task could not be made fails without an index. An item that was cancelled after it had begun is
/// logged when the batch ends; those that have not begun are counted in the last line. A pause
/// before the first item has begun, or one that is over within 50 ms, may not be logged.
template <class Task, class Sync, class Name>
BatchProcessor<Task, Sync>& log_to(BatchProcessor<Task, Sync>& processor, BasicLog<Sync>& log,
                                   const std::string& batch, Name name) {
  static_assert(std::is_invocable_r_v<std::string, const Name&, const Task&>,
                "xofn: log_to: the function makes no std::string of a const Task&");
  const auto lines = std::make_shared<detail::LoggedBatch<Sync>>(log.queue_, batch);
  const auto shared_name = std::make_shared<const Name>(std::move(name));
  processor.on_start([lines, shared_name](const Start<Task>& s) {
    detail::use_name(*shared_name, s.task, [&](std::string text) {
      lines->begin({s.index, s.attempt}, std::move(text), s.total);
    });
  });
  processor.on_failed_attempt([lines](const FailedAttempt<Task>& f) {
    lines->fail({f.index, f.attempt, f.error}, f.retry_after);
  });
  processor.on_completion([lines, shared_name](const Completion<Task>& c) {
    const auto complete = [&](std::string text) {
      lines->complete({c.index, c.attempts, c.error}, std::move(text), c.duration, c.progress);
    };
    if (lines->has_begun(c.index)) {
      complete({});
    } else {
      detail::use_name(*shared_name, c.task, complete);
    }
  });
  processor.on_progress([lines](const Progress& now) { lines->step(now); });
  return processor.on_progress([lines](const Progress& now) { lines->look(now); },
                               Delivery::latest());
}

/// The same without names.
template <class Task, class Sync>
BatchProcessor<Task, Sync>& log_to(BatchProcessor<Task, Sync>& processor, BasicLog<Sync>& log,
                                   const std::string& batch) {
  return log_to(processor, log, batch, [](const Task&) { return std::string{}; });
}

}  // namespace xofn
