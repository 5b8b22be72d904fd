// SPDX-License-Identifier: MIT
// A bar on the real std::cerr, in a real pseudo-terminal.
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>
#include <xofn/console/progress_bar.hpp>

#include "support/environment.hpp"
#include "support/screen.hpp"

using namespace std::chrono_literals;
using support::Environment;
using support::Screen;
using xofn::BatchState;
using xofn::Progress;
using xofn::ProgressBar;

namespace {

int checked(int result, const char* call) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), call);
  return result;
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  [[nodiscard]] int get() const { return number_; }

 private:
  int number_;
};

/// Connects the standard error stream to something else until the end of the scope.
class StandardError {
 public:
  explicit StandardError(const Descriptor& target) : before_(checked(dup(2), "dup")) {
    checked(dup2(target.get(), 2), "dup2");
  }
  StandardError(const StandardError&) = delete;
  StandardError& operator=(const StandardError&) = delete;
  ~StandardError() { dup2(before_.get(), 2); }

 private:
  Descriptor before_;
};

/// Everything up to the end of a frame, or of the first line that is none.
std::string read_frame(const Descriptor& from) {
  std::string frame;
  while (!frame.ends_with("\033[?2026l") &&
         (!frame.ends_with('\n') || frame.starts_with("\033[?2026h"))) {
    pollfd ready{from.get(), POLLIN, 0};
    char c = 0;
    if (checked(poll(&ready, 1, 20'000), "poll") == 0 ||
        checked(static_cast<int>(read(from.get(), &c, 1)), "read") == 0) {
      throw std::runtime_error("no frame, only " + frame);
    }
    frame += c;
  }
  return frame;
}

/// A terminal: what is written to `inside` can be seen, and `outside` reads it.
struct Terminal {
  explicit Terminal(unsigned short columns) { resize(columns); }

  void resize(unsigned short columns) const {
    const winsize size{24, columns, 0, 0};
    checked(ioctl(outside.get(), TIOCSWINSZ, &size), "ioctl");
  }

  Descriptor outside{checked(posix_openpt(O_RDWR | O_NOCTTY), "posix_openpt")};
  Descriptor inside = [this] {
    checked(grantpt(outside.get()), "grantpt");
    checked(unlockpt(outside.get()), "unlockpt");
    return Descriptor{checked(open(ptsname(outside.get()), O_RDWR | O_NOCTTY), "open")};
  }();
};

Progress middle() {
  Progress progress;
  progress.total = 240;
  progress.succeeded = 118;
  progress.failed = 2;
  progress.elapsed = 1500ms;
  return progress;
}

Progress last() {
  Progress progress = middle();
  progress.succeeded = 238;
  progress.state = BatchState::finished;
  return progress;
}

}  // namespace

TEST_CASE("In a terminal the bar stays on its row, however the window is resized") {
  const Environment term("TERM", "xterm");
  const Environment no_color("NO_COLOR", "");
  const Terminal terminal(80);
  const StandardError redirected(terminal.inside);
  ProgressBar bar{std::cerr, "hashing my files"};
  for (const auto& [columns, expected] : {
           std::pair{
               80,
               "hashing my files [##########..........] 120/240 50% 80.0/s 00:01<00:02 2 failed"},
           std::pair{40, "hashing my files 120/240 50% 2 failed"},
           std::pair{20, "120/240 2 failed"},
           std::pair{9, "120/240"},
           std::pair{2, ""},
           std::pair{
               120,
               "hashing my files [####################....................] 120/240 50% 80.0/s "
               "00:01<00:02 2 failed"},
           std::pair{
               0,
               "hashing my files [##########..........] 120/240 50% 80.0/s 00:01<00:02 2 failed"},
       }) {
    terminal.resize(static_cast<unsigned short>(columns));
    bar(middle());
    const std::string frame = read_frame(terminal.outside);
    CHECK(frame.starts_with("\033[?2026h\r"));
    Screen screen(columns == 0 ? 80U : static_cast<unsigned>(columns));
    screen.write(frame);
    CHECK(screen.rows() == std::vector<std::string>{expected});
  }
}

TEST_CASE("In a terminal frames replace each other, and the last one stays") {
  const Environment term("TERM", "xterm");
  const Terminal terminal(60);
  const StandardError redirected(terminal.inside);
  ProgressBar bar{std::clog, "hashing"};
  Screen screen(60);
  for (int failed = 0; failed < 3; ++failed) {
    Progress progress = middle();
    progress.failed = static_cast<std::uint64_t>(failed);
    bar(progress);
    screen.write(read_frame(terminal.outside));
  }
  bar(last());
  screen.write(read_frame(terminal.outside));
  CHECK_FALSE(screen.has_wrapped());
  CHECK(screen.rows() ==
        std::vector<std::string>{"hashing 240/240 in 00:01 at 160/s 2 failed", ""});
}

TEST_CASE("A dumb terminal gets lines") {
  const Environment term("TERM", "dumb");
  const Terminal terminal(40);
  const StandardError redirected(terminal.inside);
  ProgressBar bar{std::cerr, "hashing"};
  bar(middle());
  bar(middle());
  bar(last());
  CHECK(read_frame(terminal.outside) == "hashing 120/240 50% 80.0/s 00:01<00:02 2 failed\r\n");
  CHECK(read_frame(terminal.outside) == "hashing 240/240 in 00:01 at 160/s 2 failed\r\n");
}

TEST_CASE("A pipe gets lines") {
  const Environment term("TERM", "xterm");
  std::array<int, 2> ends{};
  checked(pipe(ends.data()), "pipe");
  const Descriptor reader{ends[0]};
  const Descriptor writer{ends[1]};
  const StandardError redirected(writer);
  ProgressBar bar{std::cerr, "hashing"};
  bar(middle());
  bar(last());
  CHECK(read_frame(reader) == "hashing 120/240 50% 80.0/s 00:01<00:02 2 failed\n");
  CHECK(read_frame(reader) == "hashing 240/240 in 00:01 at 160/s 2 failed\n");
}

TEST_CASE("A stream that is none of the standard ones is told what it writes to") {
  const Environment term("TERM", "xterm");
  const Environment no_color("NO_COLOR", "");
  const Terminal terminal(20);
  std::ostringstream out;
  ProgressBar bar{out, "hashing", {.descriptor = terminal.inside.get()}};
  bar(last());
  CHECK(out.str() == "\033[?2026h\r240/240 \033[31m2 failed\033[0m\n\033[?2026l");
}
