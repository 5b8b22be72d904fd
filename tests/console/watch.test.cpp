// SPDX-License-Identifier: MIT
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>
#include <xofn/batch_processor.hpp>
#include <xofn/console/progress_bar.hpp>
#include <xofn/console/progress_bars.hpp>
#include <xofn/console/running_items.hpp>
#include <xofn/console/watch.hpp>

#include "../support/environment.hpp"
#include "../support/gate.hpp"
#include "../support/screen.hpp"

using namespace std::chrono_literals;
using support::Gate;
using support::Screen;
using xofn::BarStyle;
using xofn::Progress;
using xofn::ProgressBar;

namespace {

/// Keeps what a bar is told.
struct Told {
  void operator()(const Progress& progress, std::string_view item) const {
    all->push_back(xofn::to_string(progress) + ' ' + std::string{item});
  }
  std::vector<std::string>* all;
};

std::string itself(const std::string& task) { return task; }

std::string drawn(std::string_view item, unsigned width) {
  std::ostringstream out;
  Progress progress;
  progress.total = 2;
  progress.succeeded = 1;
  progress.elapsed = 1s;
  {
    ProgressBar bar{out, "rendering", {.style = BarStyle::terminal, .width = width}};
    bar(progress, item);
  }
  Screen screen(width);
  screen.write(out.str());
  CHECK_FALSE(screen.has_wrapped());
  return screen.rows().front();
}

}  // namespace

TEST_CASE("Running items: the longest is the one that began first of those that run") {
  xofn::detail::RunningItems<> items;
  CHECK(items.longest().empty());
  items.begin(7, "seven");
  items.begin(3, "three");
  CHECK(items.longest() == "seven");
  items.begin(7, "seven again");  // another attempt
  CHECK(items.longest() == "three");
  items.end(3);
  CHECK(items.longest() == "seven again");
  items.end(3);
  items.end(99);
  items.clear();
  CHECK(items.longest().empty());
}

TEST_CASE(
    "ninja-build/ninja#111: the longest running item is in the line, not the last completed") {
  std::vector<std::string> told;
  Gate long_begun;
  Gate short_told;
  xofn::BatchProcessor<std::string> processor{{.max_workers = 2}};
  xofn::watch(processor, Told{&told}, itself, xofn::Delivery::every())
      .on_progress([&](const Progress& progress) {
        if (progress.completed() == 2) short_told.open();
      });
  processor.run(std::vector<std::string>{"long", "a", "b"}, [&](const std::string& task) {
    if (task == "long") {
      long_begun.open();
      (void)short_told.wait();
    } else {
      (void)long_begun.wait();
    }
  });
  CHECK(told == std::vector<std::string>{"1/3 long", "2/3 long", "3/3 "});
  CHECK_FALSE(short_told.expired());
}

TEST_CASE("An item that is cancelled between two attempts is not named in the next batch") {
  std::vector<std::string> told;
  xofn::BatchProcessor<std::string> processor{
      {.max_workers = 1, .retry = {.max_attempts = 2, .backoff = 1h}}};
  xofn::watch(processor, Told{&told}, itself, xofn::Delivery::every());
  Gate failed;
  auto batch =
      processor.start(std::vector<std::string>{"a", "b", "c"}, [&](const std::string& task) {
        if (task == "b") throw std::runtime_error("no");
        if (task == "c") failed.open();
      });
  CHECK(failed.wait());
  batch.cancel();
  batch.wait();
  told.clear();
  processor.run(std::vector<std::string>{"d"}, [](const std::string&) {});
  CHECK(told == std::vector<std::string>{"1/1 "});
}

TEST_CASE("What a name throws is kept, and the bar goes on") {
  std::vector<std::string> told;
  xofn::BatchProcessor<std::string> processor{{.max_workers = 1}};
  xofn::watch(
      processor, Told{&told},
      [](const std::string&) -> std::string { throw std::runtime_error("no name"); },
      xofn::Delivery::every());
  const auto report = processor.run(std::vector<std::string>{"a"}, [](const std::string&) {});
  CHECK(report.callback_error());
  CHECK(told == std::vector<std::string>{"1/1 "});
}

TEST_CASE("The name of an item is cut to a quarter of the line, and made harmless") {
  CHECK(drawn("long.mp4", 80) == "rendering [#####.....] 1/2 50% 1.0/s 00:01<00:01 (long.mp4)");
  CHECK(drawn("a name that is much too long.mp4", 80) ==
        "rendering [#####.....] 1/2 50% 1.0/s 00:01<00:01 (a name that is much)");
  CHECK(drawn("a name that is much too long.mp4", 48) ==
        "rendering 1/2 50% 00:01<00:01 (a name that)");
  CHECK(drawn("a\nb\033[2J", 80).ends_with(" (a?b?[2J)"));
  CHECK(drawn("数える数える数える数える", 60).ends_with(" (数える数える数)"));
  CHECK(drawn("long.mp4", 30) == "rendering 1/2 50% 00:01<00:01");
}

TEST_CASE("A bar of a group is watched, and so are lines") {
  std::ostringstream out;
  xofn::ProgressBars bars{out, {.style = BarStyle::lines}};
  xofn::BatchProcessor<int> processor{{.max_workers = 1}};
  xofn::watch(processor, bars.add("counting"), [](int task) { return std::to_string(task); });
  processor.run(std::vector<int>{1, 2, 3}, [](int) {});
  CHECK(out.str().starts_with("counting 0/3 0% 00:00"));
  CHECK(out.str().find("counting 3/3 in 00:00") != std::string::npos);
}
