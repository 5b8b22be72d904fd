// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <xofn/publish/line_output.hpp>
#include <xofn/publish/log_event.hpp>
#include <xofn/publish/log_json.hpp>
#include <xofn/publish/log_sink.hpp>

namespace xofn {

/// Writes a log as JSON, an object a line, to a stream or at the end of a file. Needs nlohmann's
/// JSON: link `xofn::log`. What is no UTF-8 is replaced, so that each line is valid.
///
/// After a failure it is tried again with each line. A file then has whole lines only, once there
/// is room again: what was cut off, and counts as lost, is completed. In a stream a piece of a line
/// may stand by itself, or an empty line. The stream must outlive the Log, and is nobody else's
/// meanwhile; its error flags are cleared.
///
///     Log to_file{JsonLines{"clips.jsonl"}};
///     Log to_stream{JsonLines{std::clog}};
class JsonLines {
 public:
  explicit JsonLines(std::ostream& out) : out_(std::make_unique<detail::LineStream>(out)) {}

  /// Throws std::system_error if the file cannot be opened.
  explicit JsonLines(const std::string& file) : out_(std::make_unique<detail::LineFile>(file)) {}

  void write(const LogEvent& event) {
    out_->write(log_json(event).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
                '\n');
  }

  void flush() { out_->flush(); }

 private:
  std::unique_ptr<detail::LineOutput> out_;
};

static_assert(LogSink<JsonLines>);

}  // namespace xofn
