// SPDX-License-Identifier: MIT
#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ios>
#include <optional>
#include <ostream>
#include <sstream>
#include <stdexcept>
#include <streambuf>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>
#include <xofn/batch_processor.hpp>
#include <xofn/console/progress_bars.hpp>

#include "../support/environment.hpp"
#include "../support/gate.hpp"
#include "../support/progress.hpp"
#include "../support/screen.hpp"

using namespace std::chrono_literals;
using support::Environment;
using support::forty_columns;
using support::Screen;
using support::snapshot;
using support::whole;
using xofn::BarStyle;
using xofn::BarUnit;
using xofn::BatchState;
using xofn::Progress;
using xofn::ProgressBars;

namespace {

using Rows = std::vector<std::string>;

/// A terminal behind a stream. It fails the test when a frame is not one write, or wraps.
class Tty : public std::streambuf {
 public:
  explicit Tty(unsigned columns) : screen_(columns) {}

  [[nodiscard]] Rows rows() const { return screen_.rows(); }
  [[nodiscard]] bool has_wrapped() const { return screen_.has_wrapped(); }
  [[nodiscard]] bool is_whole() const { return is_whole_; }
  bool is_full = false;

 private:
  std::streamsize xsputn(const char* text, std::streamsize size) override {
    if (is_full) throw std::runtime_error("full");
    const std::string_view frame(text, static_cast<std::size_t>(size));
    is_whole_ = is_whole_ && (frame == "\n" ||
                              (frame.starts_with("\033[?2026h") && frame.ends_with("\033[?2026l")));
    screen_.write(frame);
    return size;
  }

  Screen screen_;
  bool is_whole_ = true;
};

}  // namespace

TEST_CASE("Bars have a row each while their batches run, and leave a receipt above") {
  Tty tty(40);
  std::ostream out{&tty};
  {
    ProgressBars bars{out, forty_columns};
    const auto hashing = bars.add("hashing");
    const auto packing = bars.add("packing", BarUnit::bytes);
    CHECK(tty.rows() == Rows{""});
    hashing(snapshot(0, 4));
    CHECK(tty.rows() == Rows{"hashing [..........] 0/4 0% 00:00"});
    packing(snapshot(512, 1024));
    CHECK(tty.rows() == Rows{"hashing [..........] 0/4 0% 00:00", "packing 512B/1.0KiB 50% 00:00"});
    hashing(snapshot(2, 4));
    CHECK(tty.rows() ==
          Rows{"hashing [#####.....] 2/4 50% 00:00", "packing 512B/1.0KiB 50% 00:00"});
    hashing(whole(4));
    CHECK(tty.rows() == Rows{"hashing 4/4 in 00:00", "packing 512B/1.0KiB 50% 00:00"});
    packing(snapshot(512, 1024, BatchState::cancelled));
    CHECK(tty.rows() ==
          Rows{"hashing 4/4 in 00:00", "packing 512B/1.0KiB INCOMPLETE in 00:00", ""});
    hashing(snapshot(1, 2));  // its next batch
    CHECK(tty.rows().back() == "hashing [#####.....] 1/2 50% 00:00");
    hashing(whole(2));
  }
  CHECK(tty.rows() == Rows{"hashing 4/4 in 00:00", "packing 512B/1.0KiB INCOMPLETE in 00:00",
                           "hashing 2/2 in 00:00", ""});
  CHECK(tty.is_whole());
  CHECK_FALSE(tty.has_wrapped());
}

TEST_CASE("p-ranav/indicators#108: lines come above the bars, which stay") {
  Tty tty(40);
  std::ostream out{&tty};
  ProgressBars bars{out, forty_columns};
  bars.println("first");
  const auto a = bars.add("a");
  const auto b = bars.add("b");
  a(snapshot(1, 2));
  b(snapshot(1, 2));
  bars.println("second, in which there is more");
  bars.println("");
  bars.println("third\nfourth");
  CHECK(tty.rows() == Rows{"first", "second, in which there is more", "", "third", "fourth",
                           "a [#####.....] 1/2 50% 00:00", "b [#####.....] 1/2 50% 00:00"});
  CHECK(tty.is_whole());
}

TEST_CASE("A line that is too long for its row wraps, and nothing of the bars is left in it") {
  Tty tty(40);
  std::ostream out{&tty};
  ProgressBars bars{out, forty_columns};
  const auto a = bars.add("a");
  const auto b = bars.add("b");
  a(snapshot(1, 2));
  b(snapshot(1, 2));
  bars.println(std::string(43, 'x'));
  CHECK(tty.rows() == Rows{std::string(40, 'x'), "xxx", "a [#####.....] 1/2 50% 00:00",
                           "b [#####.....] 1/2 50% 00:00"});
}

TEST_CASE("Bars for which there are no rows are counted") {
  // The stream is no terminal: it is taken to have 24 rows.
  Tty tty(40);
  std::ostream out{&tty};
  ProgressBars bars{out, forty_columns};
  std::vector<ProgressBars::Bar> all;
  for (int i = 0; i < 30; ++i) {
    all.push_back(bars.add("bar"));
    all.back()(snapshot(0, 1));
    CHECK(tty.rows().size() <= 23);
    CHECK(tty.rows().size() == static_cast<std::size_t>(std::min(i + 1, 23)));
  }
  CHECK(tty.rows().back() == "+8 more");
  for (int i = 0; i < 7; ++i) all[static_cast<std::size_t>(i)](whole(1));
  CHECK(tty.rows().size() == 7 + 23);
  CHECK(tty.rows().back() == "bar [..........] 0/1 0% 00:00");
}

TEST_CASE("A bar that nobody can tell anything any more is left above as it stood") {
  Tty tty(40);
  std::ostream out{&tty};
  ProgressBars bars{out, forty_columns};
  const auto a = bars.add("a");
  {
    const auto b = bars.add("b");
    b(snapshot(1, 2));
    a(snapshot(1, 4));
    const auto same = b;
    same(snapshot(0, 2));
    CHECK(tty.rows().size() == 2);
  }
  a(snapshot(2, 4));
  CHECK(tty.rows() == Rows{"b [..........] 0/2 0% 00:00", "a [#####.....] 2/4 50% 00:00"});
}

TEST_CASE("Bars that outlive their group are silent, and so is one that was moved from") {
  Tty tty(40);
  std::ostream out{&tty};
  std::optional<ProgressBars> bars{std::in_place, out, forty_columns};
  auto a = bars->add("a");
  const auto b = bars->add("b");
  a(snapshot(1, 2));
  const auto moved = std::move(a);
  a(whole(2));  // NOLINT(bugprone-use-after-move)
  CHECK(tty.rows() == Rows{"a [#####.....] 1/2 50% 00:00"});
  bars.reset();
  moved(whole(2));
  b(snapshot(1, 2));
  CHECK(tty.rows() == Rows{"a [#####.....] 1/2 50% 00:00", ""});
}

TEST_CASE("An empty group, and one whose bars are never told anything, write nothing") {
  std::ostringstream out;
  {
    ProgressBars bars{out, forty_columns};
    (void)bars.add("a");
    const auto b = bars.add();
  }
  CHECK(out.str().empty());
}

TEST_CASE(
    "Without a terminal the lines of all bars are written as they are due, and lines at once") {
  std::ostringstream out;
  ProgressBars bars{out, {.style = BarStyle::lines}};
  const auto a = bars.add("a");
  const auto b = bars.add("b");
  a(snapshot(0, 2));
  b(snapshot(0, 2));
  a(snapshot(1, 2));
  bars.println("between");
  a(whole(2));
  b(whole(2));
  CHECK(out.str() == "a 0/2 0% 00:00\nb 0/2 0% 00:00\nbetween\na 2/2 in 00:00\nb 2/2 in 00:00\n");
}

TEST_CASE("Bars that are off leave the lines") {
  std::ostringstream out;
  const Environment off("XOFN_PROGRESS", "off");
  ProgressBars bars{out};
  const auto a = bars.add("a");
  a(snapshot(0, 2));
  bars.println("a line");
  a(whole(2));
  CHECK(out.str() == "a line\n");
}

TEST_CASE("The taskbar shows the first bar, and is cleared with the last") {
  const Environment program("TERM_PROGRAM", "ghostty");
  const Environment term("TERM", "xterm-ghostty");
  const Environment tmux("TMUX", "");
  std::ostringstream out;
  ProgressBars bars{out, forty_columns};
  const auto a = bars.add("a");
  const auto b = bars.add("b");
  const auto says = [&](std::string_view code) {
    const bool found = out.str().find(code) != std::string::npos;
    out.str("");
    return found;
  };
  a(snapshot(1, 2));
  CHECK(says("\033]9;4;1;50\033\\"));
  b(snapshot(1, 4));
  CHECK_FALSE(says("\033]9"));
  a(whole(2));
  CHECK(says("\033]9;4;1;25\033\\"));
  b(whole(4));
  CHECK(says("\033]9;4;0;0\033\\"));
}

TEST_CASE("What the stream throws comes out of the call, and the bars go on afterwards") {
  Tty tty(40);
  std::ostream out{&tty};
  out.exceptions(std::ios::badbit);
  ProgressBars bars{out, forty_columns};
  const auto a = bars.add("a");
  a(snapshot(1, 4));
  tty.is_full = true;
  CHECK_THROWS_AS(a(snapshot(2, 4)), std::runtime_error);
  CHECK_THROWS_AS(bars.println("lost"), std::ios::failure);
  tty.is_full = false;
  out.clear();
  a(snapshot(3, 4));
  CHECK(tty.rows() == Rows{"a [#######...] 3/4 75% 00:00"});
}

TEST_CASE("Bars of batches that run at once and in one another end as N/N each, lines included") {
  Tty tty(60);
  std::ostream out{&tty};
  {
    ProgressBars bars{out, {.style = BarStyle::terminal, .width = 60}};
    xofn::ThreadPool pool{3};
    xofn::BatchProcessor<int> outer{pool};
    outer.on_progress(bars.add("outer"), xofn::Delivery::latest(1ms));
    outer.run(std::vector<int>{0, 1, 2, 3}, [&](int number) {
      xofn::BatchProcessor<int> inner{pool};
      inner.on_progress(bars.add("inner " + std::to_string(number)));
      inner.run(std::vector<int>(50), [&](int) {});
      bars.println("line " + std::to_string(number));
    });
  }
  const Rows rows = tty.rows();
  REQUIRE(rows.size() == 10);
  CHECK(rows.back().empty());
  CHECK(rows[8].starts_with("outer 4/4 in "));
  for (int number = 0; number < 4; ++number) {
    const std::string receipt = "inner " + std::to_string(number) + " 50/50 in ";
    const std::string line = "line " + std::to_string(number);
    std::size_t receipt_at = 9;
    std::size_t line_at = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows[i].starts_with(receipt)) receipt_at = i;
      if (rows[i] == line) line_at = i;
    }
    CHECK(receipt_at < line_at);
  }
  CHECK(tty.is_whole());
  CHECK_FALSE(tty.has_wrapped());
}

TEST_CASE("While one thread writes, others leave their news to it and go on") {
  struct Slow : std::stringbuf {
    std::atomic<int> writes{0};
    support::Gate begun;
    support::Gate may_end;
    std::streamsize xsputn(const char* text, std::streamsize size) override {
      if (++writes == 1) {
        begun.open();
        (void)may_end.wait();
      }
      return std::stringbuf::xsputn(text, size);
    }
  } slow;
  std::ostream out{&slow};
  ProgressBars bars{out, {.style = BarStyle::terminal, .width = 40}};
  const auto a = bars.add("a");
  const auto b = bars.add("b");
  std::thread writer([&] { a(snapshot(0, 2)); });
  REQUIRE(slow.begun.wait());
  b(snapshot(1, 2));  // returns, although the stream is busy
  b(snapshot(2, 2));
  slow.may_end.open();
  writer.join();
  CHECK_FALSE(slow.may_end.expired());
  CHECK(slow.writes == 2);
  Screen screen(40);
  screen.write(slow.str());
  CHECK(screen.rows() == Rows{"a [..........] 0/2 0% 00:00", "b [##########] 2/2 100% 00:00"});
}
