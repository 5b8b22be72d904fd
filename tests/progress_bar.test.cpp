// SPDX-License-Identifier: MIT
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <ios>
#include <iostream>
#include <limits>
#include <ostream>
#include <sstream>
#include <stdexcept>
#include <streambuf>
#include <string>
#include <string_view>
#include <vector>
#include <xofn/batch_processor.hpp>
#include <xofn/console/progress_bar.hpp>
#include <xofn/progress_tracker.hpp>

#include "support/environment.hpp"
#include "support/screen.hpp"

using namespace std::chrono_literals;
using support::Environment;
using support::Screen;
using xofn::BarStyle;
using xofn::BarUnit;
using xofn::BatchState;
using xofn::Progress;
using xofn::ProgressBar;

namespace {

/// A frame that draws over the one before, and the last one.
std::string frame(const std::string& line) { return "\033[?2026h\r" + line + "\033[K\033[?2026l"; }
std::string last_frame(const std::string& line, bool is_first = false) {
  return std::string("\033[?2026h\r") + (is_first ? "" : "\033[J") + line + "\n\033[?2026l";
}

/// Where a stream writes to: keeps apart what was written at a time.
class Writes : public std::streambuf {
 public:
  std::vector<std::string> all;
  int flushes = 0;
  bool is_full = false;

 private:
  std::streamsize xsputn(const char* text, std::streamsize size) override {
    if (is_full) return 0;
    all.emplace_back(text, static_cast<std::size_t>(size));
    return size;
  }
  int_type overflow(int_type c) override {
    if (is_full) return traits_type::eof();
    all.emplace_back(1, traits_type::to_char_type(c));
    return c;
  }
  int sync() override { return ++flushes, 0; }
};

Progress running(std::uint64_t completed, std::uint64_t total, std::chrono::nanoseconds elapsed,
                 std::uint64_t failed = 0) {
  Progress progress;
  progress.total = total;
  progress.succeeded = completed - failed;
  progress.failed = failed;
  progress.elapsed = elapsed;
  return progress;
}

Progress finished(std::uint64_t total, std::chrono::nanoseconds elapsed, std::uint64_t failed = 0) {
  Progress progress = running(total, total, elapsed, failed);
  progress.state = BatchState::finished;
  return progress;
}

Progress cancelled(Progress progress) {
  progress.cancelled = progress.total - progress.completed();
  progress.state = BatchState::cancelled;
  return progress;
}

Progress growing(Progress progress) {
  progress.total_is_final = false;
  return progress;
}

/// The frame that a terminal of this width shows, as a person sees it.
std::string seen(const Progress& progress, unsigned width = 80, std::string_view label = "hashing",
                 BarUnit unit = BarUnit::items) {
  std::ostringstream out;
  ProgressBar{out, label, {.unit = unit, .style = BarStyle::terminal, .width = width}}(progress);
  Screen screen(width);
  screen.write(out.str());
  CHECK_FALSE(screen.has_wrapped());
  return screen.rows().front();
}

/// The lines that are written where there is no terminal.
std::vector<std::string> lines(std::initializer_list<Progress> calls) {
  Writes writes;
  std::ostream out{&writes};
  ProgressBar bar{out, "hashing"};
  for (const Progress& progress : calls) bar(progress);
  return writes.all;
}

std::vector<std::string> words(const std::string& line) {
  std::istringstream in(line);
  return {std::istream_iterator<std::string>{in}, {}};
}

}  // namespace

TEST_CASE("A frame is one write that draws over the one before, and the last ends the line") {
  Writes writes;
  std::ostream out{&writes};
  ProgressBar bar{out, "hashing", {.style = BarStyle::terminal, .width = 40}};
  bar(running(0, 240, 0s));
  bar(running(120, 240, 1s));
  bar(finished(240, 2s));
  CHECK(writes.all == std::vector<std::string>{frame("hashing [..........] 0/240 0% 00:00"),
                                               frame("hashing 120/240 50% 120/s 00:01<00:01"),
                                               last_frame("hashing 240/240 in 00:02 at 120/s")});
  CHECK(writes.flushes == 3);
}

TEST_CASE("A frame leaves out what does not fit, X/N last") {
  const Progress first = running(0, 240, 0s);
  CHECK(seen(first, 200) == "hashing [" + std::string(40, '.') + "] 0/240 0% 00:00");
  CHECK(seen(first, 40) == "hashing [..........] 0/240 0% 00:00");
  CHECK(seen(first, 20) == "hashing 0/240 0%");

  const Progress middle = running(120, 240, 1500ms, 2);
  CHECK(seen(middle, 200) ==
        "hashing [####################....................] 120/240 50% 80.0/s "
        "00:01<00:02 2 failed");
  CHECK(seen(middle, 80) ==
        "hashing [##########..........] 120/240 50% 80.0/s 00:01<00:02 2 failed");
  CHECK(seen(middle, 70) == "hashing [#####.....] 120/240 50% 80.0/s 00:01<00:02 2 failed");
  CHECK(seen(middle, 60) == "hashing [#####.....] 120/240 50% 00:01<00:02 2 failed");
  CHECK(seen(middle, 50) == "hashing 120/240 50% 80.0/s 00:01<00:02 2 failed");
  CHECK(seen(middle, 40) == "hashing 120/240 50% 80.0/s 2 failed");
  CHECK(seen(middle, 30) == "hashing 120/240 50% 2 failed");
  CHECK(seen(middle, 20) == "120/240 2 failed");
  CHECK(seen(middle, 10) == "120/240");
  CHECK(seen(middle, 7) == "50%");
  CHECK(seen(middle, 3).empty());
  CHECK(seen(middle, 1).empty());

  const Progress last = finished(240, 1500ms);
  CHECK(seen(last, 80) == "hashing 240/240 in 00:01 at 160/s");
  CHECK(seen(last, 30) == "hashing 240/240 in 00:01");
  CHECK(seen(last, 17) == "hashing 240/240");
  CHECK(seen(last, 10) == "240/240");
  CHECK(seen(last, 3).empty());
}

TEST_CASE("A frame that is asked for where nobody knows the width is for 80 columns") {
  std::ostringstream out;
  ProgressBar{out, "hashing", {.style = BarStyle::terminal}}(running(120, 240, 1s));
  Screen screen(80);
  screen.write(out.str());
  CHECK(screen.rows().front() == seen(running(120, 240, 1s), 80));
}

TEST_CASE("At every width a frame stays on its row, and no word of it is cut") {
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  const std::vector<Progress> all{
      running(0, 240, 0s),          running(120, 240, 100ms, 2),
      finished(240, 48h, 240),      cancelled(running(7, 240, 61min, 7)),
      growing(running(7, 240, 1s)), running(most - 1, most, 292 * 365 * 24h, most / 2)};
  for (const std::string_view label :
       {"", "hashing", "überprüfe", "数える", "🦀🦀🦀 crabs", "cafe\u0301 👩\u200d🚀",
        "a label that is longer than what there is to say about it"}) {
    for (const Progress& progress : all) {
      const std::vector<std::string> known = words(seen(progress, 300, label));
      for (unsigned width = 1; width <= 200; ++width) {
        for (const std::string& word : words(seen(progress, width, label))) {
          const bool is_number = word.find_first_of("/%:") != std::string::npos;
          CHECK((!is_number || std::count(known.begin(), known.end(), word) == 1));
        }
      }
    }
  }
}

TEST_CASE("p-ranav/indicators#98: 53 % is 53, and 100 % is not said before the end") {
  Writes writes;
  std::ostream out{&writes};
  ProgressBar bar{out, "", {.style = BarStyle::terminal, .width = 40}};
  for (std::uint64_t completed = 0; completed < 1000; ++completed) {
    bar(running(completed, 1000, 1s));
    CHECK(writes.all.back().find(' ' + std::to_string(completed / 10) + '%') != std::string::npos);
    CHECK(writes.all.back().find("[##########]") == std::string::npos);
  }
  bar(finished(1000, 1s));
  CHECK(writes.all.back() == last_frame("1000/1000 in 00:01 at 1.0k/s"));
}

TEST_CASE("bazelbuild/bazel#3582: while N grows no percentage is shown that could fall") {
  Writes writes;
  std::ostream out{&writes};
  ProgressBar bar{out, "", {.style = BarStyle::terminal, .width = 80}};
  bar(growing(running(0, 100, 0s)));
  CHECK(writes.all.back() == frame("[....................] 0/100 0% 00:00"));
  bar(growing(running(60, 200, 1s)));
  CHECK(writes.all.back() == frame("60/200+ 60.0/s 00:01"));
  bar(growing(running(120, 200, 2s)));
  CHECK(writes.all.back() == frame("120/200+ 60.0/s 00:02"));
  bar(running(180, 240, 3s));
  CHECK(writes.all.back() == frame("[###############.....] 180/240 75% 60.0/s 00:03<00:01"));
  bar(finished(240, 4s));
  CHECK(writes.all.back() == last_frame("240/240 in 00:04 at 60.0/s"));
}

TEST_CASE("A frame says how a batch stands that does not run to its end") {
  Progress progress = running(120, 240, 1s, 2);
  progress.state = BatchState::paused;
  CHECK(seen(progress) == "hashing [##########..........] 120/240 50% 120/s 00:01 2 failed paused");
  progress.state = BatchState::running;
  progress.cancelled = 118;
  CHECK(seen(progress) ==
        "hashing [##########..........] 120/240 50% 00:01<00:01 2 failed cancelling");
}

TEST_CASE("What is tried again is counted, and a pause keeps the rate and takes no time of it") {
  Progress progress = running(120, 240, 1s, 2);
  progress.retried = 3;
  CHECK(seen(progress, 100) == "hashing [" + std::string(20, '#') + std::string(20, '.') +
                                   "] 120/240 50% 120/s 00:01<00:01 2 failed 3 retried");

  std::ostringstream out;
  ProgressBar bar{out, "", {.style = BarStyle::terminal, .width = 60}};
  bar(running(120, 240, 1s));
  Progress paused = running(120, 240, 1s);
  paused.state = BatchState::paused;
  bar(paused);
  paused.elapsed = 1h;
  out.str("");
  bar(paused);
  CHECK(out.str() == frame("[#####.....] 120/240 50% 120/s 01:00:00 paused"));
  bar(running(120, 240, 1h));
  out.str("");
  bar(running(180, 240, 1h + 500ms));
  CHECK(out.str() == frame("[#######...] 180/240 75% 120/s 01:00:00<00:01"));
}

TEST_CASE("A stall shows: the rate falls and the time left grows") {
  Writes writes;
  std::ostream out{&writes};
  ProgressBar bar{out, "", {.style = BarStyle::terminal, .width = 60}};
  bar(running(120, 240, 1s));
  bar(running(120, 240, 61s));
  CHECK(writes.all.back() == frame("[#####.....] 120/240 50% 2.6/s 01:01<00:47"));
}

TEST_CASE("Weights stand beside X/N, and the bar, the rate and the time left are theirs") {
  const auto weighed = [](Progress progress, std::uint64_t completed, std::uint64_t total) {
    progress.weight_completed = completed;
    progress.weight_total = total;
    return progress;
  };
  constexpr std::uint64_t mib = 1ULL << 20;
  CHECK(seen(weighed(running(1, 4, 2s, 1), 3 * mib, 4 * mib), 90, "", BarUnit::bytes) ==
        "[###############.....] 1/4 3.0MiB/4.0MiB 75% 1.5MiB/s 00:02<00:01 1 failed");
  CHECK(seen(weighed(running(0, 4, 0s), 0, 24), 40, "") == "[..........] 0/4 0/24 0% 00:00");
  CHECK(seen(weighed(running(3, 4, 1s), 24, 24), 70, "") ==
        "[#########.] 3/4 24/24 99% 24.0/s 00:01");  // the last one weighs nothing
  CHECK(seen(weighed(finished(4, 2s), 4 * mib, 4 * mib), 60, "", BarUnit::bytes) ==
        "4/4 4.0MiB in 00:02 at 2.0MiB/s");
  CHECK(seen(weighed(cancelled(running(1, 4, 2s)), mib, 4 * mib), 80, "", BarUnit::bytes) ==
        "1/4 INCOMPLETE 1.0MiB/4.0MiB in 00:02 at 512KiB/s 3 cancelled");
  Progress cancelling = weighed(running(1, 4, 2s), mib, 4 * mib);
  cancelling.cancelled = 2;
  CHECK(seen(cancelling, 69, "", BarUnit::bytes) ==
        "[##........] 1/4 1.0MiB/4.0MiB 25% 512KiB/s 00:02 cancelling");
  CHECK(seen(growing(weighed(running(1, 4, 2s), mib, 4 * mib)), 69, "", BarUnit::bytes) ==
        "[##........] 1/4 1.0MiB/4.0MiB 25% 512KiB/s 00:02<00:06");

  std::ostringstream out;
  ProgressBar bar{out, "", {.style = BarStyle::terminal, .width = 69}};
  bar(growing(running(1, 2, 1s)));
  out.str("");
  bar(weighed(running(2, 4, 2s), 3000, 6000));  // the first items had no weight
  CHECK(out.str() == frame("[#####.....] 2/4 3000/6000 50% 1.5k/s 00:02<00:02"));
}

TEST_CASE("The receipt says whether X is N, and what became of the rest") {
  Progress last = finished(240, 2s, 2);
  CHECK(seen(last) == "hashing 240/240 in 00:02 at 120/s 2 failed");
  last.retried = 7;
  CHECK(seen(last) == "hashing 240/240 in 00:02 at 120/s 2 failed 7 retried");
  CHECK(seen(last, 40) == "hashing 240/240 in 00:02 2 failed");

  const Progress short_of_it = cancelled(running(118, 240, 2s, 2));
  CHECK(seen(short_of_it) ==
        "hashing 118/240 INCOMPLETE in 00:02 at 59.0/s 2 failed 122 cancelled");
  CHECK(seen(short_of_it, 49) == "118/240 INCOMPLETE 2 failed 122 cancelled");
  CHECK(seen(short_of_it, 20) == "118/240 INCOMPLETE");
  CHECK(seen(short_of_it, 10) == "118/240");
  CHECK(seen(cancelled(running(0, 240, 0s)), 60) ==
        "hashing 0/240 INCOMPLETE in 00:00 240 cancelled");

  const Environment no_color("NO_COLOR", "");
  std::ostringstream out;
  ProgressBar{out, "", {.style = BarStyle::terminal, .width = 40}}(cancelled(running(1, 2, 0s)));
  CHECK(out.str() == last_frame("1/2 \033[31mINCOMPLETE\033[0m in 00:00 1 cancelled", true));
}

TEST_CASE("An empty batch is 0/0, all of it") {
  CHECK(seen(finished(0, 0s), 40) == "hashing 0/0 in 00:00");
  CHECK(seen(growing(running(0, 0, 0s)), 40) == "hashing 0/0+ 00:00");  // N is unknown
}

TEST_CASE("The rate is left out while there is none, and of one step it is that step's") {
  const auto rate = [](std::uint64_t completed, std::chrono::nanoseconds elapsed,
                       BarUnit unit = BarUnit::items) {
    const auto all = words(seen(running(completed, 1ULL << 62, elapsed), 200, "", unit));
    const auto found = std::find_if(all.begin(), all.end(), [](const std::string& word) {
      return word.find_first_of("smhd") != std::string::npos && word.find('/') != std::string::npos;
    });
    return found == all.end() ? "" : *found;
  };
  CHECK(rate(0, 0s).empty());
  CHECK(rate(0, 1s).empty());
  CHECK(rate(1, 0s).empty());
  CHECK(rate(1, 1s) == "1.0/s");
  CHECK(rate(999, 1s) == "999/s");
  CHECK(rate(9999, 10s) == "1.0k/s");
  CHECK(rate(1250, 1s) == "1.3k/s");
  CHECK(rate(99'960, 1s) == "100k/s");
  CHECK(rate(1'234'567, 1s) == "1.2M/s");
  CHECK(rate(1, 2s) == "30.0/min");
  CHECK(rate(1, 5min) == "12.0/h");
  CHECK(rate(1, 48h) == "0.5/d");
  CHECK(rate(1ULL << 62, 1ns) == "4611686018E/s");
  CHECK(rate(512, 1s, BarUnit::bytes) == "512B/s");
  CHECK(rate(1536, 1s, BarUnit::bytes) == "1.5KiB/s");
  CHECK(rate(1023 * 1024 + 1000, 1s, BarUnit::bytes) == "1.0MiB/s");
  CHECK(rate(5ULL << 30, 2s, BarUnit::bytes) == "2.5GiB/s");
}

TEST_CASE("The times are whole seconds, then hours, then days; a year left is not worth saying") {
  CHECK(seen(running(0, 100, 59s), 200, "").ends_with("0% 00:59"));
  CHECK(seen(running(0, 100, 10s), 200, "").ends_with("0% 00:10"));
  CHECK(seen(running(50, 100, 999ms), 200, "").ends_with(" 00:00<00:01"));
  CHECK(seen(running(50, 100, 59min + 59s), 200, "").ends_with(" 59:59<59:59"));
  CHECK(seen(running(50, 100, 1h), 200, "").ends_with(" 01:00:00<01:00:00"));
  CHECK(seen(running(50, 100, 24h), 200, "").ends_with(" 1d 00:00:00<1d 00:00:00"));
  CHECK(seen(running(1, 3, 52h + 3min + 4s), 200, "").ends_with(" 2d 04:03:04<4d 08:06:08"));
  CHECK(seen(running(1, 1'000'000, 1h), 200, "").ends_with(" 01:00:00"));
  CHECK(seen(running(100, 100, 1h), 200, "").ends_with(" 01:00:00"));
}

TEST_CASE("A bar by bytes shows them as KiB, MiB, GiB") {
  const auto bytes = [](std::uint64_t completed, std::uint64_t total, std::uint64_t failed = 0) {
    return seen(running(completed, total, 1s, failed), 200, "", BarUnit::bytes).substr(43);
  };
  CHECK(bytes(0, 1023) == "0B/1023B 0% 00:01");
  CHECK(bytes(1024, 3ULL << 20) == "1.0KiB/3.0MiB 0% 1.0KiB/s 00:01<51:11");
  CHECK(bytes(1ULL << 29, 5ULL << 30, 2048) ==
        "512MiB/5.0GiB 10% 512MiB/s 00:01<00:09 2.0KiB failed");
  CHECK(bytes(1ULL << 60, std::numeric_limits<std::uint64_t>::max()) ==
        "1.0EiB/16.0EiB 6% 1.0EiB/s 00:01<00:15");
}

TEST_CASE("Only what failed is coloured, and nothing where NO_COLOR is set") {
  const auto drawn = [] {
    std::ostringstream out;
    ProgressBar bar{out, "", {.style = BarStyle::terminal, .width = 30}};
    bar(running(5, 10, 0s, 1));
    return out.str();
  };
  const Environment no_color("NO_COLOR", "1");
  CHECK(drawn() == frame("5/10 50% 00:00 1 failed"));
  const Environment set_but_empty("NO_COLOR", "");
  CHECK(drawn() == frame("5/10 50% 00:00 \033[31m1 failed\033[0m"));
}

TEST_CASE("Without a terminal the first and the last state are a line each, in one write") {
  CHECK(lines({running(0, 240, 0s), running(120, 240, 1s, 2), finished(240, 2s, 2)}) ==
        std::vector<std::string>{"hashing 0/240 0% 00:00\n",
                                 "hashing 240/240 in 00:02 at 120/s 2 failed\n"});
  CHECK(lines({finished(240, 2s)}) ==
        std::vector<std::string>{"hashing 240/240 in 00:02 at 120/s\n"});
  CHECK(lines({running(0, 240, 0s), cancelled(running(120, 240, 2s))}).back() ==
        "hashing 120/240 INCOMPLETE in 00:02 at 60.0/s 120 cancelled\n");
}

TEST_CASE(
    "moby/buildkit#4133: without a terminal a line is due after 5 % and after 30 s, not before") {
  const Progress start = running(0, 1000, 0s);
  CHECK(lines({start, running(900, 1000, 29999ms)}).size() == 1);
  CHECK(lines({start, running(49, 1000, 10min)}).size() == 1);
  CHECK(lines({start, running(50, 1000, 30s)}).size() == 2);

  Writes writes;
  std::ostream out{&writes};
  ProgressBar bar{out, "hashing"};
  for (std::uint64_t second = 0; second < 1000; ++second) {  // 0.1 % a second: 5 % is the rarer
    bar(running(second, 1000, std::chrono::seconds{second}));
  }
  bar(finished(1000, 1000s));
  CHECK(writes.all.size() == 21);
  CHECK(writes.all[1] == "hashing 50/1000 5% 1.0/s 00:50<15:50\n");

  writes.all.clear();
  for (std::uint64_t second = 0; second < 100; ++second) {  // 1 % a second: 30 s is the rarer
    bar(running(second, 100, std::chrono::seconds{second}));
  }
  bar(finished(100, 100s));
  CHECK(writes.all.size() == 5);
}

TEST_CASE("Without a terminal and while N grows a line is due after 30 s") {
  CHECK(lines({growing(running(0, 100, 0s)), growing(running(90, 200, 29s)),
               growing(running(90, 300, 30s)), growing(running(90, 300, 59s)),
               growing(running(90, 300, 60s)), finished(300, 61s)}) ==
        std::vector<std::string>{"hashing 0/100 0% 00:00\n", "hashing 90/300+ 3.1/s 00:30\n",
                                 "hashing 90/300+ 3.0/s 01:00\n",
                                 "hashing 300/300 in 01:01 at 4.9/s\n"});
}

TEST_CASE("One bar shows one batch after the other") {
  CHECK(
      lines({running(0, 10, 0s), finished(10, 1s), running(0, 20, 0s), finished(20, 1s)}).size() ==
      4);
  CHECK(lines({growing(running(0, 10, 0s)), growing(running(0, 20, 1s)), finished(20, 1s),
               growing(running(0, 30, 0s))})
            .back() == "hashing 0/30 0% 00:00\n");
}

TEST_CASE("A label cannot break the line") {
  const auto shown = [](std::string_view label) {
    const std::string line = seen(running(0, 9, 0s), 30, label);
    return line.substr(0, std::min(line.find(" 0/9"), line.find(" [")));
  };
  CHECK(shown("a\nb\tc\033[2Jd\x7f") == "a?b?c?[2Jd?");
  CHECK(shown("\xc2\x9b 5n") == "?? 5n");        // a control sequence of the second set
  CHECK(shown("\xff\xc3 \xe2\x82") == "?? ??");  // no UTF-8, and cut off
  CHECK(shown("\xe0\x80\xaf") == "???");
  CHECK(shown("\xc0\xaf \xed\xa0\x80") == "?? ???");  // too long for its value; a surrogate
  CHECK(shown("\xf4\x90\x80\x80") == "????");         // beyond U+10FFFF
  CHECK(shown("größe 数 🦀") == "größe 数 🦀");
  CHECK(shown("数数数数数数数数数数") == "数数数数数数数");  // half of 29 cells
  CHECK(shown("привет, как дела?") == "привет, как де");
}

TEST_CASE("Only a standard stream can be a terminal, and not one that was given another buffer") {
  using xofn::detail::descriptor_of;
  CHECK(descriptor_of(std::cout) == 1);
  CHECK(descriptor_of(std::cerr) == 2);
  CHECK(descriptor_of(std::clog) == 2);
  std::ostringstream text;
  CHECK(descriptor_of(text) == -1);
  CHECK(descriptor_of(std::ostream{nullptr}) == -1);
  CHECK(descriptor_of(std::ostream{std::cerr.rdbuf()}) == 2);
  std::streambuf* const original = std::cerr.rdbuf(text.rdbuf());
  const int descriptor = descriptor_of(std::cerr);
  std::cerr.rdbuf(original);
  CHECK(descriptor == -1);
}

TEST_CASE("A stream that fails or throws does not break the bar") {
  Writes writes;
  std::ostream out{&writes};
  ProgressBar bar{out, "hashing"};
  writes.is_full = true;
  bar(running(0, 10, 0s));
  CHECK(out.bad());
  bar(finished(10, 0s));
  CHECK(writes.all.empty());

  out.clear();
  out.exceptions(std::ios::badbit);
  CHECK_THROWS_AS(bar(running(0, 10, 0s)), std::ios::failure);
  writes.is_full = false;
  out.clear();
  bar(finished(10, 1s));
  bar(running(0, 10, 0s));
  CHECK(writes.all ==
        std::vector<std::string>{"hashing 10/10 in 00:01 at 10.0/s\n", "hashing 0/10 0% 00:00\n"});
}

TEST_CASE("A bar that is told every step shows every step, and the last one is N/N") {
  Writes writes;
  std::ostream out{&writes};
  xofn::BatchProcessor<int> processor{{.max_workers = 4}};
  processor.on_progress(ProgressBar{out, "", {.style = BarStyle::terminal, .width = 30}});
  const std::vector<int> tasks(100);
  processor.run(tasks, [](int) { throw std::runtime_error("no"); });
  REQUIRE(writes.all.size() == 100);
  for (std::size_t i = 0; i < 100; ++i) {
    const std::string expected = "\033[?2026h\r" + std::to_string(i + 1) + "/100 ";
    CHECK((i == 99 || writes.all[i].starts_with(expected)));
  }
  CHECK(writes.all.back().starts_with("\033[?2026h\r\033[J100/100 in "));
  CHECK(writes.all.back().ends_with("\n\033[?2026l"));
}

TEST_CASE("On a tracker by bytes the first line is the start, the last the end, on any thread") {
  for (const xofn::Delivery delivery :
       {xofn::Delivery::latest(), xofn::Delivery::latest().on_caller()}) {
    Writes writes;
    std::ostream out{&writes};
    xofn::ProgressTracker bytes{4096};
    bytes.on_progress(ProgressBar{out, "read", {.unit = BarUnit::bytes}}, delivery);
    bytes.succeed(3072);
    bytes.cancel_rest();
    bytes.wait();
    REQUIRE(writes.all.size() == 2);
    CHECK(writes.all.front().starts_with("read 0B/4.0KiB 0% "));
    CHECK(writes.all.back().starts_with("read 3.0KiB/4.0KiB INCOMPLETE in 00:00 at "));
    CHECK(writes.all.back().ends_with(" 1.0KiB cancelled\n"));
  }
}
