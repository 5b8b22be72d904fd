// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <xofn/delivery/progress.hpp>

namespace xofn {

/// What a line of a log is about.
enum class LogEventKind : std::uint8_t {
  batch_started,
  item_started,    ///< an attempt at an item begins
  attempt_failed,  ///< it has failed, and the item may be tried again
  item_succeeded,
  item_failed,
  item_cancelled,  ///< after it had begun
  batch_paused,
  batch_resumed,
  batch_finished,
  batch_cancelled,
  lines_lost,  ///< in this place there were others
};

[[nodiscard]] constexpr const char* to_string(LogEventKind kind) noexcept {
  switch (kind) {
    case LogEventKind::batch_started:
      return "batch_started";
    case LogEventKind::item_started:
      return "item_started";
    case LogEventKind::attempt_failed:
      return "attempt_failed";
    case LogEventKind::item_succeeded:
      return "item_succeeded";
    case LogEventKind::item_failed:
      return "item_failed";
    case LogEventKind::item_cancelled:
      return "item_cancelled";
    case LogEventKind::batch_paused:
      return "batch_paused";
    case LogEventKind::batch_resumed:
      return "batch_resumed";
    case LogEventKind::batch_finished:
      return "batch_finished";
    case LogEventKind::batch_cancelled:
      return "batch_cancelled";
    case LogEventKind::lines_lost:
      return "lines_lost";
  }
  return "unknown";
}

/// One line of a log, before it is written. What its kind has no use for is empty, or 0.
struct LogEvent {
  LogEventKind kind = LogEventKind::lines_lost;
  std::chrono::system_clock::time_point time{};  ///< when it was left to the log
  std::string batch{};                           ///< what `log_to` was told to call it
  std::uint64_t run = 0;                         ///< which of all batches of the log, from 1

  // Of an item, or of an attempt at one.
  std::optional<std::uint64_t> index{};  ///< empty if its task could not even be made
  std::string item{};                    ///< its name, perhaps cut
  std::uint32_t attempt = 0;             ///< which attempt, or how many there were, from 1
  std::string error{};                   ///< what it failed with, perhaps cut
  std::optional<std::chrono::nanoseconds> retry_after{};  ///< empty if it is not tried again
  std::optional<std::chrono::nanoseconds> duration{};     ///< of the last attempt

  /// At the start the total; then the state that has been logged, in which X rises by one with each
  /// item that has succeeded or failed; in the end the last state.
  Progress progress{};

  std::uint64_t lost_lines = 0;
};

}  // namespace xofn
