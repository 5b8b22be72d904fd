// SPDX-License-Identifier: MIT
#pragma once

#include <civetweb.h>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <type_traits>
#include <utility>
#include <xofn/batch/batch.hpp>
#include <xofn/batch/batch_view.hpp>
#include <xofn/publish/civet_server.hpp>
#include <xofn/publish/http_answer.hpp>
#include <xofn/publish/http_exchange.hpp>
#include <xofn/publish/http_request.hpp>
#include <xofn/publish/http_routes.hpp>
#include <xofn/publish/live_feed.hpp>
#include <xofn/publish/news_board.hpp>
#include <xofn/publish/progress_server_options.hpp>
#include <xofn/publish/random_digits.hpp>
#include <xofn/sync.hpp>

namespace xofn {

/// Shows batches in a browser, and to programs as JSON, while they run and afterwards.
///
/// It needs CivetWeb and nlohmann's JSON (the CMake target `xofn::http`), and serves
///
/// - `/`: one page that shows every batch live, with what failed and why, and needs nothing else
/// - `/api/batches`, `/api/batches/{name}`: the same as JSON, with an ETag to ask for changes by
/// - `/ws`: a WebSocket that pushes what changes; first all, and with the last state the last
/// - POST `/api/batches/{name}/pause`, `resume`, `cancel` with `Authorization: Bearer {token}`,
///   where the options allow it
/// - what the program itself adds, by `handle` and `ProgressServerOptions::page`
///
/// A thread of its own looks at the batches every 50 ms and at no other time, so that no reader can
/// slow one down. To whoever reads, X never falls, and the last state comes. Who reads slowly is
/// told less often, and is dropped when nothing can be sent to it for 5 s. While a batch runs its
/// failures are listed as they come, in the order of failing; the first 50, with the first 300
/// bytes of each text.
///
/// It binds to the machine itself unless told otherwise, answers only requests that name it by an
/// address or a known name and that come from no other site's page, and reads no more than it
/// needs. All calls may come from any thread. It needs POSIX.
///
///     ProgressServer server{{.port = 8080}};
///     server.watch("clips", batch);
///     std::cout << "see " << server.url() << '\n';
class ProgressServer {
 public:
  /// Throws std::runtime_error if it cannot listen there, and std::invalid_argument for absurd
  /// options.
  explicit ProgressServer(ProgressServerOptions options = {})
      : parts_(detail::definite(std::move(options))) {}

  /// Tells all who are connected the last states, of batches that still run that of now, and waits
  /// for those who read slowly for a second at most. CivetWeb then takes up to two to stop.
  ~ProgressServer() = default;
  ProgressServer(const ProgressServer&) = delete;
  ProgressServer& operator=(const ProgressServer&) = delete;

  /// Shows a batch under this name from now on, also when it has gone, until `forget(name)`. A
  /// batch of that name that has ended makes way. Throws std::invalid_argument if one still runs,
  /// and for a name that is empty, longer than 200 bytes, "." or "..", or no UTF-8.
  template <class Result>
  void watch(const std::string& name, const Batch<Result>& batch) {
    watch(name, batch.view());
  }

  void watch(const std::string& name, BatchView batch) {
    detail::check_batch_name(name);
    parts_.board.add(name, std::move(batch));
  }

  /// Shows it no more. Returns whether there was one.
  bool forget(const std::string& name) { return parts_.board.remove(name); }

  /// Answers requests for `path`, such as "/clips", and for all beneath it, by `f(request)`, an
  /// HttpAnswer, from now on. The nearest handler answers.
  ///
  /// `f` is called by several threads at once, and only for requests that pass the same checks as
  /// others: what is no GET or HEAD needs the token, so that there must be controls, and its body
  /// is no longer than `max_body`. What `f` throws is answered with 500 and its text; so is an
  /// answer that is none. `f` must not destroy the server, whose destructor waits for it, and which
  /// keeps it. A call takes one of the server's threads, which are `max_live` and eight more.
  ///
  /// Throws std::invalid_argument for what is no path, has a handler, or begins with the server's
  /// own "/api" or "/ws".
  ///
  /// Memory ordering: what the caller did before is visible to `f`.
  ///
  ///     server.handle("/clips", [&](const HttpRequest& request) -> HttpAnswer {
  ///       if (request.method != "POST") return {405};
  ///       return start(request.body) ? HttpAnswer{202} : HttpAnswer{409, "One is running.\n"};
  ///     });
  template <std::move_constructible F>
  requires std::is_invocable_r_v<HttpAnswer, F&, const HttpRequest&>
  void handle(const std::string& path, F f) {
    parts_.routes.handlers().add(
        path, [f = std::make_shared<F>(std::move(f))](const HttpRequest& request) -> HttpAnswer {
          return std::invoke(*f, request);
        });
  }

  /// The port that it listens on.
  [[nodiscard]] std::uint16_t port() const noexcept { return parts_.civet.port(); }

  /// What controls ask for; empty where there are none.
  [[nodiscard]] const std::string& token() const noexcept { return parts_.options.token; }

  /// Where the page is, for a browser on this machine; with the token, where there are controls, in
  /// the part that browsers keep to themselves.
  [[nodiscard]] std::string url() const {
    const std::string& address = parts_.options.address;
    return "http://" + (address == "0.0.0.0" ? "127.0.0.1" : address) + ':' +
           std::to_string(port()) + '/' + (token().empty() ? "" : "#token=" + token());
  }

 private:
  struct Parts final : detail::CivetHandler {
    explicit Parts(ProgressServerOptions o) : options(std::move(o)) {}
    Parts(const Parts&) = delete;
    Parts& operator=(const Parts&) = delete;
    ~Parts() {
      board.close();
      feed.wait_until_left(StdSync::clock::now() + std::chrono::seconds{1});
    }

    int request(mg_connection* connection) noexcept override {
      detail::HttpExchange exchange(connection);
      try {
        auto answer = routes.answer(exchange);
        if (!answer && !feed.take_place()) {
          answer = {503, "Too many are connected.\n", {}, "Retry-After: 5\r\n"};
        }
        return answer ? exchange.answer(*answer) : 0;
      } catch (...) {  // from cancelling, say
        mg_send_http_error(connection, 500, "%s", "It was tried, and failed.");
        return 500;
      }
    }

    void websocket(mg_connection* connection) noexcept override {
      const auto send = [connection](const std::string& text) {
        const int sent =
            mg_websocket_write(connection, MG_WEBSOCKET_OPCODE_TEXT, text.data(), text.size());
        return sent == static_cast<int>(text.size());
      };
      const auto text_of = [this](const auto& news) {
        return detail::as_text(routes.message(news));
      };
      try {
        feed.serve(text_of, send);
      } catch (const std::bad_alloc&) {
        mg_close_connection(connection);  // the reader may come again
      }
      feed.leave_place();
    }

    const ProgressServerOptions options;
    detail::NewsBoard<> board;
    detail::HttpRoutes<> routes{board, options, detail::random_digits()};
    detail::LiveFeed<> feed{board, options.max_live};
    // Last: it ends first. Some threads are left for those who poll.
    detail::CivetServer civet{*this, options.address, options.port, options.max_live + 8};
  };

  Parts parts_;
};

}  // namespace xofn
