// SPDX-License-Identifier: MIT
// Bars in a terminal that others have written: golden frames, as tmux shows them.
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ostream>
#include <string>
#include <tuple>
#include <vector>
#include <xofn/console/progress_bar.hpp>
#include <xofn/console/progress_bars.hpp>

#include "../support/environment.hpp"
#include "../support/progress.hpp"
#include "../support/tmux.hpp"

using namespace std::chrono_literals;
using support::DescriptorBuffer;
using support::Environment;
using support::Tmux;
using support::whole;
using xofn::BatchState;
using xofn::Progress;
using xofn::ProgressBar;
using xofn::ProgressBars;

namespace {

using Rows = std::vector<std::string>;

/// Nothing is left out in CI.
void need_tmux() {
  if (Tmux::is_there()) return;
  if (std::getenv("CI") != nullptr) FAIL("tmux was not found, and nothing is left out in CI");
  SKIP("tmux was not found");
}

Progress after_2s(std::uint64_t completed, std::uint64_t total,
                  BatchState state = BatchState::running) {
  return support::snapshot(completed, total, state, 2s);
}

}  // namespace

#define CHECK_ROWS(tmux, ...)                 \
  do {                                        \
    const Rows expected __VA_ARGS__;          \
    CHECK((tmux).rows(expected) == expected); \
  } while (false)

TEST_CASE("tmux: a bar stays on its row, wide and narrow, and leaves a receipt") {
  need_tmux();
  const Environment term("TERM", "xterm");
  for (const auto& [columns, frame, receipt] :
       std::vector<std::tuple<unsigned, std::string, std::string>>{
           {100,
            "hashing [####################....................] 120/240 50% 60.0/s 00:02<00:02",
            "hashing 240/240 in 00:02 at 120/s"},
           {60, "hashing [#####.....] 120/240 50% 60.0/s 00:02<00:02",
            "hashing 240/240 in 00:02 at 120/s"},
           {24, "hashing 120/240 50%", "hashing 240/240"},
           {8, "120/240", "240/240"}}) {
    Tmux tmux(columns, 4);
    DescriptorBuffer buffer(tmux.descriptor());
    std::ostream out{&buffer};
    ProgressBar bar{out, "hashing", {.descriptor = tmux.descriptor()}};
    bar(after_2s(0, 240));
    bar(after_2s(120, 240));
    CHECK_ROWS(tmux, {frame});
    bar(whole(240, 2s));
    CHECK_ROWS(tmux, {receipt});
  }
}

TEST_CASE("tmux: several bars, lines above them that wrap and scroll, and receipts") {
  need_tmux();
  const Environment term("TERM", "xterm");
  Tmux tmux(40, 6);
  DescriptorBuffer buffer(tmux.descriptor());
  std::ostream out{&buffer};
  ProgressBars bars{out, {.descriptor = tmux.descriptor()}};
  const auto hashing = bars.add("hashing");
  const auto packing = bars.add("packing");
  hashing(after_2s(0, 4));
  packing(after_2s(0, 2));
  const std::string hashing_row = "hashing [..........] 0/4 0% 00:02";
  const std::string packing_row = "packing [..........] 0/2 0% 00:02";
  CHECK_ROWS(tmux, {hashing_row, packing_row});
  bars.println("a line");
  CHECK_ROWS(tmux, {"a line", hashing_row, packing_row});
  bars.println(std::string(40, 'x'));
  bars.println(std::string(41, 'y'));
  CHECK_ROWS(tmux,
             {"a line", std::string(40, 'x'), std::string(40, 'y'), "y", hashing_row, packing_row});
  bars.println("last");
  CHECK_ROWS(tmux,
             {std::string(40, 'x'), std::string(40, 'y'), "y", "last", hashing_row, packing_row});
  hashing(whole(4, 2s));
  CHECK_ROWS(tmux, {std::string(40, 'x'), std::string(40, 'y'), "y", "last",
                    "hashing 4/4 in 00:02 at 2.0/s", packing_row});
  packing(after_2s(1, 2, BatchState::cancelled));
  CHECK_ROWS(tmux, {std::string(40, 'y'), "y", "last", "hashing 4/4 in 00:02 at 2.0/s",
                    "packing 1/2 INCOMPLETE in 00:02"});
}

TEST_CASE("tmux: when the window is made narrower and wider, nothing of the bars before is left") {
  need_tmux();
  const Environment term("TERM", "xterm");
  Tmux tmux(60, 8);
  DescriptorBuffer buffer(tmux.descriptor());
  std::ostream out{&buffer};
  ProgressBars bars{out, {.descriptor = tmux.descriptor()}};
  const auto hashing = bars.add("hashing");
  const auto packing = bars.add("packing");
  bars.println("a line");
  const auto draw = [&] {
    hashing(after_2s(120, 240));
    packing(after_2s(1, 2));
  };
  // Where a bar has wrapped tmux may scroll the line away; what is left of the bar is the question.
  const auto bars_in = [&](const Rows& expected) {
    Rows seen = tmux.rows(expected);
    if (!seen.empty() && seen.front() == "a line") seen.erase(seen.begin());
    return seen;
  };
  draw();
  const Rows wide{"hashing [#####.....] 120/240 50% 60.0/s 00:02<00:02",
                  "packing [#####.....] 1/2 50% 30.0/min 00:02<00:02"};
  CHECK_ROWS(tmux, {"a line", wide[0], wide[1]});
  tmux.resize(30, 8);
  draw();
  const Rows narrow{"hashing 120/240 50% 60.0/s", "packing 1/2 50% 00:02<00:02"};
  CHECK(bars_in(narrow) == narrow);
  tmux.resize(12, 8);
  draw();
  const Rows narrower{"120/240 50%", "1/2 50%"};
  CHECK(bars_in(narrower) == narrower);
  tmux.resize(60, 8);
  draw();
  CHECK(bars_in(wide) == wide);
  tmux.resize(60, 2);  // a row for the line above, one for the bars
  draw();
  CHECK_ROWS(tmux, {"+2 more"});
}

TEST_CASE("tmux: labels of wide characters, marks and emoji stay on their row at every width") {
  need_tmux();
  const Environment term("TERM", "xterm");
  Tmux tmux(60, 8);
  DescriptorBuffer buffer(tmux.descriptor());
  std::ostream out{&buffer};
  const auto label =
      "数える ❤\ufe0f cafe\u0301 👩\u200d🚀 한국 "
      "🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀";
  ProgressBars bars{out, {.descriptor = tmux.descriptor()}};
  const auto bar = bars.add(label);
  for (unsigned columns = 60; columns >= 10; columns -= 5) {
    tmux.resize(columns, 8);
    bar(after_2s(1, 2));
  }
  CHECK_ROWS(tmux, {"1/2 50%"});
}

TEST_CASE("tmux: a bar that goes in the middle leaves its row, and the cursor below") {
  need_tmux();
  const Environment term("TERM", "xterm");
  Tmux tmux(40, 4);
  DescriptorBuffer buffer(tmux.descriptor());
  std::ostream out{&buffer};
  {
    ProgressBar bar{out, "hashing", {.descriptor = tmux.descriptor()}};
    bar(after_2s(1, 2));
  }
  out << "bye\n" << std::flush;
  CHECK_ROWS(tmux, {"hashing 1/2 50% 30.0/min 00:02<00:02", "bye"});
}

TEST_CASE("tmux: a dumb terminal gets lines") {
  need_tmux();
  const Environment term("TERM", "dumb");
  Tmux tmux(40, 6);
  DescriptorBuffer buffer(tmux.descriptor());
  std::ostream out{&buffer};
  ProgressBars bars{out, {.descriptor = tmux.descriptor()}};
  const auto hashing = bars.add("hashing");
  hashing(after_2s(0, 4));
  bars.println("a line");
  hashing(after_2s(1, 4));
  hashing(whole(4, 2s));
  CHECK_ROWS(tmux, {"hashing 0/4 0% 00:02", "a line", "hashing 4/4 in 00:02 at 2.0/s"});
}

TEST_CASE("tmux: a pipe to a terminal gets lines") {
  need_tmux();
  const Environment term("TERM", "xterm");
  Tmux tmux(40, 6);
  FILE* const pipe = popen(("cat >" + tmux.path()).c_str(), "w");  // NOLINT(cert-env33-c)
  REQUIRE(pipe != nullptr);
  {
    DescriptorBuffer buffer(fileno(pipe));
    std::ostream out{&buffer};
    ProgressBar bar{out, "hashing", {.descriptor = fileno(pipe)}};
    bar(after_2s(0, 4));
    bar(after_2s(1, 4));
    bar(whole(4, 2s));
  }
  pclose(pipe);
  CHECK_ROWS(tmux, {"hashing 0/4 0% 00:02", "hashing 4/4 in 00:02 at 2.0/s"});
}
