// SPDX-License-Identifier: MIT
#include <catch2/catch_test_macros.hpp>
#include <ios>
#include <map>
#include <optional>
#include <ostream>
#include <sstream>
#include <stdexcept>
#include <streambuf>
#include <string>
#include <string_view>
#include <utility>
#include <xofn/console/progress_bar.hpp>
#include <xofn/console/taskbar.hpp>

#include "../support/environment.hpp"
#include "../support/progress.hpp"

using support::Environment;
using support::forty_columns;
using xofn::BarStyle;
using xofn::BatchState;
using xofn::Progress;
using xofn::ProgressBar;

namespace {

const std::string cleared = "\033]9;4;0;0\033\\";

/// A terminal that is on the list.
struct Ghostty {
  Environment program{"TERM_PROGRAM", "ghostty"};
  Environment term{"TERM", "xterm-ghostty"};
  Environment tmux{"TMUX", ""};
  Environment screen{"STY", ""};
};

Progress half(BatchState state = BatchState::running) { return support::snapshot(2, 4, state); }

/// The codes for the taskbar in a text, one after the other.
std::string codes(std::string_view text) {
  std::string all;
  for (;;) {
    const std::size_t begin = text.find("\033]");
    if (begin == std::string_view::npos) return all;
    const std::size_t end = text.find("\033\\", begin) + 2;
    all += text.substr(begin, end - begin);
    text.remove_prefix(end);
  }
}

}  // namespace

TEST_CASE("Only terminals that say so and document it are told of the taskbar") {
  const struct {
    std::map<std::string, std::string> variables;
    bool expected;
  } table[] = {
      {{}, false},
      {{{"TERM", "xterm-256color"}}, false},
      {{{"TERM_PROGRAM", "ghostty"}}, true},
      {{{"TERM_PROGRAM", "WezTerm"}}, true},
      {{{"TERM_PROGRAM", "iTerm.app"}}, false},
      {{{"TERM_PROGRAM", "Apple_Terminal"}}, false},
      {{{"TERM_PROGRAM", "vscode"}}, false},
      {{{"TERM", "xterm-kitty"}}, false},
      {{{"WT_SESSION", "7c2b"}}, true},
      {{{"ConEmuANSI", "ON"}}, true},
      {{{"ConEmuANSI", "OFF"}}, false},
      {{{"WT_SESSION", "7c2b"}, {"TMUX", "/tmp/tmux"}}, false},
      {{{"WT_SESSION", "7c2b"}, {"STY", "1.pts"}}, false},
      {{{"WT_SESSION", "7c2b"}, {"TERM", "tmux-256color"}}, false},
      {{{"WT_SESSION", "7c2b"}, {"TERM", "screen"}}, false},
  };
  for (const auto& row : table) {
    CAPTURE(row.variables);
    const bool is_told = xofn::detail::knows_taskbar([&](const char* name) {
      const auto found = row.variables.find(name);
      return found == row.variables.end() ? std::string_view{} : std::string_view{found->second};
    });
    CHECK(is_told == row.expected);
  }
}

TEST_CASE("The taskbar has the percentage and the state, once each, and is cleared at the end") {
  const Ghostty ghostty;
  std::ostringstream out;
  ProgressBar bar{out, "", forty_columns};
  const auto said = [&](const Progress& progress) {
    out.str("");
    bar(progress);
    return codes(out.str());
  };
  CHECK(said(half()) == "\033]9;4;1;50\033\\");
  CHECK(said(half()).empty());
  CHECK(said(half(BatchState::paused)) == "\033]9;4;4;50\033\\");
  Progress failed = half();
  failed.failed = 1;
  CHECK(said(failed) == "\033]9;4;2;75\033\\");
  Progress growing = half();
  growing.total_is_final = false;
  growing.total = 5;
  CHECK(said(growing) == "\033]9;4;3;40\033\\");
  CHECK(said(half(BatchState::finished)) == cleared);
  CHECK(said(half(BatchState::finished)).empty());
}

TEST_CASE("The taskbar is cleared when a bar goes before its batch ends, by an exception or not") {
  const Ghostty ghostty;
  std::ostringstream out;
  const auto draw_and_throw = [&] {
    ProgressBar bar{out, "", forty_columns};
    bar(half());
    ProgressBar moved = std::move(bar);
    moved(half());
    const ProgressBar copy = moved;
    throw std::runtime_error("no");
  };
  CHECK_THROWS(draw_and_throw());
  CHECK(codes(out.str()) == "\033]9;4;1;50\033\\" + cleared);
  CHECK(out.str().ends_with(cleared + '\n'));
}

TEST_CASE("A bar that is replaced clears the taskbar and leaves its row") {
  const Ghostty ghostty;
  std::ostringstream out;
  ProgressBar bar{out, "", forty_columns};
  bar(half());
  bar = ProgressBar{out, "", forty_columns};
  CHECK(out.str().ends_with(cleared + '\n'));
  out.str("");
  bar(half(BatchState::finished));
  CHECK(codes(out.str()).empty());
}

TEST_CASE("A bar that goes where its stream throws does so quietly, and clears what it could not") {
  struct Full : std::stringbuf {
    bool is_full = false;
    std::streamsize xsputn(const char* text, std::streamsize size) override {
      if (is_full) throw std::runtime_error("full");
      return std::stringbuf::xsputn(text, size);
    }
  } full;
  const Ghostty ghostty;
  std::ostream out{&full};
  out.exceptions(std::ios::badbit);
  {
    ProgressBar bar{out, "", forty_columns};
    bar(half());
    full.is_full = true;
    CHECK_THROWS_AS(bar(half(BatchState::paused)), std::runtime_error);
  }
  CHECK(codes(full.str()) == "\033]9;4;1;50\033\\");

  out.exceptions(std::ios::goodbit);
  out.clear();
  out.exceptions(std::ios::badbit);
  std::optional<ProgressBar> bar{std::in_place, out, "", forty_columns};
  CHECK_THROWS_AS((*bar)(half()), std::runtime_error);
  full.is_full = false;
  out.clear();
  bar.reset();
  CHECK(codes(full.str()).ends_with(cleared));
}

TEST_CASE("What is no terminal is told nothing of a taskbar") {
  const Ghostty ghostty;
  std::ostringstream out;
  for (const BarStyle style : {BarStyle::lines, BarStyle::machine, BarStyle::off}) {
    ProgressBar bar{out, "", {.style = style}};
    bar(half());
  }
  CHECK(codes(out.str()).empty());
}
