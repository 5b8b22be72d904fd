// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <xofn/delivery/progress.hpp>
#include <xofn/publish/iso_time.hpp>
#include <xofn/publish/log_event.hpp>

namespace xofn {

namespace detail {

[[nodiscard]] inline double in_seconds(std::chrono::nanoseconds time) noexcept {
  return std::chrono::duration<double>{time}.count();
}

}  // namespace detail

/// A line of a log as a JSON object. Its members, in this order: `time` in UTC, `batch`, `run`,
/// `event` (the kind by its name), and then, of the batch's start, `total`; of items `index` and
/// `item`; and
///
/// - of item_started, `attempt`
/// - of attempt_failed, `attempt`, `error`, `retried`, and where that is true
///   `retry_after_seconds`
/// - of item_succeeded and item_failed, `attempts`, `duration_seconds`, of the latter `error`, and
///   `completed` (that is X) and `total`
/// - of item_cancelled, `attempts`
/// - of batch_paused and batch_resumed, `completed` and `total`
/// - of batch_finished and batch_cancelled, `completed`, `total`, `succeeded`, `failed`,
///   `cancelled`, `retried` and `elapsed_seconds`
/// - of lines_lost, which has no batch and no run, `lines`
///
/// Seconds have a fraction. What is not known, such as the `index` of an item whose task could not
/// be made, is left out.
[[nodiscard]] inline nlohmann::ordered_json log_json(const LogEvent& event) {
  using enum LogEventKind;
  nlohmann::ordered_json json;
  json["time"] = detail::iso_time(event.time);
  if (event.kind != lines_lost) {
    json["batch"] = event.batch;
    json["run"] = event.run;
  }
  json["event"] = to_string(event.kind);
  if (event.index) {
    json["index"] = *event.index;
    json["item"] = event.item;
  }
  const Progress& now = event.progress;
  switch (event.kind) {
    case batch_started:
      json["total"] = now.total;
      break;
    case item_started:
      json["attempt"] = event.attempt;
      break;
    case attempt_failed:
      json["attempt"] = event.attempt;
      json["error"] = event.error;
      json["retried"] = event.retry_after.has_value();
      if (event.retry_after) json["retry_after_seconds"] = detail::in_seconds(*event.retry_after);
      break;
    case item_succeeded:
    case item_failed:
      if (event.index) json["attempts"] = event.attempt;
      if (event.duration) json["duration_seconds"] = detail::in_seconds(*event.duration);
      if (event.kind == item_failed) json["error"] = event.error;
      [[fallthrough]];
    case batch_paused:
    case batch_resumed:
      json["completed"] = now.completed();
      json["total"] = now.total;
      break;
    case item_cancelled:
      json["attempts"] = event.attempt;
      break;
    case batch_finished:
    case batch_cancelled:
      json["completed"] = now.completed();
      json["total"] = now.total;
      json["succeeded"] = now.succeeded;
      json["failed"] = now.failed;
      json["cancelled"] = now.cancelled;
      json["retried"] = now.retried;
      json["elapsed_seconds"] = detail::in_seconds(now.elapsed);
      break;
    case lines_lost:
      json["lines"] = event.lost_lines;
      break;
  }
  return json;
}

}  // namespace xofn
