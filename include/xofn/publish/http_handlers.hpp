// SPDX-License-Identifier: MIT
// Not API: what the program answers itself.
#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>
#include <xofn/publish/http_answer.hpp>
#include <xofn/publish/http_exchange.hpp>
#include <xofn/publish/http_request.hpp>
#include <xofn/publish/request_guard.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

using HttpHandler = std::function<HttpAnswer(const HttpRequest&)>;

/// What the program answers to a request, of which no longer body is read.
[[nodiscard]] inline HttpAnswer answer_by(const HttpHandler& handler, std::vector<std::string> path,
                                          HttpExchange& request, std::size_t max_body) {
  const auto size = request.body_size();
  if (!size) return {411, "The length of the body is needed.\n"};
  if (*size > max_body) return {413, "The body is too long.\n"};
  auto body = request.body(*size);
  if (!body) return {408, "The body has not come.\n"};
  try {
    HttpAnswer answer = handler({std::string(request.method()), std::move(path),
                                 std::string(request.query()), std::move(*body)});
    check(answer);
    return answer;
  } catch (const std::exception& error) {
    return {500, std::string(error.what()) + '\n'};
  }
}

/// Handlers by the parts of their paths. Any thread may call anything but the destructor.
template <class Sync = StdSync>
class HttpHandlers {
 public:
  /// Throws std::invalid_argument for what is no path, belongs to the server, or is there.
  void add(const std::string& path, HttpHandler handler) {
    const auto parts = path_parts(path);
    const auto is_none = [](const std::string& part) {
      return part.empty() || part == "." || part == "..";
    };
    if (!parts || std::any_of(parts->begin(), parts->end(), is_none)) {
      throw std::invalid_argument("xofn: ProgressServer: '" + path + "' is no path for a handler");
    }
    if (parts->front() == "api" || parts->front() == "ws") {
      throw std::invalid_argument("xofn: ProgressServer: '" + path + "' belongs to the server");
    }
    const typename Sync::lock guard(mutex_);
    for (const auto& [known, other] : handlers_) {
      if (known == *parts) {
        throw std::invalid_argument("xofn: ProgressServer: '" + path + "' has a handler");
      }
    }
    handlers_.emplace_back(*parts, std::move(handler));
  }

  /// The nearest handler at or above `parts`, of which those beneath it are left; empty if there is
  /// none.
  [[nodiscard]] HttpHandler find(std::vector<std::string>& parts) const {
    const typename Sync::lock guard(mutex_);
    std::size_t depth = 0;
    HttpHandler nearest;
    for (const auto& [path, handler] : handlers_) {
      if (path.size() <= depth || path.size() > parts.size()) continue;
      if (!std::equal(path.begin(), path.end(), parts.begin())) continue;
      depth = path.size();
      nearest = handler;
    }
    parts.erase(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(depth));
    return nearest;
  }

 private:
  mutable typename Sync::mutex mutex_;
  std::vector<std::pair<std::vector<std::string>, HttpHandler>> handlers_;
};

}  // namespace xofn::detail
