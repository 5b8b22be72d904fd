// SPDX-License-Identifier: MIT
// Not API: one request, and the answer to it.
#pragma once

#include <civetweb.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <xofn/publish/http_answer.hpp>
#include <xofn/publish/request_guard.hpp>

namespace xofn::detail {

/// A request as CivetWeb has read it. Answers are written whole here, since CivetWeb's own have no
/// header where a WebSocket is asked for.
class HttpExchange {
 public:
  explicit HttpExchange(mg_connection* connection) noexcept
      : connection_(connection), request_(*mg_get_request_info(connection)) {}

  [[nodiscard]] std::string_view method() const { return text(request_.request_method); }

  /// Whether it is one that changes nothing.
  [[nodiscard]] bool only_reads() const { return method() == "GET" || method() == "HEAD"; }

  /// Without what comes after a '?', and not decoded.
  [[nodiscard]] std::string_view path() const { return text(request_.local_uri_raw); }

  /// What comes after a '?'.
  [[nodiscard]] std::string_view query() const { return text(request_.query_string); }

  /// The value of a header that is there once.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const {
    std::optional<std::string_view> value;
    for (int i = 0; i < request_.num_headers; ++i) {
      const mg_header& header = request_.http_headers[i];
      if (!is_equal_but_for_case(text(header.name), name)) continue;
      if (value) return std::nullopt;
      value = text(header.value);
    }
    return value;
  }

  [[nodiscard]] bool has_header(std::string_view name) const {
    for (int i = 0; i < request_.num_headers; ++i) {
      if (is_equal_but_for_case(text(request_.http_headers[i].name), name)) return true;
    }
    return false;
  }

  /// Whether there may have been more than were read.
  [[nodiscard]] bool has_too_many_headers() const { return request_.num_headers >= MG_MAX_HEADERS; }

  /// Whether something comes behind the headers.
  [[nodiscard]] bool has_body() const {
    return request_.content_length > 0 || has_header("Transfer-Encoding");
  }

  /// How long the body is; none if it does not say.
  [[nodiscard]] std::optional<std::size_t> body_size() const {
    if (has_header("Transfer-Encoding")) return std::nullopt;
    return request_.content_length > 0 ? static_cast<std::size_t>(request_.content_length) : 0;
  }

  /// Reads the body, once; none if it does not come.
  [[nodiscard]] std::optional<std::string> body(std::size_t size) {
    std::string body(size, '\0');
    if (size != 0 && mg_read(connection_, body.data(), size) != static_cast<int>(size)) {
      return std::nullopt;
    }
    return body;
  }

  /// Whether CivetWeb goes on with it as a WebSocket, if it is let.
  [[nodiscard]] bool asks_for_websocket() const {
    const auto connection = header("Connection");
    const auto upgrade = header("Upgrade");
    return connection && upgrade && has_word(*connection, "upgrade") &&
           is_equal_but_for_case(*upgrade, "websocket");
  }

  /// Answers, and returns the status. Nothing more is read: what has a body is not waited for.
  int answer(const HttpAnswer& answer) {
    const char* reason = mg_get_response_code_text(connection_, answer.status);
    std::string whole = "HTTP/1.1 " + std::to_string(answer.status) + ' ' + reason + "\r\n" +
                        "Connection: close\r\n"
                        "Cache-Control: no-cache\r\n"
                        "X-Content-Type-Options: nosniff\r\n"
                        "Referrer-Policy: no-referrer\r\n"
                        "Cross-Origin-Resource-Policy: same-origin\r\n" +
                        answer.headers;
    if (answer.status != 204 && answer.status != 304) {
      whole += "Content-Type: " + answer.type + "\r\n" +
               "Content-Length: " + std::to_string(answer.body.size()) + "\r\n\r\n";
      if (method() != "HEAD") whole += answer.body;
    } else {
      whole += "\r\n";
    }
    mg_write(connection_, whole.data(), whole.size());
    if (has_body()) mg_close_connection(connection_);
    return answer.status;
  }

 private:
  [[nodiscard]] static std::string_view text(const char* chars) {
    return chars == nullptr ? std::string_view{} : std::string_view{chars};
  }

  mg_connection* connection_;
  const mg_request_info& request_;
};

}  // namespace xofn::detail
