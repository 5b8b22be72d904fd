// SPDX-License-Identifier: MIT
// What the studio lists, and how it runs a program.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "../../examples/batch_studio/folder.hpp"
#include "../../examples/batch_studio/program.hpp"
#include "../support/gate.hpp"
#include "scratch.hpp"

namespace fs = std::filesystem;
using support::eventually;
using support::Scratch;

namespace {

std::vector<std::string> names(const Folder& folder) {
  std::vector<std::string> names;
  for (const MediaFile& file : folder.files()) names.push_back(file.name);
  return names;
}

/// What it fails with; empty if it does not.
std::string failure(const std::vector<std::string>& command, const Scratch& scratch,
                    const std::stop_token& stop = {}) {
  try {
    run_program(command, scratch / "out", stop);
    return "";
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

/// A pipe by a name, of which is known whether somebody has it open to write.
class Leash {
 public:
  explicit Leash(const fs::path& path) {
    ::mkfifo(path.c_str(), 0600);
    reader_ = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  }
  ~Leash() { ::close(reader_); }
  Leash(const Leash&) = delete;
  Leash& operator=(const Leash&) = delete;

  [[nodiscard]] bool is_held() const {
    char c = 0;
    return ::read(reader_, &c, 1) != 0;
  }

 private:
  int reader_;
};

}  // namespace

TEST_CASE("studio: a folder lists images, films and sounds that lie in it, and nothing else") {
  const Scratch scratch;
  for (const char* name : {"b.png", "a.MP4", "c d.flac", "text.txt", "png", ".png", "x.png.gz"}) {
    scratch.write(name, "1234");
  }
  scratch.write("deeper/e.png", "");
  scratch.write("caf\xe9.png", "");
  fs::create_directory(scratch / "folder.png");
  fs::create_symlink("b.png", scratch / "link.png");
  fs::create_symlink("/etc/passwd", scratch / "outside.png");
  fs::create_symlink("nowhere", scratch / "dangling.png");
  ::mkfifo((scratch / "pipe.png").c_str(), 0600);
  const Folder folder(scratch.path());
  CHECK(names(folder) == std::vector<std::string>{"a.MP4", "b.png", "c d.flac"});
  CHECK(folder.files().at(0).size == 4);
  CHECK(folder.has("b.png"));
  const std::string above = "../" + scratch.path().filename().string() + "/b.png";
  for (const std::string& name :
       {std::string("b.pn"), std::string(""), std::string("."), std::string(".."),
        std::string("deeper/e.png"), std::string("./b.png"), above, (scratch / "b.png").string(),
        std::string("b.png/"), std::string("b.png\0", 6), std::string("b.png\0.png", 10),
        std::string("folder.png"), std::string("link.png"), std::string("outside.png"),
        std::string("dangling.png"), std::string("pipe.png"), std::string("text.txt"),
        std::string("caf\xe9.png"), std::string(5000, 'x') + ".png"}) {
    CAPTURE(name);
    CHECK_FALSE(folder.has(name));
  }
  scratch.write("new.png", "");
  CHECK(folder.has("new.png"));
  scratch.write("caf\xc3\xa9 \"\\\n.png", "");
  CHECK(folder.has("caf\xc3\xa9 \"\\\n.png"));
  CHECK_THROWS_AS(Folder(scratch / "nowhere"), fs::filesystem_error);
  CHECK_THROWS_AS(Folder(scratch / "b.png"), fs::filesystem_error);
}

TEST_CASE("studio: the end of a file begins with a line, and is there for any file") {
  const Scratch scratch;
  scratch.write("log", "first\nsecond\nthird\n");
  CHECK(end_of(scratch / "log", 100) == "first\nsecond\nthird\n");
  CHECK(end_of(scratch / "log", 19) == "first\nsecond\nthird\n");
  CHECK(end_of(scratch / "log", 10) == "third\n");
  CHECK(end_of(scratch / "log", 4) == "ird\n");
  CHECK(end_of(scratch / "nowhere", 10).empty());
}

TEST_CASE("studio: what a program prints is in the file, and its words are as they were given") {
  const Scratch scratch;
  CHECK(failure({"printf", "%s|", "$HOME", "a b", "*", "`id`", "", "\"'"}, scratch).empty());
  CHECK(scratch.read("out") == "$HOME|a b|*|`id`||\"'|");
  CHECK(failure({"cat"}, scratch).empty());  // there is nothing to read
  CHECK(scratch.read("out").empty());
}

TEST_CASE("studio: a program gets no file that its starter has open") {
  const Scratch scratch;
  const int open_here = ::open((scratch / "log").c_str(), O_WRONLY | O_CREAT, 0600);
  CHECK(failure({"test", "!", "-e", "/dev/fd/" + std::to_string(open_here)}, scratch).empty());
  ::close(open_here);
}

TEST_CASE("studio: a program that fails says why, with the end of what it has said") {
  const Scratch scratch;
  CHECK(failure({"sh", "-c", "echo broken >&2; exit 3"}, scratch) == "sh ended with 3: broken");
  CHECK(failure({"false"}, scratch) == "false ended with 1");
  CHECK(failure({"sh", "-c", "kill -9 $$"}, scratch) == "sh was ended by signal 9");
  const std::string flood = "head -c 1000000 /dev/zero | tr '\\0' x >&2; echo end >&2; exit 1";
  const std::string said = failure({"sh", "-c", flood}, scratch);
  CHECK(said.starts_with("sh ended with 1: xxx"));
  CHECK(said.ends_with("xxxend"));
  CHECK(said.size() < 300);
  CHECK_THROWS_AS(run_program({"no such program"}, scratch / "out", {}), std::system_error);
  CHECK_THROWS_AS(run_program({"true"}, scratch / "nowhere/out", {}), std::system_error);
  CHECK_FALSE(fs::exists(scratch / "out.err"));
  fs::create_symlink(scratch / "elsewhere", scratch / "link");
  CHECK_THROWS_AS(run_program({"echo"}, scratch / "link", {}), std::system_error);
  CHECK_FALSE(fs::exists(scratch / "elsewhere"));
}

TEST_CASE("studio: a stop kills a program with all that it has started") {
  const Scratch scratch;
  const Leash leash(scratch / "leash");
  const std::string script = "exec 3>" + (scratch / "leash").string() + "; sleep 60 & sleep 60";
  std::stop_source stop;
  std::string said;
  std::thread runs([&] { said = failure({"sh", "-c", script}, scratch, stop.get_token()); });
  const bool is_there = eventually([&] { return leash.is_held(); });
  stop.request_stop();
  runs.join();
  CHECK(is_there);
  CHECK(said == "sh was ended by signal 9");
  CHECK(eventually([&] { return !leash.is_held(); }));
  CHECK(failure({"sleep", "60"}, scratch, stop.get_token()) == "sleep was ended by signal 9");
}

TEST_CASE("studio: nothing that a program has left behind outlives it") {
  const Scratch scratch;
  const Leash leash(scratch / "leash");
  const std::string script = "exec 3>" + (scratch / "leash").string() + "; sleep 60 &";
  CHECK(failure({"sh", "-c", script}, scratch).empty());
  CHECK(eventually([&] { return !leash.is_held(); }));
}

TEST_CASE("studio: a program gets no signals blocked, whatever its starter has") {
  const Scratch scratch;
  std::string said;
  std::thread([&] {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    said = failure({"sh", "-c", "kill -TERM $$; exit 7"}, scratch);
  }).join();
  CHECK(said == "sh was ended by signal 15");
}
