// SPDX-License-Identifier: MIT
// Where a log is written: streams and files that are full, cut off or broken, and spdlog.
#include <fcntl.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/ostream_sink.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <streambuf>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>
#include <xofn/batch_processor.hpp>
#include <xofn/publish/json_lines.hpp>
#include <xofn/publish/log.hpp>
#include <xofn/publish/spdlog_sink.hpp>

#include "../support/gate.hpp"
#include "../support/ranges.hpp"
#include "../support/work.hpp"

using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using nlohmann::json;
using support::numbers;
using support::patience;
using xofn::BatchProcessor;
using xofn::JsonLines;
using xofn::Log;
using xofn::log_json;
using xofn::LogEvent;
using xofn::LogEventKind;
using xofn::SpdlogSink;

namespace {

/// A folder of our own until the end of the scope.
class Folder {
 public:
  Folder() {
    if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("no folder");
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    for (const std::string& file : files_) ::unlink(file.c_str());
    ::rmdir(path_.c_str());
  }

  std::string file(const std::string& name) { return files_.emplace_back(path_ + '/' + name); }

 private:
  std::string path_ = "/tmp/xofn-log-XXXXXX";
  std::vector<std::string> files_;
};

std::string content(const std::string& file) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// The lines of a text, each of which must be a JSON object; an empty one where it is none.
std::vector<json> objects(const std::string& text) {
  std::vector<json> all;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    json object = json::parse(line, nullptr, false);
    all.push_back(object.is_object() ? std::move(object) : json::object());
  }
  return all;
}

/// How many of the lines are of this event.
std::size_t count(const std::vector<json>& lines, const std::string& event) {
  std::size_t found = 0;
  for (const json& line : lines) found += line.value("event", "") == event ? 1u : 0u;
  return found;
}

std::uint64_t said_lost(const std::vector<json>& lines) {
  std::uint64_t lost = 0;
  for (const json& line : lines) lost += line.value("lines", std::uint64_t{0});
  return lost;
}

bool all_whole(const std::vector<json>& lines) {
  for (const json& line : lines) {
    if (line.empty()) return false;
  }
  return true;
}

/// Whether X rises with each item, in each run.
bool all_rising(const std::vector<json>& lines) {
  std::vector<std::uint64_t> completed(1000);
  for (const json& line : lines) {
    const std::string event = line.value("event", "");
    if (event != "item_succeeded" && event != "item_failed") continue;
    std::uint64_t& last = completed.at(line["run"]);
    if (line["completed"] <= last) return false;
    last = line["completed"];
  }
  return true;
}

/// Runs so many items, of which each fifth fails, and has them logged.
void run_items(Log& log, int items) {
  BatchProcessor<int> processor{{.max_workers = 2}};
  log_to(processor, log, "clips", [](int i) { return "item " + std::to_string(i); });
  processor.run(numbers(items), [](int i) {
    if (i % 5 == 0) support::fail(i);
  });
}

constexpr std::size_t lines_of(std::size_t items) { return 2 + 2 * items + (items + 4) / 5; }

/// A stream buffer that takes nothing while it `fails`, and else keeps all.
class Fickle : public std::stringbuf {
 public:
  bool fails = false;
  bool throws = false;

 protected:
  std::streamsize xsputn(const char* text, std::streamsize size) override {
    if (!fails) return std::stringbuf::xsputn(text, size);
    if (throws) throw std::runtime_error("thrown by the buffer");
    return std::stringbuf::xsputn(text, size / 2);
  }
  int_type overflow(int_type c) override {
    return fails ? traits_type::eof() : std::stringbuf::overflow(c);
  }
};

}  // namespace

TEST_CASE("JsonLines: each event has its members, in their order") {
  LogEvent event;
  event.time = std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(1'764'326'652s + 81'562us));
  event.batch = "clips";
  event.run = 2;
  event.progress.total = 10;
  event.progress.succeeded = 3;
  event.progress.failed = 1;
  event.progress.cancelled = 6;
  event.progress.retried = 5;
  event.progress.elapsed = 1500ms;
  const auto text = [&](LogEventKind kind) {
    event.kind = kind;
    return log_json(event).dump();
  };
  const std::string head =
      R"({"time":"2025-11-28T10:44:12.081562Z","batch":"clips","run":2,"event":)";
  const std::string xn = R"("completed":4,"total":10)";
  CHECK(text(LogEventKind::batch_started) == head + R"("batch_started","total":10})");
  CHECK(text(LogEventKind::batch_paused) == head + R"("batch_paused",)" + xn + "}");
  CHECK(text(LogEventKind::batch_resumed) == head + R"("batch_resumed",)" + xn + "}");
  const std::string figures =
      xn + R"(,"succeeded":3,"failed":1,"cancelled":6,"retried":5,"elapsed_seconds":1.5})";
  CHECK(text(LogEventKind::batch_finished) == head + R"("batch_finished",)" + figures);
  CHECK(text(LogEventKind::batch_cancelled) == head + R"("batch_cancelled",)" + figures);
  event.error = "its task could not be made";
  CHECK(text(LogEventKind::item_failed) ==
        head + R"("item_failed","error":"its task could not be made",)" + xn + "}");
  event.index = 0;
  event.item = "long.mp4";
  event.attempt = 2;
  event.error = "no codec";
  event.duration = 250ms;
  const std::string item = R"("index":0,"item":"long.mp4",)";
  CHECK(text(LogEventKind::item_started) == head + R"("item_started",)" + item + R"("attempt":2})");
  CHECK(text(LogEventKind::item_succeeded) == head + R"("item_succeeded",)" + item +
                                                  R"("attempts":2,"duration_seconds":0.25,)" + xn +
                                                  "}");
  CHECK(text(LogEventKind::item_failed) ==
        head + R"("item_failed",)" + item +
            R"("attempts":2,"duration_seconds":0.25,"error":"no codec",)" + xn + "}");
  CHECK(text(LogEventKind::item_cancelled) ==
        head + R"("item_cancelled",)" + item + R"("attempts":2})");
  CHECK(text(LogEventKind::attempt_failed) ==
        head + R"("attempt_failed",)" + item +
            R"("attempt":2,"error":"no codec","retried":false})");
  event.retry_after = 0ms;
  CHECK(text(LogEventKind::attempt_failed) ==
        head + R"("attempt_failed",)" + item +
            R"("attempt":2,"error":"no codec","retried":true,"retry_after_seconds":0.0})");
  event = LogEvent{.kind = LogEventKind::lines_lost, .time = event.time, .lost_lines = 12};
  CHECK(log_json(event).dump() ==
        R"({"time":"2025-11-28T10:44:12.081562Z","event":"lines_lost","lines":12})");
  event.time = std::chrono::system_clock::time_point(-1us);
  CHECK(log_json(event)["time"] == "1969-12-31T23:59:59.999999Z");
}

TEST_CASE("JsonLines: whatever is in a text, a line is one line, and valid") {
  std::ostringstream out;
  {
    Log log{JsonLines{out}, {.max_text = 100}};
    BatchProcessor<std::string> processor{{.max_workers = 1}};
    log_to(processor, log, "b\xff\n", [](const std::string& text) { return text; });
    const std::vector<std::string> texts{"a\nb\r\n",
                                         "\xff\xfe\x80",
                                         std::string("\0x", 2),
                                         "\"quotes\" \\ {}",
                                         std::string(1 << 20, '\x80'),
                                         "\xe2\x80\xa8 \xf0\x9f\x98\x80",
                                         ""};
    processor.run(texts, [](const std::string& text) { throw std::runtime_error(text + "!"); });
  }
  const auto lines = objects(out.str());
  REQUIRE(lines.size() == lines_of(7) + 5);
  CHECK(all_whole(lines));
  CHECK(lines[1]["item"] == "a\nb\r\n");
  CHECK(lines[2]["error"] == "a\nb\r\n!");
  const auto settled = [&](int index) {
    for (const json& line : lines) {
      if (line["event"] == "item_failed" && line["index"] == index) return line;
    }
    return json{};
  };
  CHECK(settled(1)["item"] == "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
  CHECK(settled(2)["item"] == std::string("\0x", 2));
  CHECK(settled(3)["error"] == "\"quotes\" \\ {}!");
  CHECK(settled(4)["error"].get<std::string>().ends_with("..."));
  CHECK(settled(4)["error"].get<std::string>().size() > 200);  // three bytes for each of the 97
  CHECK(settled(5)["item"] == "\xe2\x80\xa8 \xf0\x9f\x98\x80");
}

TEST_CASE("JsonLines: a file is appended to, by many batches at once, and every line is whole") {
  Folder folder;
  const std::string file = folder.file("clips.jsonl");
  std::ofstream(file) << "{\"event\":\"before\"}\n";
  constexpr int batches = 4;
  {
    Log log{JsonLines{file}};
    support::in_parallel(batches, [&](int) { run_items(log, 500); });
    REQUIRE(log.flush(patience()));
    CHECK(log.error().empty());
    CHECK(objects(content(file)).size() == 1 + batches * lines_of(500));  // flushed, not closed
  }
  const auto lines = objects(content(file));
  CHECK(lines.size() == 1 + batches * lines_of(500));
  CHECK(all_whole(lines));
  CHECK(all_rising(lines));
  CHECK(lines.front()["event"] == "before");
  CHECK(count(lines, "batch_finished") == batches);
}

TEST_CASE("JsonLines: a file that cannot be opened is refused") {
  CHECK_THROWS_AS(JsonLines{"/nowhere/clips.jsonl"}, std::system_error);
  CHECK_THROWS_WITH(JsonLines{"/nowhere/clips.jsonl"}, ContainsSubstring("/nowhere/clips.jsonl"));
  CHECK_THROWS_AS(JsonLines{std::string{}}, std::system_error);
}

TEST_CASE("JsonLines: a full disk costs lines, and the batch nothing") {
  if (::access("/dev/full", W_OK) != 0) SKIP("there is no /dev/full");
  Log log{JsonLines{"/dev/full"}};
  run_items(log, 100);
  CHECK(log.flush(patience()));
  CHECK_THAT(log.error(), ContainsSubstring("/dev/full"));
  CHECK_THAT(log.error(), ContainsSubstring(std::generic_category().message(ENOSPC)));
  CHECK(log.lost_lines() == lines_of(100));
}

TEST_CASE("JsonLines: a file that is full within a line has whole lines when there is room again") {
  Folder folder;
  const std::string file = folder.file("clips.jsonl");
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, SIG_IGN);
  const auto allow = [&](rlim_t bytes) {
    const rlimit limit{bytes, before.rlim_max};
    return ::setrlimit(RLIMIT_FSIZE, &limit) == 0;
  };
  Log log{JsonLines{file}};
  bool allowed = true;
  for (rlim_t bytes : {1000u, 1001u, 2500u}) {
    allowed = allowed && allow(bytes);
    run_items(log, 10);
    allowed = allowed && log.flush(patience());
  }
  struct stat size {};
  const bool is_known = ::stat(file.c_str(), &size) == 0;
  allowed = allow(before.rlim_cur) && allowed;
  REQUIRE(allowed);
  REQUIRE(is_known);
  CHECK(size.st_size == 2500);  // full to the last byte
  run_items(log, 10);
  REQUIRE(log.flush(patience()));
  CHECK_THAT(log.error(), ContainsSubstring(std::generic_category().message(EFBIG)));
  const auto lines = objects(content(file));
  CHECK(all_whole(lines));
  CHECK(all_rising(lines));
  CHECK(said_lost(lines) == log.lost_lines());
  CHECK(lines.back()["event"] == "batch_finished");
  CHECK(count(lines, "item_succeeded") >= 8);
}

TEST_CASE("JsonLines: no batch waits for a pipe that nobody reads, and who reads then gets lines") {
  std::array<int, 2> pipe{};
  REQUIRE(::pipe(pipe.data()) == 0);
  std::string read;
  std::uint64_t lost = 0;
  std::thread reader;
  {
    Log log{JsonLines{"/dev/fd/" + std::to_string(pipe[1])}, {.max_queued_bytes = 256 << 10}};
    ::close(pipe[1]);
    run_items(log, 5000);  // comes back
    CHECK(log.lost_lines() > 0);
    CHECK_FALSE(log.flush(1ms));
    reader = std::thread([&] {
      std::array<char, 4096> part{};
      for (ssize_t size = 0; (size = ::read(pipe[0], part.data(), part.size())) > 0;) {
        read.append(part.data(), static_cast<std::size_t>(size));
      }
    });
    CHECK(log.flush(patience()));
    run_items(log, 10);
    CHECK(log.flush(patience()));
    CHECK(log.error().empty());
    lost = log.lost_lines();
  }  // which closes the pipe
  reader.join();
  ::close(pipe[0]);
  const auto lines = objects(read);
  CHECK(all_whole(lines));
  CHECK(all_rising(lines));
  CHECK(said_lost(lines) == lost);
  CHECK(lines.size() - count(lines, "lines_lost") == lines_of(5000) + lines_of(10) - lost);
}

TEST_CASE("JsonLines: a pipe whose reader has gone is an error, and ends no program") {
  std::array<int, 2> pipe{};
  REQUIRE(::pipe(pipe.data()) == 0);
  Log log{JsonLines{"/dev/fd/" + std::to_string(pipe[1])}};
  ::close(pipe[1]);
  ::close(pipe[0]);
  run_items(log, 10);
  CHECK(log.flush(patience()));
  CHECK_THAT(log.error(), ContainsSubstring(std::generic_category().message(EPIPE)));
  CHECK(log.lost_lines() == lines_of(10));
}

TEST_CASE("JsonLines: a stream that goes bad is written to again, on a line of its own") {
  const bool throws = GENERATE(false, true);
  const bool has_exceptions = GENERATE(false, true);
  Fickle buffer;
  std::ostream out(&buffer);
  if (has_exceptions) out.exceptions(std::ios::badbit | std::ios::failbit);
  Log log{JsonLines{out}};
  run_items(log, 10);
  REQUIRE(log.flush(patience()));
  const std::size_t before = buffer.str().size();
  buffer.fails = true;
  buffer.throws = throws;
  run_items(log, 10);
  REQUIRE(log.flush(patience()));
  CHECK_FALSE(log.error().empty());
  CHECK(log.lost_lines() == lines_of(10));
  buffer.fails = false;
  const std::size_t torn = buffer.str().size();
  CHECK((torn == before) == throws);
  run_items(log, 10);
  REQUIRE(log.flush(patience()));
  CHECK(log.lost_lines() == lines_of(10));
  const auto first = objects(buffer.str().substr(0, before));
  const auto later = objects(buffer.str().substr(torn));
  CHECK(first.size() == lines_of(10));
  REQUIRE(later.size() == lines_of(10) + 2);  // the end of what was torn, and what was lost
  CHECK(later[1]["lines"] == lines_of(10));
  for (std::size_t i = 1; i < later.size(); ++i) CHECK_FALSE(later[i].empty());
}

TEST_CASE("JsonLines: a stream without a buffer is an error") {
  std::ostream out(nullptr);
  Log log{JsonLines{out}};
  run_items(log, 10);
  CHECK(log.flush(patience()));
  CHECK_FALSE(log.error().empty());
  CHECK(log.lost_lines() == lines_of(10));
}

TEST_CASE("Spdlog: lines have the level of what they are about, and the time of the event") {
  std::ostringstream out;
  const auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(out);
  const auto logger = std::make_shared<spdlog::logger>("clips", sink);
  logger->set_pattern("%l %v");
  const bool is_verbose = GENERATE(false, true);
  if (is_verbose) logger->set_level(spdlog::level::debug);
  {
    Log log{SpdlogSink{logger}};
    BatchProcessor<int> processor{{.max_workers = 1, .retry = {.max_attempts = 2}}};
    log_to(processor, log, "clips", [](int i) { return "v" + std::to_string(i) + "{}\n"; });
    processor.run(numbers(2), [](int i) {
      if (i == 1) throw std::runtime_error("no %s codec");
    });
  }
  const std::string text = out.str();
  CHECK_THAT(text, ContainsSubstring("info clips #1: started, N is 2\n"));
  CHECK_THAT(text, ContainsSubstring("info clips #1: 1/2 item 0 v0{}? succeeded in "));
  CHECK_THAT(text,
             ContainsSubstring(
                 "warning clips #1: item 1 v1{}? failed, attempt 1: no %s codec, again in 0 s"));
  CHECK_THAT(text, ContainsSubstring("error clips #1: 2/2 item 1 v1{}? failed in "));
  CHECK_THAT(text, ContainsSubstring("error clips #1: finished 2/2 in "));
  CHECK((text.find("debug clips #1: item 0 v0{}? begins, attempt 1\n") != text.npos) == is_verbose);
  CHECK(std::count(text.begin(), text.end(), '\n') == (is_verbose ? 9 : 6));
}

TEST_CASE("Spdlog: its file has every line whole, with others who log there") {
  Folder folder;
  const std::string file = folder.file("clips.log");
  {
    const auto logger = std::make_shared<spdlog::logger>(
        "clips", std::make_shared<spdlog::sinks::basic_file_sink_mt>(file));
    logger->set_level(spdlog::level::debug);
    logger->set_pattern("<%v>");
    Log log{SpdlogSink{logger}};
    support::in_parallel(3, [&](int number) {
      if (number == 0) {
        for (int i = 0; i < 500; ++i) logger->info("of others");
      } else {
        run_items(log, 200);
      }
    });
    run_items(log, 1);  // behind the others' lines, and flushed with them
    REQUIRE(log.flush(patience()));
    CHECK(log.error().empty());
    CHECK(log.lost_lines() == 0);
    std::istringstream in(content(file));  // flushed
    std::size_t ours = 0;
    bool whole = true;
    for (std::string line; std::getline(in, line);) {
      whole = whole && line.front() == '<' && line.back() == '>';
      ours += line == "<of others>" ? 0u : 1u;
    }
    CHECK(whole);
    CHECK(ours == 2 * lines_of(200) + lines_of(1));
  }
}

TEST_CASE("Spdlog: null is refused, and what a logger's sink throws is the logger's") {
  CHECK_THROWS_AS(SpdlogSink{nullptr}, std::invalid_argument);
  struct Throwing final : spdlog::sinks::sink {
    void log(const spdlog::details::log_msg&) override { throw std::runtime_error("no room"); }
    void flush() override {}
    void set_pattern(const std::string&) override {}
    void set_formatter(std::unique_ptr<spdlog::formatter>) override {}
  };
  const auto logger = std::make_shared<spdlog::logger>("clips", std::make_shared<Throwing>());
  int errors = 0;
  logger->set_error_handler([&](const std::string&) { ++errors; });
  {
    Log log{SpdlogSink{logger}};
    run_items(log, 10);
    CHECK(log.flush(patience()));
    CHECK(log.error().empty());
  }
  CHECK(errors == static_cast<int>(lines_of(10)) - 10);  // those that begin are debug
}
