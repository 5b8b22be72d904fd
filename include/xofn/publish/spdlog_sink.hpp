// SPDX-License-Identifier: MIT
#pragma once

#include <spdlog/logger.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <xofn/publish/log_event.hpp>
#include <xofn/publish/log_sink.hpp>
#include <xofn/publish/log_text.hpp>

namespace xofn {

/// Writes a log with spdlog, each line a message with the time of the event, to a logger that may
/// be used by others meanwhile. Needs spdlog: link `xofn::spdlog`.
///
/// The level is that of what happened: debug where an item begins, info, warn for an attempt that
/// is tried again, for what is cancelled and for lines that were lost, and error for an item that
/// has failed, and for a batch that has finished with failures. What the logger's own sinks throw
/// goes to its error handler, as spdlog has it, and not to `Log::error()`.
///
///     Log log{SpdlogSink{spdlog::default_logger()}};
///
///     [2026-11-28 10:44:12.081] [error] clips #1: 4/10 item 3 long.mp4 failed in 0.2 s: no codec
class SpdlogSink {
 public:
  /// Throws std::invalid_argument for null.
  explicit SpdlogSink(std::shared_ptr<spdlog::logger> logger) : logger_(std::move(logger)) {
    if (logger_ == nullptr) throw std::invalid_argument("xofn: SpdlogSink: there is no logger");
  }

  void write(const LogEvent& event) {
    const spdlog::level::level_enum level = level_of(event);
    if (!logger_->should_log(level)) return;
    const std::string text = to_string(event);
    logger_->log(event.time, spdlog::source_loc{}, level, spdlog::string_view_t(text));
  }

  void flush() { logger_->flush(); }

 private:
  [[nodiscard]] static spdlog::level::level_enum level_of(const LogEvent& event) noexcept {
    switch (event.kind) {
      case LogEventKind::item_started:
        return spdlog::level::debug;
      case LogEventKind::attempt_failed:
      case LogEventKind::item_cancelled:
      case LogEventKind::batch_cancelled:
      case LogEventKind::lines_lost:
        return spdlog::level::warn;
      case LogEventKind::item_failed:
        return spdlog::level::err;
      case LogEventKind::batch_finished:
        return event.progress.failed == 0 ? spdlog::level::info : spdlog::level::err;
      default:
        return spdlog::level::info;
    }
  }

  std::shared_ptr<spdlog::logger> logger_;
};

static_assert(LogSink<SpdlogSink>);

}  // namespace xofn
