// SPDX-License-Identifier: MIT
// Not API: what is answered to whom.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include <xofn/batch/batch_view.hpp>
#include <xofn/publish/http_answer.hpp>
#include <xofn/publish/http_exchange.hpp>
#include <xofn/publish/http_handlers.hpp>
#include <xofn/publish/news_board.hpp>
#include <xofn/publish/page.hpp>
#include <xofn/publish/progress_server_options.hpp>
#include <xofn/publish/random_digits.hpp>
#include <xofn/publish/request_guard.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// JSON as text, in which what is no UTF-8 is replaced.
[[nodiscard]] inline std::string as_text(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// Answers all that has an answer at once, from what the board shows. The options are definite.
template <class Sync = StdSync>
class HttpRoutes {
 public:
  /// `server` is another for each server.
  HttpRoutes(NewsBoard<Sync>& board, const ProgressServerOptions& options, std::string server)
      : board_(board), options_(options), server_(std::move(server)) {}

  /// None if a WebSocket is to be opened.
  [[nodiscard]] std::optional<HttpAnswer> answer(HttpExchange& request) {
    if (request.has_too_many_headers()) return HttpAnswer{431, "Too many headers.\n"};
    const auto host = request.header("Host");
    if (!host) return HttpAnswer{400, "One Host is needed.\n"};
    if (!is_allowed_host(*host, options_.hosts)) return HttpAnswer{403, "Another host.\n"};
    if (request.has_header("Origin")) {
      const auto origin = request.header("Origin");
      if (!origin || !is_same_origin(*origin, *host)) return HttpAnswer{403, "Another origin.\n"};
    }
    auto parts = path_parts(request.path());
    if (!parts) return HttpAnswer{400, "A malformed path.\n"};
    if (const HttpHandler handler = handlers_.find(*parts)) {
      if (request.only_reads()) return answer_by(handler, std::move(*parts), request, 0);
      if (auto refused = refusal(request)) return refused;
      return answer_by(handler, std::move(*parts), request, options_.max_body);
    }
    if (request.has_body()) return HttpAnswer{413, "No body is expected.\n"};
    return at(*parts, request);
  }

  [[nodiscard]] HttpHandlers<Sync>& handlers() noexcept { return handlers_; }

  /// What a page is told: of `news` what is there.
  [[nodiscard]] nlohmann::json message(const News& news) const {
    nlohmann::json message{{"server", server_},
                           {"version", news.version},
                           {"controls", options_.controls},
                           {"batches", nlohmann::json::array()}};
    if (news.has_other_names) message["names"] = news.names;
    for (const Published& state : news.states) message["batches"].push_back(*state);
    return message;
  }

 private:
  using Parts = std::vector<std::string>;

  [[nodiscard]] std::optional<HttpAnswer> at(const Parts& parts, const HttpExchange& request) {
    const bool is_api = parts.size() >= 2 && parts[0] == "api" && parts[1] == "batches";
    if (is_api && parts.size() == 4) return control(parts[2], parts[3], request);
    if (request.path() == "/ws") return websocket(request);
    const bool is_page = parts == Parts{""};
    if (!is_page && !(is_api && parts.size() <= 3)) return HttpAnswer{404, "Nothing is here.\n"};
    if (!request.only_reads()) return not_allowed("GET, HEAD");
    if (is_page) return page();
    return parts.size() == 2 ? all(request) : one(parts[2], request);
  }

  [[nodiscard]] static HttpAnswer not_allowed(const char* methods) {
    return {405, "Another method is needed.\n", {}, std::string("Allow: ") + methods + "\r\n"};
  }

  /// What is answered to those who may not steer.
  [[nodiscard]] std::optional<HttpAnswer> refusal(const HttpExchange& request) const {
    if (!options_.controls) return HttpAnswer{403, "There are no controls.\n"};
    const std::string_view said = request.header("Authorization").value_or("");
    const std::string_view bearer = "Bearer ";
    if (!said.starts_with(bearer) || !is_secret(said.substr(bearer.size()), options_.token)) {
      return HttpAnswer{401, "The token is another.\n", {}, "WWW-Authenticate: Bearer\r\n"};
    }
    return std::nullopt;
  }

  [[nodiscard]] HttpAnswer page() const {
    const std::string nonce = random_digits();
    return {
        200, page_text(options_.page, nonce), "text/html; charset=utf-8",
        "Content-Security-Policy: default-src 'none'; connect-src 'self'; img-src 'self' data:; "
        "style-src 'nonce-" +
            nonce + "'; script-src 'nonce-" + nonce +
            "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"};
  }

  [[nodiscard]] HttpAnswer all(const HttpExchange& request) {
    const News news = board_.news(0);
    return json(request, news.version, [&] { return message(news); });
  }

  [[nodiscard]] HttpAnswer one(const std::string& name, const HttpExchange& request) {
    std::uint64_t version = 0;
    const Published state = board_.state(name, version);
    if (state == nullptr) return {404, "No batch is called so.\n"};
    return json(request, version, [&]() -> const nlohmann::json& { return *state; });
  }

  template <class Make>
  [[nodiscard]] HttpAnswer json(const HttpExchange& request, std::uint64_t version, Make make) {
    const std::string tag = '"' + server_ + '-' + std::to_string(version) + '"';
    const std::string header = "ETag: " + tag + "\r\n";
    const auto known = request.header("If-None-Match");
    if (known && (has_word(*known, tag) || has_word(*known, "W/" + tag) || *known == "*")) {
      return {304, {}, {}, header};
    }
    return {200, as_text(make()) + '\n', "application/json", header};
  }

  /// POST .../{name}/pause, resume or cancel.
  [[nodiscard]] HttpAnswer control(const std::string& name, const std::string& what,
                                   const HttpExchange& request) {
    if (what != "pause" && what != "resume" && what != "cancel") {
      return {404, "Nothing is here.\n"};
    }
    if (request.method() != "POST") return not_allowed("POST");
    if (auto refused = refusal(request)) return std::move(*refused);
    const auto view = board_.view(name);
    if (!view) return {404, "No batch is called so.\n"};
    if (what == "pause") view->pause();
    if (what == "resume") view->resume();
    if (what == "cancel") view->cancel();
    return {204};
  }

  /// What CivetWeb would refuse without a header, or wait for.
  [[nodiscard]] static std::optional<HttpAnswer> websocket(const HttpExchange& request) {
    if (request.method() != "GET") return not_allowed("GET");
    const std::string version = "Sec-WebSocket-Version: 13\r\n";
    if (!request.asks_for_websocket()) {
      return HttpAnswer{426, "A WebSocket is here.\n", {}, "Upgrade: websocket\r\n" + version};
    }
    if (request.header("Sec-WebSocket-Version") != "13") {
      return HttpAnswer{426, "Version 13 is needed.\n", {}, version};
    }
    const auto key = request.header("Sec-WebSocket-Key");
    if (!key || key->size() != 24) return HttpAnswer{400, "A malformed key.\n"};
    return std::nullopt;
  }

  NewsBoard<Sync>& board_;
  const ProgressServerOptions& options_;
  const std::string server_;
  HttpHandlers<Sync> handlers_;
};

}  // namespace xofn::detail
