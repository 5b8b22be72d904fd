// SPDX-License-Identifier: MIT
#include <catch2/catch_test_macros.hpp>
#include <limits>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>
#include <xofn/console/output_mode.hpp>
#include <xofn/console/progress_bar.hpp>

#include "../support/environment.hpp"
#include "../support/progress.hpp"

using namespace std::chrono_literals;
using support::Environment;
using support::snapshot;
using xofn::BarStyle;
using xofn::BatchState;
using xofn::Progress;
using xofn::ProgressBar;

namespace {

using Variables = std::map<std::string, std::string>;

xofn::detail::OutputMode mode(bool is_terminal, const Variables& variables,
                              BarStyle asked_for = BarStyle::detect) {
  return xofn::detail::output_mode(asked_for, is_terminal, [&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string_view{} : std::string_view{found->second};
  });
}

/// What is written about these states.
std::string output(const std::vector<Progress>& states, BarStyle style = BarStyle::detect) {
  std::ostringstream out;
  ProgressBar bar{out, "", {.style = style}};
  for (const Progress& progress : states) bar(progress);
  return out.str();
}

}  // namespace

TEST_CASE("The style: the program, then XOFN_PROGRESS, then the terminal decides") {
  const struct {
    bool is_terminal;
    Variables variables;
    BarStyle expected;
  } table[] = {
      {true, {}, BarStyle::terminal},
      {true, {{"TERM", "xterm"}}, BarStyle::terminal},
      {true, {{"TERM", "dumb"}}, BarStyle::lines},
      {false, {}, BarStyle::lines},
      {false, {{"TERM", "xterm"}}, BarStyle::lines},
      {true, {{"XOFN_PROGRESS", "off"}}, BarStyle::off},
      {true, {{"XOFN_PROGRESS", "plain"}}, BarStyle::lines},
      {true, {{"XOFN_PROGRESS", "machine"}}, BarStyle::machine},
      {false, {{"XOFN_PROGRESS", "tty"}}, BarStyle::terminal},
      {true, {{"XOFN_PROGRESS", "tty"}, {"TERM", "dumb"}}, BarStyle::terminal},
      {true, {{"XOFN_PROGRESS", ""}}, BarStyle::terminal},
      {true, {{"XOFN_PROGRESS", "TTY"}}, BarStyle::terminal},
      {false, {{"XOFN_PROGRESS", "on"}}, BarStyle::lines},
      {false, {{"FORCE_COLOR", "1"}}, BarStyle::lines},
  };
  for (const auto& row : table) {
    CAPTURE(row.is_terminal, row.variables);
    CHECK(mode(row.is_terminal, row.variables).style == row.expected);
    for (const BarStyle style :
         {BarStyle::terminal, BarStyle::lines, BarStyle::off, BarStyle::machine}) {
      CHECK(mode(row.is_terminal, row.variables, style).style == style);
    }
  }
}

TEST_CASE(
    "The colours: FORCE_COLOR, NO_COLOR, CLICOLOR_FORCE, CLICOLOR, then the terminal decides") {
  const struct {
    Variables variables;
    bool forty_columns;
    bool elsewhere;
  } table[] = {
      {{}, true, false},
      {{{"NO_COLOR", "1"}}, false, false},
      {{{"NO_COLOR", "0"}}, false, false},  // whatever it says
      {{{"NO_COLOR", ""}}, true, false},
      {{{"FORCE_COLOR", "1"}}, true, true},
      {{{"FORCE_COLOR", "0"}}, true, true},  // whatever it says
      {{{"FORCE_COLOR", ""}}, true, false},
      {{{"FORCE_COLOR", "1"}, {"NO_COLOR", "1"}}, true, true},
      {{{"CLICOLOR_FORCE", "1"}}, true, true},
      {{{"CLICOLOR_FORCE", "0"}}, true, false},
      {{{"CLICOLOR_FORCE", ""}}, true, false},
      {{{"CLICOLOR_FORCE", "1"}, {"NO_COLOR", "1"}}, false, false},
      {{{"CLICOLOR_FORCE", "1"}, {"CLICOLOR", "0"}}, true, true},
      {{{"CLICOLOR", "0"}}, false, false},
      {{{"CLICOLOR", "1"}}, true, false},
      {{{"TERM", "dumb"}}, false, false},
  };
  for (const auto& row : table) {
    CAPTURE(row.variables);
    CHECK(mode(true, row.variables).is_coloured == row.forty_columns);
    CHECK(mode(false, row.variables).is_coloured == row.elsewhere);
  }
}

TEST_CASE("XOFN_PROGRESS reaches a bar, and what the program asked for comes before it") {
  const std::vector<Progress> states{snapshot(0, 2), snapshot(1, 2),
                                     snapshot(2, 2, BatchState::finished)};
  {
    const Environment off("XOFN_PROGRESS", "off");
    CHECK(output(states).empty());
    CHECK(output(states, BarStyle::machine) == "xofn:0:0:2\nxofn:1:0:2\nxofn:2:0:2\n");
  }
  const Environment plain("XOFN_PROGRESS", "plain");
  CHECK(output(states) == "0/2 0% 00:00\n2/2 in 00:00\n");
  CHECK(output(states, BarStyle::off).empty());
}

TEST_CASE("For programs there is a line whenever a figure changes, and one for the final state") {
  Progress failed = snapshot(1, 3);
  failed.failed = 1;
  CHECK(output({snapshot(0, 3), snapshot(0, 3), snapshot(1, 3), snapshot(1, 3), failed,
                snapshot(2, 4), snapshot(2, 4), snapshot(2, 4, BatchState::cancelled)},
               BarStyle::machine) ==
        "xofn:0:0:3\nxofn:1:0:3\nxofn:2:1:3\nxofn:2:0:4\nxofn:2:0:4\n");
  CHECK(output({snapshot(0, 0, BatchState::finished)}, BarStyle::machine) == "xofn:0:0:0\n");
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  CHECK(output({snapshot(most, most)}, BarStyle::machine) ==
        "xofn:18446744073709551615:0:18446744073709551615\n");
}

TEST_CASE("Where colours are forced a log has them too") {
  const Environment force("FORCE_COLOR", "1");
  Progress failed = snapshot(1, 3);
  failed.failed = 1;
  CHECK(output({failed}, BarStyle::lines) == "2/3 66% 00:00 \033[31m1 failed\033[0m\n");
}
