// SPDX-License-Identifier: MIT
// The server itself, on this machine.
#include <xofn/publish/http.hpp>

#include <signal.h>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>
#include <xofn/batch_processor.hpp>

#include "../support/gate.hpp"
#include "../support/work.hpp"
#include "web_client.hpp"

using nlohmann::json;
using support::ask;
using support::Connection;
using support::eventually;
using support::numbers;
using support::post;
using support::Reply;
using support::reply_to;
using support::WebSocket;
using xofn::Batch;
using xofn::BatchProcessor;
using xofn::BatchState;
using xofn::HttpAnswer;
using xofn::HttpRequest;
using xofn::ProgressServer;
using namespace std::chrono_literals;

namespace {

bool ended(const json& batch) { return batch.at("ended"); }

/// Whether a batch is shown so, now or soon.
template <class IsIt>
bool is_shown(const ProgressServer& server, const std::string& path, IsIt is_it) {
  return eventually([&] { return is_it(ask(server.port(), "/api/batches/" + path).json()); });
}

/// A batch of which one item runs, and all the others wait for it.
class HeldBatch {
 public:
  explicit HeldBatch(int items = 10)
      : processor_(xofn::BatchOptions{.max_workers = 1}),
        batch_(processor_.start(numbers(items), [this](int i) {
          if (i == 0) gate_.wait();
        })) {
    CHECK(eventually([&] { return batch_.progress().running == 1; }));
  }
  ~HeldBatch() { gate_.open(); }
  HeldBatch(const HeldBatch&) = delete;
  HeldBatch& operator=(const HeldBatch&) = delete;

  void release() { gate_.open(); }
  [[nodiscard]] Batch<void>& operator*() { return batch_; }
  [[nodiscard]] Batch<void>* operator->() { return &batch_; }

 private:
  support::Gate gate_;
  BatchProcessor<int> processor_;
  Batch<void> batch_;
};

const std::string bearer = "Authorization: Bearer secret\r\n";

}  // namespace

TEST_CASE("http: a batch is shown as JSON, while it runs and when it has gone") {
  ProgressServer server{{.port = 0}};
  {
    support::Gate gate;
    BatchProcessor<int> processor{{.max_workers = 1}};
    Batch<void> batch = processor.start(numbers(10), [&](int i) {
      if (i == 5) gate.wait();
      if (i == 3) throw std::runtime_error("broken.mp4: no such codec");
    });
    server.watch("clips", batch);
    CHECK(is_shown(server, "clips", [](const json& b) { return b.at("completed") == 5; }));
    const Reply reply = ask(server.port(), "/api/batches/clips");
    CHECK(reply.status == 200);
    CHECK(reply.header("Content-Type") == "application/json");
    const json shown = reply.json();
    CHECK(shown.at("name") == "clips");
    CHECK(shown.at("state") == "running");
    CHECK(shown.at("total") == 10);
    CHECK(shown.at("succeeded") == 4);
    CHECK(shown.at("failed") == 1);
    CHECK(shown.at("running") == 1);
    CHECK(shown.at("queued") == 4);
    CHECK(shown.at("percent") == 50);
    CHECK_FALSE(ended(shown));
    CHECK(shown.at("per_second") > 0);
    CHECK(shown.at("seconds_left") > 0);
    CHECK(shown.at("failures") ==
          json::array({{{"index", 3}, {"what", "broken.mp4: no such codec"}, {"attempts", 1}}}));
    gate.open();
  }
  CHECK(is_shown(server, "clips", ended));
  const json last = ask(server.port(), "/api/batches").json();
  CHECK(last.at("names") == json::array({"clips"}));
  CHECK(last.at("batches").at(0).at("state") != "running");
  CHECK(last.at("controls") == false);
}

TEST_CASE("http: weights are shown, and the rate and the time left are theirs") {
  support::Gate gate;
  BatchProcessor<int> processor{{.max_workers = 1}};
  processor.weigh_by([](int i) { return i == 9 ? 900U : 10U; });
  Batch<void> batch = processor.start(numbers(10), [&](int i) {
    if (i == 9) gate.wait();
  });
  ProgressServer server{{.port = 0}};
  server.watch("clips", batch);
  CHECK(is_shown(server, "clips", [](const json& b) { return b.at("completed") == 9; }));
  const json shown = ask(server.port(), "/api/batches/clips").json();
  CHECK(shown.at("weight_completed") == 90);
  CHECK(shown.at("weight_total") == 990);
  CHECK(shown.at("seconds_left") > shown.at("elapsed_seconds"));
  gate.open();
}

TEST_CASE("http: failures are listed up to a number, their texts to a length, and as UTF-8") {
  BatchProcessor<int> processor{{.max_workers = 1}};
  Batch<void> batch = processor.start(numbers(60), [](int i) {
    if (i == 0) throw std::runtime_error(std::string(299, 'a') + "\xc3\xa4z");
    if (i == 1) throw std::runtime_error("\xff");
    throw std::runtime_error(std::to_string(i));
  });
  batch.wait();
  ProgressServer server{{.port = 0}};
  server.watch("clips", batch);
  const json shown = ask(server.port(), "/api/batches/clips").json();
  CHECK(shown.at("failed") == 60);
  CHECK(shown.at("failures").size() == 50);
  CHECK(shown.at("failures").at(0).at("what") == std::string(299, 'a') + "...");
  CHECK(shown.at("failures").at(1).at("what") == "\xef\xbf\xbd");
  CHECK(shown.at("failures").at(49).at("what") == "49");
}

TEST_CASE("http: an ETag stands for a state, and another comes with a change") {
  HeldBatch batch;
  ProgressServer server{{.port = 0}};
  server.watch("clips", *batch);
  for (const std::string path : {"/api/batches", "/api/batches/clips"}) {
    CAPTURE(path);
    batch->pause();  // the clock goes on, and is told each second
    CHECK(eventually([&] {
      const std::string tag = ask(server.port(), path).header("ETag");
      const Reply again = ask(server.port(), path, "If-None-Match: " + tag + "\r\n");
      return again.status == 304 && again.body.empty() && again.header("ETag") == tag;
    }));
    const std::string tag = ask(server.port(), path).header("ETag");
    batch->resume();
    CHECK(eventually([&] {
      const Reply again = ask(server.port(), path, "If-None-Match: " + tag + "\r\n");
      return again.status == 200 && again.header("ETag") != tag;
    }));
    CHECK(ask(server.port(), path, "If-None-Match: \"x\", " + tag + "\r\n", "HEAD").body.empty());
  }
}

TEST_CASE("http: an ETag of another server means nothing") {
  const auto tag = [] {
    const ProgressServer server{{.port = 0}};
    return ask(server.port(), "/api/batches").header("ETag");
  };
  CHECK(tag() != tag());
}

TEST_CASE("http: a batch is found by whatever name it has") {
  HeldBatch batch;
  ProgressServer server{{.port = 0}};
  for (const std::string name : {"a b/c", "../x", "\xc3\xa9%", "?#&\"<", "api"}) {
    CAPTURE(name);
    server.watch(name, *batch);
    std::string path;
    for (const char c : name) {
      constexpr const char* digits = "0123456789ABCDEF";
      const auto byte = static_cast<unsigned char>(c);
      path += {'%', digits[byte / 16], digits[byte % 16]};
    }
    CHECK(ask(server.port(), "/api/batches/" + path).json().at("name") == name);
  }
}

TEST_CASE("http: what is not there, and what cannot be done, is said") {
  const ProgressServer server{{.port = 0}};
  const auto status = [&](const std::string& path, const std::string& method = "GET") {
    return ask(server.port(), path, "", method).status;
  };
  CHECK(status("/") == 200);
  CHECK(status("/", "HEAD") == 200);
  CHECK(status("/?x=1") == 200);
  CHECK(status("/", "POST") == 405);
  CHECK(status("/", "OPTIONS") == 405);
  CHECK(status("/api/batches", "PUT") == 405);
  CHECK(status("/api/batches/clips") == 404);
  CHECK(status("/api/batches/") == 404);
  CHECK(status("/api/batches/clips/pause") == 405);
  CHECK(status("/api/batches/clips/burn", "POST") == 404);
  CHECK(status("/api/batches/clips/pause/now", "POST") == 404);
  CHECK(status("/api") == 404);
  CHECK(status("/favicon.ico") == 404);
  CHECK(status("/../../etc/passwd") == 404);
  CHECK(status("//") == 404);
  CHECK(status("/ws") == 426);
  CHECK(status("/ws/x") == 404);
}

TEST_CASE("http: malformed requests are answered with a 4xx, and hurt nobody") {
  HeldBatch batch;
  ProgressServer server{{.port = 0}};
  server.watch("clips", *batch);
  const std::string host = "Host: localhost\r\n";
  const std::string get = "GET / HTTP/1.1\r\n" + host;
  const std::string ws =
      "GET /ws HTTP/1.1\r\n" + host + "Connection: Upgrade\r\nUpgrade: websocket\r\n";
  std::string many;
  for (int i = 0; i != 70; ++i) many += "X-" + std::to_string(i) + ": 1\r\n";
  const std::vector<std::pair<std::string, int>> cases{
      {"nonsense\r\n\r\n", 400},
      {std::string("\0\1\2\r\n\r\n", 7), 400},
      {"\x16\x03\x01\x02 TLS\r\n\r\n", 400},
      {"BREW / HTTP/1.1\r\n" + host + "\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {get + host + "\r\n", 400},
      {get + "no header\r\n\r\n", 400},
      {"GET /%zz HTTP/1.1\r\n" + host + "\r\n", 400},
      {"GET /%00 HTTP/1.1\r\n" + host + "\r\n", 400},
      {get + "X: " + std::string(10'000, 'x') + "\r\n\r\n", 400},
      {"GET /" + std::string(10'000, 'x') + " HTTP/1.1\r\n" + host + "\r\n", 400},
      {get + many + "\r\n", 431},
      {get + "Content-Length: x\r\n\r\n", 411},
      {get + "Content-Length: -1\r\n\r\n", 411},
      {get + "Content-Length: 99999999999999\r\n\r\n", 413},
      {get + "Transfer-Encoding: chunked\r\n\r\n", 413},
      {get + "Transfer-Encoding: zip\r\n\r\n", 400},
      {get + "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", 200},
      {ws + "\r\n", 426},
      {ws + "Sec-WebSocket-Version: 13\r\n\r\n", 400},
      {ws + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n\r\n", 400},
      {ws + "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", 426},
      {"POST" + ws.substr(3) + "\r\n", 405},
  };
  for (const auto& [request, status] : cases) {
    CAPTURE(request.substr(0, 200));
    const Reply reply = reply_to(server.port(), request);
    if (status == 400) {  // or a longer word for it
      CHECK(reply.status / 100 == 4);
    } else {
      CHECK(reply.status == status);
    }
  }
  CHECK(ask(server.port(), "/api/batches/clips").status == 200);
}

TEST_CASE("http: only who names this machine, from no other site, is answered") {
  HeldBatch batch;
  ProgressServer server{
      {.port = 0, .controls = true, .token = "secret", .hosts = {"farm.example"}}};
  server.watch("clips", *batch);
  const std::string port = std::to_string(server.port());
  const auto status = [&](const std::string& request, const std::string& host,
                          const std::string& origin) {
    return reply_to(server.port(), request + " HTTP/1.1\r\nHost: " + host + "\r\n" +
                                       (origin.empty() ? "" : "Origin: " + origin + "\r\n") +
                                       bearer +
                                       "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                                       "Sec-WebSocket-Version: 8\r\n\r\n")
        .status;
  };
  for (const auto& [request, good] :
       std::vector<std::pair<std::string, int>>{{"GET /api/batches", 200},
                                                {"GET /", 200},
                                                {"GET /ws", 426},
                                                {"POST /api/batches/clips/pause", 204}}) {
    CAPTURE(request);
    CHECK(status(request, "localhost:" + port, "http://localhost:" + port) == good);
    CHECK(status(request, "127.0.0.1", "") == good);
    CHECK(status(request, "farm.example", "https://farm.example") == good);
    CHECK(status(request, "evil.example:" + port, "") == 403);
    CHECK(status(request, "localhost:" + port, "http://evil.example") == 403);
    CHECK(status(request, "localhost:" + port, "null") == 403);
    CHECK(status(request, "localhost:" + port, "http://localhost:1") == 403);
    CHECK(status(request, "localhost", "http://localhost\r\nOrigin: http://evil.example") == 403);
  }
}

TEST_CASE("http: the page needs nothing from elsewhere, and may run nothing else") {
  const ProgressServer server{{.port = 0}};
  const Reply page = ask(server.port(), "/");
  CHECK(page.header("Content-Type") == "text/html; charset=utf-8");
  CHECK(page.body.find("src=") == std::string::npos);
  CHECK(page.body.find("://") == std::string::npos);
  CHECK(page.body.find("url(") == std::string::npos);
  CHECK(page.body.find("@import") == std::string::npos);
  const std::string policy = page.header("Content-Security-Policy");
  CHECK(policy.starts_with("default-src 'none'"));
  const std::string nonce = policy.substr(policy.find("script-src 'nonce-") + 18, 32);
  CHECK(page.body.find("<script nonce=\"" + nonce + "\">") != std::string::npos);
  CHECK(ask(server.port(), "/").body.find(nonce) == std::string::npos);
}

TEST_CASE("http: what a program adds is part of the page, under its policy") {
  const std::string plain = ask(ProgressServer{{.port = 0}}.port(), "/").body;
  CHECK(plain.find("<title>Batches</title>") != std::string::npos);
  CHECK(plain.find("<script") == plain.rfind("<script"));
  const ProgressServer server{{.port = 0,
                               .page = {.title = "Clips &amp; more",
                                        .body = "<section id=\"mine\"></section>",
                                        .style = "#mine { color: red }",
                                        .script = "$('mine').hidden = true;"}}};
  const Reply page = ask(server.port(), "/");
  const std::string policy = page.header("Content-Security-Policy");
  const std::string nonce = policy.substr(policy.find("script-src 'nonce-") + 18, 32);
  for (const std::string part : {"<title>Clips &amp; more</title>", "<h1>Clips &amp; more</h1>",
                                 "<section id=\"mine\"></section>", "#mine { color: red }</style>",
                                 "<script nonce=\"{}\">$('mine').hidden = true;</script>"}) {
    CAPTURE(part);
    const auto place = part.find("{}");
    const std::string there =
        place == std::string::npos ? part : part.substr(0, place) + nonce + part.substr(place + 2);
    CHECK(page.body.find(there) != std::string::npos);
  }
  CHECK(page.body.size() > plain.size());
}

namespace {

/// Says what it was asked.
HttpAnswer echo(const HttpRequest& request) {
  return {.body = json{{"method", request.method},
                       {"path", request.path},
                       {"query", request.query},
                       {"body", request.body}}
                      .dump(),
          .type = "application/json",
          .headers = "X-Handler: echo\r\n"};
}

}  // namespace

TEST_CASE("http: a handler answers for its path and what is beneath, the nearest one") {
  ProgressServer server{{.port = 0}};
  server.handle("/clips", echo);
  server.handle("/clips/a b/new", [own = std::make_unique<int>(7)](const HttpRequest& request) {
    return HttpAnswer{201, std::to_string(*own + static_cast<int>(request.path.size()))};
  });
  const auto path = [&](const std::string& asked) {
    return ask(server.port(), asked).json().at("path");
  };
  const Reply reply = ask(server.port(), "/clips?a=%20&b");
  CHECK(reply.status == 200);
  CHECK(reply.header("Content-Type") == "application/json");
  CHECK(reply.header("X-Handler") == "echo");
  CHECK(reply.header("X-Content-Type-Options") == "nosniff");
  CHECK(reply.json() ==
        json{{"method", "GET"}, {"path", json::array()}, {"query", "a=%20&b"}, {"body", ""}});
  CHECK(path("/clips/") == json{""});
  CHECK(path("/%63lips/a%20b/%2e%2E%2Fnew") == json{"a b", "../new"});
  CHECK(ask(server.port(), "/clips/a%20b/new").body == "7");
  CHECK(ask(server.port(), "/clips/a%20b/new/x/y").body == "9");
  CHECK(ask(server.port(), "/clips/a%20b/new").status == 201);
  const Reply head = ask(server.port(), "/clips", "", "HEAD");
  CHECK(head.status == 200);
  CHECK(head.body.empty());
  for (const std::string other : {"/", "/clip", "/clipsx", "/x/clips", "/CLIPS", "/a%20b/new"}) {
    CAPTURE(other);
    CHECK(ask(server.port(), other).header("X-Handler").empty());
  }
}

TEST_CASE("http: no handler is called for those whom the server does not answer") {
  std::atomic<int> calls{0};
  const auto count = [&](const HttpRequest& request) {
    ++calls;
    return echo(request);
  };
  ProgressServer server{{.port = 0, .controls = true, .token = "secret"}};
  ProgressServer readable{{.port = 0, .token = "secret"}};
  server.handle("/clips", count);
  readable.handle("/clips", count);
  const auto status = [&](const std::string& request) {
    return reply_to(server.port(), request + "\r\n").status;
  };
  CHECK(status("GET /clips HTTP/1.1\r\n") == 400);
  CHECK(status("GET /clips HTTP/1.1\r\nHost: evil.example\r\n") == 403);
  CHECK(status("GET /clips HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n") == 403);
  CHECK(status("GET /clips HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n") == 413);
  for (const std::string method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS"}) {
    CAPTURE(method);
    CHECK(ask(server.port(), "/clips", "", method).status == 401);
    CHECK(ask(server.port(), "/clips", "Authorization: Bearer secre\r\n", method).status == 401);
    CHECK(ask(readable.port(), "/clips", bearer, method).status == 403);
  }
  CHECK(calls == 0);
  for (const std::string method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS"}) {
    CHECK(ask(server.port(), "/clips", bearer, method).json().at("method") == method);
  }
  CHECK(ask(readable.port(), "/clips").status == 200);
  CHECK(calls == 6);
}

TEST_CASE("http: a handler gets a body as it was sent, up to a length") {
  std::atomic<int> calls{0};
  std::string body(1 << 20, '\0');
  for (std::size_t i = 0; i != body.size(); ++i) body[i] = static_cast<char>(i * i / 7);
  ProgressServer server{{.port = 0, .controls = true, .token = "secret"}};
  ProgressServer none{{.port = 0, .controls = true, .token = "secret", .max_body = 0}};
  for (ProgressServer* each : {&server, &none}) {
    each->handle("/clips", [&](const HttpRequest& request) {
      ++calls;
      return HttpAnswer{.body = request.body, .type = "application/octet-stream"};
    });
  }
  CHECK(post(server.port(), "/clips", bearer, body).body == body);
  CHECK(post(server.port(), "/clips", bearer, "").status == 200);
  CHECK(post(none.port(), "/clips", bearer, "").status == 200);
  CHECK(calls == 3);
  const std::string head = "POST /clips HTTP/1.1\r\nHost: localhost\r\n" + bearer;
  const auto one_more = "Content-Length: " + std::to_string(body.size() + 1) + "\r\n\r\n";
  CHECK(reply_to(server.port(), head + one_more).status == 413);
  CHECK(reply_to(none.port(), head + "Content-Length: 1\r\n\r\n").status == 413);
  CHECK(reply_to(server.port(), head + "Transfer-Encoding: chunked\r\n\r\n").status == 411);
  const Connection silent(server.port());
  silent.say(head + "Content-Length: 5\r\n\r\nhalf");
  silent.fall_silent();
  CHECK(support::reply_on(silent).status == 408);
  CHECK(calls == 3);
}

TEST_CASE("http: what a handler throws, and an answer that is none, ends that request alone") {
  ProgressServer server{{.port = 0}};
  server.handle("/throws", [](const HttpRequest&) -> HttpAnswer {
    throw std::runtime_error("broken.mp4: no such codec");
  });
  server.handle("/throws/number", [](const HttpRequest&) -> HttpAnswer { throw 7; });
  const std::vector<HttpAnswer> malformed{
      {.status = 0},
      {.status = 199},
      {.status = 600},
      {.type = "a/b\r\nX: y"},
      {.headers = "X: y"},
      {.headers = "X: y\r\n\r\nbody\r\n"},
      {.headers = "\r\n"},
      {.headers = "X: y\n\n"},
      {.headers = "X: y\n\nbody\r\n"},
      {.headers = "Y: y\nX: y\r\n"},
      {.headers = "Y: y\r\r\n"},
  };
  server.handle("/malformed", [&](const HttpRequest& request) {
    return malformed.at(std::stoul(request.path.at(0)));
  });
  server.handle("/good", echo);
  const Reply thrown = ask(server.port(), "/throws");
  CHECK(thrown.status == 500);
  CHECK(thrown.body == "broken.mp4: no such codec\n");
  CHECK(ask(server.port(), "/throws/number").status == 500);
  for (std::size_t i = 0; i != malformed.size(); ++i) {
    CAPTURE(i);
    const Reply reply = ask(server.port(), "/malformed/" + std::to_string(i));
    CHECK(reply.status == 500);
    CHECK(reply.header("X").empty());
  }
  CHECK(ask(server.port(), "/good").status == 200);
}

TEST_CASE("http: handlers are called at once, and the server waits for them before it goes") {
  support::Rendezvous both(3);
  support::Gate gate;
  std::atomic<int> left{0};
  std::optional<ProgressServer> server(std::in_place, xofn::ProgressServerOptions{.port = 0});
  server->handle("/clips", [&](const HttpRequest&) {
    both.arrive();
    gate.wait();
    ++left;
    return HttpAnswer{};
  });
  const std::uint16_t port = server->port();
  int left_when_it_has_gone = 0;
  support::in_parallel(3, [&](int number) {
    if (number < 2) {
      [[maybe_unused]] const Reply reply = ask(port, "/clips");
      return;
    }
    both.arrive();
    support::in_parallel(2, [&](int other) {
      if (other == 0) return gate.open();
      server.reset();
      left_when_it_has_gone = left;
    });
  });
  CHECK_FALSE(both.expired());
  CHECK(left_when_it_has_gone == 2);
}

TEST_CASE("http: a handler may come while others are called") {
  ProgressServer server{{.port = 0}};
  server.handle("/clips", echo);
  bool all_answered = true;
  support::in_parallel(2, [&](int number) {
    for (int i = 0; i != 20; ++i) {
      if (number == 0) {
        server.handle("/clips/" + std::to_string(i), echo);
      } else {
        all_answered = ask(server.port(), "/clips").status == 200 && all_answered;
      }
    }
  });
  CHECK(all_answered);
  CHECK(ask(server.port(), "/clips/19").json().at("path").empty());
}

TEST_CASE("http: a path for a handler is one, and has no other") {
  ProgressServer server{{.port = 0}};
  server.handle("/clips", echo);
  for (const std::string path : {"", "clips", "/", "//", "/a//b", "/a/", "/a/..", "/./a", "/%zz",
                                 "/%2e%2e", "/api", "/api/clips", "/ws", "/clips", "/%63lips"}) {
    CAPTURE(path);
    CHECK_THROWS_AS(server.handle(path, echo), std::invalid_argument);
  }
  CHECK(ask(server.port(), "/api/batches").status == 200);
  server.handle("/clips/new", echo);
  CHECK_THROWS_AS((ProgressServer{{.port = 0, .max_body = (1U << 30) + 1}}), std::invalid_argument);
}

TEST_CASE("http: by WebSocket X never falls, the current state comes first and the last at last") {
  ProgressServer server{{.port = 0}};
  WebSocket early(server.port());
  CHECK(early.status() == 101);
  CHECK(early.next()->at("batches").empty());
  std::uint64_t x = 0;
  bool has_fallen = false;
  {
    BatchProcessor<int> processor{{.max_workers = 2}};
    Batch<void> batch = processor.start(numbers(3000), [](int) { support::work_for(100us); });
    server.watch("clips", batch);
    const auto last = early.state("clips", [&](const json& b) {
      has_fallen = has_fallen || b.at("completed") < x;
      x = b.at("completed");
      return ended(b);
    });
    REQUIRE(last);
    CHECK(last->at("completed") == 3000);
    CHECK(last->at("state") == "finished");
  }
  CHECK_FALSE(has_fallen);
  WebSocket late(server.port());
  CHECK(late.next()->at("batches").at(0).at("completed") == 3000);
  CHECK(early.next()->at("batches").empty());  // it says that it is there
}

TEST_CASE("http: a reader that does not read is dropped, and delays nobody") {
  ProgressServer server{{.port = 0, .max_live = 2}};
  std::string text(400, 'x');
  BatchProcessor<int> failing{{.max_workers = 1}};
  Batch<void> failed = failing.start(numbers(50), [&](int) { throw std::runtime_error(text); });
  failed.wait();
  // 16 KiB each: more than a connection holds
  for (int i = 0; i != 400; ++i) server.watch("failed " + std::to_string(i), failed);
  WebSocket slow(server.port(), "", 4096);
  WebSocket good(server.port());
  CHECK(slow.status() == 101);
  CHECK(good.status() == 101);
  bool is_told = false;
  support::in_parallel(2, [&](int number) {
    if (number == 1) {
      is_told = good.state("clips", ended).has_value();
    } else {
      BatchProcessor<int> processor{{.max_workers = 1}};
      const Batch<void> batch = processor.start(numbers(100), [](int) {});
      server.watch("clips", batch);
    }
  });
  CHECK(is_told);
  CHECK(is_shown(server, "clips", ended));
  // There are no more than two places.
  CHECK(eventually([&] { return WebSocket(server.port()).status() == 101; }));
}

TEST_CASE("http: readers that go leave their places") {
  ProgressServer server{{.port = 0, .max_live = 1}};
  HeldBatch batch;
  server.watch("clips", *batch);
  for (int round = 0; round != 3; ++round) {
    std::optional<WebSocket> reader;
    CHECK(eventually([&] {
      reader.emplace(server.port());
      return reader->status() == 101;
    }));
    CHECK(reader->next());
    CHECK(WebSocket(server.port()).status() == 503);
    round % 2 == 0 ? reader->connection().close() : reader->connection().reset();
  }
}

TEST_CASE("http: what a reader says by WebSocket is not read") {
  ProgressServer server{{.port = 0}};
  HeldBatch batch;
  server.watch("clips", *batch);
  WebSocket reader(server.port());
  // A frame that says it is 2^62 bytes long, and one that is no frame.
  reader.connection().say(std::string("\x82\xff\x40\0\0\0\0\0\0\0\1\2\3\4", 14));
  reader.connection().say(std::string(1000, '\xff'));
  batch.release();
  CHECK(reader.state("clips", ended));
}

TEST_CASE("http: there are no controls unless they were asked for, and none without the token") {
  HeldBatch batch;
  const auto post = [](const ProgressServer& server, const std::string& path,
                       const std::string& headers = bearer) {
    return ask(server.port(), "/api/batches/" + path, headers, "POST").status;
  };
  {
    ProgressServer server{{.port = 0, .token = "secret"}};
    CHECK(server.token().empty());
    server.watch("clips", *batch);
    CHECK(post(server, "clips/pause") == 403);
    CHECK(post(server, "clips/cancel", "Authorization: Bearer \r\n") == 403);
  }
  ProgressServer server{{.port = 0, .controls = true, .token = "secret"}};
  server.watch("clips", *batch);
  CHECK(post(server, "clips/pause", "") == 401);
  CHECK(post(server, "clips/pause", "Authorization: Bearer secreT\r\n") == 401);
  CHECK(post(server, "clips/pause", "Authorization: secret\r\n") == 401);
  CHECK(post(server, "clips/pause?token=secret", "") == 401);
  CHECK(batch->progress().state == BatchState::running);
  CHECK(post(server, "clips/pause") == 204);
  CHECK(batch->progress().state == BatchState::paused);
  CHECK(is_shown(server, "clips", [](const json& b) { return b.at("state") == "paused"; }));
  CHECK(post(server, "clips/resume") == 204);
  CHECK(batch->progress().state == BatchState::running);
  CHECK(post(server, "other/cancel") == 404);
  CHECK(post(server, "clips/cancel") == 204);
  CHECK(batch->progress().state == BatchState::cancelled);
  CHECK(is_shown(server, "clips", [](const json& b) { return b.at("cancelled") == 9; }));
  batch.release();
  batch->wait();
  CHECK(post(server, "clips/cancel") == 204);  // and does nothing
}

TEST_CASE("http: a token that is not given is made, and is another each time") {
  const ProgressServer one{{.port = 0, .controls = true}};
  const ProgressServer other{{.port = 0, .controls = true}};
  CHECK(one.token().size() == 32);
  CHECK(one.token() != other.token());
  CHECK(one.url() == "http://127.0.0.1:" + std::to_string(one.port()) + "/#token=" + one.token());
}

TEST_CASE("http: a name is for one batch at a time, and may be given up") {
  ProgressServer server{{.port = 0}};
  HeldBatch first;
  HeldBatch second;
  server.watch("clips", *first);
  CHECK_THROWS_AS(server.watch("clips", *second), std::invalid_argument);
  WebSocket reader(server.port());
  const json before = reader.next()->at("batches").at(0);
  first.release();
  first->wait();
  server.watch("clips", *second);
  const auto after =
      reader.state("clips", [&](const json& b) { return b.at("id") != before.at("id"); });
  REQUIRE(after);
  CHECK(after->at("completed") == 0);
  CHECK(server.forget("clips"));
  CHECK_FALSE(server.forget("clips"));
  auto names = reader.next();
  while (names && (!names->contains("names") || !names->at("names").empty())) names = reader.next();
  CHECK(names);
  CHECK(ask(server.port(), "/api/batches/clips").status == 404);
}

TEST_CASE("http: what is absurd is refused") {
  HeldBatch batch;
  ProgressServer server{{.port = 0}};
  for (const std::string name : {"", ".", "..", "\xff", "a\xc3"}) {
    CHECK_THROWS_AS(server.watch(name, *batch), std::invalid_argument);
  }
  CHECK_THROWS_AS(server.watch(std::string(201, 'x'), *batch), std::invalid_argument);
  CHECK_THROWS_AS(server.watch(std::string(1, '\0'), *batch), std::invalid_argument);
  CHECK_THROWS_AS((ProgressServer{{.port = 0, .max_live = 0}}), std::invalid_argument);
  CHECK_THROWS_AS((ProgressServer{{.port = 0, .max_live = 1001}}), std::invalid_argument);
  CHECK_THROWS_AS((ProgressServer{{.port = 0, .controls = true, .token = "a b"}}),
                  std::invalid_argument);
  try {
    const ProgressServer second{{.port = server.port()}};
    FAIL("two servers have one port");
  } catch (const std::runtime_error& error) {
    CHECK(std::string(error.what()).find("Address already in use") != std::string::npos);
  }
  CHECK_THROWS_AS((ProgressServer{{.port = 0, .address = "nowhere.invalid"}}), std::runtime_error);
}

TEST_CASE("http: a server that goes tells the last states, and takes nobody's batch along") {
  HeldBatch batch;
  std::optional<ProgressServer> server(std::in_place, xofn::ProgressServerOptions{.port = 0});
  server->watch("clips", *batch);
  WebSocket reader(server->port());
  CHECK(reader.next());
  batch->cancel();
  server.reset();
  const auto last = reader.state("clips", [](const json& b) { return b.at("cancelled") == 9; });
  CHECK(last);
  while (reader.next()) {
  }  // what was news since, perhaps nothing; then it hangs up
  batch.release();
  CHECK(batch->wait().progress().completed() == 1);
}

TEST_CASE("http: batch, server and reader may go at the same time") {
  for (int round = 0; round != 5; ++round) {
    BatchProcessor<int> processor{{.max_workers = 2}};
    std::optional<Batch<void>> batch = processor.start(numbers(200), [](int i) {
      if (i % 50 == 0) throw i;
    });
    std::optional<ProgressServer> server(std::in_place, xofn::ProgressServerOptions{.port = 0});
    server->watch("clips", *batch);
    std::optional<WebSocket> leaves(std::in_place, server->port());
    WebSocket stays(server->port());
    std::uint64_t x = 0;
    bool has_fallen = false;
    support::in_parallel(4, [&](int number) {
      if (number == 0) batch.reset();
      if (number == 1) server.reset();
      if (number == 2) leaves.reset();
      if (number != 3) return;
      while (const auto batch_now = stays.state("clips", [](const json&) { return true; })) {
        has_fallen = has_fallen || batch_now->at("completed") < x;
        x = batch_now->at("completed");
      }
    });
    REQUIRE_FALSE(has_fallen);
  }
}

TEST_CASE("http: how the program handles a broken pipe stays as it was") {
  struct sigaction before {};
  struct sigaction after {};
  ::sigaction(SIGPIPE, nullptr, &before);
  const ProgressServer server{{.port = 0}};
  ::sigaction(SIGPIPE, nullptr, &after);
  CHECK(after.sa_handler == before.sa_handler);
}
