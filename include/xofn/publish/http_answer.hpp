// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <stdexcept>
#include <string>

namespace xofn {

/// What is answered to an `HttpRequest`.
///
///     HttpAnswer{404, "No such clip.\n"}
///     HttpAnswer{.body = json.dump(), .type = "application/json"}
struct HttpAnswer {
  int status = 200;  ///< from 200 to 599
  std::string body = {};
  std::string type = "text/plain; charset=utf-8";  ///< of the body
  std::string headers = {};                        ///< further lines, each with its "\r\n"
};

namespace detail {

/// Throws std::invalid_argument for an answer that would not be read as what it is.
inline void check(const HttpAnswer& answer) {
  if (answer.status < 200 || answer.status > 599) {
    throw std::invalid_argument("xofn: ProgressServer: an answer has the status " +
                                std::to_string(answer.status));
  }
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' '; };
  const std::string& lines = answer.headers;
  if (std::any_of(answer.type.begin(), answer.type.end(), is_control) || lines.starts_with("\r") ||
      lines.find("\r\n\r\n") != std::string::npos || !(lines.empty() || lines.ends_with("\r\n"))) {
    throw std::invalid_argument("xofn: ProgressServer: an answer has malformed headers");
  }
}

}  // namespace detail
}  // namespace xofn
