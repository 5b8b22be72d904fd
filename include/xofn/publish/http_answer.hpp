// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

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

[[nodiscard]] inline bool has_controls(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < ' '; });
}

/// Whether each line has its "\r\n", and none is empty: by any other, even a '\n' alone, a browser
/// may begin a line, or the body.
[[nodiscard]] inline bool are_headers(std::string_view lines) {
  while (!lines.empty()) {
    const std::size_t end = lines.find("\r\n");
    if (end == 0 || end == std::string_view::npos || has_controls(lines.substr(0, end))) {
      return false;
    }
    lines.remove_prefix(end + 2);
  }
  return true;
}

/// Throws std::invalid_argument for an answer that would not be read as what it is.
inline void check(const HttpAnswer& answer) {
  if (answer.status < 200 || answer.status > 599) {
    throw std::invalid_argument("xofn: ProgressServer: an answer has the status " +
                                std::to_string(answer.status));
  }
  if (has_controls(answer.type) || !are_headers(answer.headers)) {
    throw std::invalid_argument("xofn: ProgressServer: an answer has malformed headers");
  }
}

}  // namespace detail
}  // namespace xofn
