// SPDX-License-Identifier: MIT
// Not API: what the callbacks of a batch are told, as lines of a log.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <xofn/batch/failure.hpp>
#include <xofn/delivery/progress.hpp>
#include <xofn/publish/cut_text.hpp>
#include <xofn/publish/log_event.hpp>
#include <xofn/publish/log_queue.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// An item, or an attempt at one, as a callback is told it.
struct LoggedItem {
  std::uint64_t index;
  std::uint32_t attempt;
  std::exception_ptr error = nullptr;
};

/// The batches of a processor, one after the other. Callbacks may come from any thread: items begin
/// and fail where they run, complete in the stream of those told every step, and pauses are seen by
/// those told the latest state.
///
/// No callback of a batch comes before the last one of the batch before it. But those told the
/// latest state may be late: what they are told counts only between the first item and the last
/// step.
template <class Sync = StdSync>
class LoggedBatch {
 public:
  LoggedBatch(std::shared_ptr<LogQueue<Sync>> log, const std::string& name)
      : log_(std::move(log)), name_(cut(name)) {}

  void begin(const LoggedItem& item, std::string name, std::uint64_t total) {
    name = cut(std::move(name));
    const Lock guard(mutex_);
    start(total);
    LogEvent event = about(LogEventKind::item_started, item, name);
    log_->put(std::move(event));
    begun_[item.index] = {std::move(name), item.attempt};
  }

  void fail(const LoggedItem& item, std::optional<std::chrono::nanoseconds> retry_after) {
    std::string error = text_of(item.error);
    const Lock guard(mutex_);
    LogEvent event = about(LogEventKind::attempt_failed, item, begun_[item.index].name);
    event.error = std::move(error);
    event.retry_after = retry_after;
    log_->put(std::move(event));
  }

  /// Whether it is known what the item is called.
  [[nodiscard]] bool has_begun(std::uint64_t index) const {
    const Lock guard(mutex_);
    return begun_.contains(index);
  }

  /// In the order of X. The name is that with which the item has begun, if it has.
  void complete(const LoggedItem& item, std::string name, std::chrono::nanoseconds duration,
                const Progress& told) {
    name = cut(std::move(name));
    std::string error = text_of(item.error);
    const Lock guard(mutex_);
    if (auto begun = begun_.extract(item.index)) name = std::move(begun.mapped().name);
    start(told.total);
    know(told.total);
    complete_unmade(told.completed() - 1);
    const std::uint64_t total = told_.total;
    told_ = told;
    know(total);
    LogEvent event =
        about(item.error == nullptr ? LogEventKind::item_succeeded : LogEventKind::item_failed,
              item, std::move(name));
    event.error = std::move(error);
    event.duration = duration;
    log_->put(std::move(event));
  }

  /// Those told every step are told this one.
  void step(const Progress& now) {
    if (!has_ended(now)) return;
    const Lock guard(mutex_);
    start(now.total);
    told_.total = now.total;
    complete_unmade(now.completed());
    for (auto& [index, item] : begun_) {
      log_->put(about(LogEventKind::item_cancelled, {index, item.attempt}, std::move(item.name)));
    }
    told_ = now;
    log_->put(about(now.state == BatchState::finished ? LogEventKind::batch_finished
                                                      : LogEventKind::batch_cancelled));
    begun_.clear();
    told_ = {};
    run_ = 0;
    is_paused_ = false;
  }

  /// Those told the latest state are told this one.
  void look(const Progress& now) {
    const Lock guard(mutex_);
    if (run_ == 0 || has_ended(now)) return;
    const bool is_paused = now.state == BatchState::paused;
    if (is_paused == std::exchange(is_paused_, is_paused)) return;
    know(now.total);
    log_->put(about(is_paused ? LogEventKind::batch_paused : LogEventKind::batch_resumed));
  }

 private:
  using Lock = typename Sync::lock;

  struct Begun {
    std::string name;
    std::uint32_t attempt = 0;
  };

  [[nodiscard]] static bool has_ended(const Progress& now) noexcept {
    return now.state == BatchState::finished || now.state == BatchState::cancelled;
  }

  [[nodiscard]] std::string cut(std::string text) const {
    return cut_to(std::move(text), log_->options().max_text);
  }

  [[nodiscard]] std::string text_of(const std::exception_ptr& error) const {
    return error == nullptr ? std::string{} : cut(Failure{.exception = error}.what());
  }

  void start(std::uint64_t total) {
    if (run_ != 0) return;
    run_ = log_->next_run();
    told_.total = total;
    log_->put(about(LogEventKind::batch_started));
  }

  /// There are so many items, or more: another callback may have been told a later state.
  void know(std::uint64_t total) { told_.total = std::max(told_.total, total); }

  /// Items up to this X have failed since no task could be made of what the range has: nobody was
  /// told which they are.
  void complete_unmade(std::uint64_t completed) {
    while (told_.completed() < completed) {
      ++told_.failed;
      LogEvent event = about(LogEventKind::item_failed);
      event.error = "its task could not be made";
      log_->put(std::move(event));
    }
  }

  [[nodiscard]] LogEvent about(LogEventKind kind) const {
    LogEvent event;
    event.kind = kind;
    event.batch = name_;
    event.run = run_;
    event.progress = told_;
    return event;
  }

  [[nodiscard]] LogEvent about(LogEventKind kind, const LoggedItem& item, std::string name) const {
    LogEvent event = about(kind);
    event.index = item.index;
    event.attempt = item.attempt;
    event.item = std::move(name);
    return event;
  }

  const std::shared_ptr<LogQueue<Sync>> log_;
  const std::string name_;
  mutable typename Sync::mutex mutex_;
  std::uint64_t run_ = 0;  ///< 0: nothing of the batch has been logged
  Progress told_;
  bool is_paused_ = false;
  std::map<std::uint64_t, Begun> begun_;  ///< what has not completed, by index
};

}  // namespace xofn::detail
