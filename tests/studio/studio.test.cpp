// SPDX-License-Identifier: MIT
// The studio by its page's requests. Its program is sh, and what it is run for are scripts.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "../../examples/batch_studio/studio.hpp"
#include "../publish/web_client.hpp"
#include "../support/gate.hpp"
#include "scratch.hpp"

namespace fs = std::filesystem;
using nlohmann::json;
using support::eventually;
using support::Reply;

namespace {

using Scripts = std::map<std::string, std::string>;

/// A studio with a folder of scripts, of which one runs at a time.
class Trial {
 public:
  explicit Trial(const Scripts& scripts, std::chrono::seconds timeout = std::chrono::seconds{600}) {
    for (const auto& [name, script] : scripts) write(name, script);
    studio.emplace(StudioOptions{.folder = scratch / "in",
                                 .results = scratch / "out",
                                 .job = {{"sh", "{}", (scratch / "go").string()}, ".jpg"},
                                 .workers = 1,
                                 .timeout = timeout});
  }

  void write(const std::string& name, const std::string& script) const {
    scratch.write("in/" + name, script);
  }

  /// Lets through what waits.
  void go() const { scratch.write("go", ""); }

  [[nodiscard]] Reply post(const std::string& path, const std::string& body) const {
    const std::string bearer = "Authorization: Bearer " + studio->server().token() + "\r\n";
    return support::post(studio->server().port(), path, bearer, body);
  }
  [[nodiscard]] int start(const std::vector<std::string>& names) const {
    return post("/studio/start", json(names).dump()).status;
  }
  [[nodiscard]] int retry() const { return post("/studio/retry", "").status; }
  [[nodiscard]] int steer(const std::string& what) const {
    return post("/api/batches/sh/" + what, "").status;
  }
  [[nodiscard]] Reply get(const std::string& path) const {
    return support::ask(studio->server().port(), "/" + path);
  }
  [[nodiscard]] json files() const { return get("studio/files").json(); }
  [[nodiscard]] json file(const std::string& name) const {
    const json listed = files().at("files");
    for (const json& file : listed) {
      if (file.at("name") == name) return file;
    }
    throw std::runtime_error("no such file is listed");
  }
  [[nodiscard]] std::string state(const std::string& name) const { return file(name).at("state"); }

  [[nodiscard]] bool ends() const {
    return eventually([&] { return !files().at("is_running"); });
  }

  /// The batch in its last state, once the page is told that.
  [[nodiscard]] json ended_batch() const {
    json batch;
    const bool has_ended = eventually([&] {
      batch = get("api/batches/sh").json();
      return batch.at("ended").get<bool>();
    });
    CHECK(has_ended);
    return batch;
  }

  support::Scratch scratch;
  std::optional<Studio> studio;
};

const std::string wait_to_go = "while [ ! -e \"$1\" ]; do sleep 0.01; done; ";

}  // namespace

TEST_CASE("studio: chosen files are worked on, and what came of it is shown and kept") {
  Trial trial(Scripts{{"a.png", "echo made of a"},
                      {"b.png", "echo no such codec >&2; exit 1"},
                      {"c.png", "echo made of c"}});
  const json before = trial.files();
  CHECK(before.at("job") == "sh");
  CHECK(before.at("makes_images") == true);
  CHECK(before.at("is_running") == false);
  CHECK(before.at("files").size() == 3);
  CHECK(before.at("files").at(0) ==
        json{{"name", "a.png"}, {"size", 14}, {"state", ""}, {"what", ""}, {"result", ""}});
  CHECK(trial.start({"b.png", "a.png", "a.png"}) == 202);
  CHECK(trial.ends());
  CHECK(trial.state("a.png") == "succeeded");
  CHECK(trial.file("b.png").at("state") == "failed");
  CHECK(trial.file("b.png").at("what") == "b.png: sh ended with 1: no such codec");
  CHECK(trial.file("a.png").at("result") == "a.png.jpg");
  CHECK(trial.file("b.png").at("result") == "");
  CHECK(trial.state("c.png").empty());
  CHECK(trial.scratch.read("out/a.png.jpg") == "made of a\n");
  const Reply result = trial.get("studio/results/a.png");
  CHECK(result.body == "made of a\n");
  CHECK(result.header("Content-Type") == "image/jpeg");
  const json batch = trial.ended_batch();
  CHECK(batch.at("total") == 2);
  CHECK(batch.at("succeeded") == 1);
}

TEST_CASE("studio: what failed is worked on once more, and nothing else") {
  Trial trial(Scripts{{"a.png", "echo a"}, {"b.png", "exit 1"}, {"c.png", "exit 1"}});
  CHECK(trial.retry() == 400);
  CHECK(trial.start({"a.png", "b.png", "c.png"}) == 202);
  CHECK(trial.ends());
  trial.write("b.png", "echo b");
  CHECK(trial.retry() == 202);
  CHECK(trial.ends());
  CHECK(trial.ended_batch().at("total") == 2);
  CHECK(trial.state("a.png").empty());
  CHECK(trial.state("b.png") == "succeeded");
  CHECK(trial.state("c.png") == "failed");
  CHECK(trial.retry() == 202);
  CHECK(trial.ends());
  CHECK(trial.ended_batch().at("total") == 1);
}

TEST_CASE("studio: a batch is cancelled with its programs, and the rest is told so") {
  Trial trial(Scripts{{"a.png", "echo a"}, {"b.png", "echo half; sleep 60"}, {"c.png", "echo c"}});
  CHECK(trial.start({"a.png", "b.png", "c.png"}) == 202);
  CHECK(eventually([&] { return trial.state("b.png") == "running"; }));
  CHECK(trial.state("a.png") == "succeeded");
  CHECK(trial.state("c.png") == "waiting");
  CHECK(trial.start({"a.png"}) == 409);
  CHECK(trial.retry() == 409);
  CHECK(trial.steer("cancel") == 204);
  CHECK(trial.ends());
  CHECK(trial.state("a.png") == "succeeded");
  CHECK(trial.state("b.png") == "cancelled");
  CHECK(trial.state("c.png") == "cancelled");
  CHECK_FALSE(fs::exists(trial.scratch / "out/b.png.jpg"));
  CHECK_FALSE(fs::exists(trial.scratch / "out/b.png.jpg.part"));
  CHECK(trial.retry() == 400);
  CHECK(trial.start({"c.png"}) == 202);
  CHECK(trial.ends());
  CHECK(trial.state("c.png") == "succeeded");
}

TEST_CASE("studio: all of it is in the log, which can be read") {
  Trial trial(Scripts{{"a.png", "echo a"}, {"b.png", "echo no such codec >&2; exit 1"}});
  CHECK(trial.get("studio/log").body.empty());
  CHECK(trial.start({"a.png", "b.png"}) == 202);
  CHECK(trial.ends());
  std::string log;  // what does not come within a second is there the next time
  CHECK(eventually([&] {
    log = trial.get("studio/log").body;
    return log.find("batch_finished") != std::string::npos;
  }));
  std::istringstream lines(log);
  std::vector<std::string> events;
  for (std::string line; std::getline(lines, line);) {
    const json event = json::parse(line);
    events.push_back(event.at("event"));
    if (event.contains("item")) events.back() += ' ' + event.at("item").get<std::string>();
    if (event.contains("completed")) events.back() += ' ' + event.at("completed").dump() + "/2";
    if (event.contains("error"))
      CHECK(event.at("error") == "b.png: sh ended with 1: no such codec");
  }
  CHECK(events == std::vector<std::string>{"batch_started", "item_started a.png",
                                           "item_succeeded a.png 1/2", "item_started b.png",
                                           "attempt_failed b.png", "item_failed b.png 2/2",
                                           "batch_finished 2/2"});
}

TEST_CASE("studio: a paused batch begins nothing, and goes on when it is resumed") {
  Trial trial(Scripts{{"a.png", wait_to_go}, {"b.png", "echo b"}});
  CHECK(trial.start({"a.png", "b.png"}) == 202);
  CHECK(eventually([&] { return trial.state("a.png") == "running"; }));
  CHECK(trial.steer("pause") == 204);
  trial.go();
  CHECK(eventually([&] { return trial.state("a.png") == "succeeded"; }));
  CHECK(trial.state("b.png") == "waiting");
  CHECK(trial.start({"b.png"}) == 409);
  CHECK(trial.steer("resume") == 204);
  CHECK(trial.ends());
  CHECK(trial.state("b.png") == "succeeded");
}

TEST_CASE("studio: a program that takes too long is killed, and has failed") {
  Trial trial(Scripts{{"a.png", "sleep 60"}}, std::chrono::seconds{1});
  CHECK(trial.start({"a.png"}) == 202);
  CHECK(trial.ends());
  CHECK(trial.state("a.png") == "failed");
  CHECK(trial.file("a.png").at("what").get<std::string>().find("too late") != std::string::npos);
}

TEST_CASE("studio: no file but those listed is named, worked on or shown") {
  Trial trial(Scripts{{"a.png", "echo a"}, {"text.txt", "echo text"}, {"deeper/b.png", "echo b"}});
  trial.scratch.write("secret.png", "echo secret");
  trial.scratch.write("secret.png.jpg", "secret");
  fs::create_symlink(trial.scratch / "secret.png", trial.scratch / "in/link.png");
  fs::create_symlink("../secret.png.jpg", trial.scratch / "out/a.png.jpg");
  fs::copy_file(trial.scratch / "secret.png.jpg", trial.scratch / "out/link.png.jpg");
  CHECK(trial.files().at("files").size() == 1);
  const std::string outside = (trial.scratch / "secret.png").string();
  for (const std::string& name :
       {std::string("../secret.png"), std::string("./a.png"), std::string("../in/a.png"), outside,
        std::string("link.png"), std::string("text.txt"), std::string("deeper/b.png"),
        std::string("deeper"), std::string("..%2Fsecret.png"), std::string("a.png\0", 6),
        std::string(""), std::string(".."), std::string("nothing.png")}) {
    CAPTURE(name);
    CHECK(trial.start({"a.png", name}) == 404);
  }
  for (const std::string path :
       {"../secret.png", "..%2fsecret.png", "%2e%2e%2fsecret.png", "%2e%2e/secret.png",
        "..%252fsecret.png", "link.png", "link.png.jpg", "a.png", "a.png/", "a.png.jpg", "",
        "deeper/b.png", "deeper%2fb.png", "../../etc/passwd", "%2fetc%2fpasswd", "..", "."}) {
    CAPTURE(path);
    const Reply reply = trial.get("studio/results/" + path);
    CHECK(reply.status == 404);
    CHECK(reply.body.find("secret\n") == std::string::npos);
  }
  CHECK(trial.get("studio/results").status == 404);
  CHECK(trial.get("studio/results/a.png%00").status == 400);
  CHECK(trial.start({"a.png"}) == 202);  // the link in its place is replaced, not followed
  CHECK(trial.ends());
  CHECK(trial.scratch.read("secret.png.jpg") == "secret");
  CHECK(trial.get("studio/results/a.png").body == "a\n");
}

TEST_CASE("studio: a file that has become another thing since is not touched") {
  Trial trial(Scripts{{"a.png", wait_to_go}, {"b.png", "echo b"}, {"c.png", "echo c"}});
  trial.scratch.write("secret.png", "echo secret");
  CHECK(trial.start({"a.png", "b.png", "c.png"}) == 202);
  CHECK(eventually([&] { return trial.state("a.png") == "running"; }));
  fs::remove(trial.scratch / "in/b.png");
  fs::remove(trial.scratch / "in/c.png");
  fs::create_symlink("../secret.png", trial.scratch / "in/b.png");
  trial.go();
  CHECK(trial.ends());
  CHECK(trial.files().at("files").size() == 1);
  CHECK_FALSE(fs::exists(trial.scratch / "out/b.png.jpg"));
  const json batch = trial.ended_batch();
  CHECK(batch.at("failed") == 2);
  CHECK(batch.at("failures").at(0).at("what") == "b.png: it is there no more");
}

TEST_CASE("studio: what is no choice is refused, and so is who has no token") {
  Trial trial(Scripts{{"a.png", "echo a"}});
  for (const char* body : {"", "a.png", "[\"a.png\"", "{\"a.png\": 1}", "\"a.png\"", "\xff", "7"}) {
    CAPTURE(body);
    CHECK(trial.post("/studio/start", body).status == 400);
  }
  CHECK(trial.post("/studio/start", "[]").status == 400);
  CHECK(trial.post("/studio/start", "[7]").status == 400);
  CHECK(trial.post("/studio/start", "[[\"a.png\"]]").status == 400);
  CHECK(trial.post("/studio/start", "[\"a.png\", null]").status == 400);
  const std::string deep = std::string(1 << 19, '[') + std::string(1 << 19, ']');
  CHECK(trial.post("/studio/start", deep).status == 400);
  CHECK(trial.get("studio/start").status == 405);
  CHECK(trial.get("studio/retry").status == 405);
  CHECK(trial.get("studio/nothing").status == 404);
  CHECK(support::post(trial.studio->server().port(), "/studio/start", "", "[\"a.png\"]").status ==
        401);
  CHECK(support::post(trial.studio->server().port(), "/studio/retry", "", "").status == 401);
  CHECK(trial.get("api/batches").json().at("batches").empty());
}

TEST_CASE("studio: of two who start at once one does") {
  Trial trial(Scripts{{"a.png", wait_to_go}});
  std::vector<int> statuses(4);
  support::in_parallel(
      4, [&](int i) { statuses[static_cast<std::size_t>(i)] = trial.start({"a.png"}); });
  CHECK(std::count(statuses.begin(), statuses.end(), 202) == 1);
  CHECK(std::count(statuses.begin(), statuses.end(), 409) == 3);
  trial.go();
  CHECK(trial.ends());
}

TEST_CASE("studio: it may go while programs run, paused or not, and takes them along") {
  for (const bool is_paused : {false, true}) {
    Trial trial(Scripts{{"a.png", "sleep 60"}, {"b.png", "echo b"}});
    CHECK(trial.start({"a.png", "b.png"}) == 202);
    CHECK(eventually([&] { return trial.state("a.png") == "running"; }));
    if (is_paused) CHECK(trial.steer("pause") == 204);
    support::WebSocket page(trial.studio->server().port());
    CHECK(page.next());
    trial.studio.reset();
    const auto last = page.state("sh", [](const json& batch) { return batch.at("ended"); });
    REQUIRE(last);
    CHECK(last->at("cancelled") == 2);
    CHECK_FALSE(fs::exists(trial.scratch / "out/a.png.jpg.part"));
  }
}

TEST_CASE("studio: its folders must be two that can be had") {
  const support::Scratch scratch;
  scratch.write("in/a.png", "");
  const Job job{{"sh", "{}"}, ".out"};
  CHECK_THROWS_AS(Studio({.folder = scratch / "nowhere", .results = scratch / "out", .job = job}),
                  fs::filesystem_error);
  CHECK_THROWS_AS(Studio({.folder = scratch / "in", .results = scratch / "in", .job = job}),
                  std::invalid_argument);
  CHECK_THROWS_AS(Studio({.folder = scratch / "in", .results = scratch / "in/a.png", .job = job}),
                  fs::filesystem_error);
}
