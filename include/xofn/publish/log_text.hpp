// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <chrono>
#include <cstdio>
#include <string>
#include <xofn/console/text.hpp>
#include <xofn/delivery/progress.hpp>
#include <xofn/publish/log_event.hpp>

namespace xofn {

namespace detail {

/// "0.25 s", "7201 s".
[[nodiscard]] inline std::string seconds_text(std::chrono::nanoseconds time) {
  std::array<char, 32> text{};
  const double seconds = std::chrono::duration<double>{time}.count();
  std::snprintf(text.data(), text.size(), seconds < 100 ? "%.3g s" : "%.0f s", seconds);
  return text.data();
}

[[nodiscard]] inline std::string item_text(const LogEvent& event) {
  if (!event.index) return "item";
  const std::string number = "item " + std::to_string(*event.index);
  return event.item.empty() ? number : number + ' ' + event.item;
}

[[nodiscard]] inline std::string final_text(const Progress& last) {
  return ' ' + to_string(last) + " in " + seconds_text(last.elapsed) + ": " +
         std::to_string(last.succeeded) + " succeeded, " + std::to_string(last.failed) +
         " failed, " + std::to_string(last.cancelled) + " cancelled, " +
         std::to_string(last.retried) + " retried";
}

/// What has happened, without where.
[[nodiscard]] inline std::string news_text(const LogEvent& event) {
  const std::string error = event.error.empty() ? "" : ": " + event.error;
  const std::string attempt = "attempt " + std::to_string(event.attempt);
  const std::string took = event.duration ? " in " + seconds_text(*event.duration) : "";
  switch (event.kind) {
    case LogEventKind::batch_started:
      return "started, N is " + std::to_string(event.progress.total);
    case LogEventKind::item_started:
      return item_text(event) + " begins, " + attempt;
    case LogEventKind::attempt_failed:
      return item_text(event) + " failed, " + attempt + error +
             (event.retry_after ? ", again in " + seconds_text(*event.retry_after) : "");
    case LogEventKind::item_succeeded:
      return to_string(event.progress) + ' ' + item_text(event) + " succeeded" + took;
    case LogEventKind::item_failed:
      return to_string(event.progress) + ' ' + item_text(event) + " failed" + took + error;
    case LogEventKind::item_cancelled:
      return item_text(event) + " cancelled";
    case LogEventKind::batch_paused:
      return "paused at " + to_string(event.progress);
    case LogEventKind::batch_resumed:
      return "resumed at " + to_string(event.progress);
    case LogEventKind::batch_finished:
      return "finished" + final_text(event.progress);
    case LogEventKind::batch_cancelled:
      return "cancelled" + final_text(event.progress);
    case LogEventKind::lines_lost:
      return std::to_string(event.lost_lines) + " lines lost";
  }
  return {};
}

}  // namespace detail

/// A line of a log as a person reads it, with question marks for what is not printable; begins with
/// the batch and its run.
///
///     clips #1: 4/10 item 3 long.mp4 failed in 0.2 s: no codec
[[nodiscard]] inline std::string to_string(const LogEvent& event) {
  const bool has_batch = event.kind != LogEventKind::lines_lost;
  return detail::printable(
      (has_batch ? event.batch + " #" + std::to_string(event.run) + ": " : std::string{}) +
      detail::news_text(event));
}

}  // namespace xofn
